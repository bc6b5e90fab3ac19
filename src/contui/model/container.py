"""A container as the engine reports it: the list entry, completed by its inspect document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Port:
    """A container port, and the host address it is published on (``public`` 0: only exposed)."""

    private: int
    protocol: str = "tcp"
    address: str = ""
    public: int = 0


@dataclass(frozen=True, slots=True)
class Probe:
    """One kept health probe: Unix times in seconds, exit code and what it printed."""

    start: float
    end: float
    exit_code: int
    output: str


@dataclass(frozen=True, slots=True)
class Detail:
    """What only the inspect document tells. Times are Unix seconds, 0 for never; sizes bytes.

    Limits are ``None`` where none is set. ``cpu_limit`` is in cores.
    """

    pid: int = 0
    started_at: float = 0.0
    finished_at: float = 0.0
    exit_code: int = 0
    oom_killed: bool = False
    error: str = ""
    restart_count: int = 0
    restart_policy: str = "no"
    restart_maximum: int = 0
    memory_limit: int | None = None
    cpu_limit: float | None = None
    pids_limit: int | None = None
    tty: bool = False
    open_stdin: bool = False
    log_driver: str = ""
    log_path: str = ""
    user: str = ""
    network_mode: str = ""
    failing_streak: int = 0
    probes: tuple[Probe, ...] = ()
    privileged: bool = False


@dataclass(frozen=True, slots=True)
class Container:
    """One container. ``detail`` is ``None`` until it has been inspected.

    ``state`` is the engine's word: created, running, paused, restarting, removing, exited, dead.
    ``health`` is ``""`` where no check is defined, else starting, healthy or unhealthy.
    ``created`` is Unix seconds.
    """

    id: str
    name: str
    image: str = ""
    image_id: str = ""
    command: str = ""
    created: float = 0.0
    state: str = "created"
    status: str = ""
    health: str = ""
    ports: tuple[Port, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    networks: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()
    """Names of volumes and host paths that it mounts."""
    detail: Detail | None = None

    @property
    def short_id(self) -> str:
        """The first twelve characters of the id, as the docker CLI shows it."""
        return self.id[:12]

    @property
    def running(self) -> bool:
        """Whether it has processes: running, paused or about to be restarted is not."""
        return self.state in ("running", "paused")

    @property
    def project(self) -> str:
        """The compose project, or ``""``."""
        return self.labels.get("com.docker.compose.project", "") or self.labels.get(
            "io.podman.compose.project", ""
        )

    @property
    def service(self) -> str:
        """The compose service, or ``""``."""
        return self.labels.get("com.docker.compose.service", "")
