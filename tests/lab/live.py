"""Our side of the wire against a daemon of the lab: sessions, engines and what they see."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from contui.engines.base import Engine
from contui.engines.docker.engine import DockerEngine
from contui.engines.endpoints import resolve
from contui.model.container import Container
from contui.model.linux import InForce, LimitInForce
from contui.session import Session
from lab.dockerd import Dockerd
from support.wait import PATIENCE, until

T = TypeVar("T")


@contextlib.asynccontextmanager
async def connected(daemon: Dockerd) -> AsyncIterator[DockerEngine]:
    """An engine that is connected to the daemon."""
    engine = DockerEngine(resolve(daemon.url))
    await engine.connect()
    try:
        yield engine
    finally:
        await engine.close()


@contextlib.asynccontextmanager
async def session(daemon: Dockerd) -> AsyncIterator[Session]:
    """A session at work, as the console runs it."""
    made = Session(resolve(daemon.url))
    task = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def named(session: Session, name: str) -> Container | None:
    """A container of the store by its name."""
    return next((each for each in session.store.containers.values() if each.name == name), None)


async def complete(session: Session, name: str) -> Container:
    """A container of the store once its details have been read."""

    def known() -> bool:
        found = named(session, name)
        return found is not None and found.detail is not None

    await until(known, f"{name} is listed and inspected")
    found = named(session, name)
    assert found is not None
    return found


async def reached(
    read: Callable[[], Awaitable[T]], wanted: Callable[[T], object], what: str = ""
) -> T:
    """Read again and again until what is read is as wanted."""
    end = time.monotonic() + PATIENCE
    while not wanted(value := await read()):
        assert time.monotonic() < end, f"never {what or 'as wanted'}: {value}"
        await asyncio.sleep(0.02)
    return value


async def seen(engine: DockerEngine, name: str) -> Container:
    """A container as the engine lists and inspects it, by its name."""
    for each in await engine.containers():
        if each.name == name:
            container, _ = await engine.inspect(each)
            return container
    raise AssertionError(f"{name} is not listed")


async def force(engine: Engine, id: str) -> InForce:
    """What the kernel has in force for a container."""
    found = await engine.fetch("in_force", id)
    assert isinstance(found, InForce)
    return found


def limit(found: InForce, key: str) -> LimitInForce:
    """One limit of it."""
    return next(each for each in found.limits if each.key == key)
