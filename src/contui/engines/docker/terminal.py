"""Exec and attach: aiodocker's hijacked streams over our own connection pool."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import aiodocker
import aiohttp
from aiodocker.execs import Exec
from aiodocker.stream import Stream

from contui.engines.docker.client import Client
from contui.model.errors import EngineConflict, EngineError, EngineNotFound


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
        message = await self._stream.read_out()
        return b"" if message is None else message.data

    async def write(self, data: bytes) -> None:
        await self._stream.write_in(data)

    async def resize(self, columns: int, rows: int) -> None:
        try:
            if self._exec is not None:
                await self._exec.resize(h=rows, w=columns)
            else:
                await self._docker.containers.container(self._id).resize(h=rows, w=columns)
        except (aiodocker.DockerError, aiohttp.ClientError):
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
    try:
        process = await docker.containers.container(id).exec(
            list(command),
            stdin=True,
            tty=True,
            user=user,
            workdir=directory or None,
            environment={"TERM": "xterm-256color"},
        )
        stream = process.start(detach=False)
        await stream.__aenter__()
    except aiodocker.DockerError as error:
        raise _refused(error) from error
    terminal = _Terminal(stream, docker, process, id)
    await terminal.resize(*size)
    return terminal


async def open_attach(client: Client, id: str, *, size: tuple[int, int]) -> _Terminal:
    """Connect to a running container's own standard streams."""
    docker = _borrow(client)
    try:
        stream = docker.containers.container(id).attach(
            stdin=True, stdout=True, stderr=True, logs=True
        )
        await stream.__aenter__()
    except aiodocker.DockerError as error:
        raise _refused(error) from error
    terminal = _Terminal(stream, docker, None, id)
    await terminal.resize(*size)
    return terminal


def _refused(error: aiodocker.DockerError) -> EngineError:
    kinds: dict[int, type[EngineError]] = {404: EngineNotFound, 409: EngineConflict}
    return kinds.get(error.status, EngineError)(str(error.message))
