"""The list of containers and the engine's events: subscribe, list, then follow.

The engine keeps only 256 events and none over a restart, so after every interruption the list is
read anew and compared; what changed meanwhile and is not told by an event that was kept becomes an
inferred event.
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
from contui.model.errors import EngineError, EngineNotFound, EngineTimeout, EngineUnavailable
from contui.model.event import EngineEvent
from contui.model.feed import FeedState
from contui.model.update import Changed, Connected, Gone, Happened, Listed

RELIST: Final = 60.0
HISTORY: Final = 3600.0
"""Seconds of events asked for at the start. Docker keeps its last 256, Podman all there ever were;
they tell who stopped what before the console was opened."""
PING: Final = 3.0
AILING: Final = 10.0
"""Seconds between two looks at a container that is not healthy."""
GRACE: Final = 0.5
"""Seconds after an interruption in which the engine sends the events that it has kept."""
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
        self._busy: set[str] = set()
        self._unknown = asyncio.Event()

    async def run(self, report: Report) -> None:
        """Connect and follow until something breaks. Raises EngineError."""
        report(FeedState.STARTING)
        self._apply(Connected(await self._engine.connect()))
        self._changed("engine", "")
        self._queue = asyncio.Queue()
        self._dirty.clear()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow())
                tasks.create_task(self._heartbeat(report))
                tasks.create_task(self._look_after_the_ailing())
                tasks.create_task(self._list_often(report, self._last_ns))
                for _ in range(_AT_ONCE):
                    tasks.create_task(self._inspect_dirty())
        except ExceptionGroup as group:
            # Not except*: before Python 3.11.4 what is raised there is wrapped in a group again.
            known, other = group.split(EngineError)
            if known is None or other is not None:
                raise
            raise known.exceptions[0] from None

    async def _list_often(self, report: Report, heard_ns: int) -> None:
        missed = await self._list(anew=True)
        report(FeedState.LIVE)
        if missed:
            await asyncio.sleep(GRACE)
        told = {(id, action) for time_ns, id, action in self._seen if time_ns > heard_ns}
        for event in missed:
            if (event.id, event.action) not in told:
                self._apply(Happened(event))
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RELIST):
                    await self._unknown.wait()
            self._unknown.clear()
            await self._list()
            report(FeedState.LIVE)

    async def _list(self, *, anew: bool = False) -> list[EngineEvent]:
        """Take in the list; ``anew`` after an interruption. Returns what it says has happened."""
        containers = await self._engine.containers()
        before = dict(self._known())
        self._apply(Listed(containers))
        known = self._known()
        for container in containers:
            old = before.get(container.id)
            changed = anew or old is None or old.state != container.state
            if changed or known[container.id].detail is None:
                self.refresh(container.id)
        inferred = _inferred(before, containers) if anew and self._listed else []
        self._listed = True
        return inferred

    def refresh(self, id: str) -> None:
        """Inspect a container soon."""
        if id not in self._dirty:
            self._dirty.add(id)
            self._queue.put_nowait(id)

    async def _inspect_dirty(self) -> None:
        while True:
            id = await self._queue.get()
            if id in self._busy:
                continue  # whoever is at it looks again: answers must not overtake each other
            self._busy.add(id)
            try:
                while id in self._dirty:
                    self._dirty.discard(id)
                    await self._inspect(id)
            finally:
                self._busy.discard(id)

    async def _inspect(self, id: str) -> None:
        container = self._known().get(id)
        if container is None:
            self._unknown.set()
            return
        try:
            complete, _ = await self._engine.inspect(container)
        except EngineNotFound:
            self._apply(Gone(id))
        except EngineUnavailable:
            raise
        except EngineError:
            pass  # the engine hangs or fails on this one container: the list still shows it
        else:
            if id in self._known():
                self._apply(Changed(complete))

    async def _look_after_the_ailing(self) -> None:
        """A health probe that goes on failing makes no event: its last output is asked for."""
        while True:
            await asyncio.sleep(AILING)
            for container in list(self._known().values()):
                if container.health in ("starting", "unhealthy"):
                    self.refresh(container.id)

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
        if old.state == "paused" and container.state == "running":
            action = "unpause"
        events.append(
            EngineEvent(stamp, "container", action, container.id, container.name, inferred=True)
        )
    return events
