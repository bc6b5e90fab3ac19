"""An engine that does as the test says: no socket, no process, no clock of its own.

What the engine has is in plain attributes that may be changed at any time; what it was asked is in
``calls``, ``fetched``, ``inspected``, ``subscribed``, ``windows``, ``acts`` and ``opened``.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

from contui.engines.base import Sampler, StatsWay, Terminal
from contui.model.action import Action
from contui.model.container import Container, Detail
from contui.model.endpoint import Endpoint
from contui.model.errors import EngineError, EngineNotFound
from contui.model.event import EngineEvent
from contui.model.host import EngineInfo
from contui.model.log import LogLine, LogWindow, Std
from contui.model.sample import Sample

T = TypeVar("T")

INFO = EngineInfo(version="26.1.5", cpus=8, memory=32 << 30, name="scripted", local=True)


def make(name: str, state: str = "running", **fields: Any) -> Container:
    """A container whose id is made of its name; ``fields`` go to it or to its detail."""
    own = {key: fields.pop(key) for key in list(fields) if key in Container.__slots__}
    running = state in ("running", "paused")
    detail = Detail(**{"pid": 4000 if running else 0, "started_at": 1.7e9, **fields})
    id = name.encode().hex().ljust(64, "0")[:64]
    return Container(
        **{"id": id, "name": name, "state": state, "image": "app", "detail": detail, **own}
    )


def happened(
    container: Container, action: str, time_ns: int | None = None, **attributes: str
) -> EngineEvent:
    """An event of a container; now if no time is given."""
    stamp = time.time_ns() if time_ns is None else time_ns
    return EngineEvent(stamp, "container", action, container.id, container.name, attributes)


def line(text: str, time_ns: int = 0, std: Std = Std.OUT) -> LogLine:
    """A log line; now if no time is given."""
    return LogLine(time_ns or time.time_ns(), std, text)


class Streams(Generic[T]):
    """Open streams by topic: what is put into a topic comes out of each of them."""

    def __init__(self) -> None:
        self._queues: dict[str, list[asyncio.Queue[T | BaseException | None]]] = defaultdict(list)

    def open(self, topic: str) -> int:
        """How many streams of a topic are open."""
        return len(self._queues[topic])

    def put(self, topic: str, item: T) -> None:
        for queue in self._queues[topic]:
            queue.put_nowait(item)

    def end(self, topic: str, error: BaseException | None = None) -> None:
        """End the topic's streams, with an error if one is given."""
        for queue in self._queues[topic]:
            queue.put_nowait(error)

    def topics(self) -> list[str]:
        """Topics that have an open stream."""
        return [topic for topic, queues in self._queues.items() if queues]

    @contextlib.contextmanager
    def subscribe(self, topic: str) -> Iterator[AsyncIterator[T]]:
        queue: asyncio.Queue[T | BaseException | None] = asyncio.Queue()
        self._queues[topic].append(queue)
        try:
            yield self._items(queue)
        finally:
            self._queues[topic].remove(queue)

    @staticmethod
    async def _items(queue: asyncio.Queue[T | BaseException | None]) -> AsyncIterator[T]:
        while (item := await queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item


class ScriptedSampler:
    """Reads what ``engine.kernel`` says of its container; gone when nothing is said."""

    def __init__(self, engine: Scripted, id: str) -> None:
        self._engine = engine
        self.id = id
        self.closed = False

    def sample(self) -> Sample:
        assert not self.closed, "read after close"
        reading = self._engine.kernel.get(self.id)
        if reading is None:
            raise ProcessLookupError(self.id)
        return replace(reading, at=time.time())

    def close(self) -> None:
        self.closed = True


class ScriptedTerminal:
    """A terminal: ``say`` is what the process prints, ``written`` what it got."""

    def __init__(self, code: int | None = 0) -> None:
        self._output: asyncio.Queue[bytes] = asyncio.Queue()
        self._code = code
        self.written = b""
        self.sizes: list[tuple[int, int]] = []
        self.closed = False

    def say(self, data: bytes) -> None:
        """Print; ``b""`` ends the process."""
        self._output.put_nowait(data)

    async def read(self) -> bytes:
        return await self._output.get()

    async def write(self, data: bytes) -> None:
        self.written += data

    async def resize(self, columns: int, rows: int) -> None:
        self.sizes.append((columns, rows))

    async def close(self) -> int | None:
        self.closed = True
        return self._code


class Scripted:
    """Implements :class:`contui.engines.base.Engine`.

    ``errors`` switches failures on: a key is the name of a method (``ping``, ``containers``,
    ``events``...) or that and what it is about (``fetch:images``, ``inspect:ID``, ``act:stop``).
    ``hanging`` has the same keys: those calls do not return until the key is taken out.
    """

    def __init__(
        self,
        containers: Sequence[Container] = (),
        info: EngineInfo = INFO,
        endpoint: Endpoint | None = None,
    ) -> None:
        self.endpoint = endpoint or Endpoint("unix:///scripted.sock", origin="test")
        self.info = info
        self.present: dict[str, Container] = {each.id: each for each in containers}
        self.documents: dict[str, Mapping[str, Any]] = {}
        self.resources: dict[tuple[str, str], object] = {}
        self.lines: dict[str, list[LogLine]] = defaultdict(list)
        self.kernel: dict[str, Sample] = {}
        """What samplers read; a container without an entry has no sampler."""
        self.history: list[EngineEvent] = []
        self.answers: dict[str, str] = {}
        self.on_act: Callable[[Action], None] | None = None
        self.errors: dict[str, Exception] = {}
        self.hanging: set[str] = set()
        self.calls: Counter[str] = Counter()
        self.fetched: list[tuple[str, str]] = []
        self.inspected: list[str] = []
        self.subscribed: list[int] = []
        self.windows: list[LogWindow] = []
        self.acts: list[Action] = []
        self.samplers: list[ScriptedSampler] = []
        self.opened: list[tuple[str, str, tuple[str, ...]]] = []
        self.terminals: list[ScriptedTerminal] = []
        self.closed = False
        self.event_streams: Streams[EngineEvent] = Streams()
        self.log_streams: Streams[list[LogLine]] = Streams()
        self.stat_streams: Streams[Sample] = Streams()
        self.stats_way: StatsWay = "stream"
        self.all_stats: Streams[Mapping[str, Sample]] = Streams()
        self.answers: dict[str, Sample] = {}
        self.questions: Counter[str] = Counter()

    # --- what the test does

    def put(self, *containers: Container) -> None:
        """Add or replace containers, without an event; the log of one that stops ends."""
        for container in containers:
            self.present[container.id] = container
            if not container.running:
                self.log_streams.end(container.id)

    def drop(self, *containers: Container) -> None:
        """Take containers away, without an event."""
        for container in containers:
            del self.present[container.id]
            self.log_streams.end(container.id)
            self.kernel.pop(container.id, None)

    def emit(self, *events: EngineEvent) -> None:
        """Let events happen."""
        for event in events:
            self.history.append(event)
            self.event_streams.put("", event)

    def print(self, container: Container, *lines: LogLine) -> None:
        """Let a container print lines, as one batch."""
        self.lines[container.id] += lines
        self.log_streams.put(container.id, list(lines))

    def measure(self, container: Container, sample: Sample) -> None:
        """Send a sample down the container's API stream."""
        self.stat_streams.put(container.id, sample)

    def break_off(self, error: Exception | None = None) -> None:
        """End every open stream of events and logs."""
        error = error or EngineError("connection reset")
        for streams in (self.event_streams, self.log_streams):
            for topic in streams.topics():
                streams.end(topic, error)

    async def _asked(self, method: str, about: str = "") -> None:
        self.calls[method] += 1
        names = {method, f"{method}:{about}"}
        while names & self.hanging:
            await asyncio.sleep(0.005)
        for name in names & set(self.errors):
            raise self.errors[name]

    # --- what the program asks

    async def connect(self) -> EngineInfo:
        await self._asked("connect")
        return self.info

    async def ping(self) -> None:
        await self._asked("ping")

    async def containers(self) -> list[Container]:
        await self._asked("containers")
        return [replace(each, detail=None) for each in self.present.values()]

    async def inspect(self, container: Container) -> tuple[Container, Mapping[str, Any]]:
        self.inspected.append(container.id)
        await self._asked("inspect", container.id)
        if container.id not in self.present:
            raise EngineNotFound(f"no such container: {container.name}")
        own = self.present[container.id]
        return replace(own, detail=own.detail or Detail()), self._document(container.id)

    def _document(self, id: str) -> Mapping[str, Any]:
        return self.documents.get(id, {"Id": id, "Name": f"/{self.present[id].name}"})

    async def events(self, since_ns: int) -> AsyncIterator[EngineEvent]:
        self.subscribed.append(since_ns)
        with self.event_streams.subscribe("") as arriving:
            await self._asked("events")
            if since_ns:
                for event in [each for each in self.history if each.time_ns >= since_ns]:
                    yield event
            async for event in arriving:
                yield event

    async def logs(self, container: Container, window: LogWindow) -> AsyncIterator[list[LogLine]]:
        self.windows.append(window)
        with self.log_streams.subscribe(container.id) as arriving:
            kept = [each for each in self.lines[container.id] if each.time_ns >= window.since_ns]
            if window.tail is not None:
                kept = kept[max(0, len(kept) - window.tail) :]
            own = self.present.get(container.id)
            await self._asked("logs", container.id)
            if own is None:
                raise EngineNotFound(f"no such container: {container.name}")
            if kept:
                yield kept
            if not own.running:
                return
            async for lines in arriving:
                yield lines

    async def stats(self, id: str) -> AsyncIterator[Sample]:
        with self.stat_streams.subscribe(id) as arriving:
            await self._asked("stats", id)
            async for sample in arriving:
                yield sample

    async def stats_once(self, id: str) -> Sample:
        await self._asked("stats_once", id)
        self.questions[id] += 1
        if id not in self.answers:
            raise EngineNotFound("it does not run")
        return self.answers[id]

    async def stats_all(self) -> AsyncIterator[Mapping[str, Sample]]:
        with self.all_stats.subscribe("") as arriving:
            await self._asked("stats_all")
            async for samples in arriving:
                yield samples

    def sampler(self, container: Container) -> Sampler | None:
        self.calls["sampler"] += 1
        if container.id not in self.kernel:
            return None
        sampler = ScriptedSampler(self, container.id)
        self.samplers.append(sampler)
        return sampler

    async def fetch(self, kind: str, id: str) -> object:
        self.fetched.append((kind, id))
        await self._asked("fetch", kind)
        if (kind, id) in self.resources:
            return self.resources[kind, id]
        if kind == "inspect" and id in self.present:
            return self._document(id)
        raise EngineNotFound(f"no {kind} of {id[:12] or 'the engine'}")

    async def act(self, action: Action) -> str:
        self.acts.append(action)
        await self._asked("act", action.verb)
        if self.on_act is not None:
            self.on_act(action)
        return self.answers.get(action.verb, "")

    async def exec(
        self, id: str, command: Sequence[str], *, user: str, directory: str, size: tuple[int, int]
    ) -> Terminal:
        await self._asked("exec", id)
        return self._terminal("exec", id, tuple(command), size)

    async def attach(self, id: str, size: tuple[int, int]) -> Terminal:
        await self._asked("attach", id)
        return self._terminal("attach", id, (), size)

    def _terminal(
        self, how: str, id: str, command: tuple[str, ...], size: tuple[int, int]
    ) -> Terminal:
        terminal = ScriptedTerminal()
        terminal.sizes.append(size)
        self.opened.append((how, id, command))
        self.terminals.append(terminal)
        return terminal

    async def close(self) -> None:
        self.closed = True
