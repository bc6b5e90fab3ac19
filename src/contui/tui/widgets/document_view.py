"""A document to read: scroll, search, copy a line, reveal what is masked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from contui.tui import paint
from contui.tui.document import Line, Span, plain
from contui.tui.safe import clean
from contui.tui.widgets.view import RowsView


class DocumentView(RowsView):
    """Lines with a cursor. The lines may be replaced at any time; cursor and scroll stay."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"document--cursor"}
    DEFAULT_CSS = """
    DocumentView { padding: 0 1; }
    DocumentView > .document--cursor { background: $cursor; }
    """

    cursor: reactive[int] = reactive(0)

    class Reveal(Message):
        """The secrets named are to be shown (or masked again)."""

        def __init__(self, names: frozenset[str]) -> None:
            super().__init__()
            self.names = names

    class Chosen(Message):
        """Enter on a line."""

        def __init__(self, view: DocumentView, index: int) -> None:
            super().__init__()
            self.view = view
            self.index = index

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.lines: list[Line] = []
        self.query_text = ""
        self._pattern: re.Pattern[str] | None = None

    def show(self, lines: Sequence[Line]) -> None:
        """Replace the document."""
        self.lines = list(lines)
        width = max((paint.strip(line, {}, Style.null()).cell_length for line in lines), default=0)
        self.set_extent(width, len(self.lines))
        if self.cursor >= len(self.lines):
            self.cursor = max(0, len(self.lines) - 1)
        self.repaint()

    def home(self) -> None:
        """Back to the beginning, for another document."""
        self.cursor = 0
        self.scroll_to(0, 0, animate=False)

    def draw_row(self, y: int) -> Strip:
        """One line, its search hits marked, cropped to what is on the screen."""
        x, top = self.scroll_offset
        width = self.size.width
        index = y + top
        base = self.rich_style
        if index >= len(self.lines):
            return Strip.blank(width, base)
        if index == self.cursor and self.has_focus:
            base += self.get_component_rich_style("document--cursor", partial=True)
        line = self.lines[index]
        if self._pattern is not None:
            line = _marked(line, self._pattern)
        drawn = paint.strip(line, self.palette, base)
        return drawn.crop_extend(x, x + width, base)

    def validate_cursor(self, value: int) -> int:
        """Keep it on a line."""
        return max(0, min(value, len(self.lines) - 1))

    def watch_cursor(self) -> None:
        """Keep it on the screen."""
        top, height = self.scroll_offset.y, max(1, self.size.height)
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, force=True)
        self.repaint()

    def watch_has_focus(self, value: bool) -> None:
        """The cursor is drawn only with the focus."""
        super().watch_has_focus(value)
        self.repaint()

    def action_move(self, rows: int) -> None:
        """Move the cursor."""
        self.cursor += rows

    def action_page(self, pages: int) -> None:
        """Move by a screenful."""
        self.cursor += pages * max(1, self.size.height - 1)

    def action_top(self) -> None:
        """To the first line."""
        self.cursor = 0

    def action_bottom(self) -> None:
        """To the last line."""
        self.cursor = len(self.lines) - 1

    def action_open(self) -> None:
        """Enter."""
        self.post_message(self.Chosen(self, self.cursor))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor there; twice opens."""
        index = event.y + self.scroll_offset.y
        if index < len(self.lines):
            self.cursor = index
            if event.chain > 1:
                self.action_open()

    def search(self, text: str) -> int:
        """Mark what matches and go to the first hit from the cursor on; the number of hits."""
        self.query_text = text
        self._pattern = re.compile(re.escape(text), re.IGNORECASE) if text else None
        self.repaint()
        hits = self.hits()
        if hits:
            self.cursor = next((hit for hit in hits if hit >= self.cursor), hits[0])
        return len(hits)

    def hits(self) -> list[int]:
        """Numbers of the lines that match."""
        if self._pattern is None:
            return []
        return [i for i, line in enumerate(self.lines) if self._pattern.search(plain([line]))]

    def action_next_hit(self, step: int = 1) -> None:
        """To the next hit, or the previous one."""
        hits = self.hits()
        if not hits:
            return
        ahead = [hit for hit in hits if (hit > self.cursor if step > 0 else hit < self.cursor)]
        self.cursor = (ahead or hits)[0 if step > 0 else -1]

    def copied(self) -> str:
        """What copying yields: the line under the cursor, or what it stands for."""
        if not self.lines:
            return ""
        line = self.lines[self.cursor]
        whole = [span.copy for span in line if span.copy]
        return plain([(Span(whole[0]),)]) if whole else plain([line]).strip()

    def text(self) -> str:
        """The whole document."""
        return plain(self.lines)

    def action_reveal(self) -> None:
        """Show or mask the secrets on this line."""
        if self.lines:
            names = frozenset(span.reveal for span in self.lines[self.cursor] if span.reveal)
            if names:
                self.post_message(self.Reveal(names))


def _marked(line: Line, pattern: re.Pattern[str]) -> Line:
    out: list[Span] = []
    for span in line:
        text, position = clean(span.text), 0
        for found in pattern.finditer(text):
            if found.end() > found.start():
                out.append(replace(span, text=text[position : found.start()]))
                out.append(Span(found[0], "match"))
                position = found.end()
        out.append(replace(span, text=text[position:]))
    return tuple(out)
