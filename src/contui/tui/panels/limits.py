"""Limits: what was configured, what the kernel has in force, and how near the container is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from contui.model import units
from contui.tui.chart import gauge
from contui.tui.document import BLANK, Cell, Line, Span, Style, table
from contui.tui.panels import reading
from contui.tui.panels.layout import crop, fit, hang, remark, tone, warning
from contui.tui.panels.limit_rows import Row, rows
from contui.tui.panels.subject import Panel, Subject
from contui.tui.safe import clean


def render(subject: Subject, width: int) -> list[Line]:
    """One row for each limit, and sentences about those that are missing or near."""
    found = rows(subject)
    out = reading.notes(subject, "inspect", "in_force")
    out += [BLANK] if out else []
    out += _table(subject, found, width)
    remarks = _remarks(subject, found)
    return fit([*out, *([BLANK] if remarks else []), *remarks], width)


def _table(subject: Subject, found: Sequence[Row], width: int) -> list[Line]:
    wide, middle, narrow = width >= 100, width >= 120, width < 72
    head = ["LIMIT", "CONFIGURED", "IN FORCE", "USED", ""]
    head += ["PEAK", "HEADROOM"] if wide else []
    head += ["HIT"] if not narrow else []
    head += ["CHANGE WITH"]
    cells: list[list[Cell]] = []
    for row in found:
        known = row.in_force != units.NONE
        near = tone(row.share)
        cell: list[Cell] = [
            (row.name, "label"),
            (crop(row.configured, 24 if middle else 11), _quiet(row.configured)),
            (
                crop(row.in_force, 24 if middle else 11),
                "warning"
                if row.differs
                else row.style or _quiet(row.in_force if known else "none"),
            ),
            (row.used, near),
            (gauge(row.share, 12 if middle else 6) if row.share is not None else "", near or "bar"),
        ]
        if wide:
            cell += [(row.peak, ""), (row.headroom, near)]
        if not narrow:
            cell.append((units.count(row.hits), "warning" if row.hits else "dim"))
        cells.append([*cell, _change(subject, row)])
    right = {1, 2, 3} | ({5, 6} if wide else set()) | ({7 if wide else 5} if not narrow else set())
    return hang(table(head, cells, right=frozenset(right)), width)


def _quiet(value: str) -> Style:
    return "dim" if value in ("none", "default", "all", units.NONE) else ""


def _change(subject: Subject, row: Row) -> Span:
    if row.update:
        flags = row.update.replace("=", " ")
        copy = f"{reading.tool(subject)} update {flags} {reading.shell_name(subject)}"
        return Span(row.update.split()[0], "code", copy=clean(copy))
    return Span(f"{row.run.split('=')[0]} *" if row.run else "", "dim", copy=clean(row.run))


def _remarks(subject: Subject, found: Sequence[Row]) -> list[Line]:
    out = [warning(row.differs) for row in found if row.differs]
    for row in found:
        style = tone(row.share)
        if style and row.name not in ("reservation",):
            out.append(
                warning(f"{row.name}: {units.percent(row.share)} of the limit is used", style)
            )
    named = {row.name: row for row in found}
    document = reading.inspected(subject)
    if reading.truth(document, "HostConfig", "OomKillDisable"):
        out.append(
            warning("The OOM killer is off: a process that meets the limit hangs, it does not die")
        )
    for name, words in _HITS:
        count = named[name].hits
        if count:
            times = "once" if count == 1 else f"{units.count(count)} times"
            out.append(warning(words.format(times) + " (since its cgroup was made)."))
    if (
        subject.inspect.value is not None
        and named["memory"].configured == "none"
        and not named["memory"].differs
    ):
        host = f" of {units.size(subject.info.memory)}" if subject.info.memory else ""
        out.append(remark(f"No memory limit: it can use up the whole memory of the host{host}."))
    parent = reading.text(document, "HostConfig", "CgroupParent")
    if parent:
        out.append(remark(f"Its cgroup lies below {parent}, whose limits hold for it as well."))
    return [*out, remark("* only for a new container, as an option of run")]


_HITS: Final = (
    ("memory", "The kernel killed a process of it {}: it needed more than its memory limit"),
    ("cpus", "Its CPU quota was used up {}, and it had to wait for the next period"),
    ("pids", "It could not start a process or thread {}: the pids limit was reached"),
)

PANEL: Final = Panel("limits", "Limits", ("inspect", "in_force"), render)
