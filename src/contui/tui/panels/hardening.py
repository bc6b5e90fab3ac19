"""Options of ``docker run`` that take away what a container does not seem to need."""

from __future__ import annotations

from dataclasses import dataclass

from contui.model import capabilities as caps
from contui.tui.document import Span
from contui.tui.panels import reading
from contui.tui.panels.isolation import Posture
from contui.tui.panels.risky import socket_mounts
from contui.tui.panels.subject import Subject
from contui.tui.safe import clean


@dataclass(frozen=True)
class Advice:
    """One option and what it is good for."""

    span: Span
    why: str


def _advice(flag: str, why: str) -> Advice:
    return Advice(Span(flag, "code", copy=clean(flag)), why)


def advice(subject: Subject, facts: Posture) -> tuple[list[Advice], list[Advice]]:
    """Options to add, and options to leave out. Only those that would change something."""
    return _add(subject, facts), _leave_out(subject, facts)


def _add(subject: Subject, facts: Posture) -> list[Advice]:
    document = reading.inspected(subject)
    out = []
    dropped = {each.upper() for each in reading.strings(document, "HostConfig", "CapDrop")}
    if facts.asked and not facts.privileged and "ALL" not in dropped:
        why = "most programs need none; give back with --cap-add what it then misses"
        if facts.asked & caps.DEFAULT:
            out.append(_advice("--cap-drop ALL", why))
    if not facts.no_new_privileges:
        why = "setuid programs cannot raise its rights"
        out.append(_advice("--security-opt no-new-privileges", why))
    if facts.root:
        out.append(_advice("--user 10001:10001", "not root, if the image can run so"))
    if not facts.read_only:
        why = "its own files cannot be changed; what it writes goes to volumes or tmpfs"
        out.append(_advice("--read-only --tmpfs /tmp", why))
    if not (reading.number(document, "HostConfig", "PidsLimit") or 0) > 0:
        out.append(_advice("--pids-limit 256", "a fork bomb cannot take the host down"))
    return out


def _leave_out(subject: Subject, facts: Posture) -> list[Advice]:
    document = reading.inspected(subject)
    out = []
    if facts.privileged:
        why = "name what it needs instead: --device, --cap-add"
        out.append(_advice("--privileged", why))
    for number in sorted(facts.asked - caps.DEFAULT):
        each = caps.capability(number)
        if each.risk in ("critical", "high") and not facts.privileged:
            out.append(_advice(f"--cap-add {each.name}", each.meaning))
    confined = "the engine's own profile then confines it"
    out += [_advice(f"--security-opt {option}", confined) for option in facts.unconfined]
    flags = {"pid": "--pid", "net": "--network", "ipc": "--ipc", "uts": "--uts"}
    out += [
        _advice(f"{flags[name]} host", f"it then has a {name} namespace of its own")
        for name in facts.shared
        if name in flags
    ]
    why = "a filtering proxy can offer the few calls it needs"
    return [*out, *(_advice(f"-v {path}", why) for path in socket_mounts(document))]
