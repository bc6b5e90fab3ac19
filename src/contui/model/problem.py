"""What is visibly wrong with a container, in one sentence, from what the list already knows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from contui.model.container import Container, Detail
from contui.model.sample import Sample
from contui.model.secrets import mask_text
from contui.model.units import duration, exit_words, size

RECENT: Final = 600.0
"""A restart within this many seconds is news."""


class Severity(IntEnum):
    """How bad; the order in which the list shows them."""

    NONE = 0
    LOW = 1
    WARNING = 2
    CRITICAL = 3


@dataclass(frozen=True, slots=True)
class Problem:
    """A sentence and how bad it is; the empty one means nothing is visibly wrong."""

    severity: Severity = Severity.NONE
    text: str = ""


NOTHING: Final = Problem()
_RUNTIME_NOISE: Final = re.compile(
    r"^(?:failed to create (?:task for container|shim task)|OCI runtime create failed|"
    r"runc create failed|unable to start container process|container_linux\.go:\d+|"
    r"starting container process caused|error during container init|"
    r"driver failed programming external connectivity on endpoint \S+ \([0-9a-f]+\)|"
    r"process_linux\.go:\d+|runc run failed|crun|unknown): ?"
)


def reason(error: str) -> str:
    """The engine's start error without the runtime's stack of prefixes and without secrets."""
    text = error = mask_text(error.strip())
    while (shorter := _RUNTIME_NOISE.sub("", text, count=1).lstrip(": ")) != text:
        text = shorter
    return re.sub(r": unknown$", "", text) or error


def problem(
    container: Container, now: float, *, sample: Sample | None = None, asked: str = ""
) -> Problem:
    """The verdict of the list.

    ``asked`` is the signal that somebody sent through the engine since the container last started,
    ``""`` if none is known of: an exit by a signal that was asked for is not a fault.
    """
    detail = container.detail
    if container.state == "dead":
        return Problem(Severity.CRITICAL, "dead: the engine could not remove it completely")
    if container.state == "created":
        if detail is not None and detail.error:
            return Problem(Severity.CRITICAL, f"cannot start: {reason(detail.error)}")
        return Problem(Severity.NONE, "")
    if container.state == "restarting":
        return Problem(Severity.CRITICAL, _restarting(detail))
    if container.state == "exited":
        return _exited(container, detail, asked)
    if container.state == "paused":
        return Problem(Severity.LOW, "paused")
    if container.health == "unhealthy":
        return Problem(Severity.CRITICAL, _unhealthy(detail))
    return _running(detail, now, sample)


def _exited(container: Container, detail: Detail | None, asked: str) -> Problem:
    if detail is None:
        found = re.match(r"Exited \((\d+)\)", container.status)
        code = int(found[1]) if found else 0
        return Problem(Severity.WARNING, f"exit {code}: {exit_words(code)}") if code else NOTHING
    if detail.error:
        return Problem(Severity.CRITICAL, f"cannot start: {reason(detail.error)}")
    code = detail.exit_code
    if code == 0:
        return NOTHING
    if detail.oom_killed and code == 137 and not asked:
        return Problem(Severity.CRITICAL, _oom_killed(detail))
    if asked and (code in (130, 137, 143) or str(code - 128) == asked):
        how = (
            "stopped by hand"
            if code != 137 or asked == "9"
            else "stopped by hand, had to be killed"
        )
        return Problem(Severity.LOW, f"{how} ({exit_words(code).split(',')[0]})")
    if asked and detail.restart_count:
        words = f"exit {code}: {exit_words(code)}{_again(detail)}, then stopped by hand"
        return Problem(Severity.WARNING, words)
    if code in (130, 143):
        return Problem(Severity.LOW, f"exit {code}: {exit_words(code)}")
    after = ", after the kernel killed a process of it" if detail.oom_killed else ""
    return Problem(Severity.CRITICAL, f"exit {code}: {exit_words(code)}{after}{_again(detail)}")


def _oom_killed(detail: Detail) -> str:
    limit = f" at its {size(detail.memory_limit)} limit" if detail.memory_limit else ""
    return f"OOM-killed{limit}"


def _again(detail: Detail) -> str:
    if detail.restart_policy == "on-failure" and detail.restart_count:
        return f", given up after {detail.restart_count} restarts"
    return f", restarted {_times(detail.restart_count)}" if detail.restart_count else ""


def _restarting(detail: Detail | None) -> str:
    if detail is None:
        return "restarting over and over"
    cause = f"exit {detail.exit_code}: {exit_words(detail.exit_code)}"
    if detail.oom_killed:
        cause = _oom_killed(detail)
    elif detail.error:
        cause = reason(detail.error)
    return f"{cause}, restarted {_times(detail.restart_count)}"


def _unhealthy(detail: Detail | None) -> str:
    if detail is None or not detail.probes:
        return "unhealthy"
    last = detail.probes[-1]
    rows = [row.strip() for row in last.output.splitlines() if row.strip()]
    said = mask_text(rows[-1]) if rows else f"exit {last.exit_code}, it said nothing"
    streak = f" ({detail.failing_streak} in a row)" if detail.failing_streak > 1 else ""
    return f"health check: {said}{streak}"


def _running(detail: Detail | None, now: float, sample: Sample | None) -> Problem:
    if sample is not None and sample.oom_kills:
        kills = _times(sample.oom_kills)
        limit = f" at its {size(sample.memory_limit)} limit" if sample.memory_limit else ""
        return Problem(Severity.WARNING, f"the kernel killed a process of it {kills}{limit}")
    if detail is not None and detail.restart_count and now - detail.started_at < RECENT:
        ago = duration(now - detail.started_at)
        again = f"restarted {_times(detail.restart_count)}, last {ago} ago"
        if detail.oom_killed:
            return Problem(Severity.CRITICAL, f"{_oom_killed(detail)}, {again}")
        return Problem(Severity.WARNING, again)
    return NOTHING


def _times(number: int) -> str:
    return "once" if number == 1 else "twice" if number == 2 else f"{number} times"
