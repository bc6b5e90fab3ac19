"""Stats of the containers that run.

Where the kernel can be read, it is: 30 to 60 µs a container and nothing for the engine, where a
sample over the API costs the engine about 3 ms. Containers that are out of reach (another machine,
Docker Desktop) get one API stream each while their row is on the screen.
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
        self._open_streams(remote & self._wanted())
        source = "cgroup" if not remote else "engine API" if not samples else "cgroup, engine API"
        samples |= self._arrived
        self._arrived = {}
        self._apply(Sampled(samples, f"{source}, every {INTERVAL:.0f} s"))

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

    def _open_streams(self, ids: set[str]) -> None:
        for id in [id for id in self._streams if id not in ids or self._streams[id].done()]:
            self._streams.pop(id).cancel()
        for id in sorted(ids - set(self._streams))[: _STREAMS - len(self._streams)]:
            self._streams[id] = asyncio.create_task(self._stream(id), name=f"stats {id[:12]}")

    async def _stream(self, id: str) -> None:
        with contextlib.suppress(EngineError):
            async for sample in self._engine.stats(id):
                self._arrived[id] = sample
