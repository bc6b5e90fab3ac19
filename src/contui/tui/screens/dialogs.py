"""Dialogs: confirm, ask, pick, read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label

from contui.tui.commands import bindings
from contui.tui.document import Line, line
from contui.tui.safe import clean, content
from contui.tui.widgets.document_view import DocumentView
from contui.tui.widgets.table import Column, LineTable


class Dialog(ModalScreen[object]):
    """A box over the screen; Esc leaves it."""

    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 60%; }
    Dialog > Vertical {
        width: 80%; max-width: 110; height: auto; max-height: 85%;
        background: $surface; border: round $primary; padding: 0 1;
    }
    Dialog .dialog--title { text-style: bold; color: $text-primary; width: 1fr; max-height: 2; }
    Dialog .dialog--hint { color: $text-muted; width: 1fr; }
    Dialog DocumentView { height: auto; max-height: 24; padding: 0; }
    Dialog Input { border: none; height: 1; padding: 0; background: $panel; }
    Dialog LineTable { height: auto; max-height: 24; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+c", "leave", "Close", show=False)]

    def action_leave(self) -> None:
        """Close without an answer."""
        self.dismiss(None)


class Confirm(Dialog):
    """Asks before something is done; answers True or None. Only ``y`` says yes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,Y", "yes", "Yes", show=False),
        Binding("n,N,q", "leave", "No", show=False),
    ]

    def __init__(self, title: str, lines: Sequence[Line], command: str) -> None:
        super().__init__()
        self._title = title
        self._lines = [*lines, (), line(("runs   ", "label"), (command, "code"))]

    def compose(self) -> ComposeResult:
        """Title, consequences, the command, the two keys."""
        with Vertical():
            yield Label(content(self._title), classes="dialog--title")
            yield DocumentView()
            yield Label("y  yes, do it      n  no", classes="dialog--hint", markup=False)

    def on_resize(self) -> None:
        """Fill in the text once its width is known."""
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        from contui.tui.panels.layout import fit  # loads all panels, so not at the start

        view = self.query_one(DocumentView)
        lines = fit(self._lines, max(20, view.scrollable_content_region.width))
        view.show(lines)
        view.styles.height = min(24, len(lines))

    def action_yes(self) -> None:
        """Do it."""
        self.dismiss(True)


@dataclass(frozen=True)
class Field:
    """A line to fill in."""

    label: str
    value: str = ""
    placeholder: str = ""


class Ask(Dialog):
    """Asks for some values; answers a list of strings or None."""

    def __init__(self, title: str, fields: Sequence[Field], hint: str = "") -> None:
        super().__init__()
        self._title = title
        self._fields = fields
        self._hint = hint or "Enter  do it      Tab  next      Esc  leave"

    def compose(self) -> ComposeResult:
        """Title, labelled inputs, a hint."""
        with Vertical():
            yield Label(content(self._title), classes="dialog--title")
            for field in self._fields:
                yield Label(content(field.label), classes="dialog--hint")
                value = clean(field.value)
                yield Input(value, placeholder=field.placeholder, select_on_focus=False)
            yield Label(content(self._hint), classes="dialog--hint")

    def on_input_submitted(self) -> None:
        """Enter in any of them."""
        self.dismiss([each.value for each in self.query(Input)])


class Pick(Dialog):
    """Chooses one of several; answers its id or None. Typing narrows the list."""

    DEFAULT_CSS = """
    Pick LineTable { height: 20; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,ctrl+n", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("pagedown", "move(10)", show=False),
        Binding("pageup", "move(-10)", show=False),
    ]

    def __init__(self, title: str, options: Sequence[tuple[str, Line]], chosen: str = "") -> None:
        super().__init__()
        self._title = title
        self._options = dict(options)
        self._chosen = chosen

    def compose(self) -> ComposeResult:
        """Title, a line to narrow, the options."""
        with Vertical():
            yield Label(content(self._title), classes="dialog--title")
            yield Input(placeholder="type to narrow")
            yield LineTable(lambda key: [self._options[key]])

    def on_mount(self) -> None:
        """Show all."""
        table = self.query_one(LineTable)
        table.can_focus = False
        table.styles.height = min(20, len(self._options)) + 1
        self._narrow("")
        table.select(self._chosen)
        self.query_one(Input).focus()

    def _narrow(self, text: str) -> None:
        words = text.lower().split()
        rows = [
            id
            for id, option in self._options.items()
            if all(word in "".join(span.text for span in option).lower() for word in words)
        ]
        table = self.query_one(LineTable)
        table.empty = line(("  nothing of that name", "dim"))
        table.show([Column("option", "", 20, grow=True)], rows)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow."""
        self._narrow(event.value)

    def on_input_submitted(self) -> None:
        """Take the one under the cursor."""
        current = self.query_one(LineTable).current
        if isinstance(current, str):
            self.dismiss(current)

    def on_line_table_opened(self, event: LineTable.Opened) -> None:
        """A double click."""
        if isinstance(event.row, str):
            self.dismiss(event.row)

    def action_move(self, rows: int) -> None:
        """Move the cursor while typing."""
        self.query_one(LineTable).cursor += rows


class Read(Dialog):
    """A document to read."""

    DEFAULT_CSS = """
    Read > Vertical { width: 92%; max-width: 140; height: 90%; max-height: 90%; }
    Read DocumentView { height: 1fr; max-height: 100%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,question_mark,f1", "leave", show=False),
    ]

    def __init__(self, title: str, lines: Sequence[Line]) -> None:
        super().__init__()
        self._title = title
        self._lines = lines

    def compose(self) -> ComposeResult:
        """Title and text."""
        with Vertical():
            yield Label(content(self._title), classes="dialog--title")
            yield DocumentPage()
            yield Label("Esc  close", classes="dialog--hint", markup=False)

    def on_mount(self) -> None:
        """Fill in the text."""
        page = self.query_one(DocumentPage)
        page.show(self._lines)
        page.focus()


class DocumentPage(DocumentView):
    """A document with its keys."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("document")]
