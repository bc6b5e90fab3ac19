"""Streams that are let go of leave nothing behind, and many of them block nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from contui.engines.docker.engine import DockerEngine
from contui.model.container import Container
from contui.model.log import LogWindow
from lab.dockerd import Dockerd
from lab.live import connected, seen, session
from support.wait import PATIENCE, until

pytestmark = pytest.mark.engine

Open = Callable[[DockerEngine, Container], AsyncIterator[Any]]
STREAMS: dict[str, Open] = {
    "logs": lambda ours, container: ours.logs(container, LogWindow()),
    "stats": lambda ours, container: ours.stats(container.id),
    "events": lambda ours, _: ours.events(1),
}


def sockets() -> int:
    """Sockets that this process has open."""
    count = 0
    for fd in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            count += os.readlink(f"/proc/self/fd/{fd}").startswith("socket:")
    return count


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("kind", STREAMS)
async def test_200_cancelled_streams_leave_no_connection(engine: Dockerd, kind: str) -> None:
    engine.run("talker", "--", "sh", "-c", "echo hello; sleep 1000")
    async with connected(engine) as ours:
        container = await seen(ours, "talker")
        idle = sockets()

        async def follow(begun: asyncio.Event) -> None:
            async for _ in STREAMS[kind](ours, container):
                begun.set()

        for _ in range(4):
            events = [asyncio.Event() for _ in range(50)]
            tasks = [asyncio.create_task(follow(event)) for event in events]
            async with asyncio.timeout(PATIENCE):
                await asyncio.gather(*(event.wait() for event in events))
            assert sockets() >= idle + 49  # one may have been idle before
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await until(lambda: sockets() <= idle, "every connection is closed")


async def test_the_list_works_while_150_streams_are_open(engine: Dockerd) -> None:
    engine.run("talker", "--", "sh", "-c", "echo hello; sleep 1000")
    async with connected(engine) as ours:
        container = await seen(ours, "talker")
        begun = [asyncio.Event() for _ in range(150)]

        async def follow(event: asyncio.Event) -> None:
            async for _ in ours.logs(container, LogWindow()):
                event.set()

        tasks = [asyncio.create_task(follow(event)) for event in begun]
        try:
            async with asyncio.timeout(PATIENCE):
                await asyncio.gather(*(event.wait() for event in begun))
                assert [each.name for each in await ours.containers()] == ["talker"]
                await ours.ping()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def test_shells_that_ended_leave_no_connection(engine: Dockerd) -> None:
    id = engine.run("host", "--", "sleep", "1000")
    async with connected(engine) as ours:
        idle = sockets()
        for _ in range(20):
            terminal = await ours.exec(id, ["true"], user="", directory="", size=(80, 24))
            while await terminal.read():
                pass
            await terminal.close()
        await until(lambda: sockets() <= idle + 1, "every connection is closed")


async def test_a_session_that_ended_leaves_nothing_open(engine: Dockerd) -> None:
    ids = [engine.run(f"idle-{each}", "--", "sleep", "1000") for each in range(3)]
    async with session(engine) as at:
        await until(lambda: at.store.listed)
    before = descriptors()
    async with session(engine) as at:
        with contextlib.ExitStack() as wanted:
            for id in ids:
                for kind in ("logs", "inspect", "in_force", "processes"):
                    wanted.enter_context(at.want(kind, id))
            await until(lambda: all(at.store.series.get(id) for id in ids))
            await until(lambda: all(at.store.resource("in_force", id).value for id in ids))
        assert descriptors() > before
    await until(lambda: descriptors() <= before, "everything is closed")


async def test_readers_of_containers_that_ended_are_closed(engine: Dockerd) -> None:
    async with session(engine) as at:
        await until(lambda: at.store.listed)
        await asyncio.to_thread(engine.docker, "version")
        before = descriptors()
        ids = [engine.run(f"idle-{each}", "--", "sleep", "1000") for each in range(3)]
        await until(lambda: all(at.store.series.get(id) for id in ids))
        assert descriptors() > before
        await asyncio.to_thread(engine.remove_all)
        await until(lambda: not at.store.containers)
        # Connections that are kept for the next question are few.
        await until(lambda: descriptors() <= before + 4, "their files are closed")
