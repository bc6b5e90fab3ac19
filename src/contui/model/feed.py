"""Feeds: supervised flows from an engine into the store, and how they fare."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FeedState(StrEnum):
    """The life of a feed."""

    STARTING = "starting"
    LIVE = "live"
    STALLED = "stalled"
    RETRYING = "retrying"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """State of one feed; ``retry_at`` is a Unix time, ``reason`` and ``hint`` are for people."""

    state: FeedState
    reason: str = ""
    hint: str = ""
    retry_at: float = 0.0
