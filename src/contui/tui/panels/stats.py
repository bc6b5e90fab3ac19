"""Stats: what the container uses, against its own limits and the host, now and over the session."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Final

from contui.model import units
from contui.model.sample import Rates, Sample, rates
from contui.tui.chart import braille, gauge
from contui.tui.document import BLANK, Line, Span, Style, field, line
from contui.tui.panels import reading
from contui.tui.panels.layout import cells, fit, remark, share_of, tone
from contui.tui.panels.subject import Panel, Subject

_THROTTLED: Final = 0.25
"""From this share of throttled periods on the quota is what slows it down."""
_WAITING: Final = 10.0
"""PSI percentage from which on waiting is noticed (Documentation/accounting/psi.rst)."""


@dataclass(frozen=True)
class _Scale:
    """The limits that figures are measured against; ``None`` where there is none."""

    cpu: float | None
    memory: int | None
    pids: int | None
    host_cpus: int
    host_memory: int


def _scale(subject: Subject, sample: Sample | None) -> _Scale:
    detail, info = subject.container.detail, subject.info
    memory = detail.memory_limit if detail else None
    if memory is None and sample is not None and sample.memory_limit is not None:
        # Docker reports the memory of the host as the limit of a container without one.
        bounded = not info.memory or sample.memory_limit < info.memory
        memory = sample.memory_limit if bounded else None
    pids = sample.pids_limit if sample else None
    return _Scale(
        cpu=detail.cpu_limit if detail else None,
        memory=memory,
        pids=pids or (detail.pids_limit if detail else None),
        host_cpus=info.cpus,
        host_memory=info.memory,
    )


def render(subject: Subject, width: int) -> list[Line]:
    """Levels, rates and charts; for a container that does not run, why there are none."""
    samples = subject.samples
    if not samples:
        return fit([*_nothing(subject)], width)
    newest = samples[-1]
    steps = [rates(new, old) for old, new in pairwise(samples)]
    now = steps[-1] if steps else Rates()
    scale = _scale(subject, newest)
    out: list[Line] = []
    if not subject.container.running:
        out += [remark(f"It is {reading.state_words(subject)}: these are its last figures."), BLANK]
    elif subject.container.state == "paused":
        out += [remark("It is paused: its processes are frozen and use no CPU.", "info"), BLANK]
    out += _cpu(now, scale)
    out += _memory(newest, scale, width)
    out += _traffic(now, newest)
    out += _pressure(newest)
    if not steps:
        out += [BLANK, remark("Rates and charts need a second sample.")]
    else:
        out += [BLANK, *_charts(samples, steps, scale, width)]
    return fit(out, width)


def _nothing(subject: Subject) -> list[Line]:
    container, detail = subject.container, subject.container.detail
    if container.running:
        return [remark("reading..."), *_limits_only(subject)]
    words = f"It is {reading.state_words(subject)}: there is nothing to measure."
    if detail is not None and detail.finished_at and container.state != "created":
        ended = reading.ago(subject.now, detail.finished_at)
        ran = units.duration(detail.finished_at - detail.started_at)
        words += f" Its last run took {ran} and ended {ended}."
    out = [remark(words)]
    if detail is not None and detail.oom_killed:
        out.append(remark("State.OOMKilled: it met its memory limit.", "critical", mark="x"))
    return out + _limits_only(subject)


def _limits_only(subject: Subject) -> list[Line]:
    scale = _scale(subject, None)
    none = units.NONE if subject.container.detail is None else "none"
    return [
        field("cpu limit", f"{units.cores(scale.cpu)} cores" if scale.cpu else none),
        field("memory limit", units.size(scale.memory) if scale.memory else none),
        field("pids limit", units.count(scale.pids) if scale.pids else none),
    ]


def _cpu(now: Rates, scale: _Scale) -> list[Line]:
    of_host = share_of(now.cpu, scale.host_cpus)
    host = f"{units.percent(of_host)} of the host's {scale.host_cpus or '-'} cores"
    used: list[Span] = [Span(f"{units.cores(now.cpu)} cores", "value")]
    if scale.cpu:
        share = share_of(now.cpu, scale.cpu)
        used += [
            Span("  "),
            Span(gauge(share, 12), tone(share) or "bar"),
            Span(f"  {units.percent(share)} of its limit of {units.cores(scale.cpu)}", tone(share)),
            Span(f"  {host}", "dim"),
        ]
    else:
        used += [
            Span("  "),
            Span(gauge(of_host, 12), tone(of_host) or "bar"),
            Span(f"  {host}", tone(of_host)),
            Span("  it has no limit of its own", "dim"),
        ]
    out = [field("cpu", *used)]
    if now.throttled is not None and scale.cpu:
        style: Style = "warning" if now.throttled >= _THROTTLED else ""
        words = f"{units.percent(now.throttled)} of periods"
        why = "  its quota was used up and it had to wait" if now.throttled > 0 else ""
        out.append(field("throttled", (words, style), (why, "dim")))
    return out


def _memory(sample: Sample, scale: _Scale, width: int) -> list[Line]:
    limit = scale.memory
    share = share_of(sample.memory, limit or scale.host_memory or None)
    whole = f"its limit of {units.size(limit)}" if limit else "the host's memory; it has no limit"
    out = [
        field(
            "memory",
            (units.size(sample.memory), "value"),
            "  ",
            (gauge(share, 12), tone(share) or "bar"),
            (f"  {units.percent(share)} of {whole}", tone(share)),
        )
    ]
    parts = (sample.memory_anon, sample.memory_cache, sample.memory_kernel)
    if any(part is not None for part in parts):
        out.append(_split(parts, limit, min(60, width - 21)))
        out.append(
            field(
                "",
                ("█", "bar"),
                f" anonymous {units.size(parts[0])}   ",
                ("▒", "bar"),
                f" file cache {units.size(parts[1])}   ",
                ("░", "bar"),
                f" kernel {units.size(parts[2])}",
                (f"   │ limit {units.size(limit)}" if limit else "", "dim"),
            )
        )
    rest = []
    if sample.memory_peak is not None:
        rest.append(f"peak {units.size(sample.memory_peak)}")
    if sample.swap is not None:
        rest.append(f"swap {units.size(sample.swap)}")
    if rest:
        out.append(field("", ("   ".join(rest), "dim")))
    if sample.oom_kills:
        times = "once" if sample.oom_kills == 1 else f"{units.count(sample.oom_kills)} times"
        out.append(field("", (f"the kernel killed a process of it {times} (oom_kill)", "critical")))
    return out


def _split(parts: tuple[int | None, ...], limit: int | None, width: int) -> Line:
    """Anonymous, cache and kernel memory as one bar that ends at the limit."""
    total = sum(part or 0 for part in parts)
    top = max(limit or 0, total) or 1
    spans: list[Span] = []
    used = 0
    for part, block in zip(parts, "█▒░", strict=True):
        length = min(width - used, round((part or 0) / top * width))
        spans.append(Span(block * length, tone(share_of(total, limit)) if block == "█" else "bar"))
        used += length
    spans.append(Span("·" * (width - used), "dim"))
    spans.append(Span("│" if limit else "", "dim"))
    return field("", *spans)


def _traffic(now: Rates, sample: Sample) -> list[Line]:
    pids = share_of(sample.pids, sample.pids_limit)
    limit = f" of {units.count(sample.pids_limit)}" if sample.pids_limit else "  no limit"

    def total(count: int | None) -> str:
        return units.size(count)

    return [
        field(
            "network",
            f"in {units.rate(now.net_rx)}/s   out {units.rate(now.net_tx)}/s",
            (f"   in all {total(sample.net_rx)} / {total(sample.net_tx)}", "dim"),
        ),
        field(
            "block io",
            f"read {units.rate(now.block_read)}/s   written {units.rate(now.block_write)}/s",
            (f"   in all {total(sample.block_read)} / {total(sample.block_write)}", "dim"),
        ),
        field("pids", (units.count(sample.pids), tone(pids)), (limit, tone(pids) or "dim")),
    ]


def _pressure(sample: Sample) -> list[Line]:
    values = (
        ("cpu", sample.pressure_cpu),
        ("memory", sample.pressure_memory),
        ("io", sample.pressure_io),
    )
    if all(value is None for _, value in values):
        return []
    spans: list[Span] = []
    for name, value in values:
        style: Style = "warning" if value is not None and value >= _WAITING else ""
        shown = units.NONE if value is None else f"{value:.1f}%"
        spans.append(Span(f"{name} {shown}   ", style))
    return [field("pressure", *spans, ("of the last 10 s some process waited (PSI)", "dim"))]


@dataclass(frozen=True)
class _Chart:
    title: str
    values: Sequence[tuple[float, float | None]]
    show: Callable[[float | None], str]
    limit: float | None = None
    suffix: str = ""


def _charts(
    samples: Sequence[Sample], steps: Sequence[Rates], scale: _Scale, width: int
) -> list[Line]:
    times = [sample.at for sample in samples[1:]]

    def of(name: str) -> list[tuple[float, float | None]]:
        return [(at, getattr(each, name)) for at, each in zip(times, steps, strict=True)]

    level = [(each.at, None if each.memory is None else float(each.memory)) for each in samples]
    charts = [
        _Chart("cpu", of("cpu"), units.cores, scale.cpu, " cores"),
        _Chart("memory", level, units.size, scale.memory),
        _Chart("network in", of("net_rx"), units.rate, None, "/s"),
        _Chart("network out", of("net_tx"), units.rate, None, "/s"),
        _Chart("block read", of("block_read"), units.rate, None, "/s"),
        _Chart("block written", of("block_write"), units.rate, None, "/s"),
    ]
    if scale.cpu:
        charts.insert(2, _Chart("throttled", of("throttled"), units.percent, 1.0))
        charts.insert(3, _Chart("pids", [(s.at, s.pids) for s in samples], units.count, scale.pids))
    wide = width >= 100
    room = (width - 6) // 2 if wide else width - 4
    drawn = [_draw(chart, room, 5 if wide else 4) for chart in charts]
    if not wide:
        return [each for chart in drawn for each in [*chart, BLANK]][:-1]
    out: list[Line] = []
    for left, right in zip(drawn[::2], drawn[1::2], strict=True):
        out += [_beside(a, b, room) for a, b in zip(left, right, strict=True)] + [BLANK]
    return out[:-1]


def _beside(left: Line, right: Line, room: int) -> Line:
    return (*left, Span(" " * (room + 4 - cells(left))), *right[1:])


def _draw(chart: _Chart, room: int, height: int) -> list[Line]:
    """Title, scale, area and time axis of one chart, each line at most ``room`` + 2 cells."""
    values, span = _buckets(chart.values, room * 2)
    known = [value for value in values if value is not None]
    highest = max(known, default=0.0)
    top = max(chart.limit, highest) if chart.limit else _round_up(highest)
    now = chart.values[-1][1] if chart.values else None
    upper = ("limit " if chart.limit and top == chart.limit else "") + chart.show(top)
    upper = upper if highest or chart.limit else ""
    style = tone(share_of(now, chart.limit)) if chart.title != "throttled" else ""
    colour: Style = "bar"
    if style:
        colour = "bar-critical" if style == "critical" else "bar-warning"
    title = f"{chart.title} "
    value = chart.show(now) + (chart.suffix if now is not None else "")
    fill = room - len(title) - len(value) - len(upper) - 1
    head = line("  ", (title, "label"), (value, style or "value"), (" " + "╌" * (fill - 1), "dim"))
    head = (*head, Span(" " + upper, "dim"))
    area = [line("  ", (row, colour)) for row in braille(values, room, height, top)]
    past = f"{units.duration(span)} ago"
    peak = f"highest {chart.show(highest)}" if known else ""
    axis = f"{past}{peak.center(room - len(past) - 3)}now"
    return [head, *area, line("  ", (axis, "dim"))]


def _buckets(
    values: Sequence[tuple[float, float | None]], points: int
) -> tuple[list[float | None], float]:
    """The highest value of each step of time, and the seconds that ``points`` of them span.

    Steps are whole readings aligned to the clock, so that each keeps its values as time goes on.
    """
    if not values:
        return [], 0.0
    end = values[-1][0]
    span = max(0.0, end - values[0][0])
    pace = max(1, round(median([new[0] - old[0] for old, new in pairwise(values)] or [1.0])))
    step = pace * max(1, math.ceil(span / (points * pace)))
    last = int(end // step)
    out: list[float | None] = [None] * min(points, int(span // step) + 2)
    for at, value in values:
        index = len(out) - 1 - (last - int(at // step))
        if 0 <= index < len(out) and value is not None:
            out[index] = max(value, out[index] or 0.0)
    return _without_jitter(out), float(points * step)


def _without_jitter(values: list[float | None]) -> list[float | None]:
    """A single empty step is a reading that came late, not a gap."""
    out = list(values)
    for index in range(1, len(values) - 1):
        if values[index] is None and values[index + 1] is not None:
            out[index] = values[index - 1]
    return out


def _round_up(value: float) -> float:
    """The next 1, 2 or 5 times a power of two or ten: the upper edge of a chart without limit."""
    if value <= 0:
        return 1.0
    base = 1024.0 if value >= 1024 else 10.0
    unit = base ** math.floor(math.log(value, base))
    steps = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1024)
    return next(unit * each for each in steps if unit * each >= value * 0.9999)


PANEL: Final = Panel("stats", "Stats", (), render)
