"""Reading an inspect document that may lack any field or hold it in another type.

Engines differ: Podman nulls what it does not know, old ones lack keys, and nothing but good
manners keeps an engine from sending a string for a number.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final

from contui.model import units
from contui.model.linux import InForce, LimitInForce, MountInForce
from contui.model.resource import Resource
from contui.model.secrets import mask_args
from contui.tui.document import Line, Span, Style, line
from contui.tui.panels.layout import crop_middle
from contui.tui.panels.subject import Subject
from contui.tui.safe import clean

_LARGEST: Final = 1 << 64
_YEAR_9999: Final = 253_402_300_000.0


def get(document: object, *path: str) -> Any:
    """The value at a path of keys; ``None`` where there is none."""
    for key in path:
        if not isinstance(document, Mapping):
            return None
        document = document.get(key)
    return document


def text(document: object, *path: str) -> str:
    """A string; ``""`` where there is none."""
    value = get(document, *path)
    return value if isinstance(value, str) else ""


def number(document: object, *path: str) -> int | None:
    """A whole number of at most 64 bits; ``None`` where there is none."""
    value = get(document, *path)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return int(value) if abs(value) <= _LARGEST else None


def truth(document: object, *path: str) -> bool:
    """Whether the value is exactly true."""
    return get(document, *path) is True


def items(document: object, *path: str) -> Sequence[Any]:
    """A list; empty where there is none."""
    value = get(document, *path)
    return value if isinstance(value, list | tuple) else ()


def strings(document: object, *path: str) -> list[str]:
    """The strings of a list; a lone string is a list of one."""
    value = get(document, *path)
    if isinstance(value, str):
        return [value] if value else []
    return [each for each in items(document, *path) if isinstance(each, str)]


def table_of(document: object, *path: str) -> Mapping[str, Any]:
    """A mapping; empty where there is none."""
    value = get(document, *path)
    return value if isinstance(value, Mapping) else {}


def time_of(document: object, *path: str) -> float:
    """Unix seconds of an RFC 3339 time; 0 for never."""
    try:
        return max(0.0, units.parse_time(text(document, *path)))
    except OverflowError:
        return 0.0


def moment(time: float) -> str:
    """Local date and time, ``-`` for never and for what no calendar holds."""
    return units.moment(time) if 0 < time < _YEAR_9999 else units.NONE


def clock(time: float) -> str:
    """Local time of day, ``-`` for never and for what no calendar holds."""
    return units.clock(time) if 0 < time < _YEAR_9999 else units.NONE


def ago(now: float, time: float) -> str:
    """How long ago something was: ``4m ago``; ``""`` for never."""
    return f"{units.duration(now - time)} ago" if 0 < time < _YEAR_9999 else ""


def inspected(subject: Subject) -> Mapping[str, Any]:
    """The inspect document, empty until there is one."""
    return table_of(subject.inspect.value)


def in_force(subject: Subject) -> InForce | None:
    """What the kernel has in force, ``None`` where that is not known."""
    return subject.in_force.value


def limit_in_force(subject: Subject, key: str) -> LimitInForce | None:
    """One cgroup limit by its key."""
    known = subject.in_force.value
    return next((each for each in known.limits if each.key == key), None) if known else None


def mount_in_force(subject: Subject, target: str) -> MountInForce | None:
    """The topmost mount at a path of the container."""
    known = subject.in_force.value
    mounts = known.mounts if known else ()
    return next((each for each in reversed(mounts) if each.target == target), None)


def secret(subject: Subject, id: str, shown: str, full: str, style: Style = "") -> Span:
    """A span that shows ``full`` only if nothing of it is masked or its reveal id was asked for."""
    if shown == full:
        return Span(full, style, copy=full)
    if id in subject.revealed:
        return Span(full, style, copy=full, reveal=id)
    return Span(shown, style, copy=shown, reveal=id)


def path(full: str, width: int) -> Span:
    """A path of the host that is only worth its ends; copying yields all of it."""
    return Span(crop_middle(full, width), "dim", copy=full)


def command(arguments: Sequence[str], *, masked: bool = True) -> str:
    """An argument vector as a shell would take it, its secrets masked."""
    words = mask_args(list(arguments)) if masked else arguments
    plain = [
        new if new != old else shlex.quote(old) for new, old in zip(words, arguments, strict=True)
    ]
    return " ".join(plain)


def arguments(subject: Subject, id: str, vector: Sequence[str], style: Style = "") -> Span:
    """An argument vector as one span that can be revealed."""
    return secret(subject, id, command(vector), command(vector, masked=False), style)


def tool(subject: Subject) -> str:
    """The command line client of the engine."""
    return "podman" if subject.info.product == "podman" else "docker"


def shell_name(subject: Subject) -> str:
    """The container's name, safe to paste into a shell."""
    return shlex.quote(clean(subject.container.name or subject.container.short_id))


_WHAT: Final = {
    "inspect": "configuration",
    "in_force": "kernel figures",
    "processes": "processes",
    "image": "image",
    "sizes": "sizes on disk",
}


def notes(subject: Subject, *kinds: str) -> list[Line]:
    """What is wrong with what is shown: on its way (said once), out of date, or failed."""
    resources: list[tuple[str, Resource[Any]]] = [(kind, getattr(subject, kind)) for kind in kinds]
    out: list[Line] = []
    if any(each.loading for _, each in resources):
        out.append(line(("  reading...", "dim")))
    for kind, each in resources:
        what = _WHAT[kind]
        if each.stale:
            since = f"{clock(each.at)}, {ago(subject.now, each.at) or 'unknown'}"
            out.append(line((f"  {what} as of {since}: {each.error}", "warning")))
        elif each.failed and kind in ("in_force", "processes", "sizes") and not _runs(subject):
            continue
        elif each.failed:
            style: Style = "dim" if kind == "in_force" else "warning"
            out.append(line((f"  no {what}: {each.error}", style)))
            if each.hint:
                out.append(line(("  " + each.hint, "dim")))
    if "in_force" in kinds and not _runs(subject) and subject.in_force.value is None:
        out.append(
            line((f"  It is {state_words(subject)}: the kernel has nothing in force.", "dim"))
        )
    return out


def _runs(subject: Subject) -> bool:
    return subject.container.running


def state_words(subject: Subject) -> str:
    """The state as it fits into a sentence: ``not running (exited)``."""
    state = subject.container.state
    return {
        "running": "running",
        "paused": "paused",
        "created": "created and was never started",
        "restarting": "waiting to be restarted",
    }.get(state, f"not running ({state})")


def source(subject: Subject, path: str, otherwise: str = "HostConfig") -> str:
    """Where a fact was read: the kernel's file, or the configuration and why only that."""
    known = subject.in_force.value
    if known is not None:
        return f"/proc/{known.pid}/{path}"
    if not subject.container.running:
        return f"{otherwise} (not running)"
    if subject.in_force.loading:
        return f"{otherwise} (reading the kernel's)"
    return f"{otherwise} ({'cannot be read' if subject.info.local else 'engine is remote'})"
