"""Processes: the tree of what runs inside, with what each takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from contui.model import units
from contui.model.linux import Process
from contui.model.secrets import mask_command
from contui.tui.document import BLANK, Cell, Line, Span, Style, line, table
from contui.tui.panels import reading
from contui.tui.panels.layout import crop, fit, hang, remark, share_of, tone
from contui.tui.panels.subject import Panel, Subject

_STATES: Final[dict[str, tuple[str, Style]]] = {
    "R": ("running", "ok"),
    "S": ("sleeping", "dim"),
    "I": ("idle", "dim"),
    "D": ("D! uninterruptible", "warning"),
    "Z": ("Z zombie", "warning"),
    "T": ("stopped", "warning"),
    "t": ("traced", "warning"),
    "X": ("dead", "warning"),
}
"""State letters of proc_pid_stat(5)."""
_COMMAND_LINES: Final = 3
"""A longer command goes on in what is copied."""


def render(subject: Subject, width: int) -> list[Line]:
    """A summary and the tree; for a container without processes, why there are none."""
    out = reading.notes(subject, "processes")
    processes = subject.processes.value
    if not processes:
        if not subject.container.running:
            out.append(remark(f"It is {reading.state_words(subject)}: it has no processes."))
            detail = subject.container.detail
            if detail is not None and detail.finished_at and subject.container.state != "created":
                words = units.exit_words(detail.exit_code)
                out.append(remark(f"Its main process ended with exit {detail.exit_code}: {words}."))
        elif processes is not None:
            out.append(remark("No process was reported."))
        return fit(out, width)
    if subject.container.state == "paused":
        out.append(remark("It is paused: all of them are frozen.", "info"))
    out.append(_summary(processes))
    if all(each.cpu is None and each.files is None for each in processes):
        words = "From the engine's `top`: no CPU and no open files; pids are those of the host."
        out.append(remark(words))
    return fit([*out, BLANK, *_tree(subject, processes, width)], width)


def _summary(processes: Sequence[Process]) -> Line:
    parts: list[Cell] = [f"  {_several(len(processes), 'process', 'processes')}"]
    threads = [each.threads for each in processes if each.threads is not None]
    if threads:
        parts.append(f", {_several(sum(threads), 'thread', 'threads')}")
    cpu = [each.cpu for each in processes if each.cpu is not None]
    if cpu:
        parts.append(f", cpu {units.cores(sum(cpu))} cores")
    memory = [each.memory for each in processes if each.memory is not None]
    if memory:
        parts.append(f", memory {units.size(sum(memory))}")
        parts.append((" (shared pages counted more than once)", "dim"))
    for letter, one, many in (("Z", "zombie", "zombies"), ("D", "waits for io", "wait for io")):
        count = sum(1 for each in processes if each.state == letter)
        if count:
            parts.append((f", {_several(count, one, many)}", "warning"))
    return line(*parts)


def _several(count: int, one: str, many: str) -> str:
    return f"{units.count(count)} {one if count == 1 else many}"


def _ordered(processes: Sequence[Process]) -> list[tuple[str, Process]]:
    """Each process with the branches before it. A parent outside the container makes a root."""
    by_pid = {each.pid: each for each in processes}
    children: dict[int, list[Process]] = defaultdict(list)
    for each in sorted(by_pid.values(), key=lambda each: each.pid):
        inside = each.parent in by_pid and each.parent != each.pid
        children[each.parent if inside else -1].append(each)
    out: list[tuple[str, Process]] = []
    seen: set[int] = set()
    # Depth first with a stack of its own: a chain of processes may be deeper than Python's.
    stack = [(each, "", "") for each in reversed(children[-1])]
    while stack or len(seen) < len(by_pid):
        if not stack:
            # Only parents that are their own descendants are left: figures that changed meanwhile.
            rest = next(each for each in by_pid.values() if each.pid not in seen)
            stack.append((rest, "", ""))
        each, own, below = stack.pop()
        if each.pid in seen:
            continue
        seen.add(each.pid)
        out.append((own, each))
        following = children.get(each.pid, [])
        for index, child in reversed(list(enumerate(following))):
            last = index == len(following) - 1
            branch, bar = ("└ ", "  ") if last else ("├ ", "│ ")
            stack.append((child, below + branch, below + bar))
    return out


def _tree(subject: Subject, processes: Sequence[Process], width: int) -> list[Line]:
    wide = width >= 100
    head = ["PID", "USER", "STATE", "CPU", "MEMORY"]
    head += ["THREADS", "FILES"] if wide else []
    deepest = max(8, width // 4)
    rows: list[list[Cell]] = []
    for branches, each in _ordered(processes):
        state, style = _STATES.get(each.state, (each.state or "-", ""))
        row: list[Cell] = [
            str(each.pid),
            (crop(each.user or "-", 12), ""),
            (state if wide else state.split()[0], style),
            units.cores(each.cpu),
            units.size(each.memory),
        ]
        if wide:
            row += [units.count(each.threads), _files(each)]
        command = reading.secret(
            subject, f"process:{each.pid}", mask_command(each.command), each.command
        )
        rows.append([*row, (branches[-deepest:], "dim"), _command(command, each, width)])
    right = {0, 3, 4} | ({5, 6} if wide else set())
    lines = table([*head, "", "COMMAND"], rows, right=frozenset(right))
    return hang([_join(each) for each in lines], width)


def _join(each: Line) -> Line:
    """The branches and the command without the gap of two columns between them."""
    *before, branches, pad, gap, command = each
    title = command.style == "label"
    return (*before, command, pad, gap) if title else (*before, branches, command)


def _files(process: Process) -> tuple[str, Style]:
    if process.files is None:
        return units.NONE, "dim"
    share = share_of(process.files, process.files_limit)
    limit = "" if process.files_limit is None else f"/{process.files_limit}"
    return f"{process.files}{limit}", tone(share)


def _command(shown: Span, process: Process, width: int) -> Span:
    style: Style = "dim" if process.state == "Z" else ""
    text = crop(shown.text, _COMMAND_LINES * max(20, width - 40))
    return Span(text or "-", style, shown.copy, shown.reveal)


PANEL: Final = Panel("processes", "Processes", ("processes",), render)
