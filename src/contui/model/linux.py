"""What the kernel has in force for one running container, read from /proc and its cgroups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Credentials:
    """Of the container's first process, from /proc/PID/status (proc_pid_status(5)).

    Capability sets are bit masks; ``seccomp`` is 0 off, 1 strict, 2 filter.
    ``uid`` and ``gid`` are the effective ids as the host sees them.
    """

    uid: int
    gid: int
    groups: tuple[int, ...]
    cap_effective: int
    cap_bounding: int
    cap_permitted: int
    cap_inheritable: int
    cap_ambient: int
    no_new_privileges: bool
    seccomp: int
    lsm_label: str = ""
    uid_map: tuple[tuple[int, int, int], ...] = ()
    """Rows of /proc/PID/uid_map: inside, outside, count."""


@dataclass(frozen=True, slots=True)
class LimitInForce:
    """One cgroup limit. ``limit`` is ``None`` when unlimited; ``None`` elsewhere: not reported.

    ``key`` is memory, memory_reservation, swap, cpu, cpu_weight, cpuset or pids. Memory and swap
    are bytes, cpu is cores, ``hits`` counts how often the kernel enforced it (OOM kills, throttled
    periods, refused forks). ``source`` names the file the limit was read from.
    """

    key: str
    limit: float | str | None
    used: float | None = None
    peak: float | None = None
    hits: int | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Ulimit:
    """A row of /proc/PID/limits: ``None`` is unlimited; ``used`` only where it can be counted."""

    name: str
    soft: int | None
    hard: int | None
    unit: str = ""
    used: int | None = None


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening TCP socket or a bound UDP socket in the container's network namespace."""

    protocol: str
    address: str
    port: int
    uid: int = 0


@dataclass(frozen=True, slots=True)
class Interface:
    """One network interface's counters, from /proc/PID/net/dev."""

    name: str
    rx_bytes: int
    tx_bytes: int
    rx_errors: int
    tx_errors: int
    rx_dropped: int
    tx_dropped: int


@dataclass(frozen=True, slots=True)
class MountInForce:
    """A mount point as the container sees it. Sizes in bytes; ``None``: not reported.

    ``writable`` is whether the container's first process can write at ``target``; ``why`` says
    what decided it (read-only mount, owner and mode, ...).
    """

    target: str
    filesystem: str
    source: str
    options: str
    read_only: bool
    propagation: str = ""
    total: int | None = None
    free: int | None = None
    inodes: int | None = None
    inodes_free: int | None = None
    owner: int | None = None
    group: int | None = None
    mode: int | None = None
    writable: bool | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a container. ``cpu`` is cores since the last reading, or ``None``."""

    pid: int
    parent: int
    user: str
    state: str
    command: str
    cpu: float | None = None
    memory: int | None = None
    threads: int | None = None
    files: int | None = None
    files_limit: int | None = None
    started_at: float = 0.0


@dataclass(frozen=True, slots=True)
class InForce:
    """Everything the kernel tells of one running container.

    ``namespaces`` maps a namespace to True when the container shares it with the host.
    ``connections`` counts TCP sockets by state. ``missing`` names what could not be read, and why.
    """

    pid: int
    cgroup_version: int
    credentials: Credentials | None = None
    limits: tuple[LimitInForce, ...] = ()
    ulimits: tuple[Ulimit, ...] = ()
    oom_score_adj: int | None = None
    namespaces: Mapping[str, bool] = field(default_factory=dict)
    listeners: tuple[Listener, ...] = ()
    connections: Mapping[str, int] = field(default_factory=dict)
    interfaces: tuple[Interface, ...] = ()
    mounts: tuple[MountInForce, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
