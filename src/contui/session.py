"""One endpoint at work: its engine, its feeds and its store."""

from __future__ import annotations

import asyncio
import importlib
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from contui.engines.base import Engine, Terminal
from contui.feeds.containers import Containers
from contui.feeds.host import Host
from contui.feeds.logs import Logs
from contui.feeds.resources import Poll
from contui.feeds.stats import Stats
from contui.feeds.supervisor import Supervisor
from contui.model.action import Action
from contui.model.container import Container
from contui.model.endpoint import Endpoint
from contui.model.event import EngineEvent
from contui.model.log import LogWindow
from contui.model.update import Acting, Happened, Listed
from contui.store.store import Store

LINGER: Final = 3.0
"""Seconds that a feed goes on after the last one who looked has gone: panels are switched often."""

_AFFECTED: Final = {
    "image": ("images", "disk"),
    "volume": ("volumes", "disk"),
    "network": ("networks",),
    "container": ("volumes",),
}


def open_engine(endpoint: Endpoint) -> Engine:
    """The engine for an endpoint; its client libraries are imported here, not before."""
    from contui.engines.docker.engine import DockerEngine

    return DockerEngine(endpoint)


class Session:
    """The feeds of one endpoint, started as they are looked at, and everything that is done to it.

    Use :meth:`run` as the task that owns it; all other methods are called on the same event loop.
    """

    def __init__(self, endpoint: Endpoint, *, log_lines: int = 100_000, tail: int = 1000) -> None:
        self.endpoint = endpoint
        self.store = Store(log_lines)
        self.visible: set[str] = set()
        """Ids of the containers on the screen: only they get a stats stream from the engine."""
        self._tail = tail
        self._supervisor = Supervisor(self.store.apply)
        self._engine: Engine | None = None
        self._containers: Containers | None = None
        self._polls: dict[tuple[str, str], Poll] = {}
        self._wanted: Counter[tuple[str, str]] = Counter()
        self._windows: dict[str, LogWindow] = {}

    @property
    def engine(self) -> Engine:
        """The engine, opened on first use."""
        if self._engine is None:
            self._engine = open_engine(self.endpoint)
        return self._engine

    async def run(self) -> None:
        """Keep the endpoint's feeds running until cancelled, then close everything."""
        await asyncio.to_thread(importlib.import_module, "contui.engines.docker.engine")
        store, supervisor, engine = self.store, self._supervisor, self.engine
        containers = Containers(engine, store.apply, lambda: store.containers, self._changed)
        self._containers = containers
        stats = Stats(engine, store.apply, self._running, lambda: self.visible)
        try:
            supervisor.start("engine", containers.run)
            supervisor.start("stats", stats.run)
            supervisor.start("host", Host(store.apply, lambda: store.info).run)
            for key in list(self._wanted):
                self._start(key)
            await asyncio.Event().wait()
        finally:
            await supervisor.close()
            await engine.close()

    def preload(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Take in a list of containers that was read before the feeds run."""
        from contui.engines.docker.convert import listed

        self.store.apply(Listed([listed(entry) for entry in entries]))

    def _running(self) -> list[Container]:
        return [each for each in self.store.containers.values() if each.state == "running"]

    def _changed(self, kind: str, id: str) -> None:
        """What an event, or a new connection, may have changed is read again, if anyone looks."""
        for (wanted, about), poll in self._polls.items():
            if kind == "engine" or about == id or wanted in _AFFECTED.get(kind, ()):
                poll.poke()

    def retry(self) -> None:
        """Try again now what waits for its next try."""
        self._supervisor.retry_now()

    @contextmanager
    def want(self, kind: str, id: str = "") -> Iterator[None]:
        """Keep a resource (or, with kind ``logs``, a log) fresh within this context."""
        self.hold(kind, id)
        try:
            yield
        finally:
            self.release(kind, id)

    def hold(self, kind: str, id: str = "") -> None:
        """Keep a resource fresh until :meth:`release`."""
        key = (kind, id)
        self._wanted[key] += 1
        if self._engine is not None:
            self._start(key)

    def release(self, kind: str, id: str = "") -> None:
        """End a :meth:`hold`; the feed goes on for :data:`LINGER` seconds."""
        key = (kind, id)
        self._wanted[key] -= 1
        if self._wanted[key] <= 0:
            del self._wanted[key]
            asyncio.get_running_loop().call_later(LINGER, self._stop_unwanted, key)

    def _start(self, key: tuple[str, str]) -> None:
        kind, id = key
        name = f"{kind}:{id}"
        if self._supervisor.running(name):
            return
        if kind == "logs":
            window = self._windows.get(id, LogWindow(tail=self._tail))
            feed = Logs(
                self.engine, self.store.apply, lambda: self.store.containers.get(id), window
            )
            self._supervisor.start(name, feed.run)
        else:
            poll = Poll(self.engine, self.store.apply, kind, id)
            self._polls[key] = poll
            self._supervisor.start(name, poll.run)

    def _stop_unwanted(self, key: tuple[str, str]) -> None:
        if key not in self._wanted:
            self._supervisor.stop(f"{key[0]}:{key[1]}")
            self._polls.pop(key, None)

    def poke(self, kind: str, id: str = "") -> None:
        """Read a wanted resource again now."""
        poll = self._polls.get((kind, id))
        if poll is not None:
            poll.poke()

    def window(self, id: str) -> LogWindow:
        """The part of a container's log that is read."""
        return self._windows.get(id, LogWindow(tail=self._tail))

    def set_window(self, id: str, window: LogWindow) -> None:
        """Read another part of a container's log."""
        self._windows[id] = window
        self._supervisor.stop(f"logs:{id}")
        self.store.log(id).clear()
        if ("logs", id) in self._wanted:
            self._start(("logs", id))

    async def act(self, action: Action) -> str:
        """Do it, and put it on the timeline. Raises EngineError."""
        self.store.apply(Acting(action.id, action.verb))
        try:
            answer = await self.engine.act(action)
        finally:
            self.store.apply(Acting(action.id, ""))
            if self._containers is not None and action.kind == "container" and action.id:
                self._containers.refresh(action.id)
        self.store.apply(
            Happened(
                EngineEvent(
                    time.time_ns(),
                    "contui",
                    action.verb,
                    action.id,
                    action.name,
                    {"command": action.command()},
                )
            )
        )
        self._changed(action.kind, action.id)
        return answer

    async def exec(
        self, id: str, command: Sequence[str], *, user: str, directory: str, size: tuple[int, int]
    ) -> Terminal:
        """Start a command on a terminal in a container. Raises EngineError."""
        return await self.engine.exec(id, command, user=user, directory=directory, size=size)

    async def attach(self, id: str, size: tuple[int, int]) -> Terminal:
        """Connect to a container's standard streams. Raises EngineError."""
        return await self.engine.attach(id, size)
