"""What all full views share: the status line, the key bar, copying, saving, a line to type in."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget

from contui.model.feed import FeedState
from contui.model.problem import Severity
from contui.model.units import clock, duration, percent, size
from contui.session import Session
from contui.tui.clipboard import copy
from contui.tui.commands import CHANGING, Context, in_context
from contui.tui.document import Line, Style, line
from contui.tui.keymap import key_label
from contui.tui.safe import clean
from contui.tui.widgets.bars import Bar, KeyBar
from contui.tui.widgets.prompt import Prompt

if TYPE_CHECKING:
    from contui.tui.app import ContuiApp


class Readable(Protocol):
    """A view whose text can be taken away."""

    def copied(self) -> str:
        """What copying yields."""

    def text(self) -> str:
        """Everything, for saving."""


class View(Screen[None]):
    """A full view of one endpoint."""

    contexts: ClassVar[tuple[Context, ...]] = ()
    """Contexts whose commands this screen carries out."""
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "escape", show=False)]

    def __init__(self) -> None:
        super().__init__()
        self._purpose = ""
        self._before: Widget | None = None

    @property
    def contui(self) -> ContuiApp:
        """The app."""
        from contui.tui.app import ContuiApp

        return cast(ContuiApp, self.app)

    @property
    def session(self) -> Session:
        """The session of the endpoint shown."""
        return self.contui.session

    def compose(self) -> ComposeResult:
        """Status, body, line to type in, keys."""
        yield Bar(id="status")
        yield from self.body()
        yield Prompt(self._entered, self._leave_prompt, id="prompt")
        yield KeyBar(id="keys")

    def body(self) -> ComposeResult:
        """What is between the bars."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In read-only mode no key changes anything."""
        return not (action in CHANGING and self.contui.read_only)

    def on_mount(self) -> None:
        """Look for news ten times a second: what has none costs nothing."""
        self.set_interval(0.1, self._beat)

    def _beat(self) -> None:
        if self.is_current:
            self.tick()
            self._draw_status()

    def tick(self) -> None:
        """Take in what is new."""

    # --- bars

    def _draw_status(self) -> None:
        store, now = self.session.store, time.time()
        info, host = store.info, store.host
        endpoint = self.session.endpoint
        name = endpoint.name or (info.name if info else "") or endpoint.url
        left: list[str | tuple[str, Style]] = [(f" {name}", "heading")]
        if info is not None:
            left.append((f"  {info.product} {info.version}", "dim"))
        left += self._counts()
        if host is not None and info is not None:
            left.append((f"  cpu {percent(host.cpu)} of {info.cpus}", "dim"))
            left.append((f"  mem {size(host.memory_used)}/{size(host.memory_total)}", "dim"))
            if host.disk_total and host.disk_used is not None:
                share = host.disk_used / host.disk_total
                hot: Style = "critical" if share > 0.95 else "warning" if share > 0.85 else "dim"
                left.append((f"  {info.root_dir} {percent(share)}", hot))
        if self.contui.read_only:
            left.append(("  read-only", "accent"))
        self.query_one("#status", Bar).show(line(*left), self._feed_words(now))

    def _counts(self) -> list[tuple[str, Style]]:
        return self.contui.counts()

    def _feed_words(self, now: float) -> Line:
        status = self.session.store.feeds.get("engine")
        if status is None or status.state is FeedState.STARTING:
            return line(("connecting ", "info"))
        if status.state is FeedState.LIVE:
            return line(("live ", "ok"), clock(now) + " ")
        words = {"stalled": "not responding", "retrying": "not connected"}.get(
            status.state, status.state
        )
        left = (
            f", retrying in {duration(max(0.0, status.retry_at - now))}" if status.retry_at else ""
        )
        return line((f"{words}{left} ", "critical"), clock(now) + " ")

    def show_keys(self) -> None:
        """Show the keys of what has the focus."""
        entries = []
        for context in ("app", *self.focus_contexts(), *self.contexts):
            for command in in_context(context):
                keys = self.contui.keys.get(command.id, ())
                if command.bar and keys and self.contui.allowed(command):
                    entries.append((command.id, key_label(keys[0]), command.bar))
        self.query_one(KeyBar).keys(entries)

    def focus_contexts(self) -> tuple[Context, ...]:
        """Contexts of the focused widget."""
        return ()

    def on_descendant_focus(self) -> None:
        """Other keys work now."""
        self.show_keys()

    def on_screen_resume(self) -> None:
        """The view is shown again."""
        self.show_keys()

    @on(KeyBar.Clicked)
    async def _clicked(self, event: KeyBar.Clicked) -> None:
        await self.contui.run_command(event.command)

    # --- the line to type in

    def prompt(self, purpose: str, value: str, placeholder: str) -> None:
        """Open the line; :meth:`typed` gets what is typed."""
        self._purpose = purpose
        self._before = self.focused
        self.line.open(value, placeholder)

    @property
    def line(self) -> Prompt:
        """The line to type in."""
        return self.query_one(Prompt)

    def typed(self, purpose: str, value: str) -> None:
        """The text so far. Raises ValueError with a sentence when it makes no sense."""

    def _close_prompt(self) -> None:
        self.line.close()
        self._purpose = ""
        before = self._before
        if before is not None and before.is_attached:
            self.set_focus(before)

    @on(Prompt.Changed)
    def _prompt_changed(self, event: Prompt.Changed) -> None:
        if not self._purpose:
            return
        try:
            self.typed(self._purpose, event.value)
            event.input.remove_class("-invalid")
        except ValueError:
            event.input.add_class("-invalid")

    def _entered(self) -> None:
        try:
            self.typed(self._purpose, self.line.value)
        except ValueError as error:
            self.contui.say(str(error), severity="error")
            return
        self._close_prompt()

    def _leave_prompt(self) -> None:
        purpose = self._purpose
        self._close_prompt()
        self.typed(purpose, "")

    def action_escape(self) -> None:
        """Go back one step."""
        if not self.back():
            self.contui.leave_view()

    def back(self) -> bool:
        """Undo one step inside this view; whether there was one."""
        return False

    # --- taking text away

    def readable(self) -> Readable | None:
        """The view that has the text."""
        focused = self.focused
        return cast(Readable, focused) if hasattr(focused, "copied") else None

    def do_copy(self) -> None:
        """Copy what the mouse selected, else what the focused view offers."""
        selected = self.get_selected_text()
        view = self.readable()
        text = selected or (view.copied() if view is not None else "")
        if not text:
            self.contui.say("there is nothing here to copy")
            return
        self.contui.say(copy(cast("Any", self.app), text))

    def do_save(self, path: str) -> None:
        """Write the focused view's text to a file."""
        view = self.readable()
        if view is None:
            self.contui.say("there is nothing here to save")
            return
        target = Path(path).expanduser()
        try:
            with target.open("x", encoding="utf-8") as file:
                file.write(view.text() + "\n")
        except OSError as error:
            self.contui.say(f"not saved: {error.strerror}: {clean(str(target))}", severity="error")
            return
        self.contui.say(f"saved to {target.resolve()}")

    def save_name(self) -> str:
        """A name for the file."""
        return f"contui-{time.strftime('%Y%m%d-%H%M%S')}.txt"


def severity_counts(severities: list[Severity], running: int) -> list[tuple[str, Style]]:
    """How many are up, broken and worth a look, for the status line."""
    broken = sum(1 for each in severities if each is Severity.CRITICAL)
    warned = sum(1 for each in severities if each is Severity.WARNING)
    words: list[tuple[str, Style]] = [(f"  {running} up", "ok" if running else "dim")]
    if broken:
        words.append((f"  {broken} broken", "critical"))
    if warned:
        words.append((f"  {warned} warning{'s' if warned > 1 else ''}", "warning"))
    return words
