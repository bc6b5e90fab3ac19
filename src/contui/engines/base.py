"""What every engine can do, as the layers above see it.

An engine returns model values, raises only :class:`~contui.model.errors.EngineError` and holds no
policy: no retries, no caching, no refresh loops. Deadlines are its own only where a call could
otherwise wait for ever.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Literal, Protocol

from contui.model.action import Action
from contui.model.container import Container
from contui.model.endpoint import Endpoint
from contui.model.event import EngineEvent
from contui.model.host import EngineInfo
from contui.model.log import LogLine, LogWindow
from contui.model.sample import Sample

StatsWay = Literal["stream", "once", "all"]


class Terminal(Protocol):
    """A running exec or attach: bytes both ways, and the size of the window."""

    async def read(self) -> bytes:
        """What the process wrote; ``b""`` at its end."""

    async def write(self, data: bytes) -> None:
        """Give it input."""

    async def resize(self, columns: int, rows: int) -> None:
        """Tell it the size of the window; quiet when the process has already ended."""

    async def close(self) -> int | None:
        """Let go of it; the exit code where it has one."""


class Sampler(Protocol):
    """Reads one container's counters directly from the kernel."""

    def sample(self) -> Sample:
        """One reading. Raises ProcessLookupError when the container is gone."""

    def close(self) -> None:
        """Let go of the files it keeps open."""


class Engine(Protocol):
    """One endpoint's runtime."""

    endpoint: Endpoint

    async def connect(self) -> EngineInfo:
        """Negotiate the API version and read what the engine says of itself."""

    async def ping(self) -> None:
        """Ask for a sign of life, within 3 s."""

    async def containers(self) -> list[Container]:
        """All containers, running or not, without their details."""

    async def inspect(self, container: Container) -> tuple[Container, Mapping[str, Any]]:
        """The container completed by its inspect document, and the document itself."""

    def events(self, since_ns: int) -> AsyncIterator[EngineEvent]:
        """Events from a Unix time in nanoseconds (0: from now), without end."""

    def logs(self, container: Container, window: LogWindow) -> AsyncIterator[list[LogLine]]:
        """The log's window and then, while the container runs, what follows; in batches.

        Raises EngineUnsupported when the log driver keeps nothing that can be read.
        """

    @property
    def stats_way(self) -> StatsWay:
        """The cheapest way to the engine's own readings: :meth:`stats` for each container,
        :meth:`stats_once` for each, or :meth:`stats_all`.
        """

    def stats(self, id: str) -> AsyncIterator[Sample]:
        """The engine's own readings, about one a second."""

    async def stats_once(self, id: str) -> Sample:
        """One reading of the engine's own, at once."""

    def stats_all(self) -> AsyncIterator[Mapping[str, Sample]]:
        """The engine's own readings of all running containers by id, about one a second."""

    def sampler(self, container: Container) -> Sampler | None:
        """Direct readings, where the container is a process of this machine."""

    async def fetch(self, kind: str, id: str) -> object:
        """A resource by kind: inspect, in_force, processes, image, sizes, images, volumes,
        networks, disk, changes...
        """

    async def act(self, action: Action) -> str:
        """Do it. Returns what the engine had to say (a warning, what was reclaimed)."""

    async def exec(
        self, id: str, command: Sequence[str], *, user: str, directory: str, size: tuple[int, int]
    ) -> Terminal:
        """Start a command on a terminal inside a running container."""

    async def attach(self, id: str, size: tuple[int, int]) -> Terminal:
        """Connect to the container's own standard streams."""

    async def close(self) -> None:
        """Close every connection."""
