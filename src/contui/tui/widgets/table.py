"""A table that draws only the rows on the screen: 10,000 rows cost what 50 do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from contui.tui import paint
from contui.tui.document import Line
from contui.tui.safe import cell_len, clean
from contui.tui.widgets.view import RowsView


@dataclass(frozen=True)
class Column:
    """A column of ``width`` cells; the one with ``grow`` takes what is left over."""

    id: str
    title: str
    width: int
    right: bool = False
    grow: bool = False


@dataclass(frozen=True)
class Group:
    """A row that heads others; it spans the table."""

    key: str
    line: Line


Row = str | Group
Draw = Callable[[str], Sequence[Line]]
"""The cells of a row, by its key, in the order of the columns."""


class LineTable(RowsView):
    """Rows by key, a cursor, marks, a head to click. The owner supplies keys and draws cells."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"table--head", "table--cursor", "table--group"}
    DEFAULT_CSS = """
    LineTable > .table--head { color: $text-muted; text-style: bold; background: $surface; }
    LineTable > .table--cursor { background: $cursor; text-style: $cursor-text-style; }
    LineTable > .table--group { color: $text-accent; }
    """

    cursor: reactive[int] = reactive(0)

    class Highlighted(Message):
        """The cursor is on another row; ``key`` is ``""`` on a group or an empty table."""

        def __init__(self, table: LineTable, key: str) -> None:
            super().__init__()
            self.table = table
            self.key = key

        @property
        def control(self) -> LineTable:
            """The table."""
            return self.table

    class Opened(Message):
        """Enter or a double click on a row or a group."""

        def __init__(self, table: LineTable, row: Row) -> None:
            super().__init__()
            self.table = table
            self.row = row

        @property
        def control(self) -> LineTable:
            """The table."""
            return self.table

    class HeadClicked(Message):
        """A column's head was clicked."""

        def __init__(self, table: LineTable, column: str) -> None:
            super().__init__()
            self.table = table
            self.column = column

        @property
        def control(self) -> LineTable:
            """The table."""
            return self.table

    def __init__(self, draw: Draw, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._draw = draw
        self.columns: tuple[Column, ...] = ()
        self.rows: list[Row] = []
        self.marks: set[str] = set()
        self.sorted_by: tuple[str, bool] = ("", False)
        self.empty: Line = ()
        self._key: str = ""
        self._anchor = 0

    def show(self, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        """Take in the rows; the cursor stays on its row, wherever that is now."""
        self.columns = tuple(columns)
        self.rows = list(rows)
        self.set_extent(0, len(self.rows) + 1)
        position = self._position(self._key) if self._key else self._first()
        if position is None:
            position = min(self.cursor, max(0, len(self.rows) - 1))
        if position != self.cursor:
            self.cursor = position
        else:
            self._announce()
        self.repaint()

    def _first(self) -> int | None:
        """The first row that is no head: where the cursor starts."""
        return next((i for i, row in enumerate(self.rows) if isinstance(row, str)), None)

    def _position(self, key: str) -> int | None:
        for index, row in enumerate(self.rows):
            if _key(row) == key:
                return index
        return None

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if 0 <= self.cursor < len(self.rows) else None

    @property
    def visible_keys(self) -> list[str]:
        """Keys of the rows on the screen."""
        top = self.scroll_offset.y
        shown = self.rows[top : top + max(1, self.size.height)]
        return [row for row in shown if isinstance(row, str)]

    def select(self, key: str) -> None:
        """Put the cursor on a row, if it is there."""
        position = self._position(key)
        if position is not None:
            self.cursor = position

    def validate_cursor(self, value: int) -> int:
        """Keep it on a row."""
        return max(0, min(value, len(self.rows) - 1))

    def watch_cursor(self) -> None:
        """Scroll to it, repaint, tell."""
        self._announce()
        self._reveal()
        self.repaint()

    def _announce(self) -> None:
        row = self.current
        key = "" if row is None else _key(row)
        if key != self._key:
            self._key = key
            self.post_message(self.Highlighted(self, row if isinstance(row, str) else ""))

    def _reveal(self) -> None:
        height = max(1, self.size.height - 1)
        top = self.scroll_offset.y
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, force=True)

    def on_resize(self) -> None:
        """Keep the cursor on the screen."""
        self._reveal()

    # --- drawing

    def widths(self) -> list[int]:
        """Cells of each column at the present width."""
        total = self.scrollable_content_region.width - 2
        fixed = sum(column.width + 1 for column in self.columns if not column.grow)
        return [
            max(column.width, total - fixed - 1) if column.grow else column.width
            for column in self.columns
        ]

    def draw_row(self, y: int) -> Strip:
        """The head, a row, or nothing."""
        width = self.size.width
        if y == 0:
            return self._head().adjust_cell_length(
                width, self.get_component_rich_style("table--head")
            )
        index = y - 1 + self.scroll_offset.y
        base = self.rich_style
        if index >= len(self.rows):
            if not self.rows and y == 2 and self.empty:
                return paint.strip(self.empty, self.palette, base).adjust_cell_length(width, base)
            return Strip.blank(width, base)
        row = self.rows[index]
        if isinstance(row, Group):
            base += self.get_component_rich_style("table--group", partial=True)
        if index == self.cursor:
            base += self.get_component_rich_style("table--cursor", partial=True)
        segments = self._cells(row, base)
        return Strip(segments).adjust_cell_length(width, base)

    def _cells(self, row: Row, base: Style) -> list[Segment]:
        palette = self.palette
        if isinstance(row, Group):
            return paint.fitted(row.line, self.size.width, palette, base)
        marked = row in self.marks
        segments = [Segment("●" if marked else " ", base + palette.get("accent", Style.null()))]
        for column, width, cell in zip(self.columns, self.widths(), self._draw(row), strict=False):
            if column.right:
                size = sum(cell_len(clean(span.text)) for span in cell)
                if size < width:
                    segments.append(Segment(" " * (width - size), base))
                    width = size
            segments += paint.fitted(cell, width, palette, base)
            segments.append(Segment(" ", base))
        return segments

    def _head(self) -> Strip:
        style = self.get_component_rich_style("table--head")
        segments = [Segment(" ", style)]
        name, reverse = self.sorted_by
        for column, width in zip(self.columns, self.widths(), strict=True):
            arrow = ("▴" if reverse else "▾") if column.id == name else ""
            text = paint.shortened(column.title + arrow, width)
            pad = " " * (width - cell_len(text))
            segments.append(Segment((pad + text if column.right else text + pad) + " ", style))
        return Strip(segments)

    # --- moving

    def action_move(self, rows: int) -> None:
        """Move the cursor."""
        self.cursor += rows

    def action_page(self, pages: int) -> None:
        """Move by a screenful."""
        self.cursor += pages * max(1, self.size.height - 2)

    def action_top(self) -> None:
        """To the first row."""
        self.cursor = 0

    def action_bottom(self) -> None:
        """To the last row."""
        self.cursor = len(self.rows) - 1

    def action_open(self) -> None:
        """Open the row under the cursor."""
        if self.current is not None:
            self.post_message(self.Opened(self, self.current))

    def action_mark(self) -> None:
        """Mark or unmark the row and go to the next; on a group, all of its rows."""
        row = self.current
        if isinstance(row, str):
            self.marks ^= {row}
        elif row is not None:
            below: set[str] = set()
            for other in self.rows[self.cursor + 1 :]:
                if isinstance(other, Group):
                    break
                below.add(other)
            self.marks = self.marks - below if below <= self.marks else self.marks | below
        self._anchor = self.cursor
        self.cursor += 1
        self.repaint()

    def action_mark_range(self) -> None:
        """Mark every row between the last one marked and the cursor."""
        low, high = sorted((self._anchor, self.cursor))
        self.marks |= {row for row in self.rows[low : high + 1] if isinstance(row, str)}
        self.repaint()

    def clear_marks(self) -> bool:
        """Unmark all; whether there were any."""
        had = bool(self.marks)
        self.marks = set()
        self.repaint()
        return had

    def on_click(self, event: events.Click) -> None:
        """A head sorts, a row is selected, twice opens it."""
        if event.y == 0:
            x = 1
            for column, width in zip(self.columns, self.widths(), strict=True):
                if x <= event.x < x + width + 1:
                    self.post_message(self.HeadClicked(self, column.id))
                    return
                x += width + 1
            return
        index = event.y - 1 + self.scroll_offset.y
        if index < len(self.rows):
            self.cursor = index
            if event.ctrl:
                self.action_mark()
            elif event.chain > 1 or isinstance(self.rows[index], Group):
                self.action_open()


def _key(row: Row) -> str:
    return row if isinstance(row, str) else row.key
