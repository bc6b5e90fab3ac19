"""A program in a real pseudo-terminal, read from the screen that it draws."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence

import pyte

PATIENCE = 20.0
"""Only a test that fails waits this long."""


class Terminal:
    """Starts a program at once. Sends what is typed; keeps the screen as an xterm would show it."""

    def __init__(
        self,
        argv: Sequence[str],
        size: tuple[int, int] = (120, 35),
        env: Mapping[str, str] | None = None,
    ) -> None:
        columns, rows = size
        self.written = b""
        """Everything it wrote."""
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._code: int | None = None
        own = {"TERM": "xterm-256color", **(env or os.environ)}
        for name in ("COLUMNS", "LINES"):  # they would overrule the window
            own.pop(name, None)
        window = struct.pack("HHHH", rows, columns, 0, 0)
        self._pid, self._fd = pty.fork()
        if not self._pid:
            fcntl.ioctl(0, termios.TIOCSWINSZ, window)
            os.execvpe(argv[0], list(argv), own)
        self._before = termios.tcgetattr(self._fd)

    def send(self, keys: str) -> None:
        """Type."""
        os.write(self._fd, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        """Give it another window."""
        self._screen.resize(rows, columns)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def text(self) -> str:
        """What the screen shows now."""
        return "\n".join(row.rstrip() for row in self._screen.display).strip("\n")

    def wait(self, shown: str | Callable[[str], object], what: str = "") -> str:
        """Read until a text, or what a predicate looks for, is on the screen; the screen then."""
        holds = shown if callable(shown) else lambda text: shown in text
        end = time.monotonic() + PATIENCE
        while not holds(self.text()):
            left = end - time.monotonic()
            alive = left > 0 and self._read(left)
            assert alive or holds(self.text()), f"never shown: {what or shown}\n{self.text()}"
        return self.text()

    def end(self) -> int:
        """Wait until it has ended; its exit code, 128 and more for a signal."""
        limit = time.monotonic() + PATIENCE
        while self._code is None:
            assert time.monotonic() < limit, f"it does not end\n{self.text()}"
            self._read(0.05)
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                self._code = code if code >= 0 else 128 - code
                while self._read(0):
                    pass
        return self._code

    def restored(self) -> bool:
        """Whether line discipline, cursor, main screen and mouse are as before it started."""
        return termios.tcgetattr(self._fd) == self._before and all(
            self._last(mode) in wanted
            for mode, wanted in (
                (b"1049", (b"", b"l")),
                (b"25", (b"", b"h")),
                (b"1000", (b"", b"l")),
                (b"1003", (b"", b"l")),
                (b"2004", (b"", b"l")),
            )
        )

    def alternate(self) -> bool:
        """Whether it is on the alternate screen."""
        return self._last(b"1049") == b"h"

    def _last(self, mode: bytes) -> bytes:
        """``h`` or ``l``, as a private mode was last set or reset; ``b""`` if never."""
        on, off = (self.written.rfind(b"\x1b[?" + mode + end) for end in (b"h", b"l"))
        return b"" if on == off else b"h" if on > off else b"l"

    def close(self) -> None:
        """End it, whatever it does."""
        if self._code is None:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            self._code = 137
        os.close(self._fd)

    def _read(self, seconds: float) -> bool:
        """Take in what it writes within so long; ``False`` at its end or if it is silent."""
        ready, _, _ = select.select([self._fd], [], [], max(0.0, seconds))
        if not ready:
            return False
        try:
            data = os.read(self._fd, 1 << 16)
        except OSError:
            return False
        self.written += data
        self._stream.feed(data)
        return bool(data)
