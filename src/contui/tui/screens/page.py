"""A document with its keys, and how it asks its screen for something."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from contui.tui.commands import bindings
from contui.tui.widgets.document_view import DocumentView


class Asked(Message):
    """A key of the log or the page asks its pane for something."""

    def __init__(self, name: str, argument: int = 0) -> None:
        super().__init__()
        self.name = name
        self.argument = argument


class Page(DocumentView):
    """A panel's document with its keys."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("document")]

    def action_search(self) -> None:
        """Find a text."""
        self.post_message(Asked("search"))
