"""Security: what the container may do, where that comes from, and how to take it away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from contui.model import capabilities as caps
from contui.model.linux import Credentials
from contui.tui.document import BLANK, Cell, Line, Style, field, heading, line, table
from contui.tui.panels import reading
from contui.tui.panels.hardening import advice
from contui.tui.panels.isolation import Posture, posture
from contui.tui.panels.layout import fit, hang, remark
from contui.tui.panels.subject import Panel, Subject

_STYLES: Final[dict[caps.Risk, Style]] = {
    "critical": "critical",
    "high": "warning",
    "medium": "",
    "low": "dim",
}


def render(subject: Subject, width: int) -> list[Line]:
    """Capabilities, isolation, and the flags that would harden it."""
    out = reading.notes(subject, "inspect", "in_force")
    facts = posture(subject)
    out += [BLANK] if out else []
    out += _capabilities(subject, facts, width)
    out += [BLANK, heading("Isolation", reading.source(subject, "status"))]
    out += _isolation(facts)
    out += [BLANK, *_hardening(subject, facts, width)]
    return fit(out, width)


def _capabilities(subject: Subject, facts: Posture, width: int) -> list[Line]:
    head = heading("Kernel capabilities", reading.source(subject, "status"))
    credentials = facts.credentials
    if credentials is None and subject.inspect.value is None:
        return [head, remark("not known yet")]
    asked = facts.asked
    bounding = caps.decode(credentials.cap_bounding) if credentials else asked
    effective = caps.decode(credentials.cap_effective) if credentials else bounding
    out = [head, _count(bounding, effective, credentials)]
    extra, missing = bounding - caps.DEFAULT, caps.DEFAULT - bounding
    if missing and bounding:
        out.append(field("given up", (_names(missing), "ok"), ("  of Docker's default set", "dim")))
    if credentials and subject.inspect.value is not None:
        out += _unasked(bounding, asked)
    if len(extra) > 20:
        words = "privileged" if facts.privileged else "--cap-add ALL"
        out.append(remark(f"All of the kernel's capabilities ({words}):", "critical", mark="x"))
    for title, numbers in (("beyond the default", extra), ("default", bounding & caps.DEFAULT)):
        if numbers:
            out.append(BLANK)
            out += _rows(title, numbers, effective, width)
    return out


def _count(
    bounding: frozenset[int], effective: frozenset[int], credentials: Credentials | None
) -> Line:
    extra = bounding - caps.DEFAULT
    worst = _by_risk(extra)[0].risk if extra else "low"
    words = f"{len(bounding)} in its bounding set"
    if credentials is None:
        words = f"{len(bounding)} asked for"
    parts: list[Cell] = [(words if bounding else "none", "value" if bounding else "ok")]
    if extra:
        parts.append((f"   {len(extra)} more than Docker's default 14", _STYLES[worst]))
    elif bounding == caps.DEFAULT:
        parts.append(("   Docker's default set", "dim"))
    if credentials is not None and effective != bounding:
        held = f"{len(effective)} in effect" if effective else "none in effect"
        why = "" if credentials.no_new_privileges else ", a setuid program could gain the others"
        parts.append((f"   {held}{why}", "dim"))
    return field("in force" if credentials else "configured", *parts)


def _unasked(bounding: frozenset[int], asked: frozenset[int]) -> list[Line]:
    """Where kernel and configuration disagree; ALL means all that this kernel has."""
    unasked = bounding - asked - frozenset(range(len(caps.CAPABILITIES), 64))
    out = []
    if unasked:
        out.append(field("not asked for", (f"{_names(unasked)}: in force all the same", "warning")))
    refused = asked - bounding
    if refused and asked != caps.ALL:
        out.append(field("not granted", (f"{_names(refused)}: asked for", "warning")))
    return out


def _by_risk(numbers: Iterable[int]) -> list[caps.Capability]:
    found = [caps.capability(number) for number in numbers]
    return sorted(found, key=lambda each: (caps.RISKS.index(each.risk), each.number))


def _names(numbers: Iterable[int]) -> str:
    return ", ".join(caps.capability(number).name for number in sorted(numbers))


def _rows(title: str, numbers: frozenset[int], effective: frozenset[int], width: int) -> list[Line]:
    rows: list[list[Cell]] = []
    for each in _by_risk(numbers):
        style = _STYLES[each.risk] if title != "default" else "dim" if each.risk == "low" else ""
        held = "" if each.number in effective else "  (not in effect)"
        rows.append(
            [(each.name, style), (each.risk, style), (each.meaning + held, style if held else "")]
        )
        if style == "dim":
            rows[-1][2] = (each.meaning + held, "dim")
    return hang(table([title.upper(), "RISK", "ALLOWS"], rows), width)


def _isolation(facts: Posture) -> list[Line]:
    return [
        field(each.label, (each.value, each.style), (f"  {each.why}" if each.why else "", "dim"))
        for each in facts.facts
    ]


def _hardening(subject: Subject, facts: Posture, width: int) -> list[Line]:
    if subject.inspect.value is None:
        return []
    flags, leave_out = advice(subject, facts)
    if not flags and not leave_out:
        return [heading("Hardening"), remark("Nothing obvious is left to take away.", "ok")]
    name = f"{reading.tool(subject)} run"
    out = [heading("Hardening", f"options of {name}, for a new container")]
    rows: list[list[Cell]] = [[each.span, (each.why, "")] for each in flags]
    rows += [[("leave out ", "dim"), ("", "")]] if leave_out else []
    rows += [[each.span, (each.why, "")] for each in leave_out]
    out += hang(table(["", ""], rows), width)
    if len(flags) > 1:
        together = " ".join(each.span.copy for each in flags)
        out += [BLANK, line("  ", ("all of them  ", "label"), (together, "code"))]
    return out


PANEL: Final = Panel("security", "Security", ("inspect", "in_force"), render)
