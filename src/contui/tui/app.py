"""The console: screens, keys, theme, and the session of the endpoint shown."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from textual import events
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.screen import Screen
from textual.worker import Worker, WorkerError

from contui.config.settings import Settings
from contui.engines.base import Terminal
from contui.engines.endpoints import contexts, resolve
from contui.model.container import Container
from contui.model.endpoint import Endpoint
from contui.model.errors import ContuiError, EngineError
from contui.model.problem import Severity
from contui.model.secrets import MASK
from contui.session import Session
from contui.tui import keymap
from contui.tui.commands import BY_ID, COMMANDS, Command, bindings
from contui.tui.document import Style, line
from contui.tui.help import help_lines
from contui.tui.safe import clean
from contui.tui.screens.base import View, severity_counts
from contui.tui.screens.dialogs import Ask, Dialog, Field, Pick, Read
from contui.tui.terminal import hand_over
from contui.tui.themes import load_themes, variable_defaults

_LONGEST: Final = 500
"""Characters of a message; an engine may say anything."""
_DEFAULT_THEME: Final = "contui-dark"
_SURE: Final = 1000.0
"""A score that no likeness reaches."""
_ALIASES: Final = {
    "co": "view.containers", "containers": "view.containers", "ps": "view.containers",
    "compose": "view.compose", "projects": "view.compose", "im": "view.images",
    "images": "view.images", "vo": "view.volumes", "volumes": "view.volumes",
    "ne": "view.networks", "networks": "view.networks", "ev": "view.events",
    "events": "view.events", "sy": "view.system", "system": "view.system", "df": "view.system",
    "ctx": "app.contexts", "context": "app.contexts", "q": "app.quit", "quit": "app.quit",
    "help": "app.help", "theme": "app.theme",
}  # fmt: skip


class Commands(Provider):
    """Every command by its title, and the short names (``im``, ``co``, ``q``)."""

    @property
    def _app(self) -> ContuiApp:
        assert isinstance(self.app, ContuiApp)
        return self.app

    def _title(self, command: Command) -> str:
        keys = self._app.keys.get(command.id, ())
        return command.title + (f"  ({keymap.key_label(keys[0])})" if keys else "")

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for command in self._app.offered():
            yield DiscoveryHit(self._title(command), self._run(command.id), help=command.help)

    async def search(self, query: str) -> Hits:
        """Those whose title or short name matches."""
        exact = _ALIASES.get(query.strip().lower())
        if exact is not None:
            command = BY_ID[exact]
            yield Hit(_SURE, command.title, self._run(exact), help=command.help)
        matcher = self.matcher(query)
        for command in self._app.offered():
            score = matcher.match(command.title)
            if score > 0 and command.id != exact:
                yield Hit(score, matcher.highlight(command.title), self._run(command.id),
                          help=command.help)  # fmt: skip
        if query.startswith(("ctx ", "context ")):
            name = query.partition(" ")[2].strip()
            yield Hit(_SURE, f"Go to context {clean(name)}", lambda: self._app.go_to(context=name))

    def _run(self, id: str) -> Callable[[], Awaitable[None]]:
        return lambda: self._app.run_command(id)


class ContuiApp(App[None]):
    """One endpoint's console."""

    CSS_PATH = "contui.tcss"
    TITLE = "contui"
    ENABLE_COMMAND_PALETTE = True
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {Commands}
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("app")]
    COMMAND_PALETTE_BINDING = "ctrl+p"

    def __init__(
        self,
        session: Session,
        settings: Settings,
        *,
        problems: Sequence[str] = (),
        read_only: bool = False,
        theme_folder: Path | None = None,
    ) -> None:
        super().__init__(ansi_color=settings.ui.theme == "terminal" or None)
        self.session = session
        self.settings = settings
        self.read_only = read_only or settings.read_only
        self.counted: list[Severity] = []
        self._problems = list(problems)
        themes, broken = load_themes(theme_folder)
        self._problems += broken
        for theme in themes.values():
            self.register_theme(theme)
        self.keys, clashes = keymap.build(settings.ui.keymap, settings.keys)
        self._problems += clashes
        self.set_keymap({id: ",".join(keys) for id, keys in self.keys.items()})
        wanted = settings.ui.theme
        if wanted not in themes:
            self._problems.append(f"there is no theme {wanted}: {', '.join(sorted(themes))}")
            wanted = _DEFAULT_THEME
        self.theme = wanted
        self._worker: Worker[None] | None = None

    def get_default_screen(self) -> Screen[Any]:
        """Start with the containers."""
        from contui.tui.screens.containers import ContainersView

        return ContainersView()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our variables, for themes that do not set them."""
        return variable_defaults(self.current_theme)

    def on_key(self, event: events.Key) -> None:
        """What was typed before the focus had reached the line to type in goes there."""
        if isinstance(self.screen, View):
            self.screen.line.take(event)

    def on_mount(self) -> None:
        """Connect once the first rows are on the screen; tell what is wrong with the settings."""
        self.call_after_refresh(self._start)
        for problem in self._problems:
            self.say(problem, severity="warning", timeout=12)

    def _start(self) -> None:
        self._worker = self.run_worker(
            self.session.run(), group="session", exclusive=True, exit_on_error=True
        )

    async def on_unmount(self) -> None:
        """Let the session close its connections."""
        await self._end_session()

    async def _end_session(self) -> None:
        if self._worker is not None:
            self._worker.cancel()
            with contextlib.suppress(WorkerError):
                await self._worker.wait()

    # --- what screens use

    def say(
        self, text: str, *, hint: str = "", severity: str = "information", timeout: float = 5
    ) -> None:
        """A short message; never parsed as markup."""
        body = clean(text[:_LONGEST]) + (f"\n{clean(hint[:_LONGEST])}" if hint else "")
        self.notify(body, severity=severity, timeout=timeout, markup=False)  # type: ignore[arg-type]

    def counts(self) -> list[tuple[str, Style]]:
        """How many are up, broken and worth a look."""
        running = sum(1 for each in self.session.store.containers.values() if each.running)
        return severity_counts(self.counted, running)

    def allowed(self, command: Command) -> bool:
        """Whether a command is there at all: read-only mode has none that changes something."""
        return not (command.changes and self.read_only)

    @property
    def view(self) -> View | None:
        """The full view, below any dialog."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, View):
                return screen
        return None

    def offered(self) -> Iterable[Command]:
        """Commands for the palette: those of the view and of the program."""
        view = self.view
        contexts = {"app", *(view.contexts if view is not None else ())}
        return [c for c in COMMANDS if c.palette and c.context in contexts and self.allowed(c)]

    async def run_command(self, id: str) -> None:
        """Carry out a command where it belongs."""
        command = BY_ID[id]
        if not self.allowed(command):
            self.say("read-only: nothing can be changed", severity="warning")
            return
        if command.context == "app":
            await self.run_action(command.action, self)
        elif command.context in ("table", "document", "logs"):
            if self.screen.focused is not None:
                await self.run_action(command.action, self.screen.focused)
        elif self.view is not None:
            await self.run_action(command.action, self.view)

    @property
    def has_browser(self) -> bool:
        """Whether a browser can open here: a desktop, and not at the far end of ssh."""
        if any(name in os.environ for name in ("SSH_CONNECTION", "SSH_TTY")):
            return False
        return sys.platform == "darwin" or any(
            name in os.environ for name in ("DISPLAY", "WAYLAND_DISPLAY")
        )

    def read(self, title: str, text: str) -> None:
        """Show a text, copied already."""
        from contui.tui.clipboard import copy

        said = copy(self, text)
        self.say(said + (", its secrets masked" if MASK in text else ""))
        self.push_screen(Read(title, [line((row, "code")) for row in text.split("\n")]))

    def open_terminal(
        self,
        target: Container,
        command: Sequence[str] | None,
        *,
        user: str = "",
        directory: str = "",
        pause: bool = False,
    ) -> None:
        """Hand the terminal to a command in a container, or (``None``) to the container itself.

        With ``pause`` what the command wrote stays until Enter is pressed.
        """
        if self.read_only:
            self.say("read-only: nothing can be changed", severity="warning")
            return

        async def start(size: tuple[int, int]) -> Terminal:
            if command is None:
                return await self.session.attach(target.id, size)
            return await self.session.exec(
                target.id, command, user=user, directory=directory, size=size
            )

        async def work() -> None:
            name = clean(target.name)
            title = f"{name}: attached; ctrl+p ctrl+q leaves it running" if command is None else (
                f"{name}: exit or ctrl+d comes back to contui"
            )  # fmt: skip
            try:
                code = await hand_over(self, title, start, detach=command is None, pause=pause)
            except EngineError as error:
                self.say(f"{name}: {error}", hint=error.hint, severity="error")
                return
            self.refresh(layout=True)
            if code in (126, 127):
                self.say(
                    f"{name}: {command[0] if command else ''} could not be started there "
                    f"(exit {code}): the image may have no shell", severity="warning",
                )  # fmt: skip
            elif code:
                self.say(f"{name}: ended with exit code {code}")

        self.run_worker(work(), group="terminal", exclusive=True)

    # --- actions

    def action_help(self) -> None:
        """Keys for what has the focus."""
        view = self.view
        if view is not None and not isinstance(self.screen, Dialog):
            self.push_screen(Read("Help", help_lines(self, view)))

    async def action_back(self) -> None:
        """Close what is open; at the top, quit."""
        if isinstance(self.screen, View):
            view = self.screen
            if view.back():
                return
            if len(self.screen_stack) > 1:
                self.leave_view()
            else:
                self.exit()
        elif len(self.screen_stack) > 1:
            self.pop_screen()

    def leave_view(self) -> None:
        """Back to the containers."""
        if len(self.screen_stack) > 1:
            self.pop_screen()

    def action_view(self, name: str) -> None:
        """Go to a view."""
        from contui.tui.screens.views import make_view

        while len(self.screen_stack) > 1 and isinstance(self.screen, View):
            self.pop_screen()
        if name != "containers":
            self.push_screen(make_view(name))

    def action_retry(self) -> None:
        """Read again; connect now."""
        self.session.retry()

    def action_copy(self) -> None:
        """Copy from the view."""
        if isinstance(self.screen, View):
            self.screen.do_copy()

    def action_save(self) -> None:
        """Ask for a file's name and save the view."""
        view = self.view
        if view is None:
            return

        def answered(values: object) -> None:
            if isinstance(values, list) and values[0].strip():
                view.do_save(values[0].strip())

        self.push_screen(Ask("Save what is shown", [Field("file", view.save_name())]), answered)

    def action_themes(self) -> None:
        """Choose the colours."""
        names = [name for name in sorted(self.available_themes) if not name.startswith("textual")]
        options = [(name, line(name)) for name in names]

        def chosen(name: object) -> None:
            if isinstance(name, str):
                self.theme = name

        self.push_screen(Pick("Theme", options, self.theme), chosen)

    def action_contexts(self) -> None:
        """Choose a docker context."""
        options = [
            (each.name, line(f"{each.name:<20} ", (each.url, "dim")))
            for each in contexts(os.environ)
        ]

        def chosen(name: object) -> None:
            if isinstance(name, str):
                self.go_to(context=name)

        self.push_screen(Pick("Context", options, self.session.endpoint.name), chosen)

    def go_to(self, *, context: str) -> None:
        """Leave this endpoint for another one."""
        try:
            endpoint = resolve(context=context)
        except ContuiError as error:
            self.say(str(error), hint=error.hint, severity="error")
            return
        self.run_worker(self._switch(endpoint), group="switch", exclusive=True)

    async def _switch(self, endpoint: Endpoint) -> None:
        from contui.tui.screens.containers import ContainersView

        while len(self.screen_stack) > 1:
            self.pop_screen()
        await self._end_session()
        logs = self.settings.logs
        self.session = Session(endpoint, log_lines=logs.buffer_lines, tail=logs.tail)
        if isinstance(self.screen, ContainersView):
            self.screen.start_over()
        self._start()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """None of Textual's: ours are in the provider."""
        return ()
