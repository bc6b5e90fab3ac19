"""Stats: one reading of a container's counters, and the rates between two readings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Sample:
    """Counters and levels of one container at one moment. ``None`` means not reported.

    ``at`` is Unix seconds of the reading. ``cpu_ns``, the network and block counters and the
    throttling counters only grow; memory and pids are levels. ``memory`` is the working set:
    usage minus inactive file cache, as ``docker stats`` shows it.
    """

    at: float
    cpu_ns: int | None = None
    throttled_ns: int | None = None
    periods: int | None = None
    throttled_periods: int | None = None
    memory: int | None = None
    memory_cache: int | None = None
    memory_anon: int | None = None
    memory_kernel: int | None = None
    memory_limit: int | None = None
    memory_peak: int | None = None
    swap: int | None = None
    oom_kills: int | None = None
    pids: int | None = None
    pids_limit: int | None = None
    net_rx: int | None = None
    net_tx: int | None = None
    block_read: int | None = None
    block_write: int | None = None
    pressure_cpu: float | None = None
    """PSI ``some avg10`` in percent; likewise for memory and io."""
    pressure_memory: float | None = None
    pressure_io: float | None = None


@dataclass(frozen=True, slots=True)
class Rates:
    """What happened between two samples: CPU in cores, bytes per second, throttled share 0..1."""

    cpu: float | None = None
    throttled: float | None = None
    net_rx: float | None = None
    net_tx: float | None = None
    block_read: float | None = None
    block_write: float | None = None


NO_RATES: Final = Rates()
"""Before the second sample."""


def _rate(new: int | None, old: int | None, seconds: float) -> float | None:
    if new is None or old is None or seconds <= 0 or new < old:
        return None
    return (new - old) / seconds


def rates(new: Sample, old: Sample) -> Rates:
    """The rates between two samples of one container.

    A counter that went back (the container restarted in between) has no rate.
    """
    seconds = new.at - old.at
    cpu = _rate(new.cpu_ns, old.cpu_ns, seconds)
    throttled = None
    if new.periods is not None and old.periods is not None:
        periods = new.periods - old.periods
        hit = (new.throttled_periods or 0) - (old.throttled_periods or 0)
        throttled = hit / periods if periods > 0 and hit >= 0 else 0.0
    return Rates(
        cpu=None if cpu is None else cpu / 1e9,
        throttled=throttled,
        net_rx=_rate(new.net_rx, old.net_rx, seconds),
        net_tx=_rate(new.net_tx, old.net_tx, seconds),
        block_read=_rate(new.block_read, old.block_read, seconds),
        block_write=_rate(new.block_write, old.block_write, seconds),
    )
