"""Keeps feeds running: one owner for every background task, with visible states and backoff."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import Final

from contui.model.errors import (
    EngineError,
    EngineNotFound,
    EngineTimeout,
    EngineUnsupported,
)
from contui.model.feed import FeedState, FeedStatus
from contui.model.update import FeedChanged, Update

Apply = Callable[[Update], None]
_FIRST: Final = 0.25
_LONGEST: Final = 5.0
_HEALTHY: Final = 30.0
"""A feed that ran this long starts its backoff anew."""

log = logging.getLogger(__name__)


class Report:
    """What a feed tells of itself while it runs."""

    def __init__(self, name: str, apply: Apply) -> None:
        self._name = name
        self._apply = apply
        self._last: FeedStatus | None = None

    def __call__(self, state: FeedState, reason: str = "", hint: str = "", at: float = 0.0) -> None:
        """Publish the feed's state if it is another one."""
        status = FeedStatus(state, reason, hint, at)
        if status != self._last:
            self._last = status
            self._apply(FeedChanged(self._name, status))


Feed = Callable[[Report], Awaitable[None]]


class Supervisor:
    """Runs feeds by name until they are stopped; a failed one is tried again with backoff.

    A feed that returns has done its work. EngineNotFound and EngineUnsupported end it as failed:
    trying again would not help.
    """

    def __init__(self, apply: Apply) -> None:
        self._apply = apply
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._retry = asyncio.Event()

    def start(self, name: str, feed: Feed) -> None:
        """Start a feed unless one of that name runs."""
        task = self._tasks.get(name)
        if task is None or task.done():
            self._tasks[name] = asyncio.create_task(self._run(name, feed), name=f"feed {name}")

    def running(self, name: str) -> bool:
        """Whether a feed of that name runs or waits for its next try."""
        task = self._tasks.get(name)
        return task is not None and not task.done()

    def stop(self, name: str) -> None:
        """Cancel a feed."""
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()
            self._apply(FeedChanged(name, FeedStatus(FeedState.STOPPED)))

    def retry_now(self) -> None:
        """Wake the feeds that wait for their next try."""
        self._retry.set()
        self._retry.clear()

    async def close(self) -> None:
        """Cancel all feeds and wait until they are gone."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, name: str, feed: Feed) -> None:
        report = Report(name, self._apply)
        delay = _FIRST
        while True:
            started = time.monotonic()
            try:
                # A task of its own: a TaskGroup that fails leaves its task counted as cancelling,
                # and with Python before 3.11.4 no asyncio.timeout() in it ends as a TimeoutError.
                await asyncio.ensure_future(feed(report))
                report(FeedState.STOPPED)
                return
            except (EngineNotFound, EngineUnsupported) as error:
                report(FeedState.FAILED, str(error), error.hint)
                return
            except EngineError as error:
                reason, hint = str(error), error.hint
                stalled = isinstance(error, EngineTimeout)
            except Exception as error:
                log.exception("feed %s", name)
                reason, hint, stalled = f"internal error: {error!r}", "", False
            if self._tasks.get(name) is not asyncio.current_task():
                # Stopped: a TaskGroup that fails while it is cancelled tells only of the failure.
                raise asyncio.CancelledError
            if time.monotonic() - started > _HEALTHY:
                delay = _FIRST
            wait = delay * random.uniform(0.8, 1.2)
            state = FeedState.STALLED if stalled else FeedState.RETRYING
            report(state, reason, hint, time.time() + wait)
            await self._pause(wait)
            delay = min(_LONGEST, delay * 2)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._retry.wait()
        except TimeoutError:
            pass
