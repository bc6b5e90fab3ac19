"""Mounts: what is mounted where, whether it can be written, and how much room is left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from contui.model import units
from contui.model.linux import MountInForce
from contui.tui.document import BLANK, Cell, Line, Style, field, heading, table
from contui.tui.panels import reading
from contui.tui.panels.layout import crop_middle, fit, remark, share_of
from contui.tui.panels.risky import risk
from contui.tui.panels.subject import Panel, Subject

_LOW: Final = 0.10
"""From this share of free space on a file system is worth a look,"""
_OUT: Final = 0.02
"""and from this one on it is as good as full."""
_MARKS: Final[dict[str, str]] = {"": "", "warning": "! ", "critical": "x "}
_ENGINES_OWN: Final = ("/proc", "/sys", "/dev", "/run/secrets", "/run/.containerenv", "/etc/")


def render(subject: Subject, width: int) -> list[Line]:
    """Mounts, the container's own layer and its log file."""
    out = reading.notes(subject, "inspect", "in_force", "sizes")
    out += [BLANK] if out else []
    mounts = _declared(subject)
    if mounts:
        out += _table(subject, mounts, width)
    elif subject.inspect.value is not None:
        words = "Nothing is mounted: everything it writes is lost when it is removed."
        out.append(remark(words, "info", mark="i"))
    elif subject.container.mounts:
        out += [field("mounts", name) for name in subject.container.mounts]
    out += _further(subject, {reading.text(each, "Destination") for each in mounts})
    out += [BLANK, *_own(subject, width)]
    return fit(out, width)


def _declared(subject: Subject) -> list[Mapping[str, Any]]:
    """The document's mounts, and the tmpfs ones, which Docker keeps in another place."""
    document = reading.inspected(subject)
    mounts = [each for each in reading.items(document, "Mounts") if isinstance(each, Mapping)]
    known = {reading.text(each, "Destination") for each in mounts}
    for target, options in reading.table_of(document, "HostConfig", "Tmpfs").items():
        if target not in known:
            words = options if isinstance(options, str) else ""
            writable = "ro" not in words.split(",")
            mounts.append(
                {"Type": "tmpfs", "Destination": str(target), "RW": writable, "Options": words}
            )
    return sorted(mounts, key=lambda each: reading.text(each, "Destination"))


def _table(subject: Subject, mounts: list[Mapping[str, Any]], width: int) -> list[Line]:
    third = max(16, (width - 24) // 2)
    rows: list[list[Cell]] = []
    below: list[list[Line]] = []
    for each in mounts:
        target, writable = reading.text(each, "Destination"), reading.truth(each, "RW")
        found = reading.mount_in_force(subject, target)
        rows.append(
            [
                (crop_middle(target, third), "value"),
                (reading.text(each, "Type") or "-", ""),
                ("rw" if writable else "ro", "" if writable else "ok"),
                (crop_middle(_source(each), third), ""),
            ]
        )
        below.append([*_details(subject, each, found), *_amiss(each, found)])
    lines = table(["TARGET", "TYPE", "MODE", "SOURCE"], rows)
    out = [lines[0]]
    for row, more in zip(lines[1:], below, strict=True):
        out += [row, *more]
    return out


def _source(mount: Mapping[str, Any]) -> str:
    kind, name = reading.text(mount, "Type"), reading.text(mount, "Name")
    if kind == "volume" and name:
        return f"{name[:12]}… (anonymous)" if _anonymous(name) else name
    return reading.text(mount, "Source") or ("memory" if kind == "tmpfs" else "-")


def _anonymous(name: str) -> bool:
    return len(name) == 64 and set(name) <= set("0123456789abcdef")


def _details(subject: Subject, mount: Mapping[str, Any], found: MountInForce | None) -> list[Line]:
    quiet: list[str] = []
    propagation = reading.text(mount, "Propagation") or (found.propagation if found else "")
    if propagation:
        quiet.append(propagation)
    sizes = dict(subject.sizes.value.volumes) if subject.sizes.value else {}
    name = reading.text(mount, "Name")
    if sizes.get(name) is not None:
        quiet.insert(0, f"holds {units.size(sizes[name])}")
    driver = reading.text(mount, "Driver")
    if driver and driver != "local":
        quiet.append(f"driver {driver}")
    options = reading.text(mount, "Options")
    if options:
        quiet.append(options)
    out: list[Line] = []
    if found is not None:
        out.append(_row(*_space(found)))
        out += _may_write(mount, found)
    if quiet:
        out.append(_row(("   ".join(quiet), "dim")))
    return out


def _row(*parts: Cell) -> Line:
    return field("", *parts, width=2)


def _space(found: MountInForce) -> list[Cell]:
    """The file system, its free space and inodes."""
    parts: list[Cell] = [(f"{found.filesystem}  ", "dim")]
    free = share_of(found.free, found.total)
    if found.free is not None:
        words = f"{units.size(found.free)} free of {units.size(found.total)}"
        words += f" ({units.percent(free)})" if free is not None else ""
        parts.append((words, _level(free)))
    inodes = share_of(found.inodes_free, found.inodes)
    if found.inodes:
        words = f"   inodes {units.percent(inodes)} free"
        parts.append((words, _level(inodes) or "dim"))
    return parts


def _level(free: float | None) -> Style:
    if free is None or free >= _LOW:
        return ""
    return "critical" if free < _OUT else "warning"


def _may_write(mount: Mapping[str, Any], found: MountInForce) -> list[Line]:
    owner = ""
    if found.owner is not None:
        owner = f"owner {found.owner}:{'-' if found.group is None else found.group}"
        owner += f" mode {found.mode & 0o7777:04o}" if found.mode is not None else ""
    if found.writable is None:
        return [_row((owner, "dim"))] if owner else []
    wanted = reading.truth(mount, "RW")
    why = ": " + found.why if found.why else ""
    if found.writable:
        return [_row(f"it can write{why}", (f"   {owner}", "dim"))]
    style: Style = "warning" if wanted else "dim"
    return [_row((f"it cannot write{why}", style), (f"   {owner}", "dim"))]


def _amiss(mount: Mapping[str, Any], found: MountInForce | None) -> list[Line]:
    out: list[Line] = []
    kind, writable = reading.text(mount, "Type"), reading.truth(mount, "RW")
    if kind == "bind":
        style, why = risk(reading.text(mount, "Source"), writable=writable)
        if why:
            out.append(_row((f"{_MARKS[style]}{why}", style or "dim")))
    name = reading.text(mount, "Name")
    if kind == "volume" and _anonymous(name):
        words = "anonymous: a new container starts with an empty one, `rm -v` deletes it"
        out.append(_row((words, "dim")))
    if found is not None and writable and found.read_only:
        words = f"configured writable, mounted read-only ({found.options})"
        out.append(_row((f"x {words}", "critical")))
    return out


def _further(subject: Subject, declared: set[str]) -> list[Line]:
    """Mounts that the kernel shows and nobody declared: made later, or by the program itself."""
    known = reading.in_force(subject)
    rows: list[list[Cell]] = []
    for each in known.mounts if known else ():
        own = each.target == "/" or each.target.startswith(_ENGINES_OWN)
        if not own and each.target not in declared:
            mode = "ro" if each.read_only else "rw"
            rows.append([each.target, each.filesystem, mode, (each.source, "dim")])
    if not rows:
        return []
    head = heading("Mounted as well", "not in its configuration")
    return [BLANK, head, *table(["TARGET", "FILE SYSTEM", "MODE", "SOURCE"], rows)]


def _own(subject: Subject, width: int) -> list[Line]:
    """The writable layer, the log file and the root file system's free space."""
    document, sizes = reading.inspected(subject), subject.sizes.value
    found = reading.mount_in_force(subject, "/")
    read_only = reading.truth(document, "HostConfig", "ReadonlyRootfs")
    driver = reading.text(document, "GraphDriver", "Name") or reading.text(document, "Driver")
    out = [heading("Its own files", "removed with it")]
    written = units.size(sizes.writable if sizes else None)
    mode = "read-only" if read_only else "written to the writable layer"
    out.append(field("writable layer", (written, "value"), (f"  {mode}", "dim")))
    if sizes is not None and sizes.root is not None:
        out.append(field("with its image", units.size(sizes.root)))
    if driver or found is not None:
        parts: list[Cell] = [(driver + "  ", "dim")] if driver else []
        out.append(field("file system", *parts, *(_space(found) if found else [])))
    detail = subject.container.detail
    log = detail.log_driver if detail else ""
    log = reading.text(document, "HostConfig", "LogConfig", "Type") or log
    path = reading.text(document, "LogPath") or (detail.log_path if detail else "")
    size = units.size(sizes.log_file if sizes else None)
    shown = reading.path(path, width - 40)
    out.append(field("log file", (size, "value"), (f"  {log}  ", "dim"), shown))
    return out


PANEL: Final = Panel("mounts", "Mounts", ("inspect", "in_force", "sizes"), render)
