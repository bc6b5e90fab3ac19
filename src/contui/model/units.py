"""Numbers as people read them. Pure functions; ``None`` is drawn ``-``, never 0."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

NONE: Final = "-"
_UNITS: Final = ("B", "K", "M", "G", "T", "P")


def size(count: float | None) -> str:
    """Bytes in binary units, three significant digits: ``812B``, ``64.0M``, ``1.25G``."""
    if count is None:
        return NONE
    value, unit = float(count), 0
    while abs(value) >= 999.5 and unit < len(_UNITS) - 1:
        value /= 1024
        unit += 1
    if unit == 0:
        return f"{int(value)}B"
    digits = 2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0
    return f"{value:.{digits}f}{_UNITS[unit]}"


def rate(per_second: float | None) -> str:
    """Bytes per second without the ``/s``; quiet is ``0``."""
    if per_second is None:
        return NONE
    return "0" if per_second < 0.5 else size(per_second)


def percent(share: float | None) -> str:
    """A share (1.0 is all of it) as a whole percentage, one decimal below ten: ``3.4%``."""
    if share is None:
        return NONE
    value = share * 100
    return f"{value:.1f}%" if 0 < value < 9.95 else f"{value:.0f}%"


def duration(seconds: float | None) -> str:
    """A span in its largest unit, a short one in two: ``12s``, ``4m10s``, ``13d``, ``3w``."""
    if seconds is None:
        return NONE
    left = max(0, int(seconds))
    if left < 60:
        return f"{left}s"
    if left < 600:
        return f"{left // 60}m{left % 60}s" if left % 60 else f"{left // 60}m"
    if left < 3600:
        return f"{left // 60}m"
    if left < 36000:
        minutes = left % 3600 // 60
        return f"{left // 3600}h{minutes}m" if minutes else f"{left // 3600}h"
    if left < 172800:
        return f"{left // 3600}h"
    if left < 14 * 86400:
        return f"{left // 86400}d"
    if left < 730 * 86400:
        return f"{left // (7 * 86400)}w"
    return f"{left // (365 * 86400)}y"


def count(number: float | None) -> str:
    """A plain number with thousands separated by commas."""
    return NONE if number is None else f"{number:,.0f}"


def cores(number: float | None) -> str:
    """CPU in cores: ``0.02``, ``1.5``, ``2``."""
    if number is None:
        return NONE
    return f"{number:.2f}".rstrip("0").rstrip(".") or "0"


def clock(time: float) -> str:
    """The local time of day of a Unix time: ``12:41:07``."""
    return datetime.fromtimestamp(time).astimezone().strftime("%H:%M:%S")


def moment(time: float) -> str:
    """Local date and time of a Unix time; ``-`` for never (0)."""
    if time <= 0:
        return NONE
    return datetime.fromtimestamp(time).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def parse_time(text: str | None) -> float:
    """Unix seconds of an RFC 3339 time as engines write it; 0 for none and for year 1.

    Engines print nanoseconds, which ``datetime`` before 3.11 and the float type cannot hold;
    microseconds are kept.
    """
    if not text or text.startswith("0001-"):
        return 0.0
    try:
        return datetime.fromisoformat(_microseconds(text)).timestamp()
    except ValueError:
        return 0.0


def parse_time_ns(text: str) -> int:
    """Unix nanoseconds of an RFC 3339 time, exact; 0 where it is none."""
    head, dot, tail = text.partition(".")
    if not dot:
        return int(parse_time(text) * 1_000_000_000)
    digits = len(tail) - len(tail.lstrip("0123456789"))
    zone = tail[digits:]
    try:
        seconds = int(datetime.fromisoformat(head + zone).timestamp())
    except ValueError:
        return 0
    return seconds * 1_000_000_000 + int(tail[:digits].ljust(9, "0")[:9])


def _microseconds(text: str) -> str:
    head, dot, tail = text.partition(".")
    if not dot:
        return text
    digits = len(tail) - len(tail.lstrip("0123456789"))
    return f"{head}.{tail[: min(digits, 6)].ljust(6, '0')}{tail[digits:]}"


def rfc3339(time: float) -> str:
    """A Unix time as UTC text, to the second."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_SIGNALS: Final = {
    129: ("SIGHUP", "hangup"),
    130: ("SIGINT", "interrupted, as by ctrl+c"),
    131: ("SIGQUIT", "quit"),
    132: ("SIGILL", "illegal instruction"),
    133: ("SIGTRAP", "trap"),
    134: ("SIGABRT", "aborted itself"),
    135: ("SIGBUS", "bus error"),
    136: ("SIGFPE", "arithmetic error"),
    137: ("SIGKILL", "killed"),
    138: ("SIGUSR1", "user signal 1"),
    139: ("SIGSEGV", "segmentation fault"),
    141: ("SIGPIPE", "broken pipe"),
    143: ("SIGTERM", "asked to stop"),
    159: ("SIGSYS", "forbidden system call"),
}


def exit_words(code: int) -> str:
    """An exit code in words. 128+n is signal n (bash(1), EXIT STATUS); 126 and 127 likewise."""
    if code in _SIGNALS:
        name, words = _SIGNALS[code]
        return f"{name}, {words}"
    return {
        0: "ended by itself",
        1: "failed",
        2: "failed: wrong usage, or an error of its own",
        126: "the command cannot be executed",
        127: "the command, or a library of it, was not found",
        255: "failed",
    }.get(code, f"signal {code - 128}" if 128 < code < 193 else "failed")
