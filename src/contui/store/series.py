"""The samples of one container over the session, thinner the older they are."""

from __future__ import annotations

from collections import deque
from typing import Final

from contui.model.sample import Rates, Sample, rates

RECENT: Final = 180
"""Samples kept as read: 3 minutes at one a second."""
OLDER: Final = 240
EVERY: Final = 15.0
"""Seconds between the older ones: an hour of them."""


class Series:
    """About 420 samples (0.3 MB): the last minutes in full, one every 15 s for the hour before."""

    def __init__(self) -> None:
        self._recent: deque[Sample] = deque()
        self._older: deque[Sample] = deque(maxlen=OLDER)
        self._cpu: deque[float | None] = deque(maxlen=12)
        self.rates = Rates()

    def add(self, sample: Sample) -> None:
        """Append a sample; one that is not newer than the last is ignored."""
        if self._recent and sample.at <= self._recent[-1].at:
            return
        if self._recent:
            self.rates = rates(sample, self._recent[-1])
            self._cpu.append(self.rates.cpu)
        self._recent.append(sample)
        if len(self._recent) > RECENT:
            old = self._recent.popleft()
            if not self._older or old.at - self._older[-1].at >= EVERY:
                self._older.append(old)

    @property
    def last(self) -> Sample | None:
        """The newest sample."""
        return self._recent[-1] if self._recent else None

    def cpu(self) -> tuple[float | None, ...]:
        """CPU in cores between the newest samples, oldest first: enough for a sparkline."""
        return tuple(self._cpu)

    def samples(self) -> list[Sample]:
        """All samples kept, oldest first."""
        return [*self._older, *self._recent]
