"""Images, volumes, networks and disk use, as far as the console browses them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Image:
    """One image of the engine's store. Sizes in bytes, ``created`` Unix seconds.

    ``shared`` is ``None`` unless disk use has been asked for. ``tags`` is empty for a dangling one.
    """

    id: str
    tags: tuple[str, ...]
    digests: tuple[str, ...] = ()
    created: float = 0.0
    size: int = 0
    shared: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def dangling(self) -> bool:
        """No tag points at it."""
        return not self.tags


@dataclass(frozen=True, slots=True)
class ImageDetail:
    """One image's inspect document and its history, newest layer first, as the API gives them."""

    inspect: Mapping[str, Any]
    history: tuple[Mapping[str, Any], ...] = ()
    newer: str = ""
    """Id that the container's image reference names now, when that is another image."""


@dataclass(frozen=True, slots=True)
class Volume:
    """One volume; ``size`` (bytes) and ``references`` only once disk use has been read."""

    name: str
    driver: str = ""
    mountpoint: str = ""
    created: float = 0.0
    labels: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None
    references: int | None = None

    @property
    def anonymous(self) -> bool:
        """Made by an image's VOLUME or ``-v /path``: named by 64 hexadecimal digits."""
        return len(self.name) == 64 and all(c in "0123456789abcdef" for c in self.name)


@dataclass(frozen=True, slots=True)
class Network:
    """One network; ``subnets`` as written in its IPAM configuration."""

    id: str
    name: str
    driver: str = ""
    scope: str = ""
    internal: bool = False
    subnets: tuple[str, ...] = ()
    created: float = 0.0
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def predefined(self) -> bool:
        """Made by the engine itself; it cannot be removed."""
        return self.name in ("bridge", "host", "none", "podman")


@dataclass(frozen=True, slots=True)
class DiskUse:
    """The engine's own account of its disk: (kind, objects, in use, bytes, reclaimable bytes)."""

    rows: tuple[tuple[str, int, int, int, int], ...]
    images: tuple[Image, ...] = ()
    volumes: tuple[Volume, ...] = ()
    layers: int = 0
