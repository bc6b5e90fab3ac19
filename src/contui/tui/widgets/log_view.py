"""Logs on the screen: follow, wrap, times, search hits, several containers in one."""

from __future__ import annotations

import re
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from contui.model.log import Gap, LogLine, Std
from contui.model.units import clock
from contui.tui.logmodel import LogModel, LogRow
from contui.tui.safe import ansi, cell_len, clean
from contui.tui.widgets.view import RowsView

_STRIPS: Final = 256
"""Drawn rows kept: those of a screen and some around it."""
_HUES: Final = ("cyan", "magenta", "green", "yellow", "blue", "red")


class LogView(RowsView):
    """Draws the rows of a :class:`LogModel` that are on the screen, and nothing else.

    Scrolling counts log rows, also when long ones are wrapped: so nothing has to be measured but
    what is drawn.
    """

    follow: reactive[bool] = reactive(True)
    wrap: reactive[bool] = reactive(False)
    timestamps: reactive[bool] = reactive(False)

    class Changed(Message):
        """Something that the log's status line tells has changed."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.model = LogModel()
        self.found: re.Pattern[str] | None = None
        self.hit: int | None = None
        self.log_marks: set[int] = set()
        self._width = 0
        self._strips: dict[tuple[object, ...], Strip] = {}

    # --- taking in

    def pull(self) -> int:
        """Take in what has arrived and repaint; the number of new rows."""
        base, top = self.model.base, self.scroll_offset.y
        number = self.model.number(top) if len(self.model) > top else 0
        count = self.model.pull()
        if count:
            self._extend()
            if self.follow:
                self._to_end()
            elif self.model.base != base:
                self.scroll_to(y=self.model.position(number), animate=False)
            self.repaint()
            self.post_message(self.Changed())
        return count

    def reset(self) -> None:
        """Another log, filter or window: start at its end."""
        self.hit = None
        self.log_marks.clear()
        self._extend()
        self.follow = True
        self._to_end()
        self.repaint()
        self.post_message(self.Changed())

    def _extend(self) -> None:
        """The scroll range; it grows in steps, because each change of it costs a layout."""
        rows = len(self.model)
        extra = max(0, self.size.height - self._fitting(rows)) if self.wrap else 0
        self.set_extent(0 if self.wrap else self._widest(), rows + extra)

    def _fitting(self, rows: int) -> int:
        """How many of the last rows fit on the screen when wrapped."""
        left, count = self.size.height, 0
        for position in range(rows - 1, -1, -1):
            left -= len(self._pieces(position))
            if left < 0:
                break
            count += 1
        return max(1, count)

    def _widest(self) -> int:
        """The widest row on the screen, at least what it was: the range of sideways scrolling."""
        top = self.scroll_offset.y
        rows = range(top, min(len(self.model), top + self.size.height))
        widest = max((self._row_width(position) for position in rows), default=0)
        self._width = max(self._width, widest)
        return self._width if self._width > self.size.width else 0

    def _row_width(self, position: int) -> int:
        row = self.model.row(position)
        return self._prefix_width() + cell_len(clean(row.text[:4000]))

    def _to_end(self) -> None:
        self.scroll_to(y=self.max_scroll_y, animate=False, force=True, immediate=True)

    # --- drawing

    def notify_style_update(self) -> None:
        """The theme changed."""
        super().notify_style_update()
        self._strips.clear()

    def draw_row(self, y: int) -> Strip:
        """One row of the screen."""
        top = self.scroll_offset.y
        if not self.wrap:
            position = top + y
            if position >= len(self.model):
                return Strip.blank(self.size.width, self.rich_style)
            x = self.scroll_offset.x
            strip = self._strip(position)
            return strip.crop_extend(x, x + self.size.width, self.rich_style)
        for position in range(top, len(self.model)):
            pieces = self._pieces(position)
            if y < len(pieces):
                return pieces[y].extend_cell_length(self.size.width, self.rich_style)
            y -= len(pieces)
        return Strip.blank(self.size.width, self.rich_style)

    def _pieces(self, position: int) -> list[Strip]:
        """A wrapped row, as far as it fits on the screen: it is drawn from its beginning."""
        width = max(10, self.size.width)
        strip = self._strip(position).crop(0, width * max(1, self.size.height))
        length = strip.cell_length
        return [strip.crop(x, min(x + width, length)) for x in range(0, max(1, length), width)]

    def _prefix_width(self) -> int:
        name = max((len(source.name) for source in self.model.sources), default=0)
        merged = len(self.model.sources) > 1
        return (13 if self.timestamps else 0) + (min(20, name) + 1 if merged else 0) + 2

    def _strip(self, position: int) -> Strip:
        """One row, drawn once as long as it looks the same: a long line is worth keeping."""
        row, number = self.model.row(position), self.model.number(position)
        sign = "▌" if number == self.hit else "◆" if number in self.log_marks else "│"
        key = row, sign, self.found, self.timestamps, self.model.sources, self.rich_style
        if key not in self._strips:
            if len(self._strips) >= _STRIPS:
                self._strips.clear()
            self._strips[key] = self._draw(row, sign)
        return self._strips[key]

    def _draw(self, row: LogRow, sign: str) -> Strip:
        base, palette = self.rich_style, self.palette
        segments: list[Segment] = []
        if self.timestamps:
            stamp = _stamp(row.time_ns)
            segments.append(Segment(f"{stamp:<12} ", base + palette["dim"]))
        if len(self.model.sources) > 1:
            segments.append(self._source_name(row, base))
        entry = row.entry
        if isinstance(entry, Gap):
            segments.append(Segment(f"~ {clean(row.text)}", base + palette["warning"]))
            return Strip(segments)
        error = entry.std is Std.ERR
        segments.append(Segment(sign + " ", base + palette["stderr" if error else "dim"]))
        segments += self._text(entry, base)
        return Strip(segments)

    def _source_name(self, row: LogRow, base: Style) -> Segment:
        names = [clean(source.name)[:20] for source in self.model.sources]
        width = max(map(len, names))
        hue = Style(color=_HUES[row.source % len(_HUES)])
        return Segment(f"{names[row.source]:<{width}} ", base + hue)

    def _text(self, entry: LogLine, base: Style) -> list[Segment]:
        runs = ansi(entry.text)
        if self.found is None:
            return [Segment(text, base + style) for text, style in runs]
        match = self.palette["match"]
        segments: list[Segment] = []
        for text, style in runs:
            last = 0
            for found in self.found.finditer(text):
                if found.end() > found.start():
                    segments.append(Segment(text[last : found.start()], base + style))
                    segments.append(Segment(found[0], base + match))
                    last = found.end()
            segments.append(Segment(text[last:], base + style))
        return segments

    # --- reading

    def watch_follow(self, follow: bool) -> None:
        """Go to the end when it is switched on."""
        if follow and self.is_mounted:
            self._to_end()
        self.post_message(self.Changed())

    def watch_wrap(self) -> None:
        """Lay out anew."""
        if self.is_mounted:
            self._extend()
            self.scroll_to(x=0, animate=False)
            if self.follow:
                self._to_end()
            self.refresh()
            self.post_message(self.Changed())

    def watch_timestamps(self) -> None:
        """Draw anew."""
        if self.is_mounted:
            self.refresh()
            self.post_message(self.Changed())

    def on_resize(self) -> None:
        """What fits has changed."""
        self._extend()
        if self.follow:
            self.call_after_refresh(self._to_end)

    def _scrolled(self) -> None:
        self.follow = self.scroll_offset.y >= self.max_scroll_y

    def action_move(self, rows: int) -> None:
        """Scroll; upwards ends following, the end resumes it."""
        self.scroll_to(y=self.scroll_offset.y + rows, animate=False, immediate=True)
        self._scrolled()

    def action_page(self, pages: int) -> None:
        """Scroll by a screenful."""
        self.action_move(pages * max(1, self.size.height - 1))

    def action_top(self) -> None:
        """To the oldest line."""
        self.scroll_to(y=0, animate=False, immediate=True)
        self._scrolled()

    def action_bottom(self) -> None:
        """To the newest line, and follow."""
        self.follow = True
        self._to_end()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel ends following."""
        event.stop()
        event.prevent_default()
        self.action_move(-3)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel resumes following at the end."""
        event.stop()
        event.prevent_default()
        self.action_move(3)

    def go_to(self, number: int) -> None:
        """Show a row with some lines around it."""
        self.hit = number
        self.follow = False
        position = self.model.position(number)
        self.scroll_to(y=max(0, position - self.size.height // 3), animate=False, immediate=True)
        self.repaint()
        self.post_message(self.Changed())

    def action_next_hit(self, step: int = 1) -> None:
        """To the next hit, or the previous one."""
        here = self.hit
        if here is None and len(self.model):
            here = self.model.number(min(self.scroll_offset.y, len(self.model) - 1))
        hit = self.model.hit(here or 0, step)
        if hit is not None:
            self.go_to(hit)

    def action_follow(self) -> None:
        """Stay at the newest line, or not."""
        self.follow = not self.follow

    def action_wrap(self) -> None:
        """Break long lines, or not."""
        self.wrap = not self.wrap

    def action_timestamps(self) -> None:
        """Show times, or not."""
        self.timestamps = not self.timestamps

    def action_log_mark(self) -> None:
        """Mark the row in the middle of attention: the hit, else the last one on the screen."""
        if not len(self.model):
            return
        bottom = min(len(self.model), self.scroll_offset.y + self.size.height) - 1
        number = self.hit if self.hit is not None else self.model.number(bottom)
        self.log_marks ^= {number}
        self.repaint()

    def line_text(self, position: int) -> str:
        """One row as plain text: with its time and name if those are shown."""
        row = self.model.row(position)
        time = _stamp(row.time_ns) + " " if self.timestamps else ""
        merged = len(self.model.sources) > 1
        name = clean(self.model.sources[row.source].name) + " " if merged else ""
        return time + name + "".join(text for text, _ in ansi(row.text))

    def copied(self) -> str:
        """What copying yields: the rows on the screen."""
        top = self.scroll_offset.y
        rows = range(top, min(len(self.model), top + self.size.height))
        return "\n".join(self.line_text(position) for position in rows)

    def text(self) -> str:
        """Everything that is shown, for saving."""
        return "\n".join(self.line_text(position) for position in range(len(self.model)))


def _stamp(time_ns: int) -> str:
    if not time_ns:
        return "-"
    return f"{clock(time_ns / 1e9)}.{time_ns // 1_000_000 % 1000:03d}"
