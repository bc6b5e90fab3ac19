"""One container's log into its buffer, resumed where it broke off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from contui.engines.base import Engine
from contui.feeds.supervisor import Apply, Report
from contui.model.container import Container
from contui.model.errors import EngineNotFound
from contui.model.feed import FeedState
from contui.model.log import LogLine, LogWindow
from contui.model.update import Logged

_BATCH: Final = 0.05
_AT_ONCE: Final = 20_000


class Logs:
    """Follows one container. After an interruption it asks again from the last line's time.

    ``since`` is inclusive to the nanosecond, so the lines of that very time come twice and as many
    as were already shown are left out.
    """

    def __init__(
        self,
        engine: Engine,
        apply: Apply,
        container: Callable[[], Container | None],
        window: LogWindow,
    ) -> None:
        self._engine = engine
        self._apply = apply
        self._container = container
        self._window = window
        self._last_ns = 0
        self._same = 0
        self._started = False

    async def run(self, report: Report) -> None:
        """Follow; while the container does not run, wait until it does.

        Raises EngineUnsupported where the log driver cannot be read, EngineNotFound when the
        container is gone.
        """
        while True:
            container = self._container()
            if container is None:
                raise EngineNotFound("the container is gone")
            report(FeedState.LIVE)
            await self._read(container)
            if not self._started:
                self._started = True
                self._apply(Logged(container.id, [], restart=True))
            report(FeedState.LIVE, "the log has ended")
            await self._restarted(container)

    async def _restarted(self, ended: Container) -> None:
        """Wait until the container runs again: another start time than that of the ended run."""
        before = ended.detail.started_at if ended.detail is not None else 0.0
        while True:
            await asyncio.sleep(0.25)
            container = self._container()
            if container is None:
                raise EngineNotFound("the container is gone")
            now = container.detail.started_at if container.detail is not None else 0.0
            if container.state == "running" and now != before:
                return

    async def _read(self, container: Container) -> None:
        window, since, skip = self._window, self._last_ns, self._same
        if since:
            window = LogWindow(tail=None, since_ns=since)
        batch: list[LogLine] = []
        timer: asyncio.TimerHandle | None = None

        def flush() -> None:
            nonlocal timer
            if timer is not None:
                timer.cancel()
                timer = None
            self._flush(container.id, batch.copy())
            batch.clear()

        try:
            async for lines in self._engine.logs(container, window):
                if skip:
                    lines, skip = _without(lines, since, skip)
                batch += lines
                if not self._started or len(batch) >= _AT_ONCE:
                    flush()
                    await asyncio.sleep(0)
                elif timer is None:
                    timer = asyncio.get_running_loop().call_later(_BATCH, flush)
            flush()
        finally:
            # What was not shown yet is read again: the time to resume from is that of what was.
            if timer is not None:
                timer.cancel()

    def _flush(self, id: str, lines: list[LogLine]) -> None:
        if not lines:
            return
        self._apply(Logged(id, lines, restart=not self._started))
        self._started = True
        last = max(line.time_ns for line in lines)
        if last > self._last_ns:
            self._last_ns, self._same = last, 0
        self._same += sum(1 for line in lines if line.time_ns == self._last_ns)


def _without(lines: list[LogLine], time_ns: int, count: int) -> tuple[list[LogLine], int]:
    """``lines`` less the first ``count`` with exactly that time, and how many are still to go."""
    kept = []
    for line in lines:
        if count and line.time_ns == time_ns:
            count -= 1
        else:
            kept.append(line)
    return kept, count
