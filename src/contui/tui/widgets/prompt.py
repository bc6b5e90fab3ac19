"""One line to type in, which keys find however fast they come."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.widgets import Input


class Prompt(Input):
    """Opened and closed by its screen.

    Keys that arrive in one piece (a paste, a slow line) are all on their way before the first one
    has moved the focus. So Enter and Escape act here and not through a binding, and what was typed
    behind them is passed on.
    """

    DEFAULT_CSS = """
    Prompt { dock: bottom; height: 1; border: none; padding: 0 1; background: $panel; }
    """

    def __init__(
        self, entered: Callable[[], None], left: Callable[[], None], *, id: str | None = None
    ) -> None:
        super().__init__(id=id, select_on_focus=False)
        self.display = False
        self._entered = entered
        self._left = left

    def open(self, value: str, placeholder: str) -> None:
        """Show it with ``value``, which typing replaces."""
        self.value = value
        self.placeholder = placeholder
        self.display = True
        self.screen.set_focus(self)
        self.action_select_all()

    def close(self) -> None:
        """Hide it."""
        self.display = False

    def on_key(self, event: events.Key) -> None:
        """Enter and Escape at once; nothing once it is closed."""
        if not self.display:
            event.prevent_default()  # the program gets it
        else:
            self._end(event)

    def take(self, event: events.Key) -> None:
        """A key that was pressed before the focus was here."""
        if not self.display or self._end(event) or not event.is_printable:
            return
        event.stop()
        event.prevent_default()
        if self.selection.is_empty:
            self.insert_text_at_cursor(event.character or "")
        else:
            self.replace(event.character or "", *self.selection)

    def _end(self, event: events.Key) -> bool:
        end = {"enter": self._entered, "escape": self._left}.get(event.key)
        if end is None:
            return False
        event.stop()
        event.prevent_default()
        end()
        return True
