"""Resources that somebody looks at: read at once, then again in their own rhythm or when an event
says that they have changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Final

from contui.engines.base import Engine
from contui.feeds.supervisor import Apply, Report
from contui.model.errors import EngineError
from contui.model.feed import FeedState
from contui.model.resource import Resource
from contui.model.update import Fetched

INTERVALS: Final = {
    "inspect": 10.0,
    "in_force": 2.0,
    "processes": 2.0,
    "image": 60.0,
    "image_detail": 300.0,
    "sizes": 30.0,
    "images": 30.0,
    "volumes": 30.0,
    "networks": 30.0,
    "network": 10.0,
    "disk": 60.0,
    "info": 30.0,
}
"""Seconds between two readings of a kind while it is looked at. Those that walk layers and
volumes (sizes, disk) are rare, those of the kernel cheap."""


class Poll:
    """Reads one resource while it is wanted."""

    def __init__(self, engine: Engine, apply: Apply, kind: str, id: str) -> None:
        self._engine = engine
        self._apply = apply
        self._kind = kind
        self._id = id
        self._poked = asyncio.Event()

    def poke(self) -> None:
        """Read again now."""
        self._poked.set()

    async def run(self, report: Report) -> None:
        """Read until cancelled; a failure is part of the resource."""
        while True:
            self._poked.clear()
            self._apply(Fetched(self._kind, self._id, await self._read()))
            report(FeedState.LIVE)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(INTERVALS[self._kind]):
                    await self._poked.wait()
            await asyncio.sleep(0.05)

    async def _read(self) -> Resource[object]:
        try:
            value = await self._engine.fetch(self._kind, self._id)
        except EngineError as error:
            return Resource(error=str(error), hint=error.hint, at=time.time())
        return Resource(value=value, at=time.time())
