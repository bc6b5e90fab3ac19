"""Health: the probe, every result the engine kept, and how they were timed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from contui.model import units
from contui.model.container import Probe
from contui.model.secrets import mask_command, mask_text
from contui.tui.chart import gauge
from contui.tui.document import BLANK, Line, Span, Style, field, heading, line
from contui.tui.panels import reading
from contui.tui.panels.layout import fit, flow, remark, share_of, tone
from contui.tui.panels.ports import declared_port
from contui.tui.panels.subject import Panel, Subject
from contui.tui.safe import clean

_SECOND: Final = 1_000_000_000
_TIMING: Final = (
    ("interval", "Interval", 30.0),
    ("timeout", "Timeout", 30.0),
    ("start period", "StartPeriod", 0.0),
    ("start interval", "StartInterval", 5.0),
)
"""Label, key (nanoseconds) and default in seconds (Dockerfile reference, HEALTHCHECK)."""
_RETRIES: Final = 3
_OUTPUT_LINES: Final = 20
_STYLES: Final[dict[str, Style]] = {
    "healthy": "ok",
    "unhealthy": "critical",
    "starting": "warning",
}


def render(subject: Subject, width: int) -> list[Line]:
    """Probe, streak and results, or how to define a probe."""
    out = reading.notes(subject, "inspect")
    document = reading.inspected(subject)
    test = reading.strings(document, "Config", "Healthcheck", "Test")
    probes = _probes(subject)
    if not test and not probes and not subject.container.health:
        return fit([*out, *(_none(subject) if document else [])], width)
    if test[:1] == ["NONE"]:
        words = "The health check of the image is switched off (--no-healthcheck)."
        return fit([*out, remark(words)], width)
    out += _state(subject)
    out += _probe(subject, test)
    if probes or document:
        out += _results(subject, probes, _timing(document, "Timeout", 30.0), width)
    return fit(out, width)


def _none(subject: Subject) -> list[Line]:
    words = "No health check is defined: the engine only knows whether the main process runs."
    port = declared_port(reading.inspected(subject))
    probe = f"curl -fsS http://127.0.0.1:{port}/ || exit 1" if port else "test -e /run/ready"
    flags = f"--health-cmd '{probe}' --health-interval 30s --health-timeout 5s --health-retries 3"
    return [
        remark(words),
        BLANK,
        field("define one", (flags, "code")),
        field(
            "", (f"options of {reading.tool(subject)} run; the command must be in the image", "dim")
        ),
    ]


def _probes(subject: Subject) -> Sequence[Probe]:
    """The kept results, oldest first: those of the document, else of the last inspection."""
    entries = reading.items(reading.inspected(subject), "State", "Health", "Log")
    detail = subject.container.detail
    if not entries:
        return detail.probes if detail else ()
    return [
        Probe(
            start=reading.time_of(entry, "Start"),
            end=reading.time_of(entry, "End"),
            exit_code=reading.number(entry, "ExitCode") or 0,
            output=reading.text(entry, "Output"),
        )
        for entry in entries
    ]


def _state(subject: Subject) -> list[Line]:
    document, detail = reading.inspected(subject), subject.container.detail
    word = reading.text(document, "State", "Health", "Status") or subject.container.health
    streak = reading.number(document, "State", "Health", "FailingStreak")
    if streak is None:
        streak = detail.failing_streak if detail else 0
    if not subject.container.running:
        why = f"  {reading.state_words(subject)}: nothing is probed now"
        return [field("state", (f"{word or '-'}, last known", "dim"), (why, "dim"))]
    retries = reading.number(document, "Config", "Healthcheck", "Retries") or _RETRIES
    style = _STYLES.get(word, "")
    parts = [Span(word or "-", style)]
    if streak:
        words = f"  failed {streak} times in a row" if streak > 1 else "  failed once"
        parts.append(Span(f"{words}; {retries} in a row make it unhealthy", style or "warning"))
    if subject.container.state == "paused":
        parts.append(Span("  it is paused: nothing is probed now", "dim"))
    return [field("state", *parts)]


def _timing(document: object, key: str, default: float) -> float:
    """Seconds of one setting; 0 means the default."""
    value = reading.number(document, "Config", "Healthcheck", key)
    return value / _SECOND if value and value > 0 else default


def _probe(subject: Subject, test: Sequence[str]) -> list[Line]:
    document = reading.inspected(subject)
    if not test:
        return []
    kind, rest = test[0], list(test[1:])
    if kind == "CMD-SHELL":
        full = " ".join(rest)
        shown = reading.secret(subject, "health:test", mask_command(full), full, "code")
        how = "run by the image's shell"
    else:
        vector = rest if kind == "CMD" else list(test)
        shown = reading.arguments(subject, "health:test", vector, "code")
        how = "run without a shell"
    timing = [
        f"{label} {_seconds(_timing(document, key, default))}"
        for label, key, default in _TIMING
        if key != "StartInterval" or reading.number(document, "Config", "Healthcheck", key)
    ]
    retries = reading.number(document, "Config", "Healthcheck", "Retries") or _RETRIES
    return [
        field("probe", shown),
        field("", (how, "dim")),
        field("timing", "   ".join([*timing, f"retries {retries}"])),
    ]


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f}ms" if 0 < seconds < 1 else units.duration(seconds)


def _results(subject: Subject, probes: Sequence[Probe], timeout: float, width: int) -> list[Line]:
    if not probes:
        return [BLANK, remark("It has not been probed yet.")]
    times = [each.end - each.start for each in probes if each.end >= each.start > 0]
    note = f"{len(probes)} kept by the engine, newest first"
    if times:
        note += f"; slowest {_took(max(times))} of {_seconds(timeout)} allowed"
    out = [BLANK, heading("Results", note)]
    for each in reversed(probes):
        out += _result(subject, each, timeout, width)
    return out


def _result(subject: Subject, probe: Probe, timeout: float, width: int) -> list[Line]:
    took: float | None = probe.end - probe.start if probe.end >= probe.start > 0 else None
    share = share_of(took, timeout)
    words, style = _exit(probe.exit_code)
    out: list[Line] = [
        line(
            (f"  {reading.clock(probe.start)}  ", ""),
            (f"{reading.ago(subject.now, probe.start):>9}  ", "dim"),
            (f"{'x' if probe.exit_code else '+'} ", style),
            (f"{_took(took):>7} ", tone(share)),
            (gauge(share, 8), tone(share) or "bar"),
            (f"  exit {probe.exit_code}, {words}", style),
        )
    ]
    lines = [each for each in probe.output.splitlines() if clean(each).strip()]
    for each in lines[:_OUTPUT_LINES]:
        span = reading.secret(subject, f"health:{probe.start:.6f}", mask_text(each), each)
        out += flow((Span(" " * 12), span), width, 12)
    if len(lines) > _OUTPUT_LINES:
        out.append(line((f"            and {len(lines) - _OUTPUT_LINES} lines more", "dim")))
    return out


def _took(seconds: float | None) -> str:
    if seconds is None:
        return units.NONE
    return f"{seconds * 1000:.0f}ms" if seconds < 1 else f"{seconds:.1f}s"


def _exit(code: int) -> tuple[str, Style]:
    """A probe's exit code (Dockerfile reference, HEALTHCHECK); -1 is the engine's own failure."""
    if code == 0:
        return "healthy", "ok"
    if code == -1:
        return "not finished in time, or it could not be run", "critical"
    if code == 1:
        return "unhealthy", "critical"
    return units.exit_words(code), "critical"


PANEL: Final = Panel("health", "Health", ("inspect",), render)
