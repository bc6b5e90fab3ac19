"""Hands the real terminal to a container and takes it back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import termios
import tty
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from textual.app import App

from contui.engines.base import Terminal
from contui.model.errors import EngineError

Open = Callable[[tuple[int, int]], Awaitable[Terminal]]
_DETACH = b"\x10\x11"
"""ctrl+p ctrl+q, as ``docker attach``: leaves without ending anything."""


async def hand_over(
    app: App[Any], title: str, start: Open, *, detach: bool, pause: bool
) -> int | None:
    """Suspend the console, connect the terminal to what ``start`` opens until it ends, resume.

    Feeds go on meanwhile. With ``pause`` what it wrote stays until Enter is pressed. Returns the
    exit code where there is one. Raises EngineError when it could not be started.
    """
    with app.batch_update(), app.suspend():
        size = os.get_terminal_size()
        sys.stdout.write(f"\x1b[2J\x1b[H{title}\r\n")
        sys.stdout.flush()
        terminal = await start((size.columns, size.lines))
        code: int | None = None
        try:
            async with _raw_terminal(terminal) as typed:
                await _relay(terminal, typed, detach=detach)
        finally:
            code = await terminal.close()
            _restore_modes()
        if pause:
            ended = "" if code is None else f" with exit code {code}"
            sys.stdout.write(f"\r\n[ended{ended}; Enter goes back to contui]")
            sys.stdout.flush()
            await asyncio.to_thread(sys.stdin.readline)
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
    return code


@contextlib.asynccontextmanager
async def _raw_terminal(terminal: Terminal) -> AsyncIterator[asyncio.Queue[bytes]]:
    """Standard input in raw mode, read into a queue; window changes are passed on."""
    loop, fd = asyncio.get_running_loop(), sys.stdin.fileno()
    typed: asyncio.Queue[bytes] = asyncio.Queue()
    before = termios.tcgetattr(fd)
    resizes: set[asyncio.Task[None]] = set()

    def resized() -> None:
        size = os.get_terminal_size()
        task = asyncio.ensure_future(terminal.resize(size.columns, size.lines))
        resizes.add(task)
        task.add_done_callback(resizes.discard)

    previous = signal.getsignal(signal.SIGWINCH)
    tty.setraw(fd, termios.TCSADRAIN)
    loop.add_reader(fd, lambda: typed.put_nowait(os.read(fd, 65536)))
    loop.add_signal_handler(signal.SIGWINCH, resized)
    try:
        yield typed
    finally:
        loop.remove_signal_handler(signal.SIGWINCH)
        signal.signal(signal.SIGWINCH, previous)
        loop.remove_reader(fd)
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


async def _relay(terminal: Terminal, typed: asyncio.Queue[bytes], *, detach: bool) -> None:
    async def send() -> None:
        last = b""
        while data := await typed.get():
            if detach and (last + data).find(_DETACH) >= 0:
                return
            last = data[-1:]
            await terminal.write(data)

    async def receive() -> None:
        loop = asyncio.get_running_loop()
        while data := await terminal.read():
            await loop.run_in_executor(None, _write, data)

    tasks = [asyncio.ensure_future(send()), asyncio.ensure_future(receive())]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            error = task.exception()
            if error is not None and not isinstance(error, OSError | EngineError | RuntimeError):
                raise error
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _write(data: bytes) -> None:
    fd = sys.stdout.fileno()
    while data:
        data = data[os.write(fd, data) :]


def _restore_modes() -> None:
    """Undo what a program inside may have left on: mouse, bracketed paste, alternate screen.

    1047, not 1049, which would also put the cursor where it was before contui was started.
    """
    sys.stdout.write(
        "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1047l\x1b[0m\x1b[?25h"
    )
    sys.stdout.flush()
