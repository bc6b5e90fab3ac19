"""What the object views show: compose projects, images, volumes, networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from contui.model import units
from contui.model.action import Action
from contui.model.container import Container
from contui.model.image import DiskUse, Image, Network, Volume
from contui.session import Session
from contui.tui.document import BLANK, Line, field, heading, line
from contui.tui.widgets.table import Column


@dataclass(frozen=True)
class Entry:
    """A row: what identifies it, its cells, what each column sorts by, and the text a filter
    looks at. ``users`` are the containers that use it.
    """

    id: str
    name: str
    cells: tuple[Line, ...]
    keys: tuple[object, ...]
    text: str
    users: tuple[Container, ...] = ()
    value: object = None


@dataclass(frozen=True)
class Kind:
    """One view: its columns, where its rows come from and what can be done to them."""

    id: str
    title: str
    columns: tuple[Column, ...]
    wants: tuple[str, ...]
    entries: Callable[[Session, float], list[Entry]]
    detail: Callable[[Entry, Session, float], list[Line]]
    inspect: str = ""
    """Resource with the whole document of one."""
    remove: str = ""
    """Kind of the action that removes one; ``""``: not possible."""
    prunable: Callable[[Sequence[Entry]], list[Entry]] | None = None
    empty: str = ""


def _value(session: Session, kind: str) -> tuple[Any, ...]:
    return cast("tuple[Any, ...]", session.store.resource(kind).value or ())


def _ago(created: float, now: float) -> str:
    return units.duration(now - created) if created else "-"


def _users(users: Sequence[Container]) -> Line:
    running = sum(1 for user in users if user.running)
    if not users:
        return line(("unused", "dim"))
    return line(
        (f"{running} up", "ok") if running else ("stopped", "dim"),
        (f" of {len(users)}", "dim") if len(users) != running or not running else "",
    )


def used_by(users: Sequence[Container]) -> list[Line]:
    """Who uses it, one a line."""
    if not users:
        return [line(("  no container uses it", "dim"))]
    return [
        line(
            "  ",
            ("● " if user.running else "○ ", "ok" if user.running else "dim"),
            user.name,
            (f"  {user.status or user.state}", "dim"),
        )
        for user in sorted(users, key=lambda user: (not user.running, user.name))
    ]


# --- images


def _images(session: Session, now: float) -> list[Entry]:
    containers = session.store.containers.values()
    shared = _disk_images(session)
    out = []
    for image in cast("tuple[Image, ...]", _value(session, "images")):
        users = tuple(c for c in containers if c.image_id == image.id)
        name = image.tags[0] if image.tags else "<none>"
        repository, _, tag = name.rpartition(":")
        known = shared.get(image.id)
        own = known.size - known.shared if known and known.shared is not None else None
        more = f" +{len(image.tags) - 1}" if len(image.tags) > 1 else ""
        out.append(
            Entry(
                id=image.id,
                name=name if image.tags else image.id.removeprefix("sha256:")[:12],
                cells=(
                    line((repository or "<none>", "" if image.tags else "dim")),
                    line((tag + more, "accent" if image.tags else "dim")),
                    line((image.id.removeprefix("sha256:")[:12], "dim")),
                    line(_ago(image.created, now)),
                    line(units.size(image.size)),
                    line((units.size(own), "dim")),
                    _users(users),
                ),
                keys=(
                    repository,
                    tag,
                    image.id,
                    -image.created,
                    -image.size,
                    -(own or -1),
                    -len(users),
                ),
                text=" ".join(
                    (
                        *image.tags,
                        image.id,
                        "unused" if not users else "used",
                        "dangling" if image.dangling else "",
                    )
                ),
                users=users,
                value=image,
            )
        )
    return out


def _disk_images(session: Session) -> dict[str, Image]:
    disk = cast("DiskUse | None", session.store.resource("disk").value)
    return {image.id: image for image in disk.images} if disk is not None else {}


def _image_detail(entry: Entry, session: Session, now: float) -> list[Line]:
    image = cast(Image, entry.value)
    return [
        heading(entry.name),
        *(field("tag", tag) for tag in image.tags),
        *(field("digest", (digest, "dim")) for digest in image.digests),
        field("created", units.moment(image.created), (f"  {_ago(image.created, now)} ago", "dim")),
        field("size", units.size(image.size)),
        BLANK,
        heading("used by"),
        *used_by(entry.users),
    ]


# --- volumes


def _volumes(session: Session, now: float) -> list[Entry]:
    disk = cast("DiskUse | None", session.store.resource("disk").value)
    sizes = {each.name: each for each in disk.volumes} if disk is not None else {}
    containers = session.store.containers.values()
    out = []
    for volume in cast("tuple[Volume, ...]", _value(session, "volumes")):
        users = tuple(c for c in containers if volume.name in c.mounts)
        known = sizes.get(volume.name)
        amount = known.size if known is not None else None
        short = volume.name[:12] + "…" if volume.anonymous else volume.name
        out.append(
            Entry(
                id=volume.name,
                name=volume.name,
                cells=(
                    line((short, "dim" if volume.anonymous else "")),
                    line((volume.driver, "dim")),
                    line(units.size(amount)),
                    line(_ago(volume.created, now)),
                    _users(users),
                    line((", ".join(user.name for user in users), "dim")),
                ),
                keys=(
                    volume.name,
                    volume.driver,
                    -(amount or -1),
                    -volume.created,
                    -len(users),
                    "",
                ),
                text=f"{volume.name} {volume.driver} {'unused' if not users else 'used'} "
                + ("anonymous " if volume.anonymous else "named ")
                + " ".join(user.name for user in users),
                users=users,
                value=volume,
            )
        )
    return out


def _volume_detail(entry: Entry, session: Session, now: float) -> list[Line]:
    volume = cast(Volume, entry.value)
    return [
        heading(volume.name, "anonymous" if volume.anonymous else ""),
        field("driver", volume.driver),
        field("on the host", volume.mountpoint),
        field("created", units.moment(volume.created)),
        field("project", volume.labels.get("com.docker.compose.project", "-")),
        BLANK,
        heading("used by"),
        *used_by(entry.users),
    ]


# --- networks


def _networks(session: Session, now: float) -> list[Entry]:
    containers = session.store.containers.values()
    out = []
    for network in cast("tuple[Network, ...]", _value(session, "networks")):
        users = tuple(c for c in containers if network.name in c.networks)
        out.append(
            Entry(
                id=network.id,
                name=network.name,
                cells=(
                    line(network.name, (" internal" if network.internal else "", "accent")),
                    line((network.driver, "dim")),
                    line((network.scope, "dim")),
                    line(", ".join(network.subnets) or "-"),
                    _users(users),
                    line((", ".join(user.name for user in users), "dim")),
                ),
                keys=(
                    network.name,
                    network.driver,
                    network.scope,
                    network.subnets,
                    -len(users),
                    "",
                ),
                text=f"{network.name} {network.driver} {' '.join(network.subnets)} "
                + ("unused " if not users else "used ")
                + " ".join(user.name for user in users),
                users=users,
                value=network,
            )
        )
    return out


def _network_detail(entry: Entry, session: Session, now: float) -> list[Line]:
    network = cast(Network, entry.value)
    document = cast("Mapping[str, Any]", session.store.resource("network", entry.id).value or {})
    members = document.get("Containers") or {}
    lines = [
        heading(network.name, network.driver),
        field("subnets", ", ".join(network.subnets) or "-"),
        field("internal", "yes: no way out" if network.internal else "no"),
        field("made", "by the engine" if network.predefined else units.moment(network.created)),
        BLANK,
        heading("members", "running containers and their addresses"),
    ]
    for member in sorted(members.values(), key=lambda member: str(member.get("Name"))):
        address = " ".join(filter(None, (member.get("IPv4Address"), member.get("IPv6Address"))))
        lines.append(line("  ", f"{member.get('Name')!s:<30} ", (address, "value")))
    if not members:
        lines.append(line(("  none runs", "dim")))
    stopped = [user for user in entry.users if not user.running]
    if stopped:
        lines += [BLANK, heading("attached but not running"), *used_by(stopped)]
    return lines


# --- compose projects


def _projects(session: Session, now: float) -> list[Entry]:
    groups: dict[str, list[Container]] = {}
    for container in session.store.containers.values():
        if container.project:
            groups.setdefault(container.project, []).append(container)
    out = []
    for name, members in groups.items():
        running = sum(1 for member in members if member.running)
        services = {member.service for member in members}
        labels = members[0].labels
        files = labels.get("com.docker.compose.project.config_files", "")
        memory = sum(
            series.last.memory or 0
            for member in members
            if (series := session.store.series.get(member.id)) and series.last
        )
        cpu = sum(session.store.rates(member.id).cpu or 0 for member in members)
        whole = running == len(members)
        out.append(
            Entry(
                id=name,
                name=name,
                cells=(
                    line(name),
                    line((f"{running}/{len(members)}", "ok" if whole else "warning")),
                    line(str(len(services))),
                    line(f"{units.cores(cpu)} cores"),
                    line(units.size(memory)),
                    line((files, "dim")),
                ),
                keys=(name, -running, -len(services), -cpu, -memory, files),
                text=f"{name} {' '.join(sorted(services))}",
                users=tuple(members),
            )
        )
    return out


def _project_detail(entry: Entry, session: Session, now: float) -> list[Line]:
    labels = entry.users[0].labels
    lines = [
        heading(entry.name),
        field("folder", labels.get("com.docker.compose.project.working_dir", "-")),
        field("files", labels.get("com.docker.compose.project.config_files", "-")),
        BLANK,
        heading("services"),
    ]
    for member in sorted(entry.users, key=lambda member: (member.service, member.name)):
        depends = member.labels.get("com.docker.compose.depends_on", "")
        services = ", ".join(part.split(":")[0] for part in depends.split(",") if part)
        lines.append(
            line(
                "  ",
                ("● " if member.running else "○ ", "ok" if member.running else "dim"),
                f"{member.service:<18} {member.name:<28} ",
                (member.status or member.state, "dim"),
                (f"  needs {services}" if services else "", "dim"),
            )
        )
    return lines


def _dangling(entries: Sequence[Entry]) -> list[Entry]:
    return [e for e in entries if not e.users and cast(Image, e.value).dangling]


def _unused_volumes(entries: Sequence[Entry]) -> list[Entry]:
    return [e for e in entries if not e.users and cast(Volume, e.value).anonymous]


def _unused_networks(entries: Sequence[Entry]) -> list[Entry]:
    return [e for e in entries if not e.users and not cast(Network, e.value).predefined]


def removal(kind: Kind, entry: Entry) -> Action:
    """The action that removes one."""
    return Action("remove", kind.remove, entry.id, entry.name)


KINDS: Final[dict[str, Kind]] = {
    kind.id: kind
    for kind in (
        Kind(
            "compose",
            "Compose projects",
            (
                Column("project", "PROJECT", 24),
                Column("up", "UP", 7),
                Column("services", "SERVICES", 8),
                Column("cpu", "CPU", 12),
                Column("memory", "MEM", 8),
                Column("files", "FILES", 20, grow=True),
            ),
            (),
            _projects,
            _project_detail,
            empty="no container here belongs to a compose project",
        ),
        Kind(
            "images",
            "Images",
            (
                Column("repository", "REPOSITORY", 24, grow=True),
                Column("tag", "TAG", 16),
                Column("id", "ID", 12),
                Column("age", "AGE", 6, right=True),
                Column("size", "SIZE", 7, right=True),
                Column("own", "OWN", 7, right=True),
                Column("used", "USED BY", 12),
            ),
            ("images", "disk"),
            _images,
            _image_detail,
            "image_detail",
            "image",
            _dangling,
            "this engine has no images yet",
        ),
        Kind(
            "volumes",
            "Volumes",
            (
                Column("name", "NAME", 28),
                Column("driver", "DRIVER", 8),
                Column("size", "SIZE", 7, right=True),
                Column("age", "AGE", 6, right=True),
                Column("used", "USED BY", 12),
                Column("users", "CONTAINERS", 20, grow=True),
            ),
            ("volumes", "disk"),
            _volumes,
            _volume_detail,
            "",
            "volume",
            _unused_volumes,
            "this engine has no volumes yet",
        ),
        Kind(
            "networks",
            "Networks",
            (
                Column("name", "NAME", 26),
                Column("driver", "DRIVER", 8),
                Column("scope", "SCOPE", 6),
                Column("subnets", "SUBNETS", 18),
                Column("used", "USED BY", 12),
                Column("users", "CONTAINERS", 20, grow=True),
            ),
            ("networks",),
            _networks,
            _network_detail,
            "network",
            "network",
            _unused_networks,
            "this engine has no networks",
        ),
    )
}
