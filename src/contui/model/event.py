"""What engines report as it happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class EngineEvent:
    """One engine event. ``kind`` is container, image, volume, network, daemon...

    ``action`` is the engine's verb (``start``, ``die``, ``health_status: unhealthy``); ``id`` and
    ``name`` are those of the object. ``inferred`` marks a change that was not reported but
    concluded from two lists, after the feed had been interrupted.
    """

    time_ns: int
    kind: str
    action: str
    id: str
    name: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    inferred: bool = False
