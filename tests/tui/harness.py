"""The whole app on a scripted engine: what is on its screen, what it said, keys to press."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from textual.drivers.headless_driver import HeadlessDriver
from textual.pilot import Pilot

from contui.config.settings import Settings
from contui.model.container import Container, Port
from contui.model.endpoint import Endpoint
from contui.session import Session
from contui.tui.app import ContuiApp
from contui.tui.screens.containers import ContainersView
from contui.tui.screens.pane import ContainerPane
from support.scripted import Scripted, make
from support.wait import PATIENCE, until

NARROW, WIDE, SIDE = (80, 24), (120, 40), (210, 50)
SHOP = {"com.docker.compose.project": "shop"}


def of_shop(service: str, **labels: str) -> dict[str, str]:
    """The labels of a service of the project ``shop``; ``labels`` are compose's own."""
    own = {f"com.docker.compose.{name}": value for name, value in labels.items()}
    return {**SHOP, "com.docker.compose.service": service, **own}


def fleet() -> list[Container]:
    """A project with a killed database, an ailing api and a web server, and some by themselves."""
    return [
        make("shop-web-1", labels=of_shop("web", depends_on="db:service_started:false,api"),
             networks=("shop_default",), ports=(Port(80, "tcp", "0.0.0.0", 8080),),
             restart_policy="always", mounts=("shopdata",), image="shop/web:1.4"),
        make("shop-api-1", labels=of_shop("api", depends_on="db"), health="unhealthy",
             networks=("shop_default",), image="shop/api:2", failing_streak=3),
        make("shop-db-1", "exited", labels=of_shop("db"), exit_code=137, oom_killed=True,
             memory_limit=64 << 20, finished_at=1.7e9, image="postgres:16"),
        make("batch", "exited", finished_at=1.7e9, image="busybox"),
        make("cache", image="redis:7", labels={"tier": "front"}),
        make("sidecar", image="proxy",
             network_mode="container:" + make("shop-web-1").id),
        make("frozen", "paused", image="busybox"),
    ]  # fmt: skip


class Recorder(HeadlessDriver):
    """Writes what a terminal would get into the app's list ``written``."""

    @property
    def is_headless(self) -> bool:
        """Textual then draws as on a terminal."""
        return False

    def write(self, data: str) -> None:
        """Keep it."""
        self._app.written.append(data)  # type: ignore[attr-defined]


class Console:
    """A running app."""

    def __init__(self, app: ContuiApp, pilot: Pilot[None], engine: Scripted) -> None:
        self.app = app
        self.pilot = pilot
        self.engine = engine
        self.said: list[str] = []
        self.written: list[str] = []

    @property
    def view(self) -> ContainersView:
        """The list of containers, wherever the app is."""
        return next(each for each in self.app.screen_stack if isinstance(each, ContainersView))

    @property
    def pane(self) -> ContainerPane:
        """The selected container's pane."""
        assert self.view.pane is not None
        return self.view.pane

    @property
    def names(self) -> list[str]:
        """The containers listed, from top to bottom."""
        known = self.app.session.store.containers
        rows = [row for row in self.view.table.rows if isinstance(row, str)]
        return [known[row].name for row in rows if row in known]

    @property
    def text(self) -> str:
        """What is on the uppermost screen."""
        strips = self.app.screen._compositor.render_strips(self.app.size)
        return "\n".join(strip.text.rstrip() for strip in strips)

    def row(self, part: str) -> str:
        """The first line of the screen with a text in it."""
        return next((each for each in self.text.split("\n") if part in each), "")

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            await self.pilot.press(key)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        """Type letters and signs."""
        for letter in text:
            await self.pilot.press(letter)
        await self.pilot.pause()

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Wait until a condition holds; the screen is in the message if it never does."""
        try:
            await until(condition)
        except AssertionError:
            message = f"{what or condition} never happened; said {self.said}; shown:\n{self.text}"
            raise AssertionError(message) from None
        await self.pilot.pause()

    async def shows(self, *texts: str) -> None:
        """Wait until all texts are on the screen."""
        missing: Callable[[], list[str]] = lambda: [t for t in texts if t not in self.text]  # noqa: E731
        try:
            await until(lambda: not missing())
        except AssertionError:
            raise AssertionError(f"never shown: {missing()}; shown:\n{self.text}") from None

    async def hides(self, *texts: str) -> None:
        """Wait until none of the texts is on the screen."""
        await self.until(lambda: not any(each in self.text for each in texts), f"hiding {texts}")

    async def says(self, text: str) -> str:
        """Wait for a message with a text in it, and forget the messages so far."""
        await self.until(lambda: any(text in each for each in self.said), f"saying {text!r}")
        found = next(each for each in self.said if text in each)
        self.said.clear()
        return found

    async def select(self, name: str) -> None:
        """Put the cursor on a container, and wait until its pane, if there is one, shows it."""
        found = next(c for c in self.app.session.store.containers.values() if c.name == name)
        self.view.table.select(found.id)
        await self.until(lambda: self.view.selected() == found, f"selecting {name}")
        if self.view.pane is not None and self.view.pane.display:
            await self.until(lambda: self.pane.container == found, f"opening {name}")


@contextlib.asynccontextmanager
async def console(
    monkeypatch: pytest.MonkeyPatch,
    engine: Scripted,
    size: tuple[int, int] = WIDE,
    *,
    settings: Settings | None = None,
    read_only: bool = False,
    record: bool = False,
    notifications: bool = False,
    themes: Path | None = None,
    problems: Sequence[str] = (),
    endpoints: Mapping[str, Scripted] | None = None,
) -> AsyncIterator[Console]:
    """Run the app; ``record`` keeps what a terminal would get in ``written``.

    ``endpoints`` are further engines by address. Wait for what is to be on the screen first.
    """
    more = endpoints or {}

    def opened(endpoint: Endpoint) -> Scripted:
        return more.get(endpoint.url, engine)

    monkeypatch.setattr("contui.session.open_engine", opened)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    app = ContuiApp(
        Session(engine.endpoint),
        settings or Settings(),
        read_only=read_only,
        theme_folder=themes,
        problems=problems,
    )
    if record:
        app.written = []  # type: ignore[attr-defined]
        app.driver_class = Recorder
    said: list[str] = []
    notify = app.notify

    def heard(message: str, **options: Any) -> None:
        said.append(message)
        notify(message, **options)

    monkeypatch.setattr(app, "notify", heard)
    async with app.run_test(headless=not record, size=size, notifications=notifications) as pilot:
        running = Console(app, pilot, engine)
        running.said = said
        running.written = getattr(app, "written", [])
        yield running


async def listed(console: Console) -> None:
    """Wait until every container of the engine has been listed and inspected."""
    store = console.app.session.store
    await console.until(
        lambda: (
            len(store.containers) == len(console.engine.present)
            and all(each.detail is not None for each in store.containers.values())
            and len(console.view.listing.items) == len(store.containers)
        ),
        "listing",
    )
    await console.until(lambda: console.view.pane is not None, "mounting the pane")


__all__ = ["NARROW", "PATIENCE", "SIDE", "WIDE", "Console", "console", "fleet", "listed"]
