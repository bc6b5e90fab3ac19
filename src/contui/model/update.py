"""Updates: the closed set of changes that feeds send to the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contui.model.container import Container
from contui.model.event import EngineEvent
from contui.model.feed import FeedStatus
from contui.model.host import EngineInfo, HostSample
from contui.model.log import Gap, LogLine
from contui.model.resource import Resource
from contui.model.sample import Sample


@dataclass(frozen=True, slots=True)
class Listed:
    """The complete list of containers; those not in it are gone."""

    containers: Sequence[Container]


@dataclass(frozen=True, slots=True)
class Changed:
    """One container is new or has changed."""

    container: Container


@dataclass(frozen=True, slots=True)
class Gone:
    """One container was removed."""

    id: str


@dataclass(frozen=True, slots=True)
class Sampled:
    """One sweep of stats, by container id; ``source`` says where they were read."""

    samples: Mapping[str, Sample]
    source: str


@dataclass(frozen=True, slots=True)
class Happened:
    """An engine event."""

    event: EngineEvent


@dataclass(frozen=True, slots=True)
class Logged:
    """Lines of one container's log, in order; a gap where some were lost. ``restart`` empties the
    log first.
    """

    id: str
    lines: Sequence[LogLine | Gap]
    restart: bool = False


@dataclass(frozen=True, slots=True)
class Fetched:
    """A resource: ``kind`` and the id of what it is about (``""`` for the whole engine)."""

    kind: str
    id: str
    resource: Resource[object]


@dataclass(frozen=True, slots=True)
class FeedChanged:
    """A feed's state."""

    feed: str
    status: FeedStatus


@dataclass(frozen=True, slots=True)
class HostSampled:
    """A reading of the host."""

    sample: HostSample


@dataclass(frozen=True, slots=True)
class Connected:
    """The engine answered and said what it is."""

    info: EngineInfo


@dataclass(frozen=True, slots=True)
class Acting:
    """An action on an object is under way; ``verb`` is ``""`` when it has ended."""

    id: str
    verb: str


Update = (
    Listed
    | Changed
    | Gone
    | Sampled
    | Happened
    | Logged
    | Fetched
    | FeedChanged
    | HostSampled
    | Connected
    | Acting
)
