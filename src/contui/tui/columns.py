"""The columns of the container list: what each shows and sorts by, and which yield first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from contui.model import units
from contui.model.container import Container
from contui.model.host import UNKNOWN, EngineInfo
from contui.model.problem import NOTHING, Problem, Severity
from contui.model.sample import NO_RATES, Rates, Sample
from contui.store.query import Facts
from contui.tui.chart import gauge, sparkline
from contui.tui.document import Line, Style, line


@dataclass(frozen=True)
class Item:
    """One row of the list: a container with its newest figures."""

    container: Container
    problem: Problem = NOTHING
    sample: Sample | None = None
    rates: Rates = NO_RATES
    recent_cpu: tuple[float | None, ...] = ()
    info: EngineInfo = UNKNOWN
    now: float = 0.0
    stale: bool = False
    busy: str = ""
    """The verb of the action that is under way."""

    @property
    def cpu_share(self) -> float | None:
        """CPU as a share of what it may use: its own limit, else the host's cores."""
        allowed = self.cpu_allowed
        return self.rates.cpu / allowed if self.rates.cpu is not None and allowed else None

    @property
    def cpu_allowed(self) -> float | None:
        """Cores it may use."""
        detail = self.container.detail
        own = detail.cpu_limit if detail is not None else None
        return own or float(self.info.cpus) or None

    @property
    def memory_limit(self) -> int | None:
        """Its own memory limit; ``None`` when only the host's size bounds it."""
        detail = self.container.detail
        return detail.memory_limit if detail is not None else None

    @property
    def uptime(self) -> float | None:
        """Seconds since it started, or, for one that ended, since it ended."""
        detail = self.container.detail
        if detail is None:
            return None
        since = detail.started_at if self.container.running else detail.finished_at
        return max(0.0, self.now - since) if since else None


@dataclass(frozen=True)
class ColumnSpec:
    """A column: its width, what it draws, what it sorts by, and how early it yields (0: never)."""

    id: str
    title: str
    width: int
    draw: Callable[[Item, int], Line]
    key: Callable[[Item], object]
    right: bool = False
    grow: bool = False
    yields: int = 0


GLYPHS: Final[dict[Severity, tuple[str, Style]]] = {
    Severity.CRITICAL: ("✗", "critical"),
    Severity.WARNING: ("!", "warning"),
    Severity.LOW: ("·", "dim"),
    Severity.NONE: ("·", "ok"),
}


def _name(item: Item, width: int) -> Line:
    glyph, style = GLYPHS[item.problem.severity]
    running = item.container.running
    if item.problem.severity is Severity.NONE and not running:
        style = "dim"
    text: Style = style if item.problem.severity >= Severity.WARNING else "" if running else "dim"
    return line((glyph + " ", style), (item.container.name, text))


def state_words(container: Container) -> tuple[str, Style]:
    """State and health in a word or two."""
    detail = container.detail
    match container.state:
        case "running":
            return {
                "unhealthy": ("unhealthy", "critical"),
                "starting": ("starting", "info"),
                "healthy": ("healthy", "ok"),
            }.get(container.health, ("up", "ok"))  # type: ignore[return-value]
        case "exited":
            if detail is None:
                return "exited", "dim"
            quiet = detail.exit_code in (0, 130, 143) and not detail.error
            return f"exit {detail.exit_code}", "dim" if quiet else "critical"
        case "restarting":
            return "restarting", "critical"
        case "paused":
            return "paused", "info"
        case "dead":
            return "dead", "critical"
        case "created":
            failed = detail is not None and detail.error
            return ("start failed", "critical") if failed else ("created", "dim")
    return container.state, "dim"


_UNDER_WAY: Final = {
    "start": "starting", "stop": "stopping", "restart": "restarting", "pause": "pausing",
    "unpause": "resuming", "kill": "killing", "remove": "removing", "rename": "renaming",
    "update": "updating",
}  # fmt: skip


def _state(item: Item, width: int) -> Line:
    if item.busy:
        return line((_UNDER_WAY.get(item.busy, item.busy) + "…", "info"))
    return line(state_words(item.container))


def _cpu(item: Item, width: int) -> Line:
    share = item.cpu_share
    if share is None:
        return line(("-", "dim"))
    own = item.container.detail is not None and item.container.detail.cpu_limit
    hot: Style = "warning" if own and share >= 0.9 else ""
    parts = [
        (f"{units.percent(share):>5}", hot),
        (f" of {units.cores(item.cpu_allowed):<4}", "dim"),
    ]
    room = width - 14
    if room >= 4 and item.recent_cpu:
        top = max(0.01, item.cpu_allowed or 1.0)
        parts.append((" " + sparkline(item.recent_cpu[-room:], room, top), "bar"))
    return line(*parts)


def _memory(item: Item, width: int) -> Line:
    used = item.sample.memory if item.sample is not None else None
    limit = item.memory_limit
    if used is None:
        return line(("    - ", "dim"), (f"/ {units.size(limit)}", "dim"))
    share = used / limit if limit else None
    style: Style = (
        "critical" if share and share > 0.95 else "warning" if share and share > 0.8 else ""
    )
    parts = [(f"{units.size(used):>5}", style), (f" / {units.size(limit):<5}", "dim")]
    if width >= 21:
        bar: Style = "bar-critical" if style == "critical" else "bar-warning" if style else "bar"
        parts.append((" " + (gauge(share, width - 14) if share is not None else ""), bar))
    return line(*parts)


def _pair(first: float | None, second: float | None) -> Line:
    if first is None and second is None:
        return line(("-", "dim"))
    quiet = not (first or 0) and not (second or 0)
    return line((f"{units.rate(first)}/{units.rate(second)}", "dim" if quiet else ""))


def _restarts(item: Item, width: int) -> Line:
    detail = item.container.detail
    if detail is None:
        return line(("-", "dim"))
    count = detail.restart_count
    return line((str(count), "warning" if count else "dim"))


def ports(container: Container) -> str:
    """Published ports, each once: ``8080→80``; IPv4 and IPv6 of the same are one."""
    shown = dict.fromkeys(
        f"{'' if port.address in ('0.0.0.0', '::', '') else port.address + ':'}"
        f"{port.public}→{port.private}{'' if port.protocol == 'tcp' else '/' + port.protocol}"
        for port in sorted(container.ports, key=lambda port: (port.public, port.private))
        if port.public
    )
    return " ".join(shown)


def _problem(item: Item, width: int) -> Line:
    style: Style = {
        Severity.CRITICAL: "critical",
        Severity.WARNING: "warning",
        Severity.LOW: "dim",
        Severity.NONE: "",
    }[item.problem.severity]  # type: ignore[assignment]
    return line((item.problem.text, style))


def _number(value: float | None) -> float:
    return -1.0 if value is None else float(value)


def _detail_restarts(item: Item) -> float:
    return _number(item.container.detail.restart_count if item.container.detail else None)


SPECS: Final[tuple[ColumnSpec, ...]] = (
    ColumnSpec("name", "NAME", 24, _name, lambda i: i.container.name.lower()),
    ColumnSpec("state", "STATE", 12, _state, lambda i: i.container.state),
    ColumnSpec(
        "uptime",
        "UP",
        6,
        lambda i, w: line((units.duration(i.uptime), "" if i.container.running else "dim")),
        lambda i: _number(i.uptime),
        right=True,
        yields=3,
    ),
    ColumnSpec("cpu", "  CPU", 13, _cpu, lambda i: -_number(i.rates.cpu)),
    ColumnSpec(
        "mem",
        "  MEM / LIMIT",
        13,
        _memory,
        lambda i: -_number(i.sample.memory if i.sample else None),
    ),
    ColumnSpec(
        "net",
        "NET in/out",
        12,
        lambda i, w: _pair(i.rates.net_rx, i.rates.net_tx),
        lambda i: -(_number(i.rates.net_rx) + _number(i.rates.net_tx)),
        yields=5,
    ),
    ColumnSpec(
        "io",
        "IO r/w",
        12,
        lambda i, w: _pair(i.rates.block_read, i.rates.block_write),
        lambda i: -(_number(i.rates.block_read) + _number(i.rates.block_write)),
        yields=6,
    ),
    ColumnSpec(
        "pids",
        "PIDS",
        5,
        lambda i, w: line(units.count(i.sample.pids if i.sample else None)),
        lambda i: -_number(i.sample.pids if i.sample else None),
        right=True,
        yields=8,
    ),
    ColumnSpec(
        "restarts", "RST", 4, _restarts, lambda i: -_detail_restarts(i), right=True, yields=4
    ),
    ColumnSpec(
        "ports",
        "PORTS",
        14,
        lambda i, w: line(ports(i.container)),
        lambda i: min((p.public for p in i.container.ports if p.public), default=99999),
        yields=9,
    ),
    ColumnSpec(
        "image",
        "IMAGE",
        22,
        lambda i, w: line((i.container.image, "dim")),
        lambda i: i.container.image,
        yields=10,
    ),
    ColumnSpec(
        "health",
        "HEALTH",
        9,
        lambda i, w: line((i.container.health or "-", "dim")),
        lambda i: i.container.health,
        yields=11,
    ),
    ColumnSpec(
        "project",
        "PROJECT",
        14,
        lambda i, w: line((i.container.project or "-", "dim")),
        lambda i: i.container.project,
        yields=12,
    ),
    ColumnSpec(
        "id",
        "ID",
        12,
        lambda i, w: line((i.container.short_id, "dim")),
        lambda i: i.container.id,
        yields=13,
    ),
    ColumnSpec(
        "created",
        "CREATED",
        7,
        lambda i, w: line((units.duration(i.now - i.container.created), "dim")),
        lambda i: -i.container.created,
        right=True,
        yields=14,
    ),
    ColumnSpec("problem", "PROBLEM", 22, _problem, lambda i: -i.problem.severity, grow=True),
)
BY_ID: Final = {spec.id: spec for spec in SPECS}
_WIDER: Final = {"cpu": 6, "mem": 8}
"""Room for the sparkline and the gauge, taken when everything else fits."""


def chosen(ids: tuple[str, ...], width: int, names: int) -> list[tuple[ColumnSpec, int]]:
    """The columns that fit in ``width`` cells, with their widths; ``names`` is the longest name."""
    specs = [BY_ID[id] for id in ids if id in BY_ID]
    name = min(max(8, names + 2), max(16, width // 5))

    def total(kept: list[ColumnSpec]) -> int:
        return 2 + sum((name if spec.id == "name" else spec.width) + 1 for spec in kept)

    while total(specs) > width and any(spec.yields for spec in specs):
        specs.remove(max(specs, key=lambda spec: spec.yields))
    room = width - total(specs)
    out: list[tuple[ColumnSpec, int]] = []
    for spec in specs:
        cells = name if spec.id == "name" else spec.width
        extra = _WIDER.get(spec.id, 0)
        if extra and room >= extra + 20:
            cells, room = cells + extra, room - extra
        out.append((spec, cells))
    return out


FIELDS: Final = frozenset(
    {
        "name",
        "state",
        "health",
        "image",
        "project",
        "service",
        "label",
        "port",
        "network",
        "id",
        "cpu",
        "mem",
        "pids",
        "restarts",
        "up",
        "exit",
        "problem",
        "volume",
    }
)
TIMES: Final = frozenset({"up"})


def facts(item: Item) -> Facts:
    """The fields that a filter can ask for; CPU in percent of what the container may use."""
    container, detail = item.container, item.container.detail
    return {
        "text": lambda: " ".join(
            (
                container.name,
                container.image,
                container.short_id,
                container.project,
                container.service,
                container.state,
                container.health,
                item.problem.text,
            )
        ),
        "name": lambda: container.name,
        "state": lambda: container.state + " " + state_words(container)[0],
        "health": lambda: container.health,
        "image": lambda: container.image,
        "project": lambda: container.project,
        "service": lambda: container.service,
        "label": lambda: "\n".join(f"{key}={value}" for key, value in container.labels.items()),
        "port": lambda: ports(container) + " " + " ".join(str(p.private) for p in container.ports),
        "network": lambda: " ".join(container.networks),
        "volume": lambda: " ".join(container.mounts),
        "id": lambda: container.id,
        "cpu": lambda: None if item.cpu_share is None else item.cpu_share * 100,
        "mem": lambda: item.sample.memory if item.sample else None,
        "pids": lambda: item.sample.pids if item.sample else None,
        "restarts": lambda: detail.restart_count if detail else None,
        "exit": lambda: detail.exit_code if detail and not container.running else None,
        "up": lambda: item.uptime,
        "problem": lambda: item.problem.text,
    }
