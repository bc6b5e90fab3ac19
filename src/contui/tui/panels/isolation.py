"""How a container is kept apart from its host: one fact per border, with what it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from contui.model import capabilities as caps
from contui.model.linux import Credentials, InForce
from contui.tui.document import Style
from contui.tui.panels import reading
from contui.tui.panels.risky import socket_mounts
from contui.tui.panels.subject import Subject

_SECCOMP: Final = {0: "off", 1: "strict", 2: "on: system calls are filtered"}
_NAMESPACES: Final = (
    ("pid", "PidMode", "critical", "sees and can signal every process of the host"),
    ("net", "NetworkMode", "warning", "every port it opens is open on the host"),
    ("ipc", "IpcMode", "warning", "shares System V IPC and /dev/shm with the host"),
    ("uts", "UTSMode", "", "with SYS_ADMIN it can rename the host"),
    ("cgroup", "CgroupnsMode", "", "sees the names of the host's cgroups"),
)


@dataclass(frozen=True)
class Fact:
    """One border: its state, how bad that is, and why."""

    label: str
    value: str
    style: Style = ""
    why: str = ""


@dataclass(frozen=True)
class Posture:
    """What the panel and its advice both need."""

    credentials: Credentials | None
    asked: frozenset[int]
    privileged: bool
    root: bool | None
    """Whether it is root of the host; ``None`` where that is not known."""
    no_new_privileges: bool
    read_only: bool
    unconfined: tuple[str, ...]
    """The security options that switch a confinement off."""
    shared: tuple[str, ...]
    """The namespaces that it was asked to share with the host."""
    facts: tuple[Fact, ...]


def posture(subject: Subject) -> Posture:
    """Read everything once, from the kernel where it is known, else from the configuration."""
    document = reading.inspected(subject)
    host = reading.table_of(document, "HostConfig")
    known = reading.in_force(subject)
    credentials = known.credentials if known else None
    privileged = reading.truth(host, "Privileged")
    if not host and subject.container.detail is not None:
        privileged = subject.container.detail.privileged
    options = [each.replace(":", "=", 1) for each in reading.strings(host, "SecurityOpt")]
    no_new = any(each.split("=")[0] == "no-new-privileges" for each in options) and (
        "no-new-privileges=false" not in options
    )
    no_new = credentials.no_new_privileges if credentials else no_new
    user, root = _user(subject, credentials)
    confinement, unconfined = _confinement(subject, options, credentials, privileged)
    read_only = reading.truth(host, "ReadonlyRootfs")
    namespaces, shared = _namespaces(host, known)
    facts = [
        _privileged(privileged),
        *user,
        _no_new(no_new),
        *confinement,
        Fact("root filesystem", "read-only", "ok")
        if read_only
        else Fact("root filesystem", "writable"),
        *_paths(document, privileged, podman=subject.info.product == "podman"),
        *namespaces,
        *_devices(host, privileged),
        *_sockets(document),
    ]
    if not document and known is None:
        facts = [Fact("privileged", "-", "dim")]
    return Posture(
        credentials=credentials,
        asked=caps.asked(
            reading.strings(host, "CapAdd"), reading.strings(host, "CapDrop"), privileged=privileged
        ),
        privileged=privileged,
        root=root,
        no_new_privileges=no_new,
        read_only=read_only,
        unconfined=unconfined,
        shared=shared,
        facts=tuple(facts),
    )


def _privileged(privileged: bool) -> Fact:
    if not privileged:
        return Fact("privileged", "no", "dim")
    why = "no filter, all capabilities, all devices: root in it is root on the host"
    return Fact("privileged", "yes", "critical", why)


def _no_new(no_new: bool) -> Fact:
    if no_new:
        return Fact("new privileges", "refused (no-new-privileges)", "ok")
    return Fact("new privileges", "allowed", "", "setuid programs can raise what it may do")


def inside(credentials: Credentials) -> int | None:
    """The uid that the container itself sees, through its user namespace (user_namespaces(7))."""
    for first, outside, count in credentials.uid_map:
        if outside <= credentials.uid < outside + count:
            return credentials.uid - outside + first
    return None if credentials.uid_map else credentials.uid


def remapped(credentials: Credentials) -> bool:
    """Whether root inside is somebody else outside."""
    return any(first != outside for first, outside, _ in credentials.uid_map)


def _user(subject: Subject, credentials: Credentials | None) -> tuple[list[Fact], bool | None]:
    document, info = reading.inspected(subject), subject.info
    name = reading.text(document, "Config", "User")
    mapped = info.rootless or any("userns" in each for each in info.security_options)
    mapped = mapped and reading.text(document, "HostConfig", "UsernsMode") != "host"
    if credentials is None:
        if not document:
            return [], None
        root = name.partition(":")[0] in ("", "0", "root")
        shown = f"{name or 'root'} (configured)"
        facts = [
            Fact("user", shown, "warning" if root and not mapped else "", _root_words(root, mapped))
        ]
        return [*facts, _userns(mapped, None)], root and not mapped
    uid, mapped = inside(credentials), remapped(credentials)
    who = name.partition(":")[0] or ("root" if uid == 0 else "")
    shown = f"uid {uid if uid is not None else '-'}" + (
        f" ({who})" if who and who != str(uid) else ""
    )
    if mapped:
        shown += f", uid {credentials.uid} on the host"
    root = uid == 0
    style: Style = "warning" if root and credentials.uid == 0 else ""
    facts = [Fact("user", shown, style, _root_words(root, mapped))]
    return [*facts, _userns(mapped, credentials)], credentials.uid == 0


def _root_words(root: bool, mapped: bool) -> str:
    if not root:
        return ""
    return "root only inside" if mapped else "root of the host, if it gets out"


def _userns(mapped: bool, credentials: Credentials | None) -> Fact:
    if not mapped:
        return Fact("user namespace", "the host's", "", "uid 0 inside is uid 0 of the host")
    rows = credentials.uid_map[:4] if credentials else ()
    words = ", ".join(f"{first}-{first + count - 1} is {out} on" for first, out, count in rows)
    return Fact("user namespace", "its own", "ok", words)


def _confinement(
    subject: Subject, options: Sequence[str], credentials: Credentials | None, privileged: bool
) -> tuple[list[Fact], tuple[str, ...]]:
    values = {name: value for name, _, value in (each.partition("=") for each in options)}
    off = tuple(each for each in options if each.endswith("=unconfined") or each == "label=disable")
    document = reading.inspected(subject)
    if not document and credentials is None:
        return [], ()
    facts = []
    asked = values.get("seccomp", "")
    profile = "unconfined" if asked == "unconfined" or privileged else "a profile of its own"
    profile = profile if asked or privileged else "the engine's default profile"
    if credentials is None:
        facts.append(Fact("seccomp", profile, "warning" if profile == "unconfined" else ""))
    else:
        state = _SECCOMP.get(credentials.seccomp, str(credentials.seccomp))
        why = "every system call is open to it" if credentials.seccomp == 0 else profile
        facts.append(Fact("seccomp", state, "warning" if credentials.seccomp == 0 else "", why))
    facts += _mandatory(subject, document, values, credentials)
    return facts, off


def _mandatory(
    subject: Subject,
    document: Mapping[str, Any],
    values: Mapping[str, str],
    credentials: Credentials | None,
) -> list[Fact]:
    """AppArmor and SELinux, each only where the host has it or the document names it."""
    has = " ".join(subject.info.security_options)
    label = credentials.lsm_label if credentials else ""
    profile = reading.text(document, "AppArmorProfile") or values.get("apparmor", "")
    selinux = reading.text(document, "ProcessLabel")
    facts = []
    if "apparmor" in has or (profile and profile != "unconfined"):
        shown = label or profile or "-"
        off = shown.startswith("unconfined")
        facts.append(Fact("AppArmor", shown, "warning" if off else "", "it is off" if off else ""))
    if "selinux" in has or selinux:
        shown = label or selinux or "unconfined"
        off = "unconfined" in shown or "spc_t" in shown or values.get("label") == "disable"
        facts.append(Fact("SELinux", shown, "warning" if off else ""))
    if not facts:
        facts.append(Fact("AppArmor, SELinux", "none", "dim", "the engine names neither"))
    return facts


def _paths(document: Mapping[str, Any], privileged: bool, *, podman: bool) -> list[Fact]:
    masked = reading.get(document, "HostConfig", "MaskedPaths")
    locked = reading.get(document, "HostConfig", "ReadonlyPaths")
    if not document:
        return []
    if not masked and not locked:
        # Podman and engines before API 1.38 do not report them.
        unsure = masked is None and not privileged
        why = "not reported" if unsure else "all of /proc and /sys is open to it"
        return [
            Fact("masked paths", "-" if unsure else "none", "dim" if unsure else "warning", why)
        ]
    count = len(reading.items(document, "HostConfig", "MaskedPaths"))
    read_only = len(reading.items(document, "HostConfig", "ReadonlyPaths"))
    return [Fact("masked paths", f"{count} hidden, {read_only} read-only", "dim")]


def _namespaces(
    host: Mapping[str, Any], known: InForce | None
) -> tuple[list[Fact], tuple[str, ...]]:
    if not host and known is None:
        return [], ()
    facts, shared, own = [], [], []
    for name, key, style, why in _NAMESPACES:
        mode = reading.text(host, key)
        actual = known.namespaces.get(name) if known else None
        if mode == "host" or actual:
            facts.append(Fact(f"{name} namespace", "the host's", style, why))  # type: ignore[arg-type]
            shared += [name] if mode == "host" else []
        elif mode.startswith("container:"):
            whose = mode.partition(":")[2][:12]
            facts.append(Fact(f"{name} namespace", f"that of container {whose}"))
        else:
            own.append(name)
    if own:
        facts.append(Fact("own namespaces", ", ".join(own), "dim"))
    return facts, tuple(shared)


def _devices(host: Mapping[str, Any], privileged: bool) -> list[Fact]:
    if privileged:
        return [Fact("devices", "all of the host's", "critical")]
    facts = []
    for entry in reading.items(host, "Devices"):
        path = reading.text(entry, "PathOnHost")
        style, why = _device_risk(path)
        rights = reading.text(entry, "CgroupPermissions")
        facts.append(Fact("device", f"{path} {rights}", style, why))
    facts += [
        Fact("device rule", rule, "warning" if rule.startswith(("a", "b")) else "")
        for rule in reading.strings(host, "DeviceCgroupRules")
    ]
    for entry in reading.items(host, "DeviceRequests"):
        driver = reading.text(entry, "Driver") or "gpu"
        count = reading.number(entry, "Count")
        facts.append(Fact("devices", f"{driver}: {'all' if count == -1 else count or 'some'}"))
    return facts or ([Fact("devices", "none", "dim")] if host else [])


def _device_risk(path: str) -> tuple[Style, str]:
    disks = (
        "/dev/sd",
        "/dev/vd",
        "/dev/xvd",
        "/dev/nvme",
        "/dev/dm-",
        "/dev/mapper",
        "/dev/mmcblk",
    )
    if path.startswith(disks):
        return "critical", "a disk of the host: it can read and change every file"
    if path in ("/dev/mem", "/dev/kmem", "/dev/port", "/dev/kmsg"):
        return "critical", "memory of the kernel"
    if path in ("/dev/fuse", "/dev/kvm", "/dev/net/tun"):
        return "warning", ""
    return "", ""


def _sockets(document: Mapping[str, Any]) -> list[Fact]:
    words = "whoever controls this container is root on the host; :ro does not help"
    return [Fact("engine socket", path, "critical", words) for path in socket_mounts(document)]
