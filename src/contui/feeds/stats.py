"""Stats of the containers that run.

Where the kernel can be read, it is: 30 to 60 µs a container and nothing for the engine, where a
sample over the API costs the engine about 3 ms. Containers that are out of reach (another machine,
Docker Desktop) are read in the way that is cheapest for their engine: Docker from 25 on answers a
question at once, so all are asked, those on the screen more often; before, a question waits for the
engine's own round, so only what is on the screen gets a stream; Podman tells all in one stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable
from typing import Final

from contui.engines.base import Engine, Sampler
from contui.feeds.supervisor import Apply, Report
from contui.model.container import Container
from contui.model.errors import EngineError
from contui.model.feed import FeedState
from contui.model.sample import Sample
from contui.model.update import Sampled

INTERVAL: Final = 1.0
_SLICE: Final = 64
"""Containers read before the loop gets a turn: 300 in one go would be 17 ms."""
_STREAMS: Final = 60
_HIDDEN: Final = 5.0
"""Seconds between questions about a container that is not on the screen."""
_AT_ONCE: Final = 8
_SOURCES: Final = {
    "stream": f"engine API, every {INTERVAL:.0f} s",
    "once": f"engine API, every {INTERVAL:.0f} s, {_HIDDEN:.0f} s off the screen",
    "all": f"engine API, one stream, every {INTERVAL:.0f} s",
}
_EVERY = ""
"""The key of the task that serves all containers."""


class Stats:
    """Samples every running container once a second."""

    def __init__(
        self,
        engine: Engine,
        apply: Apply,
        running: Callable[[], Iterable[Container]],
        wanted: Callable[[], set[str]],
    ) -> None:
        self._engine = engine
        self._apply = apply
        self._running = running
        self._wanted = wanted
        self._samplers: dict[str, tuple[int, Sampler]] = {}
        self._streams: dict[str, asyncio.Task[None]] = {}
        self._arrived: dict[str, Sample] = {}
        self._remote: set[str] = set()

    async def run(self, report: Report) -> None:
        """Sweep once a second until cancelled."""
        try:
            while True:
                started = time.monotonic()
                await self._sweep()
                report(FeedState.LIVE)
                await asyncio.sleep(max(0.1, INTERVAL - (time.monotonic() - started)))
        finally:
            for _, sampler in self._samplers.values():
                sampler.close()
            self._samplers.clear()
            for task in self._streams.values():
                task.cancel()
            await asyncio.gather(*self._streams.values(), return_exceptions=True)
            self._streams.clear()

    async def _sweep(self) -> None:
        samples: dict[str, Sample] = {}
        remote: set[str] = set()
        present: set[str] = set()
        for index, container in enumerate(list(self._running())):
            if index % _SLICE == _SLICE - 1:
                await asyncio.sleep(0)
            present.add(container.id)
            if container.detail is None:
                continue
            sampler = self._sampler(container)
            if sampler is None:
                remote.add(container.id)
                continue
            try:
                samples[container.id] = sampler.sample()
            except ProcessLookupError:
                self._drop(container.id)
        for id in [id for id in self._samplers if id not in present]:
            self._drop(id)
        self._ask_engine(remote)
        local, asked = f"cgroup, every {INTERVAL:.0f} s", _SOURCES[self._engine.stats_way]
        source = local if not remote else asked if not samples else f"{local}; {asked}"
        samples |= self._arrived
        self._arrived = {}
        self._apply(Sampled(samples, source))

    def _sampler(self, container: Container) -> Sampler | None:
        pid = container.detail.pid if container.detail is not None else 0
        known = self._samplers.get(container.id)
        if known is not None and known[0] == pid:
            return known[1]
        self._drop(container.id)
        with contextlib.suppress(ProcessLookupError):
            sampler = self._engine.sampler(container)
            if sampler is not None:
                self._samplers[container.id] = (pid, sampler)
            return sampler
        return None

    def _drop(self, id: str) -> None:
        known = self._samplers.pop(id, None)
        if known is not None:
            known[1].close()

    def _ask_engine(self, remote: set[str]) -> None:
        self._remote = remote
        readers = {"stream": self._stream, "once": self._poll, "all": self._all}
        way = self._engine.stats_way
        keys = remote & self._wanted() if way == "stream" else {_EVERY} if remote else set()
        for key in [key for key in self._streams if key not in keys or self._streams[key].done()]:
            self._streams.pop(key).cancel()
        for key in sorted(keys - set(self._streams))[: _STREAMS - len(self._streams)]:
            name = f"stats {key[:12]}"
            self._streams[key] = asyncio.create_task(readers[way](key), name=name)

    async def _stream(self, id: str) -> None:
        with contextlib.suppress(EngineError):
            async for sample in self._engine.stats(id):
                self._arrived[id] = sample

    async def _all(self, _: str) -> None:
        with contextlib.suppress(EngineError):
            async for samples in self._engine.stats_all():
                self._arrived |= {id: samples[id] for id in self._remote & set(samples)}

    async def _poll(self, _: str) -> None:
        asked: dict[str, float] = {}
        gate = asyncio.Semaphore(_AT_ONCE)

        async def ask(id: str) -> None:
            with contextlib.suppress(EngineError):
                async with gate:
                    self._arrived[id] = await self._engine.stats_once(id)

        while True:
            now, visible = time.monotonic(), self._wanted()
            # Half an interval early: a sleep that ends a little too soon must not skip a round.
            due = [
                id
                for id in self._remote
                if now - asked.get(id, 0.0)
                >= (INTERVAL if id in visible else _HIDDEN) - INTERVAL / 2
            ]
            asked = {id: at for id, at in asked.items() if id in self._remote} | dict.fromkeys(
                due, now
            )
            await asyncio.gather(*(ask(id) for id in due))
            await asyncio.sleep(INTERVAL)
