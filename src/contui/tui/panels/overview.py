"""Overview: who the container is and how it fares, the head of *describe*."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from contui.model import units
from contui.model.container import Container
from contui.model.secrets import mask, mask_command, mask_env, mask_text
from contui.tui.document import BLANK, Cell, Line, Span, Style, field, heading
from contui.tui.panels import reading
from contui.tui.panels.layout import fit
from contui.tui.panels.subject import Panel, Subject

_STATES: Final[dict[str, Style]] = {
    "running": "ok",
    "paused": "warning",
    "restarting": "critical",
    "dead": "critical",
    "removing": "warning",
}
_COMPOSE: Final = ("com.docker.compose.", "io.podman.compose.", "desktop.docker.io/")


def render(subject: Subject, width: int) -> list[Line]:
    """Identity, state, command, environment and labels."""
    container = subject.container
    out = reading.notes(subject, "inspect")
    out.append(field("name", (container.name or "-", "value")))
    out.append(field("id", Span(container.short_id, copy=container.id)))
    out.append(field("image", container.image or "-"))
    if container.project:
        service = f"  service {container.service}" if container.service else ""
        out.append(field("project", container.project, service))
    out += _state(subject)
    out += _command(subject)
    out += _ports(container)
    out += _log(subject, width)
    out += _environment(subject)
    out += _labels(subject)
    return fit(out, width)


def _state(subject: Subject) -> list[Line]:
    container, detail = subject.container, subject.container.detail
    style = _STATES.get(container.state, "")
    parts: list[Cell] = [(container.state, style)]
    if container.health:
        bad: Style = {"unhealthy": "critical", "starting": "warning"}.get(container.health, "ok")  # type: ignore[assignment]
        parts.append((f"  {container.health}", bad))
    out = [field("state", *parts)]
    out.append(_time(subject, "created", container.created))
    if detail is None:
        return out
    if detail.started_at:
        out.append(_time(subject, "started", detail.started_at))
    else:
        out.append(field("started", ("never", "dim")))
    if detail.finished_at:
        out.append(_time(subject, "finished", detail.finished_at))
    if not container.running and container.state != "created":
        code = detail.exit_code
        bad = "critical" if code else ""
        out.append(field("exit code", (f"{code}  {units.exit_words(code)}", bad)))
    if detail.oom_killed:
        words = "the kernel killed a process of it: memory limit"
        out.append(field("out of memory", (words, "critical")))
    if detail.error:
        span = reading.secret(subject, "error", mask_text(detail.error), detail.error, "critical")
        out.append(field("error", span))
    policy = detail.restart_policy
    policy += f":{detail.restart_maximum}" if detail.restart_maximum else ""
    count = detail.restart_count
    words = f"  restarted {'once' if count == 1 else f'{count} times'}" if count else ""
    out.append(field("restart policy", policy, (words, "warning")))
    return out


def _time(subject: Subject, label: str, time: float) -> Line:
    since = reading.ago(subject.now, time)
    return field(label, since or "-", (f"  {reading.moment(time)}" if since else "", "dim"))


def _command(subject: Subject) -> list[Line]:
    document, container = reading.inspected(subject), subject.container
    if not document:
        full = container.command
        return [field("command", reading.secret(subject, "command", mask_command(full), full))]
    out = []
    path = reading.text(document, "Path")
    vector = [*([path] if path else []), *reading.strings(document, "Args")]
    if vector:
        out.append(field("command", reading.arguments(subject, "command", vector, "value")))
    entry = reading.strings(document, "Config", "Entrypoint")
    if entry:
        out.append(field("entrypoint", reading.arguments(subject, "entrypoint", entry)))
    folder = reading.text(document, "Config", "WorkingDir")
    if folder:
        out.append(field("working dir", folder))
    user = reading.text(document, "Config", "User")
    out.append(field("user", user or "root", ("" if user else "  not set", "dim")))
    return out


def _ports(container: Container) -> list[Line]:
    shown = []
    for port in container.ports:
        inside = f"{port.private}/{port.protocol}"
        address = "*" if port.address in ("", "0.0.0.0", "::") else port.address
        shown.append(f"{address}:{port.public} to {inside}" if port.public else inside)
    return [field("ports", ", ".join(dict.fromkeys(shown)))] if shown else []


def _log(subject: Subject, width: int) -> list[Line]:
    document, detail = reading.inspected(subject), subject.container.detail
    driver = reading.text(document, "HostConfig", "LogConfig", "Type")
    driver = driver or (detail.log_driver if detail else "")
    path = reading.text(document, "LogPath") or (detail.log_path if detail else "")
    if not driver and not path:
        return []
    out = [field("log", driver or "-", "  ", reading.path(path, width - 40))]
    options = reading.table_of(document, "HostConfig", "LogConfig", "Config")
    for name in sorted(options, key=str):
        value = str(options[name])
        masked = f"{name}={mask(str(name), value)}"
        out.append(
            field("", reading.secret(subject, f"log:{name}", masked, f"{name}={value}", "dim"))
        )
    return out


def _environment(subject: Subject) -> list[Line]:
    entries = reading.strings(reading.inspected(subject), "Config", "Env")
    if not entries:
        return []
    out = [BLANK, heading("Environment", f"{len(entries)} variables")]
    for entry in sorted(entries):
        name = entry.partition("=")[0]
        span = reading.secret(subject, f"env:{name}", mask_env(entry), entry)
        out.append((Span("  "), span))
    return out


def _labels(subject: Subject) -> list[Line]:
    labels = subject.container.labels
    if not labels:
        return []
    compose = {name: value for name, value in labels.items() if name.startswith(_COMPOSE)}
    others = {name: value for name, value in labels.items() if name not in compose}
    out: list[Line] = [BLANK, heading("Labels", f"{len(labels)}")]
    out += _label_lines(subject, others, "")
    if compose:
        out.append(field("compose", (f"{len(compose)} labels", "dim")))
        out += _label_lines(subject, compose, "dim")
    return out


def _label_lines(subject: Subject, labels: Mapping[str, str], style: Style) -> list[Line]:
    out: list[Line] = []
    for name in sorted(labels):
        value = labels[name]
        span = reading.secret(
            subject, f"label:{name}", f"{name}={mask(name, value)}", f"{name}={value}", style
        )
        out.append((Span("    " if style else "  "), span))
    return out


PANEL: Final = Panel("overview", "Overview", ("inspect",), render)
