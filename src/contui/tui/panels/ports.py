"""Ports: what is published, and what listens inside to answer."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from contui.model.linux import Listener
from contui.tui.document import Cell, Line, Style, field, heading, table
from contui.tui.panels import reading
from contui.tui.panels.layout import hang, remark
from contui.tui.panels.subject import Subject

_ENGINE_DNS: Final = "127.0.0.11"
_STARTING: Final = 10.0
"""Seconds after the start during which a missing listener is no fault yet."""


@dataclass(frozen=True)
class _Port:
    number: int
    protocol: str
    hosts: tuple[str, ...]
    """Where it is published; empty if it is only exposed."""


def ports(subject: Subject, width: int) -> list[Line]:
    """Published ports against the sockets inside, then what is exposed or open beside them."""
    out = [heading("Ports", "published by the engine, and who answers inside")]
    found = _ports(subject)
    known = reading.in_force(subject)
    rows: list[list[Cell]] = []
    for port in found:
        hosts = ", ".join(port.hosts) or "not published"
        rows.append(
            [
                (hosts, "value" if port.hosts else "dim"),
                f"{port.number}/{port.protocol}",
                _answer(subject, port),
            ]
        )
    if rows:
        out += hang(table(["HOST", "CONTAINER", "INSIDE"], rows), width)
    else:
        mode = reading.text(reading.inspected(subject), "HostConfig", "NetworkMode")
        words = "nothing is published or exposed"
        words += "; in the host's network nothing needs to be" if mode == "host" else ""
        out.append(remark(words))
    if known is None:
        return out
    beside = _beside(known.listeners, found)
    if beside:
        out.append(field("also listening", ", ".join(beside)))
    return out


def _ports(subject: Subject) -> list[_Port]:
    """Of the running container, else as configured; exposed ones that are not published last."""
    document = reading.inspected(subject)
    active = reading.table_of(document, "NetworkSettings", "Ports")
    bindings = {
        **reading.table_of(document, "HostConfig", "PortBindings"),
        **{key: value for key, value in active.items() if value},
    }
    found = {}
    for key, value in bindings.items():
        hosts = _hosts(value)
        number, protocol = _split(key)
        if number:
            found[number, protocol] = _Port(number, protocol, hosts)
    for key in [*reading.table_of(document, "Config", "ExposedPorts"), *active]:
        number, protocol = _split(key)
        if number:
            found.setdefault((number, protocol), _Port(number, protocol, ()))
    if not document:
        for port in subject.container.ports:
            hosts = (_host(port.address, str(port.public)),) if port.public else ()
            found[port.private, port.protocol] = _Port(port.private, port.protocol, hosts)
    return sorted(found.values(), key=lambda port: (not port.hosts, port.number, port.protocol))


def _split(key: object) -> tuple[int, str]:
    number, _, protocol = str(key).partition("/")
    valid = number.isascii() and number.isdecimal() and len(number) < 6
    return (int(number) if valid else 0), protocol or "tcp"


def _hosts(bindings: object) -> tuple[str, ...]:
    if not isinstance(bindings, Sequence) or isinstance(bindings, str):
        return ()
    found = [
        _host(reading.text(each, "HostIp"), str(reading.get(each, "HostPort") or ""))
        for each in bindings
        if isinstance(each, Mapping)
    ]
    return tuple(dict.fromkeys(found))


def _host(address: str, port: str) -> str:
    if address in ("", "0.0.0.0", "::"):
        return f"*:{port or 'any'}"
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _loopback(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return parsed.is_loopback or (mapped is not None and mapped.is_loopback)


def _answer(subject: Subject, port: _Port) -> tuple[str, Style]:
    """Who answers at a port inside, in words."""
    known = reading.in_force(subject)
    if known is None:
        running = subject.container.running
        return ("cannot tell: the kernel was not read" if running else "-"), "dim"
    unread = next((known.missing[key] for key in known.missing if "listen" in key), "")
    if unread and not known.listeners:
        return f"cannot tell: {unread}", "dim"
    if port.protocol not in ("tcp", "udp"):
        return f"cannot tell for {port.protocol}", "dim"
    same = [each for each in known.listeners if each.protocol.startswith(port.protocol)]
    found = [each for each in same if each.port == port.number]
    outside = [each for each in found if not _loopback(each.address)]
    if outside:
        where = ", ".join(dict.fromkeys(each.address for each in outside))
        return f"listens on {where}", "ok"
    bad: Style = "critical" if port.hosts else "dim"
    if found:
        where = ", ".join(dict.fromkeys(each.address for each in found))
        return f"listens on {where} only: nobody outside the container reaches it", bad
    if _young(subject):
        return "nothing listens yet", "warning" if port.hosts else "dim"
    others = sorted({each.port for each in same if each.address != _ENGINE_DNS})
    shown = ", ".join(map(str, others[:8]))
    return f"nothing listens{f'; open is {shown}' if others else ''}", bad


def _young(subject: Subject) -> bool:
    detail = subject.container.detail
    started = detail.started_at if detail else 0.0
    return subject.container.health == "starting" or subject.now - started < _STARTING


def _beside(listeners: Sequence[Listener], found: Sequence[_Port]) -> list[str]:
    """Open sockets that nobody declared, without the engine's own name server."""
    declared = {(port.number, port.protocol) for port in found}
    out = []
    for each in sorted(listeners, key=lambda each: (each.port, each.protocol)):
        protocol = each.protocol[:3]
        if each.address != _ENGINE_DNS and (each.port, protocol) not in declared:
            out.append(f"{_host(each.address, str(each.port))}/{protocol}")
    return list(dict.fromkeys(out))


def declared_port(document: Mapping[str, Any]) -> int | None:
    """The first TCP port of a configuration, for examples."""
    for path in (("HostConfig", "PortBindings"), ("Config", "ExposedPorts")):
        for key in reading.table_of(document, *path):
            number, protocol = _split(key)
            if number and protocol == "tcp":
                return number
    return None
