"""All events of the host, as they happen."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.app import ComposeResult

from contui.model.event import EngineEvent
from contui.model.units import clock, exit_words
from contui.tui.commands import Context
from contui.tui.document import Line, Style, line, plain
from contui.tui.logmodel import Test, text_test
from contui.tui.screens.base import Readable, View
from contui.tui.screens.page import Asked, Page

_STYLES: Final[dict[str, Style]] = {
    "die": "warning",
    "oom": "critical",
    "kill": "warning",
    "destroy": "removed",
    "start": "ok",
    "create": "added",
    "unpause": "ok",
    "pause": "info",
    "stop": "dim",
    "remove": "removed",
    "health_status: unhealthy": "critical",
    "health_status: healthy": "ok",
}


def event_line(event: EngineEvent) -> Line:
    """One event in words."""
    style: Style = _STYLES.get(event.action, "accent" if event.kind == "contui" else "")
    words = event.action
    attributes = event.attributes
    if event.action == "die" and (code := attributes.get("exitCode", "")).isdigit():
        words += f"  exit {code}: {exit_words(int(code))}"
    elif event.action == "kill" and "signal" in attributes:
        words += f"  signal {attributes['signal']}"
    elif event.kind == "network" and "container" in attributes:
        words += f"  {attributes['container'][:12]}"
    elif "command" in attributes:
        words += f"  {attributes['command']}"
    name = event.name or event.id.removeprefix("sha256:")[:12]
    return line(
        (f" {clock(event.time_ns / 1e9)} ", "dim"),
        (f"{event.kind:<10}", "label"),
        f"{name:<32} ",
        (words, style),
        ("  (inferred)" if event.inferred else "", "dim"),
    )


class EventsView(View):
    """The timeline of the host, newest at the bottom."""

    contexts: ClassVar[tuple[Context, ...]] = ()
    DEFAULT_CSS = """
    EventsView Page { height: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._test: Test | None = None
        self._filter = ""
        self._seen = -1

    def body(self) -> ComposeResult:
        """The events."""
        yield Page(id="events")

    def on_mount(self) -> None:
        """Start at the newest."""
        super().on_mount()
        self.set_focus(self.page)
        self.tick()
        self.page.action_bottom()

    @property
    def page(self) -> Page:
        """The events."""
        return self.query_one("#events", Page)

    def focus_contexts(self) -> tuple[Context, ...]:
        """A page."""
        return ("document",)

    def tick(self) -> None:
        """Draw what has happened; stay at the newest when there already."""
        revision = self.session.store.revision["events"]
        if revision == self._seen:
            return
        self._seen = revision
        page = self.page
        at_end = page.cursor >= len(page.lines) - 1
        drawn = [event_line(event) for event in self.session.store.events]
        test = self._test
        lines = [each for each in drawn if test is None or test(plain([each]))]
        if not lines:
            words = (
                f"no event passes the filter {self._filter}"
                if self._test
                else ("the engine has reported nothing in the last hour")
            )
            lines = [line(("  " + words, "dim"))]
        page.show(lines)
        if at_end:
            page.action_bottom()

    def on_asked(self, event: Asked) -> None:
        """The search key filters here."""
        self.prompt("filter", self._filter, "words, /regex/ or !not, such as  die  or  !network")

    def typed(self, purpose: str, value: str) -> None:
        """Filter. Raises ValueError."""
        self._test, self._filter, self._seen = text_test(value), value, -1
        self.tick()

    def back(self) -> bool:
        """Clear the filter."""
        if self._test is None:
            return False
        self.typed("filter", "")
        return True

    def readable(self) -> Readable | None:
        """The events."""
        return self.page
