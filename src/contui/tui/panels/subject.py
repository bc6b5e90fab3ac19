"""What a panel is about: one container and everything known of it, and how panels are declared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contui.model.container import Container
from contui.model.event import EngineEvent
from contui.model.host import EngineInfo, Sizes
from contui.model.image import ImageDetail
from contui.model.linux import InForce, Process
from contui.model.resource import Resource
from contui.model.sample import Sample
from contui.tui.document import Line


@dataclass(frozen=True)
class Subject:
    """One container with all that the store holds of it at one moment.

    ``inspect`` is the engine's whole document. ``in_force`` is what the local kernel says; for a
    remote engine or a container that does not run it has failed, with the reason. ``samples`` and
    ``events`` are oldest first. ``revealed`` holds the secrets (by :attr:`Span.reveal`) to show.
    """

    container: Container
    now: float
    info: EngineInfo = field(default_factory=EngineInfo)
    inspect: Resource[Mapping[str, Any]] = field(default_factory=Resource)
    in_force: Resource[InForce] = field(default_factory=Resource)
    processes: Resource[tuple[Process, ...]] = field(default_factory=Resource)
    image: Resource[ImageDetail] = field(default_factory=Resource)
    sizes: Resource[Sizes] = field(default_factory=Resource)
    samples: Sequence[Sample] = ()
    events: Sequence[EngineEvent] = ()
    containers: Mapping[str, Container] = field(default_factory=dict)
    revealed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Panel:
    """A panel's declaration. ``wants`` names the resources to keep fresh while it is visible:
    any of ``inspect``, ``in_force``, ``processes``, ``image``, ``sizes``.

    ``render`` draws it for a subject at a width in cells; it must not raise for any subject.
    """

    id: str
    title: str
    wants: tuple[str, ...]
    render: Callable[[Subject, int], list[Line]]
