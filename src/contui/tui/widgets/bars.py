"""One-line bars: the status line on top, the keys at the bottom."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from contui.tui import paint
from contui.tui.document import Line, Span
from contui.tui.safe import cell_len, clean


class Bar(Widget):
    """One line: parts at the left, one at the right."""

    DEFAULT_CSS = """
    Bar { height: 1; background: $panel; color: $foreground; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._left: Line = ()
        self._right: Line = ()

    def show(self, left: Line, right: Line = ()) -> None:
        """Draw this, if it is something else."""
        if (left, right) != (self._left, self._right):
            self._left, self._right = left, right
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw it."""
        base, palette = self.rich_style, paint.styles(self.app)
        right = [
            Segment(clean(span.text), base + palette[span.style] if span.style else base)
            for span in self._right
        ]
        room = self.size.width - sum(cell_len(segment.text) for segment in right)
        gap = Segment(" ", base) if right else Segment("", base)
        room -= cell_len(gap.text)
        return Strip([*paint.fitted(self._left, max(0, room), palette, base), gap, *right])


class KeyBar(Bar):
    """Keys of what has the focus; a click does what the key does."""

    class Clicked(Message):
        """A key was clicked."""

        def __init__(self, command: str) -> None:
            super().__init__()
            self.command = command

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._places: list[tuple[int, int, str]] = []

    def keys(self, entries: Sequence[tuple[str, str, str]]) -> None:
        """Show (command id, key, label) entries."""
        spans: list[Span] = []
        self._places = []
        x = 0
        for command, key, label in entries:
            parts = (Span(f" {key} ", "key"), Span(f"{label} "))
            end = x + sum(cell_len(part.text) for part in parts)
            self._places.append((x, end, command))
            spans += parts
            x = end
        self.show(tuple(spans))

    def on_click(self, event: events.Click) -> None:
        """Tell which key it was."""
        for start, end, command in self._places:
            if start <= event.x < end:
                self.post_message(self.Clicked(command))
