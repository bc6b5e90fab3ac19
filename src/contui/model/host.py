"""The engine and the host it runs on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What the engine says of itself: versions, drivers, size of the host (bytes), warnings."""

    product: str = "docker"
    version: str = ""
    api_version: str = ""
    name: str = ""
    os: str = ""
    kernel: str = ""
    architecture: str = ""
    cpus: int = 0
    memory: int = 0
    root_dir: str = ""
    storage_driver: str = ""
    logging_driver: str = ""
    cgroup_driver: str = ""
    cgroup_version: str = ""
    runtimes: tuple[str, ...] = ()
    default_runtime: str = ""
    security_options: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    live_restore: bool = False
    rootless: bool = False
    local: bool = False
    """Whether its containers are processes of the machine that contui runs on."""


UNKNOWN: Final = EngineInfo()
"""Before the engine has answered."""


@dataclass(frozen=True, slots=True)
class HostSample:
    """The host at one moment: CPU 0..1 of all cores, bytes. ``None``: not reported."""

    at: float
    cpu: float | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    disk_used: int | None = None
    disk_total: int | None = None
    load: float | None = None


@dataclass(frozen=True, slots=True)
class Sizes:
    """Disk use of one container, bytes. ``None``: not reported.

    ``volumes`` maps the names of its volumes to their size.
    """

    writable: int | None = None
    root: int | None = None
    log_file: int | None = None
    volumes: tuple[tuple[str, int | None], ...] = ()
