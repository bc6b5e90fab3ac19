"""From the bytes of a log stream to whole lines with their time and standard stream.

Docker Engine API, "Attach to a container, Stream format": without a TTY each frame has an 8-byte
head, the stream (1 stdout, 2 stderr), three zeros and a big-endian length. Measured on 20.10: an
entry longer than 16 KiB comes as several frames, each with the same timestamp in front, only the
last one ending in a line feed. A TTY's stream has no frames, and the timestamps of its parts stand
in the middle of the line, 16 384 bytes apart.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from contui.model.log import LogLine, Std
from contui.model.units import parse_time_ns

MAX_LINE: Final = 1 << 20
"""A longer line is cut here; the rest up to its line feed is dropped, marked by an ellipsis."""
_PART: Final = 16 * 1024
_LONGEST_STAMP: Final = 40
_STAMP: Final = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d) ")


@dataclass(slots=True)
class _Pending:
    stamp: bytes = b""
    parts: list[bytes] = field(default_factory=list)
    size: int = 0
    room: int = 0
    """Bytes until the next part of a TTY's line; 0: its timestamp may stand here."""

    def add(self, data: bytes) -> None:
        if self.size <= MAX_LINE:
            self.parts.append(data)
            self.size += len(data)

    def line(self, std: Std) -> LogLine:
        data = b"".join(self.parts)
        cut = self.size > MAX_LINE
        text = data[:MAX_LINE].decode("utf-8", "replace").removesuffix("\r")
        time_ns = parse_time_ns(self.stamp.decode("ascii")) if self.stamp else 0
        return LogLine(time_ns, std, text + "…" if cut else text)


class Assembler:
    """Lines of one container's stream. Feed it what arrives; it keeps what is unfinished."""

    def __init__(self, *, tty: bool) -> None:
        self._tty = tty
        self._buffer = bytearray()
        self._pending = {Std.OUT: _Pending(), Std.ERR: _Pending()}

    def feed(self, data: bytes) -> list[LogLine]:
        """The lines that ``data`` completes, in order."""
        self._buffer += data
        return list(self._tty_lines() if self._tty else self._framed_lines())

    def end(self) -> list[LogLine]:
        """What the stream ended with, without a line feed."""
        if self._tty:
            begun = self._buffer or self._pending[Std.OUT].room
            return self.feed(b"\n") if begun else []
        return [pending.line(std) for std, pending in self._pending.items() if pending.parts]

    def _framed_lines(self) -> Iterator[LogLine]:
        buffer, position = self._buffer, 0
        while len(buffer) - position >= 8:
            size = int.from_bytes(buffer[position + 4 : position + 8], "big")
            if len(buffer) - position - 8 < size:
                break
            std = Std.ERR if buffer[position] == 2 else Std.OUT
            payload = bytes(buffer[position + 8 : position + 8 + size])
            position += 8 + size
            yield from self._entry(std, payload)
        del buffer[:position]

    def _entry(self, std: Std, payload: bytes) -> Iterator[LogLine]:
        pending = self._pending[std]
        found = _STAMP.match(payload)
        if found:
            payload = payload[found.end() :]
            if not pending.parts:
                pending.stamp = found[0].rstrip()
        *whole, rest = payload.split(b"\n")
        for part in whole:
            pending.add(part)
            yield pending.line(std)
            self._pending[std] = pending = _Pending(stamp=pending.stamp)
        if rest:
            pending.add(rest)

    def _tty_lines(self) -> Iterator[LogLine]:
        buffer, position = self._buffer, 0
        pending = self._pending[Std.OUT]
        while position < len(buffer):
            end = buffer.find(b"\n", position)
            if not pending.room:
                if end < 0 and len(buffer) - position < _LONGEST_STAMP:
                    break
                found = _STAMP.match(buffer, position)
                if found:
                    pending.stamp = pending.stamp or bytes(found[0]).rstrip()
                    position = found.end()
                pending.room = _PART if found else sys.maxsize
            stop = min(len(buffer) if end < 0 else end, position + pending.room)
            pending.add(bytes(buffer[position:stop]))
            pending.room -= stop - position
            position = stop
            if position == end:
                position += 1
                yield pending.line(Std.OUT)
                self._pending[Std.OUT] = pending = _Pending()
        del buffer[:position]
