"""A program in a pseudo-terminal, timed by what it writes."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has used (proc_pid_stat(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident(pid: int) -> int:
    """Resident bytes of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Program:
    """Started at once; ``started`` is the moment before."""

    def __init__(
        self, argv: Sequence[str], env: Mapping[str, str], columns: int = 160, rows: int = 45
    ) -> None:
        self.written = 0
        self._buffer = b""
        self.started = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if not self.pid:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execvpe(argv[0], list(argv), dict(env))
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds: float) -> bytes:
        """What it writes until it has been silent or until ``seconds`` are over."""
        ready, _, _ = select.select([self._fd], [], [], max(0.0, seconds))
        if not ready:
            return b""
        try:
            data = os.read(self._fd, 1 << 16)
        except OSError:
            return b""
        self.written += len(data)
        return data

    def until(self, wanted: bytes, seconds: float = 20.0) -> float:
        """Seconds from now until ``wanted`` has been written. Raises TimeoutError."""
        begun = time.perf_counter()
        seen = b""
        while wanted not in seen:
            left = seconds - (time.perf_counter() - begun)
            if left <= 0:
                raise TimeoutError(f"{wanted!r} did not appear in {seen[-400:]!r}")
            seen = seen[-len(wanted) :] + self.read(left)
        return time.perf_counter() - begun

    def drain(self, seconds: float) -> None:
        """Read and forget for so long."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.read(left)

    def send(self, keys: str) -> None:
        """Type."""
        os.write(self._fd, keys.encode())

    def close(self) -> None:
        """End it."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._fd)
