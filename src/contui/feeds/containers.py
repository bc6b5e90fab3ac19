"""The list of containers and the engine's events: subscribe, list, then follow.

The engine keeps only 256 events and none over a restart, so after every interruption the list is
read anew and compared; what changed meanwhile becomes an inferred event.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final

from contui.engines.base import Engine
from contui.feeds.supervisor import Apply, Report
from contui.model.container import Container
from contui.model.errors import EngineError, EngineNotFound, EngineTimeout
from contui.model.event import EngineEvent
from contui.model.feed import FeedState
from contui.model.update import Changed, Connected, Gone, Happened, Listed

RELIST: Final = 60.0
HISTORY: Final = 3600.0
"""Seconds of events asked for at the start. Docker keeps its last 256, Podman all there ever were;
they tell who stopped what before the console was opened."""
PING: Final = 3.0
_AT_ONCE: Final = 8
"""Inspect calls in flight: one container that hangs delays the others by 5 s at most."""

_SYNTHETIC: Final = {
    "running": "start",
    "exited": "die",
    "paused": "pause",
    "created": "create",
    "dead": "die",
    "restarting": "die",
}


class Containers:
    """Keeps the containers of one engine in the store."""

    def __init__(
        self,
        engine: Engine,
        apply: Apply,
        known: Callable[[], dict[str, Container]],
        changed: Callable[[str, str], None],
    ) -> None:
        self._engine = engine
        self._apply = apply
        self._known = known
        self._changed = changed
        self._last_ns = 0
        self._listed = False
        self._seen: set[tuple[int, str, str]] = set()
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._dirty: set[str] = set()
        self._unknown = asyncio.Event()

    async def run(self, report: Report) -> None:
        """Connect and follow until something breaks. Raises EngineError."""
        report(FeedState.STARTING)
        self._apply(Connected(await self._engine.connect()))
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow())
                tasks.create_task(self._heartbeat(report))
                tasks.create_task(self._list_often(report))
                for _ in range(_AT_ONCE):
                    tasks.create_task(self._inspect_dirty())
        except* EngineError as group:
            raise group.exceptions[0] from None

    async def _list_often(self, report: Report) -> None:
        while True:
            self._unknown.clear()
            await self._list()
            report(FeedState.LIVE)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RELIST):
                    await self._unknown.wait()

    async def _list(self) -> None:
        before = self._known()
        containers = await self._engine.containers()
        for event in _inferred(before, containers) if self._listed else []:
            self._apply(Happened(event))
        self._apply(Listed(containers))
        self._listed = True
        known = self._known()
        for container in containers:
            old = before.get(container.id)
            if known[container.id].detail is None or old is None or old.state != container.state:
                self.refresh(container.id)

    def refresh(self, id: str) -> None:
        """Inspect a container soon."""
        if id not in self._dirty:
            self._dirty.add(id)
            self._queue.put_nowait(id)

    async def _inspect_dirty(self) -> None:
        while True:
            id = await self._queue.get()
            self._dirty.discard(id)
            container = self._known().get(id)
            try:
                if container is None:
                    self._unknown.set()
                    continue
                complete, _ = await self._engine.inspect(container)
                self._apply(Changed(complete))
            except EngineNotFound:
                self._apply(Gone(id))
            except EngineTimeout:
                continue  # the engine hangs on this one container: the list still shows it

    async def _heartbeat(self, report: Report) -> None:
        while True:
            await asyncio.sleep(PING)
            try:
                await self._engine.ping()
            except EngineTimeout:
                report(FeedState.STALLED, "the engine does not answer", "systemctl status docker")
                continue
            report(FeedState.LIVE)

    async def _follow(self) -> None:
        since = self._last_ns or time.time_ns() - int(HISTORY * 1e9)
        async for event in self._engine.events(since):
            key = (event.time_ns, event.id, event.action)
            if key in self._seen:
                continue
            if len(self._seen) > 1000:
                self._seen = {old for old in self._seen if old[0] >= self._last_ns - 10**9}
            self._seen.add(key)
            self._last_ns = max(self._last_ns, event.time_ns)
            self._apply(Happened(event))
            self._react(event)
        raise EngineError("the engine ended the event stream")

    def _react(self, event: EngineEvent) -> None:
        if event.kind == "container":
            if event.action == "destroy":
                self._apply(Gone(event.id))
            elif event.id:
                self.refresh(event.id)
        elif event.kind == "network" and (id := event.attributes.get("container", "")):
            self.refresh(id)
        self._changed(event.kind, event.id)


def _inferred(before: dict[str, Container], now: list[Container]) -> list[EngineEvent]:
    """What must have happened between two lists."""
    stamp = time.time_ns()
    present = {container.id for container in now}
    events = [
        EngineEvent(stamp, "container", "destroy", old.id, old.name, inferred=True)
        for old in before.values()
        if old.id not in present
    ]
    for container in now:
        old = before.get(container.id)
        if old is None or old.state == container.state:
            continue
        action = _SYNTHETIC.get(container.state, container.state)
        events.append(
            EngineEvent(stamp, "container", action, container.id, container.name, inferred=True)
        )
    return events
