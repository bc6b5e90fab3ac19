"""Events: the container's life as a timeline, newest first."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from typing import Final

from contui.model import units
from contui.model.event import EngineEvent
from contui.model.secrets import mask_command, mask_text
from contui.tui.document import BLANK, Line, Span, Style, line
from contui.tui.panels import reading
from contui.tui.panels.layout import cells, fit, flow, remark
from contui.tui.panels.subject import Panel, Subject

_GLYPHS: Final[dict[str, str]] = {"critical": "x", "warning": "!", "ok": "+", "": ".", "dim": "."}
_WORDS: Final[dict[str, tuple[str, Style]]] = {
    "create": ("created", ""),
    "start": ("started", "ok"),
    "restart": ("restarted on request", ""),
    "stop": ("stopped on request", ""),
    "pause": ("paused: its processes are frozen", "warning"),
    "unpause": ("resumed", "ok"),
    "oom": ("out of memory: the kernel killed a process of it", "critical"),
    "destroy": ("removed", "warning"),
    "update": ("its limits or restart policy were changed", ""),
    "attach": ("somebody attached to it", "dim"),
    "detach": ("somebody detached from it", "dim"),
    "commit": ("an image was made of it", ""),
    "export": ("its files were exported", "dim"),
    "copy": ("files were copied", "dim"),
    "archive-path": ("files were copied out of it", "dim"),
    "extract-to-dir": ("files were copied into it", "dim"),
    "checkpoint": ("checkpointed", ""),
    "restore": ("restored from a checkpoint", ""),
    "resize": ("its terminal was resized", "dim"),
    "top": ("its processes were listed", "dim"),
    "init": ("prepared", "dim"),
    "cleanup": ("cleaned up", "dim"),
}


def render(subject: Subject, width: int) -> list[Line]:
    """The timeline, or a sentence where the session has seen nothing yet."""
    events = [event for event in subject.events if _concerns(event, subject.container.id)]
    out = _summary(subject, events)
    if not events:
        out.append(
            remark("The engine remembers no event of it: it keeps only the last ones of all.")
        )
        out += _known(subject)
        return fit(out, width)
    out.append(BLANK)
    out += _timeline(events, width)
    return fit(out, width)


def _concerns(event: EngineEvent, id: str) -> bool:
    return event.id == id or event.attributes.get("container") == id


def _summary(subject: Subject, events: Sequence[EngineEvent]) -> list[Line]:
    detail = subject.container.detail
    parts: list[Span] = []
    count = detail.restart_count if detail else 0
    policy = detail.restart_policy if detail else ""
    if detail is not None and detail.restart_maximum:
        policy += f":{detail.restart_maximum}"
    if count:
        times = "once" if count == 1 else f"{units.count(count)} times"
        parts.append(Span(f"The engine restarted it {times}", "warning"))
        parts.append(Span(f" (restart policy {policy}). ", "dim"))
    ends = [event for event in events if event.action == "die"]
    if len(ends) > 1:
        span = (ends[-1].time_ns - ends[0].time_ns) / 1e9
        words = f"It ended {len(ends)} times in {units.duration(span)}. "
        parts.append(Span(words, "" if len(ends) < 3 else "warning"))
    return [line("  ", *parts)] if parts else []


def _known(subject: Subject) -> list[Line]:
    """What the inspect document tells of the past, for want of events."""
    container, detail = subject.container, subject.container.detail
    rows: list[tuple[float, str, Style]] = [(container.created, "created", "")]
    if detail is not None:
        if detail.started_at:
            rows.append((detail.started_at, "started", "ok"))
        if detail.finished_at and (not container.running or detail.restart_count):
            code = detail.exit_code
            words = f"ended: exit {code}, {units.exit_words(code)}"
            if container.running:
                words = "the run before ended"
            rows.append((detail.finished_at, words, "critical" if code else ""))
    rows.sort(reverse=True)
    out: list[Line] = [BLANK] if rows else []
    for time, words, style in rows:
        if time > 0:
            since = reading.ago(subject.now, time)
            out.append(
                line(
                    (f"  {reading.moment(time)}  {since:>9}  ", "dim"),
                    (f"{_GLYPHS[style]} ", style),
                    (words, style),
                )
            )
    return out


def _timeline(events: Sequence[EngineEvent], width: int) -> list[Line]:
    out: list[Line] = []
    day = ""
    runs = _runs(events)
    for index in range(len(events) - 1, -1, -1):
        event = events[index]
        time = event.time_ns / 1e9
        today = reading.moment(time)[:10]
        if today != day:
            day = today
            out.append(line((f"  {day}", "label")))
        gap = ""
        if index:
            gap = "+" + units.duration((event.time_ns - events[index - 1].time_ns) / 1e9)
        words, style = _words(event)
        stamp = line(
            (f"  {reading.clock(time):<8} ", ""),
            (f"{gap:>8}  ", "dim"),
            (f"{_GLYPHS[style]} ", style),
        )
        spans = [Span(words, style)]
        if index in runs:
            spans.append(Span(f"  after running {units.duration(runs[index])}", "dim"))
        if event.inferred:
            spans.append(Span("  concluded from the list, not reported", "dim"))
        out += flow((*stamp, *spans), width, cells(stamp))
    return out


def _runs(events: Sequence[EngineEvent]) -> dict[int, float]:
    """How long each run took, by the index of the event that ended it."""
    runs: dict[int, float] = {}
    started: int | None = None
    for index, event in enumerate(events):
        if event.action == "start":
            started = event.time_ns
        elif event.action == "die":
            reported = event.attributes.get("execDuration", "")
            if started is not None:
                runs[index] = (event.time_ns - started) / 1e9
            elif reported.isdecimal() and len(reported) < 12:
                runs[index] = float(reported)
            started = None
    return runs


def _words(event: EngineEvent) -> tuple[str, Style]:
    verb, _, rest = event.action.partition(":")
    verb, rest = verb.strip(), rest.strip()
    if event.kind == "network":
        name = event.attributes.get("name", "")
        return f"{verb}ed {'to' if verb == 'connect' else 'from'} network {name}", ""
    match verb:
        case "die":
            return _ended(event)
        case "kill":
            return _signalled(event)
        case "health_status":
            word = rest or event.attributes.get("health_status", "")
            style: Style = "ok" if word == "healthy" else "critical" if word == "unhealthy" else ""
            return f"health check: {word or 'changed'}", style
        case "exec_create" | "exec_start" | "exec":
            done = {"exec_create": "command prepared", "exec_start": "command started"}
            return f"{done.get(verb, 'command run')}: {mask_command(rest)}".rstrip(": "), "dim"
        case "exec_die" | "exec_detach":
            code = event.attributes.get("exitCode", "")
            return f"command ended{': exit ' + code if code else ''}", "dim"
        case "rename":
            old = event.attributes.get("oldName", "").lstrip("/")
            return f"renamed from {old}" if old else "renamed", ""
        case _:
            words, style = _WORDS.get(verb, (verb, ""))
            return (f"{words}: {mask_text(rest)}" if rest else words), style


def _ended(event: EngineEvent) -> tuple[str, Style]:
    code = event.attributes.get("exitCode", "")
    if not code.removeprefix("-").isdecimal() or len(code) > 9:
        return "ended", "warning"
    style: Style = "" if int(code) == 0 else "warning" if int(code) in (130, 143) else "critical"
    return f"ended: exit {code}, {units.exit_words(int(code))}", style


def _signalled(event: EngineEvent) -> tuple[str, Style]:
    value = event.attributes.get("signal", "")
    name = value
    if value.isdecimal() and len(value) < 4:
        try:
            name = signal.Signals(int(value)).name
        except ValueError:
            name = f"signal {value}"
    style: Style = "warning" if name in ("SIGKILL", "KILL") else ""
    return f"sent {name}" if name else "sent a signal", style


PANEL: Final = Panel("events", "Events", (), render)
