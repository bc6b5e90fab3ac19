"""The rows of a log view: several logs merged in time order, filtered and searched.

Rows have numbers that never change while they are kept, so a scroll position, a hit or a mark
survives lines that arrive or are evicted.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from contui.model.log import Gap, LogLine, Std
from contui.store.logs import LogBuffer
from contui.store.query import expression

KEPT: Final = 200_000
"""Rows kept in a merged view."""
_SLACK: Final = 20_000
_LATE: Final = 5_000
"""How far back a line that arrives late is put in its place."""


@dataclass(frozen=True, slots=True)
class Source:
    """One container's log in the view."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class LogRow:
    """A line, and which source it is from."""

    source: int
    entry: LogLine | Gap

    @property
    def time_ns(self) -> int:
        """Its time; 0 where it has none."""
        return self.entry.time_ns if isinstance(self.entry, LogLine) else 0

    @property
    def text(self) -> str:
        """Its raw text."""
        if isinstance(self.entry, LogLine):
            return self.entry.text
        return f"{self.entry.lines} lines are missing: {self.entry.reason}"


Test = Callable[[str], bool]


def text_test(query: str) -> Test | None:
    """What a search or filter text means: ``/regex/``, ``!not``, else words in any case.

    ``None`` for an empty one. Raises ValueError with a sentence for a broken expression.
    """
    query = query.strip()
    if not query:
        return None
    if query.startswith("!"):
        inner = text_test(query[1:])
        return None if inner is None else lambda text: not inner(text)
    wanted = pattern(query)
    return lambda text: wanted.search(text) is not None


def pattern(query: str) -> re.Pattern[str]:
    """The regular expression of a search text, for finding where it matches."""
    query = query.strip().removeprefix("!")
    if len(query) > 1 and query.startswith("/") and query.endswith("/"):
        return expression(query[1:-1])
    return re.compile(re.escape(query), re.IGNORECASE)


class LogModel:
    """What a log view shows. :meth:`pull` takes in what has arrived in the buffers."""

    def __init__(self) -> None:
        self.sources: tuple[Source, ...] = ()
        self._buffers: list[LogBuffer] = []
        self._positions: list[tuple[int, int]] = []
        self._rows: list[LogRow] = []
        self.base = 0
        """Number of the first row kept."""
        self._shown: list[int] | None = None
        self._hits: list[int] = []
        self._filter: Test | None = None
        self._search: Test | None = None
        self.std: Std | None = None

    def open(self, sources: Sequence[tuple[Source, LogBuffer]]) -> None:
        """Show other logs."""
        self.sources = tuple(source for source, _ in sources)
        self._buffers = [buffer for _, buffer in sources]
        self._restart()

    def _restart(self) -> None:
        self._positions = [(buffer.generation, buffer.first) for buffer in self._buffers]
        self._rows = []
        self.base = 0
        self._hits = []
        self._shown = [] if self._selective else None
        self.pull()

    @property
    def _selective(self) -> bool:
        return self._filter is not None or self.std is not None

    def pull(self) -> int:
        """Take in new lines; how many there were."""
        if any(
            buffer.generation != generation
            for buffer, (generation, _) in zip(self._buffers, self._positions, strict=True)
        ):
            self._restart()
            return len(self._rows)
        fresh: list[LogRow] = []
        for index, buffer in enumerate(self._buffers):
            generation, position = self._positions[index]
            fresh += [LogRow(index, entry) for entry in buffer.since(position)]
            self._positions[index] = (generation, buffer.end)
        count = len(fresh)
        if not count:
            return 0
        start = len(self._rows)
        if len(self._buffers) > 1:
            start = self._make_room(fresh)
            fresh = sorted(self._rows[start:] + fresh, key=lambda row: row.time_ns)
        self._rows[start:] = fresh
        self._index(self.base + start)
        self._evict()
        return count

    def _make_room(self, fresh: list[LogRow]) -> int:
        """Position from which rows must be sorted anew with the fresh ones; what was concluded from
        them is forgotten.
        """
        oldest = min((row.time_ns for row in fresh if row.time_ns), default=0)
        start = len(self._rows)
        floor = max(0, start - _LATE)
        while start > floor and self._rows[start - 1].time_ns > oldest:
            start -= 1
        number = self.base + start
        if self._shown is not None:
            del self._shown[bisect_left(self._shown, number) :]
        del self._hits[bisect_left(self._hits, number) :]
        return start

    def _index(self, number: int) -> None:
        for row_number in range(number, self.base + len(self._rows)):
            row = self._rows[row_number - self.base]
            if not self._passes(row):
                continue
            if self._shown is not None:
                self._shown.append(row_number)
            if self._search is not None and self._search(row.text):
                self._hits.append(row_number)

    def _passes(self, row: LogRow) -> bool:
        entry = row.entry
        if isinstance(entry, Gap):
            return True
        if self.std is not None and entry.std is not self.std:
            return False
        return self._filter is None or bool(self._filter(entry.text))

    def _evict(self) -> None:
        extra = len(self._rows) - KEPT
        if extra < _SLACK:
            return
        del self._rows[:extra]
        self.base += extra
        if self._shown is not None:
            del self._shown[: bisect_left(self._shown, self.base)]
        del self._hits[: bisect_left(self._hits, self.base)]

    # --- what is shown

    def __len__(self) -> int:
        return len(self._rows) if self._shown is None else len(self._shown)

    @property
    def total(self) -> int:
        """Rows kept, shown or not."""
        return len(self._rows)

    def number(self, position: int) -> int:
        """The number of the row at a position of the view."""
        return self.base + position if self._shown is None else self._shown[position]

    def position(self, number: int) -> int:
        """The position of a row in the view, or of the next one that is shown."""
        if self._shown is None:
            return max(0, min(number - self.base, len(self._rows)))
        return bisect_left(self._shown, number)

    def row(self, position: int) -> LogRow:
        """The row at a position of the view."""
        return self._rows[self.number(position) - self.base]

    def filter(self, test: Test | None, std: Std | None = None) -> None:
        """Hide what does not pass."""
        self._filter, self.std = test, std
        self._shown = [] if self._selective else None
        self._hits = []
        self._index(self.base)

    def search(self, test: Test | None) -> None:
        """Find what passes."""
        self._search = test
        self._hits = []
        if test is None:
            return
        for position in range(len(self)):
            if test(self.row(position).text):
                self._hits.append(self.number(position))

    @property
    def hits(self) -> Sequence[int]:
        """Numbers of the rows found, in order."""
        return self._hits

    def hit(self, number: int, step: int) -> int | None:
        """The next hit after (or, with ``step`` -1, before) a row; around the end if need be."""
        if not self._hits:
            return None
        if step > 0:
            index = bisect_left(self._hits, number + 1)
            return self._hits[index % len(self._hits)]
        return self._hits[bisect_left(self._hits, number) - 1]
