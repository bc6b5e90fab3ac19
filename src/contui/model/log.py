"""Log lines, and the window of a log that is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Std(IntEnum):
    """The standard stream a line was written to; a TTY has only one."""

    OUT = 1
    ERR = 2


@dataclass(frozen=True, slots=True)
class LogLine:
    """One whole line. ``time_ns`` is Unix nanoseconds, 0 where unknown; ``text`` is raw."""

    time_ns: int
    std: Std
    text: str


@dataclass(frozen=True, slots=True)
class LogWindow:
    """Which part of a log to read: the last ``tail`` lines (``None``: all) since a Unix time in
    nanoseconds (0: from the beginning).
    """

    tail: int | None = 1000
    since_ns: int = 0


@dataclass(frozen=True, slots=True)
class Gap:
    """Lines that are missing at this place, and why."""

    lines: int
    reason: str
