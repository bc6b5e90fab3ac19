"""A bounded log of one container."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from contui.model.log import Gap, LogLine

Entry = LogLine | Gap


class LogBuffer:
    """The newest lines of one log, bounded in lines and in characters.

    Entries have a number that never changes: ``first`` is that of the oldest one kept, ``end`` the
    next one's. ``dropped`` counts lines that were evicted to stay within the bounds.
    """

    def __init__(self, max_lines: int = 100_000, max_chars: int = 64 << 20) -> None:
        self._entries: deque[Entry] = deque()
        self._max_lines = max_lines
        self._max_chars = max_chars
        self._chars = 0
        self.first = 0
        self.dropped = 0
        self.generation = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def end(self) -> int:
        """The number that the next entry gets."""
        return self.first + len(self._entries)

    def clear(self) -> None:
        """Forget everything; numbers start again."""
        self._entries.clear()
        self._chars = 0
        self.first = 0
        self.dropped = 0
        self.generation += 1

    def extend(self, entries: Sequence[Entry]) -> None:
        """Append, evicting from the front what no longer fits."""
        self._entries.extend(entries)
        self._chars += sum(map(_length, entries))
        while self._entries and (
            len(self._entries) > self._max_lines or self._chars > self._max_chars
        ):
            gone = self._entries.popleft()
            self._chars -= _length(gone)
            self.first += 1
            self.dropped += 1

    def since(self, number: int) -> list[Entry]:
        """The entries from ``number`` on."""
        start = max(0, number - self.first)
        count = len(self._entries) - start
        if count <= 0:
            return []
        if count < len(self._entries) // 8:
            tail = [self._entries[-1 - index] for index in range(count)]
            tail.reverse()
            return tail
        return list(self._entries)[start:]

    @property
    def last_time_ns(self) -> int:
        """The time of the newest line that has one, 0 if none has."""
        for entry in reversed(self._entries):
            if isinstance(entry, LogLine) and entry.time_ns:
                return entry.time_ns
        return 0


def _length(entry: Entry) -> int:
    return len(entry.text) if isinstance(entry, LogLine) else 0
