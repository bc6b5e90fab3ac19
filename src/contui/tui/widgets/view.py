"""The scrolling view that tables, documents and logs share: rows drawn one by one, and only those
that changed.
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.style import Style
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from contui.tui import paint


class RowsView(ScrollView, can_focus=True):
    """Draws rows through :meth:`draw_row` and repaints only those whose strip is another one.

    What a terminal gets to read is proportional to what changed on the screen, not to its size.
    """

    DEFAULT_CSS = """
    RowsView { height: 1fr; scrollbar-size-vertical: 1; scrollbar-size-horizontal: 1; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._drawn: dict[int, Strip] = {}

    def draw_row(self, y: int) -> Strip:
        """The strip for the widget's row ``y``, before cropping to the width."""
        raise NotImplementedError

    @property
    def palette(self) -> Mapping[str, Style]:
        """The theme's document styles."""
        return paint.styles(self.app)

    def render_line(self, y: int) -> Strip:
        """Draw one row (called by Textual)."""
        strip = self.draw_row(y)
        self._drawn[y] = strip
        return strip

    def repaint(self) -> None:
        """Repaint the cells that changed since they were last drawn."""
        if not self.is_mounted:
            return
        changed = []
        width = self.size.width
        for y in range(self.size.height):
            old, new = self._drawn.get(y), self.draw_row(y)
            if old is None:
                changed.append(Region(0, y, width, 1))
            elif new != old:
                start, end = _difference(old, new)
                changed.append(Region(start, y, min(end, width) - start, 1))
        if sum(region.width for region in changed) > self.size.area // 2:
            self.refresh()
        elif changed:
            self.refresh(*changed)

    def set_extent(self, width: int, height: int) -> None:
        """Tell the scrollbars how much there is; costs a layout only when it changed."""
        size = Size(width, height)
        if self.virtual_size != size:
            self.virtual_size = size

    def notify_style_update(self) -> None:
        """The theme changed."""
        super().notify_style_update()
        self._drawn.clear()


def _difference(old: Strip, new: Strip) -> tuple[int, int]:
    """The cells from the first to the last segment in which two strips differ."""
    before, after = list(old), list(new)
    start = 0
    while before and after and before[0] == after[0]:
        start += before.pop(0).cell_length
        after.pop(0)
    end = max(old.cell_length, new.cell_length)
    if old.cell_length == new.cell_length:
        while before and after and before[-1] == after[-1]:
            end -= before.pop().cell_length
            after.pop()
    return start, max(end, start + 1)
