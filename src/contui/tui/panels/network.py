"""Network: how the container is reached, and what really listens inside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from contui.model import units
from contui.model.container import Container
from contui.tui.document import BLANK, Cell, Line, Style, field, heading, table
from contui.tui.panels import reading
from contui.tui.panels.layout import fit, hang, remark, warning
from contui.tui.panels.ports import ports
from contui.tui.panels.subject import Panel, Subject

_NAMES_SHOWN: Final = 12


def render(subject: Subject, width: int) -> list[Line]:
    """Networks, ports, connections, neighbours, errors."""
    out = reading.notes(subject, "inspect", "in_force")
    out += [BLANK] if out else []
    out += _mode(subject)
    out += _networks(subject, width)
    out += _names(subject)
    out += [BLANK, *ports(subject, width)]
    out += _connections(subject)
    out += _interfaces(subject)
    out += _neighbours(subject)
    return fit(out, width)


def mode_of(subject: Subject) -> str:
    """The network mode: a network's name, host, none, or container:ID."""
    detail = subject.container.detail
    mode = reading.text(reading.inspected(subject), "HostConfig", "NetworkMode")
    return mode or (detail.network_mode if detail else "")


def _find(subject: Subject, reference: str) -> Container | None:
    """A container by the id or name that another one names it by."""
    if not reference:
        return None
    for each in subject.containers.values():
        if each.id == reference or each.name == reference or each.id.startswith(reference):
            return each
    return None


def _mode(subject: Subject) -> list[Line]:
    mode = mode_of(subject)
    if mode == "host":
        words = "It uses the network of the host: every port it opens is open on the host."
        return [warning(words)]
    if mode == "none":
        return [
            remark("It has no network, only loopback: nobody reaches it, and it nobody.", "info")
        ]
    if mode.startswith("container:"):
        owner = _find(subject, mode.partition(":")[2])
        name = owner.name if owner else mode.partition(":")[2][:12]
        words = f"It uses the network of container {name}: addresses and published ports are its."
        out = [remark(words, "info")]
        if owner is not None and not owner.running:
            out.append(warning(f"{name} does not run: this one has no network either", "critical"))
        return out
    return []


def _networks(subject: Subject, width: int) -> list[Line]:
    document = reading.inspected(subject)
    networks = reading.table_of(document, "NetworkSettings", "Networks")
    if not networks:
        names = subject.container.networks
        return [field("networks", ", ".join(names))] if names else []
    rows: list[list[Cell]] = []
    for name in sorted(networks, key=str):
        each = networks[name]
        address = _with_prefix(reading.text(each, "IPAddress"), reading.number(each, "IPPrefixLen"))
        sixth = _with_prefix(
            reading.text(each, "GlobalIPv6Address"), reading.number(each, "GlobalIPv6PrefixLen")
        )
        aliases = reading.strings(each, "Aliases") or reading.strings(each, "DNSNames")
        own = [alias for alias in aliases if alias != subject.container.short_id]
        rows.append(
            [
                (str(name), "value"),
                " ".join(filter(None, (address, sixth))) or "-",
                reading.text(each, "Gateway") or "-",
                (reading.text(each, "MacAddress") or "-", "dim"),
                ", ".join(dict.fromkeys(own)) or "-",
            ]
        )
    head = ["NETWORK", "ADDRESS", "GATEWAY", "MAC", "ALIASES"]
    if width < 100:
        del head[3]
        for row in rows:
            del row[3]
    return hang(table(head, rows), width)


def _with_prefix(address: str, prefix: int | None) -> str:
    return f"{address}/{prefix}" if address and prefix else address


def _names(subject: Subject) -> list[Line]:
    """Host name and name resolution."""
    document = reading.inspected(subject)
    host = reading.table_of(document, "HostConfig")
    if not host:
        return []
    name = reading.text(document, "Config", "Hostname")
    domain = reading.text(document, "Config", "Domainname")
    out = [BLANK, field("host name", ".".join(filter(None, (name, domain))) or "-")]
    servers = reading.strings(host, "Dns")
    user_defined = mode_of(subject) not in ("", "default", "bridge", "host", "none")
    if servers:
        out.append(field("dns servers", ", ".join(servers)))
    elif user_defined and subject.info.product == "docker":
        out.append(
            field("dns servers", "127.0.0.11", ("  the engine's own, then the host's", "dim"))
        )
    else:
        out.append(field("dns servers", ("the host's", "dim")))
    for label, key in (("dns search", "DnsSearch"), ("dns options", "DnsOptions")):
        values = reading.strings(host, key)
        if values:
            out.append(field(label, ", ".join(values)))
    return out + [field("extra host", entry) for entry in reading.strings(host, "ExtraHosts")]


def _connections(subject: Subject) -> list[Line]:
    known = reading.in_force(subject)
    if known is None or not known.connections:
        return []
    states = sorted(known.connections.items(), key=lambda each: -each[1])
    parts: list[Cell] = []
    for state, count in states:
        stuck = state in ("CLOSE_WAIT", "SYN_SENT", "SYN_RECV") and count >= 50
        parts.append((f"{units.count(count)} {state.lower()}   ", "warning" if stuck else ""))
    return [BLANK, field("connections", *parts)]


def _interfaces(subject: Subject) -> list[Line]:
    known = reading.in_force(subject)
    if known is None or not known.interfaces:
        return []
    rows: list[list[Cell]] = []
    for each in known.interfaces:
        errors, dropped = each.rx_errors + each.tx_errors, each.rx_dropped + each.tx_dropped
        rows.append(
            [
                each.name,
                units.size(each.rx_bytes),
                units.size(each.tx_bytes),
                (units.count(errors), "warning" if errors else "dim"),
                (units.count(dropped), "warning" if dropped else "dim"),
            ]
        )
    head = ["INTERFACE", "RECEIVED", "SENT", "ERRORS", "DROPPED"]
    return [BLANK, *table(head, rows, right=frozenset({1, 2, 3, 4}))]


def _neighbours(subject: Subject) -> list[Line]:
    container, mode = subject.container, mode_of(subject)
    out: list[Line] = []
    others = [each for each in subject.containers.values() if each.id != container.id]
    references = {f"container:{container.id}", f"container:{container.name}"}
    joined = [each for each in others if each.detail and each.detail.network_mode in references]
    if joined:
        out.append(field("inside with it", *_listed(joined)))
    if mode not in ("host", "none") and not mode.startswith("container:"):
        for network in container.networks:
            same = [each for each in others if network in each.networks]
            label = f"on {network}"
            out.append(field(label[:16], *(_listed(same) or [("nobody else", "dim")])))
    return [BLANK, heading("Who shares its networks"), *out] if out else []


def _listed(containers: Iterable[Container]) -> Sequence[Cell]:
    """Names, the running ones first, the others quiet."""
    found = sorted(containers, key=lambda each: (not each.running, each.name))
    parts: list[Cell] = []
    for each in found[:_NAMES_SHOWN]:
        style: Style = "" if each.running else "dim"
        state = "" if each.running else f" ({each.state})"
        parts.append((f"{each.name}{state}  ", style))
    if len(found) > _NAMES_SHOWN:
        parts.append((f"and {len(found) - _NAMES_SHOWN} more", "dim"))
    return parts


PANEL: Final = Panel("network", "Network", ("inspect", "in_force"), render)
