"""The rows of the limits panel: each limit as configured, as in force and as used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from contui.model import units
from contui.model.linux import LimitInForce, Ulimit
from contui.model.sample import Sample, rates
from contui.tui.document import Style
from contui.tui.panels import reading
from contui.tui.panels.layout import crop, mib, share_of
from contui.tui.panels.subject import Subject

_PAGE: Final = 65_536
"""The kernel rounds memory limits to pages, at most this large."""
_WEIGHT: Final = 100
"""Default of cpu.weight (cgroup-v2.rst, CPU)."""
_SHARES: Final = 1024
"""Default of cpu.shares (sched-design-CFS)."""
_DEVICE_LIMITS: Final = (
    ("BlkioDeviceReadBps", "read", "--device-read-bps", "bytes"),
    ("BlkioDeviceWriteBps", "write", "--device-write-bps", "bytes"),
    ("BlkioDeviceReadIOps", "read ops", "--device-read-iops", "count"),
    ("BlkioDeviceWriteIOps", "write ops", "--device-write-iops", "count"),
)
_ULIMITS: Final = {
    "nofile": "Max open files",
    "nproc": "Max processes",
    "core": "Max core file size",
    "memlock": "Max locked memory",
}
"""Names as setrlimit(2) abbreviates them and as /proc/PID/limits spells them out."""
_BYTES: Final = frozenset({"core", "memlock", "data", "fsize", "rss", "stack", "as", "msgqueue"})


@dataclass(frozen=True)
class Row:
    """One limit as drawn. ``share`` is used of the limit; ``differs`` says what is amiss."""

    name: str
    configured: str
    in_force: str = units.NONE
    used: str = units.NONE
    peak: str = units.NONE
    headroom: str = units.NONE
    hits: int | None = None
    share: float | None = None
    update: str = ""
    """Flag of ``docker update``,"""
    run: str = ""
    """or of ``docker run`` where only a new container changes it."""
    differs: str = ""
    style: Style = ""


def rows(subject: Subject) -> list[Row]:
    """Every limit, in the order in which they matter."""
    return [
        *_memory(subject),
        *_cpu(subject),
        _pids(subject),
        *_io(subject),
        *_ulimits(subject),
        *_other(subject),
    ]


def _host(subject: Subject, *path: str) -> int | None:
    return reading.number(reading.inspected(subject), "HostConfig", *path)


def _loaded(subject: Subject) -> bool:
    return subject.inspect.value is not None


def _none(subject: Subject, word: str = "none") -> str:
    """What an unset limit is called; nothing is claimed before the document is here."""
    return word if _loaded(subject) else units.NONE


def _positive(value: int | None) -> int | None:
    return value if value is not None and value > 0 else None


def _newest(subject: Subject) -> Sample | None:
    return subject.samples[-1] if subject.samples else None


def _bytes(
    subject: Subject,
    name: str,
    key: str,
    configured: int | None,
    update: str,
    used: float | None = None,
    peak: float | None = None,
) -> Row:
    """A limit in bytes; levels come from the kernel, else from stats."""
    force = reading.limit_in_force(subject, key)
    limit = force.limit if force and isinstance(force.limit, int | float) else None
    if force is not None:
        used = force.used if force.used is not None else used
        peak = force.peak if force.peak is not None else peak
    effective = limit if force is not None else configured
    differs = ""
    if force is not None and _loaded(subject) and abs((limit or 0) - (configured or 0)) > _PAGE:
        differs = _differs(name, mib(configured), mib(limit), force)
    return Row(
        name=name,
        configured=mib(configured) if _loaded(subject) or configured else units.NONE,
        in_force=mib(limit) if force is not None else units.NONE,
        used=units.size(used),
        peak=units.size(peak),
        headroom=units.size(effective - used) if effective and used is not None else units.NONE,
        hits=force.hits if force else None,
        share=share_of(used, effective),
        update=update,
        differs=differs,
    )


def _differs(name: str, configured: str, in_force: str, force: LimitInForce) -> str:
    where = f" ({force.source})" if force.source else ""
    return f"{name}: configured is {configured}, but {in_force} is in force{where}"


def _memory(subject: Subject) -> list[Row]:
    sample, detail = _newest(subject), subject.container.detail
    limit = _positive(_host(subject, "Memory")) or (detail.memory_limit if detail else None)
    used, peak = (sample.memory, sample.memory_peak) if sample else (None, None)
    both = "--memory=SIZE --memory-swap=SIZE"
    out = [
        _bytes(subject, "memory", "memory", limit, both, used, peak),
        _bytes(
            subject,
            "reservation",
            "memory_reservation",
            _positive(_host(subject, "MemoryReservation")),
            "--memory-reservation=SIZE",
        ),
        _swap(subject, limit),
    ]
    swappiness = _host(subject, "MemorySwappiness")
    if swappiness is not None and swappiness >= 0:
        out.append(Row("swappiness", str(swappiness), run="--memory-swappiness=NUMBER"))
    return out


def _swap(subject: Subject, memory: int | None) -> Row:
    """Swap. ``MemorySwap`` and cgroup v1's memsw mean memory and swap together, v2's file swap."""
    sample = _newest(subject)
    used = sample.swap if sample else None
    together = _host(subject, "MemorySwap") or 0
    force = reading.limit_in_force(subject, "swap")
    # 0 beside a memory limit means as much swap again (docker run reference, --memory-swap).
    both = (together or memory * 2) if memory and together >= 0 else None
    if force is not None and "memsw" in force.source:
        return _bytes(subject, "memory+swap", "swap", both, "--memory-swap=SIZE")
    swap = both - memory if both is not None and memory else None
    row = _bytes(subject, "swap", "swap", swap, "--memory-swap=SIZE", used)
    if swap == 0:
        # An engine without swap accounting leaves the file as it is.
        row = replace(row, configured="no swap")
    if force is not None and force.limit == 0:
        row = replace(row, in_force="no swap", differs="" if not swap else row.differs)
    return row


def _cpu(subject: Subject) -> list[Row]:
    detail = subject.container.detail
    nano, quota = _host(subject, "NanoCpus"), _host(subject, "CpuQuota")
    period = _positive(_host(subject, "CpuPeriod")) or 100_000
    cores = nano / 1e9 if nano and nano > 0 else quota / period if quota and quota > 0 else None
    cores = cores if cores is not None else detail.cpu_limit if detail else None
    force = reading.limit_in_force(subject, "cpu")
    limit = force.limit if force and isinstance(force.limit, int | float) else None
    effective = limit if force is not None else cores
    samples = subject.samples
    used = rates(samples[-1], samples[-2]).cpu if len(samples) > 1 else None
    used = force.used if force is not None and force.used is not None else used
    shown = "none" if cores is None else units.cores(cores)
    in_force = units.NONE if force is None else units.cores(limit) if limit else "none"
    differs = ""
    if force is not None and _loaded(subject) and abs((limit or 0) - (cores or 0)) > 0.01:
        differs = _differs("cpus", shown, in_force, force)
    row = Row(
        name="cpus",
        configured=shown if _loaded(subject) or cores else units.NONE,
        in_force=in_force,
        used=units.cores(used),
        peak=units.cores(force.peak) if force else units.NONE,
        headroom=units.cores(max(0.0, effective - used)) if effective and used is not None else "-",
        hits=force.hits if force else None,
        share=share_of(used, effective),
        update="--cpus=CORES",
        differs=differs,
    )
    return [row, _shares(subject), _cpuset(subject)]


def _shares(subject: Subject) -> Row:
    shares = _positive(_host(subject, "CpuShares"))
    force = reading.limit_in_force(subject, "cpu_weight")
    known = reading.in_force(subject)
    old = known is not None and known.cgroup_version == 1
    value = force.limit if force and isinstance(force.limit, int | float) else None
    in_force = units.NONE if value is None else f"{value:.0f}" if old else f"weight {value:.0f}"
    differs = ""
    # v2 weights are converted from shares by a formula that changed between runc releases.
    if old and force is not None and value is not None and _loaded(subject):
        expected = shares or _SHARES
        if value != expected:
            differs = _differs("cpu shares", str(expected), in_force, force)
    quiet: Style = "dim" if value in (_SHARES, _WEIGHT) else ""
    configured = str(shares) if shares else _none(subject, "default")
    return Row(
        "cpu shares",
        configured,
        in_force,
        update="--cpu-shares=SHARES",
        differs=differs,
        style=quiet,
    )


def _cpuset(subject: Subject) -> Row:
    wanted = reading.text(reading.inspected(subject), "HostConfig", "CpusetCpus")
    force = reading.limit_in_force(subject, "cpuset")
    value = str(force.limit) if force and force.limit is not None else ""
    differs = ""
    if force is not None and wanted and value and _cpus(wanted) != _cpus(value):
        differs = _differs("cpuset", wanted, value, force)
    return Row(
        name="cpuset",
        configured=wanted or _none(subject, "all"),
        in_force=units.NONE if force is None else value or "all",
        update="--cpuset-cpus=LIST",
        differs=differs,
    )


def _cpus(text: str) -> frozenset[str]:
    """``0-2,4`` as a set of numbers; anything else as it is."""
    out: set[str] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if dash and first.isdecimal() and last.isdecimal() and int(last) < 8192:
            out.update(str(each) for each in range(int(first), int(last) + 1))
        else:
            out.add(part.strip())
    return frozenset(out)


def _pids(subject: Subject) -> Row:
    sample, detail = _newest(subject), subject.container.detail
    wanted = _positive(_host(subject, "PidsLimit")) or (detail.pids_limit if detail else None)
    force = reading.limit_in_force(subject, "pids")
    limit = force.limit if force and isinstance(force.limit, int | float) else None
    used: float | None = sample.pids if sample else None
    used = force.used if force is not None and force.used is not None else used
    effective = limit if force is not None else wanted
    shown = units.count(wanted) if wanted else _none(subject)
    in_force = units.NONE if force is None else units.count(limit) if limit else "none"
    differs = ""
    if force is not None and _loaded(subject) and (limit or 0) != (wanted or 0):
        differs = _differs("pids", shown, in_force, force)
    return Row(
        name="pids",
        configured=shown,
        in_force=in_force,
        used=units.count(used),
        peak=units.count(force.peak) if force else units.NONE,
        headroom=units.count(effective - used) if effective and used is not None else units.NONE,
        hits=force.hits if force else None,
        share=share_of(used, effective),
        update="--pids-limit=NUMBER",
        differs=differs,
    )


def _io(subject: Subject) -> list[Row]:
    weight = _positive(_host(subject, "BlkioWeight"))
    shown = str(weight) if weight else _none(subject, "default")
    out = [Row("io weight", shown, update="--blkio-weight=NUMBER")]
    for key, name, flag, unit in _DEVICE_LIMITS:
        for entry in reading.items(reading.inspected(subject), "HostConfig", key):
            rate = reading.number(entry, "Rate")
            path = reading.text(entry, "Path")
            value = f"{units.size(rate)}/s" if unit == "bytes" else f"{units.count(rate)}/s"
            out.append(Row(f"{name} {crop(path, 16)}", value, run=f"{flag}={path}:RATE"))
    return out


def _ulimits(subject: Subject) -> list[Row]:
    wanted: dict[str, tuple[int | None, int | None]] = {}
    for entry in reading.items(reading.inspected(subject), "HostConfig", "Ulimits"):
        name = reading.text(entry, "Name").lower().removeprefix("rlimit_")
        wanted[name] = (reading.number(entry, "Soft"), reading.number(entry, "Hard"))
    known = reading.in_force(subject)
    found = {each.name.lower(): each for each in known.ulimits} if known else {}
    names = [*_ULIMITS, *sorted(set(wanted) - set(_ULIMITS))]
    return [_ulimit(subject, name, wanted.get(name), _found(found, name)) for name in names]


def _found(found: Mapping[str, Ulimit], name: str) -> Ulimit | None:
    """A ulimit under the name that /proc/PID/limits gives it, or its own."""
    return found.get(_ULIMITS.get(name, name).lower()) or found.get(name)


def _ulimit(
    subject: Subject, name: str, wanted: tuple[int | None, int | None] | None, force: Ulimit | None
) -> Row:
    def shown(soft: int | None, hard: int | None) -> str:
        first, second = _amount(name, soft), _amount(name, hard)
        return first if first == second else f"{first}:{second}"

    configured = shown(*wanted) if wanted else _none(subject, "default")
    in_force = shown(force.soft, force.hard) if force else units.NONE
    differs = ""
    if wanted and force and tuple(map(_unlimited, wanted)) != (force.soft, force.hard):
        differs = f"ulimit {name}: configured is {configured}, but {in_force} is in force"
    used, soft = (force.used, force.soft) if force else (None, None)
    return Row(
        name=f"ulimit {name}",
        configured=configured,
        in_force=in_force,
        used=units.count(used),
        headroom=units.count(soft - used) if soft and used is not None else units.NONE,
        share=share_of(used, soft),
        run=f"--ulimit={name}=SOFT:HARD",
        differs=differs,
    )


def _unlimited(value: int | None) -> int | None:
    """Engines write unlimited as -1."""
    return None if value is None or value < 0 else value


def _amount(name: str, value: int | None) -> str:
    value = _unlimited(value)
    if value is None:
        return "unlimited"
    return units.size(value) if name in _BYTES else str(value)


def _other(subject: Subject) -> list[Row]:
    document, known = reading.inspected(subject), reading.in_force(subject)
    shm = _positive(_host(subject, "ShmSize"))
    mount = reading.mount_in_force(subject, "/dev/shm")
    total, free = (mount.total, mount.free) if mount else (None, None)
    used = total - free if total is not None and free is not None else None
    score = _host(subject, "OomScoreAdj")
    actual = known.oom_score_adj if known else None
    moved = score is not None and actual is not None and score != actual
    out = [
        Row(
            name="/dev/shm",
            configured=units.size(shm) if shm else _none(subject, "default"),
            in_force=units.size(total) if total is not None else units.NONE,
            used=units.size(used),
            headroom=units.size(free),
            share=share_of(used, total),
            run="--shm-size=SIZE",
        ),
        Row(
            name="oom score adj",
            configured=units.NONE if score is None else str(score),
            in_force=units.NONE if actual is None else str(actual),
            run="--oom-score-adj=NUMBER",
            differs=f"oom_score_adj: configured is {score}, but {actual} is in force" * moved,
        ),
    ]
    if reading.truth(document, "HostConfig", "OomKillDisable"):
        out.append(Row("oom killer", "disabled", run="--oom-kill-disable=false"))
    return out
