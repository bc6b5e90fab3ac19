"""The kernel's capabilities: what each allows, and what that means for the host.

Numbers are those of linux/capability.h, meanings follow capabilities(7). The risk is that of a
process that is root in a container: *critical* is a known way to take over the host, *high* breaks
a border between container and host or network, *medium* helps an attack, *low* is bounded by the
container's own namespaces.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Risk = Literal["low", "medium", "high", "critical"]
RISKS: Final[tuple[Risk, ...]] = ("critical", "high", "medium", "low")


@dataclass(frozen=True, slots=True)
class Capability:
    """One capability; ``name`` without ``CAP_``."""

    number: int
    name: str
    meaning: str
    risk: Risk


_ROWS: Final[tuple[tuple[str, Risk, str], ...]] = (
    ("CHOWN", "low", "give any file to any owner"),
    ("DAC_OVERRIDE", "medium", "read and write any file, whatever its mode says"),
    ("DAC_READ_SEARCH", "critical", "open host files by handle: the way out known as shocker"),
    ("FOWNER", "low", "act as the owner of any file: chmod, utime, ACLs"),
    ("FSETID", "low", "keep setuid and setgid bits when a file is changed"),
    ("KILL", "low", "signal any process it can see"),
    ("SETGID", "low", "become any group"),
    ("SETUID", "low", "become any user"),
    ("SETPCAP", "low", "hand its capabilities on, drop them from the bounding set"),
    ("LINUX_IMMUTABLE", "low", "set files immutable or append-only"),
    ("NET_BIND_SERVICE", "low", "listen on ports below 1024"),
    ("NET_BROADCAST", "low", "broadcast and multicast (unused by the kernel)"),
    ("NET_ADMIN", "high", "change addresses, routes, firewall; of the host in its network"),
    ("NET_RAW", "medium", "raw sockets: ping, but also spoofed packets and ARP poisoning"),
    ("IPC_LOCK", "low", "lock memory so that it is never swapped"),
    ("IPC_OWNER", "low", "use any System V IPC object"),
    ("SYS_MODULE", "critical", "load kernel modules: full control of the host"),
    ("SYS_RAWIO", "critical", "ports, /dev/mem and raw disk commands: full control of the host"),
    ("SYS_CHROOT", "low", "chroot, enter mount namespaces"),
    ("SYS_PTRACE", "high", "read and change other processes; of the host with its pid namespace"),
    ("SYS_PACCT", "low", "switch process accounting"),
    ("SYS_ADMIN", "critical", "mount, namespaces, quotas and much more: nearly root on the host"),
    ("SYS_BOOT", "high", "reboot, load another kernel with kexec"),
    ("SYS_NICE", "low", "raise priorities, real-time scheduling, pin processes to CPUs"),
    ("SYS_RESOURCE", "medium", "exceed ulimits, quotas and reserved space"),
    ("SYS_TIME", "high", "set the clock of the host"),
    ("SYS_TTY_CONFIG", "low", "configure and hang up terminals"),
    ("MKNOD", "medium", "make device files; opening them needs the device cgroup's leave"),
    ("LEASE", "low", "leases on any file"),
    ("AUDIT_WRITE", "low", "write to the kernel's audit log"),
    ("AUDIT_CONTROL", "high", "switch off auditing, change its rules"),
    ("SETFCAP", "low", "give capabilities to program files"),
    ("MAC_OVERRIDE", "high", "override mandatory access control (Smack)"),
    ("MAC_ADMIN", "high", "change mandatory access control (AppArmor, Smack)"),
    ("SYSLOG", "medium", "read the kernel log and kernel addresses"),
    ("WAKE_ALARM", "low", "timers that wake the machine"),
    ("BLOCK_SUSPEND", "low", "keep the machine from sleeping"),
    ("AUDIT_READ", "medium", "read the audit log of the host"),
    ("PERFMON", "medium", "performance counters and tracing, kernel memory among it"),
    ("BPF", "high", "load BPF programs into the kernel"),
    ("CHECKPOINT_RESTORE", "medium", "checkpoint and restore processes, choose their pids"),
)

CAPABILITIES: Final = tuple(
    Capability(number, name, meaning, risk) for number, (name, risk, meaning) in enumerate(_ROWS)
)
ALL: Final = frozenset(range(len(CAPABILITIES)))
_NUMBERS: Final = {each.name: each.number for each in CAPABILITIES}

DEFAULT: Final = frozenset(
    _NUMBERS[name]
    for name in (
        "CHOWN",
        "DAC_OVERRIDE",
        "FSETID",
        "FOWNER",
        "MKNOD",
        "NET_RAW",
        "SETGID",
        "SETUID",
        "SETFCAP",
        "SETPCAP",
        "NET_BIND_SERVICE",
        "SYS_CHROOT",
        "KILL",
        "AUDIT_WRITE",
    )
)
"""Docker's default set (moby, oci/caps/defaults.go)."""


def capability(number: int) -> Capability:
    """A capability by its number; one newer than this table has a name made of its number."""
    if 0 <= number < len(CAPABILITIES):
        return CAPABILITIES[number]
    return Capability(number, f"number {number}", "newer than this program", "medium")


def decode(mask: int) -> frozenset[int]:
    """Numbers of the bits of a capability mask, as /proc/PID/status has them (64 bits)."""
    return frozenset(bit for bit in range(64) if mask >> bit & 1)


def asked(add: Iterable[str], drop: Iterable[str], *, privileged: bool) -> frozenset[int]:
    """The set that a configuration asks for (moby, oci/caps/utils.go, TweakCapabilities).

    Names may have the ``CAP_`` prefix or lack it (Podman), in any case; ``ALL`` is every one.
    """
    added, dropped = _names(add), _names(drop)
    if privileged:
        return ALL
    if "ALL" in added:
        return ALL - _known(dropped)
    if "ALL" in dropped:
        return _known(added)
    return (DEFAULT - _known(dropped)) | _known(added)


def _names(names: Iterable[str]) -> set[str]:
    return {name.upper().removeprefix("CAP_") for name in names}


def _known(names: set[str]) -> frozenset[int]:
    return frozenset(_NUMBERS[name] for name in names if name in _NUMBERS)
