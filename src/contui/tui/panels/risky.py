"""Paths of the host that give a container more than files."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any, Final

from contui.tui.document import Style
from contui.tui.panels import reading

_SOCKETS: Final = ("docker.sock", "containerd.sock", "podman.sock", "crio.sock")
_HOLDS_SOCKETS: Final = frozenset({"/", "/run", "/var/run", "/var"})
_PATHS: Final[tuple[tuple[str, bool, str], ...]] = (
    ("/", False, "the whole host"),
    ("/etc", True, "accounts, keys and services of the host"),
    ("/proc", True, "the kernel's settings and every process of the host"),
    ("/sys", True, "the kernel's devices and settings"),
    ("/dev", True, "every device of the host"),
    ("/boot", True, "the kernel that the host starts"),
    ("/root", True, "root's files and keys"),
    ("/home", False, "files and keys of all users"),
    ("/var/lib/docker", True, "the files of every container and image"),
    ("/var/lib/containers", True, "the files of every container and image"),
    ("/run", False, "sockets of the host's services"),
    ("/var/run", False, "sockets of the host's services"),
    ("/usr", False, "programs that the host runs"),
    ("/lib", False, "libraries that the host runs"),
    ("/var", False, "logs and state of the host"),
)
"""Path, whether what lies below it counts as well, and what it is."""
_HARMLESS: Final = frozenset(
    {"/etc/localtime", "/etc/timezone", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"}
)


def is_socket(path: str) -> bool:
    """Whether a path is an engine's socket, or a directory that holds one."""
    return path.endswith(_SOCKETS) or (
        posixpath.normpath(path) in _HOLDS_SOCKETS if path else False
    )


def socket_mounts(document: Mapping[str, Any]) -> list[str]:
    """Sources of bind mounts through which an engine can be reached."""
    return [
        reading.text(each, "Source")
        for each in reading.items(document, "Mounts")
        if reading.text(each, "Type") == "bind" and is_socket(reading.text(each, "Source"))
    ]


def risk(source: str, *, writable: bool) -> tuple[Style, str]:
    """How bad it is to bind mount a path of the host, and why; ``("", "")`` if it is not."""
    if not source:
        return "", ""
    path = posixpath.normpath(source)
    if path.endswith(_SOCKETS):
        words = "an engine's socket: whoever controls this container is root on the host"
        return "critical", words + ("" if writable else "; read-only does not help")
    if path in _HARMLESS and not writable:
        return "", ""
    for risky, below, what in _PATHS:
        if path == risky or (below and path.startswith(risky.rstrip("/") + "/")):
            if writable:
                top = path == risky and risky in ("/", "/etc", "/dev", "/boot", "/proc")
                return ("critical" if top else "warning"), f"it can change {what}"
            return "warning" if path == risky else "", f"it can read {what}"
    return "", ""
