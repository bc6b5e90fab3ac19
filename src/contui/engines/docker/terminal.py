"""Exec and attach: aiodocker's hijacked streams over our own connection pool."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Final

import aiodocker
import aiohttp
from aiodocker.execs import Exec
from aiodocker.stream import Stream

from contui.engines.docker.client import TIMEOUT, Client
from contui.model.errors import (
    EngineConflict,
    EngineError,
    EngineNotFound,
    EngineUnavailable,
)

_NEVER: Final = "ctrl-^,ctrl-@,ctrl-^,ctrl-@"
"""A shell is left by its end. By default the engine keeps back each ctrl+p, which shells and
editors have a use for, to see whether ctrl+q follows.
"""


def _borrow(client: Client) -> aiodocker.Docker:
    """An aiodocker client on ``client``'s session; closing it is ours to do, never its."""
    session = client.session
    return aiodocker.Docker(
        url=client.base,
        connector=session.connector,
        session=session,
        api_version=f"v{client.version}",
    )


class _Terminal:
    """A hijacked stream with the calls that resize it and ask for its exit code."""

    def __init__(self, stream: Stream, docker: aiodocker.Docker, process: Exec | None, id: str):
        self._stream = stream
        self._docker = docker
        self._exec = process
        self._id = id

    async def read(self) -> bytes:
        try:
            message = await self._stream.read_out()
        except (OSError, aiohttp.ClientError) as error:
            raise EngineUnavailable("the engine closed the connection") from error
        return b"" if message is None else message.data

    async def write(self, data: bytes) -> None:
        try:
            await self._stream.write_in(data)
        except (AssertionError, RuntimeError, OSError, aiohttp.ClientError):
            # aiodocker asserts that there still is a connection.
            raise EngineConflict("it has ended") from None

    async def resize(self, columns: int, rows: int) -> None:
        try:
            async with asyncio.timeout(3):
                if self._exec is not None:
                    await self._exec.resize(h=rows, w=columns)
                else:
                    await self._docker.containers.container(self._id).resize(h=rows, w=columns)
        except (aiodocker.DockerError, aiohttp.ClientError, TimeoutError):
            return  # it has ended in the meantime: 404, or 500 from a runtime that lost it

    async def close(self) -> int | None:
        await self._stream.close()
        if self._exec is None:
            return None
        try:
            async with asyncio.timeout(3):
                code = (await self._exec.inspect()).get("ExitCode")
        except (aiodocker.DockerError, aiohttp.ClientError, TimeoutError):
            return None
        return code if isinstance(code, int) else None


async def open_exec(
    client: Client,
    id: str,
    command: Sequence[str],
    *,
    user: str,
    directory: str,
    size: tuple[int, int],
) -> _Terminal:
    """Start ``command`` with a TTY of ``size`` (columns, rows) in a running container.

    Raises EngineConflict when the container does not run.
    """
    docker = _borrow(client)
    async with _answered(client):
        process = await docker.containers.container(id).exec(
            list(command),
            stdin=True,
            tty=True,
            user=user,
            workdir=directory or None,
            detach_keys=_NEVER,
            environment={"TERM": "xterm-256color"},
        )
        stream = process.start(detach=False)
        await stream.__aenter__()
    terminal = _Terminal(stream, docker, process, id)
    await terminal.resize(*size)
    return terminal


async def open_attach(client: Client, id: str, *, size: tuple[int, int]) -> _Terminal:
    """Connect to a running container's own standard streams."""
    docker = _borrow(client)
    async with _answered(client):
        stream = docker.containers.container(id).attach(
            stdin=True, stdout=True, stderr=True, logs=True
        )
        await stream.__aenter__()
    terminal = _Terminal(stream, docker, None, id)
    await terminal.resize(*size)
    return terminal


@contextlib.asynccontextmanager
async def _answered(client: Client) -> AsyncIterator[None]:
    """Aiodocker waits for ever and has errors of its own: a deadline, and ours."""
    try:
        async with asyncio.timeout(TIMEOUT):
            yield
    except aiodocker.DockerError as error:
        if isinstance(error.__context__, aiohttp.ClientError):
            raise client.unreachable(error.__context__) from error
        kinds: dict[int, type[EngineError]] = {404: EngineNotFound, 409: EngineConflict}
        raise kinds.get(error.status, EngineError)(str(error.message)) from error
    except (OSError, aiohttp.ClientError) as error:
        raise client.unreachable(error) from error
