"""A value that is fetched: on its way, here, out of date, or failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Resource(Generic[T_co]):
    """The last value, when it was read (Unix seconds) and what is wrong with reading it now.

    Neither value nor error: loading. Both: stale.
    """

    value: T_co | None = None
    at: float = 0.0
    error: str = ""
    hint: str = ""

    @property
    def loading(self) -> bool:
        """Nothing has come back yet."""
        return self.value is None and not self.error

    @property
    def stale(self) -> bool:
        """There is a value, but the last attempt to read it again failed."""
        return self.value is not None and bool(self.error)

    @property
    def failed(self) -> bool:
        """There is no value and the attempt failed."""
        return self.value is None and bool(self.error)
