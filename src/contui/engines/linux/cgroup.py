"""Counters and limits of one container, read from its cgroups (v1, v2 or both mounted).

A sample costs 30 to 60 µs and the engine nothing; over the API it costs the engine about 3 ms.
The files are those of the kernel's ``admin-guide/cgroup-v1`` and ``admin-guide/cgroup-v2.rst``;
all of them and ``/proc/PID/net/dev`` may be read by every user.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import resource
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contui.model.linux import LimitInForce
from contui.model.sample import Sample

_UNLIMITED: Final = 1 << 60
"""cgroup v1 writes "no limit" as the largest page multiple of a signed 64-bit number."""
_SPARE: Final = 256
"""File descriptors left for everything else before files are opened anew for each reading."""
_NET: Final = re.compile(rb"^ *([^\s:]+): *(\d+) +\d+ +\d+ +\d+ +\d+ +\d+ +\d+ +\d+ +(\d+)", re.M)
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")

Controllers = Mapping[str, Path]
"""The directory of a container's cgroup by v1 controller name; ``""`` is the v2 one."""


@dataclass(frozen=True, slots=True)
class _Hierarchy:
    mount: str
    root: str


def unescape(text: str) -> str:
    r"""A path of mountinfo, where space, tab, line feed and backslash are written ``\040``."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), text)


def _hierarchies(proc: Path) -> dict[str, _Hierarchy]:
    """The mounted cgroup hierarchies by controller, ``""`` for v2; from /proc/self/mountinfo."""
    found: dict[str, _Hierarchy] = {}
    for row in (proc / "self/mountinfo").read_text(errors="replace").splitlines():
        before, _, after = row.partition(" - ")
        kind, _, options = after.split(" ")[:3]
        if kind not in ("cgroup", "cgroup2"):
            continue
        root, mount = map(unescape, before.split(" ")[3:5])
        names = [""] if kind == "cgroup2" else options.split(",")
        for name in names:
            found.setdefault(name, _Hierarchy(mount, root))
    return found


def directories(pid: int, id: str, proc: Path = Path("/proc")) -> Controllers:
    """The cgroup directories of the container ``id`` that process ``pid`` is in.

    Empty where the process is not in a cgroup named after the container: then the pid is that of
    another machine's process (Docker Desktop), or cgroups are off (rootless without delegation).
    A process may be in a child (systemd in a container): the container's own is meant.
    Raises ProcessLookupError when the process has ended.
    """
    try:
        rows = (proc / f"{pid}/cgroup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        raise ProcessLookupError(pid) from None
    except OSError:
        return {}
    mounted = _hierarchies(proc)
    out: dict[str, Path] = {}
    for row in rows:
        _, names, path = row.split(":", 2)
        own = _own(path, id)
        if own is None:
            continue
        for name in names.split(","):
            hierarchy = mounted.get(name)
            if hierarchy is not None and (folder := _folder(hierarchy, own)) is not None:
                out[name] = folder
    return out


def _own(path: str, id: str) -> str | None:
    """``path`` up to the part that names the container, ``None`` where none does."""
    head, found, tail = path.rpartition(id)
    return head + found + tail.partition("/")[0] if found else None


def _folder(hierarchy: _Hierarchy, path: str) -> Path | None:
    """Where a cgroup is in the file system, seen from a mount of a part of its hierarchy."""
    inside = os.path.relpath(path, hierarchy.root) if hierarchy.root != "/" else path.lstrip("/")
    folder = Path(os.path.normpath(f"{hierarchy.mount}/{inside}"))
    return folder if folder.is_dir() else None


def _budget() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 100_000 if soft == resource.RLIM_INFINITY else max(0, soft - _SPARE)


class _Files:
    """Files read again and again; kept open while there are file descriptors to spare."""

    kept = 0

    def __init__(self) -> None:
        self._open: dict[str, int] = {}
        self._missing: set[str] = set()

    def read(self, path: str) -> bytes:
        """The content of a file, ``b""`` where it does not exist.

        Raises ProcessLookupError when its cgroup has been removed.
        """
        fd = self._open.get(path)
        if fd is not None:
            try:
                return os.pread(fd, 65536, 0)
            except OSError as error:
                if error.errno == errno.ENODEV:
                    raise ProcessLookupError(path) from None
                return b""
        if path in self._missing:
            return b""
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._missing.add(path)
            return b""
        try:
            data = os.pread(fd, 65536, 0)
        except OSError:
            os.close(fd)
            self._missing.add(path)
            return b""
        if _Files.kept < _budget():
            self._open[path] = fd
            _Files.kept += 1
        else:
            os.close(fd)
        return data

    def close(self) -> None:
        for fd in self._open.values():
            os.close(fd)
        _Files.kept -= len(self._open)
        self._open.clear()


def _number(data: bytes) -> int | None:
    """A file's only number; ``None`` where it is empty, ``max`` or as good as unlimited."""
    try:
        value = int(data)
    except ValueError:
        return None
    return value if value < _UNLIMITED else None


class _Table:
    """``name value`` rows. Only what is asked for becomes a number: memory.stat has 40 rows."""

    def __init__(self, data: bytes) -> None:
        words = data.split()
        self._rows = dict(zip(words[::2], words[1::2], strict=False))

    def __bool__(self) -> bool:
        return bool(self._rows)

    def get(self, name: bytes) -> int | None:
        value = self._rows.get(name, b"")
        return int(value) if value.isdigit() else None


def _pressure(data: bytes) -> float | None:
    """``some avg10`` of a PSI file in percent (Documentation/accounting/psi.rst)."""
    found = re.match(rb"some avg10=([\d.]+)", data)
    return float(found[1]) if found else None


def working_set(usage: int | None, inactive_file: int | None) -> int | None:
    """Memory in use without the file cache that can be dropped at once, as ``docker stats`` says.

    docker/cli, ``calculateMemUsageUnixNoCache``: usage less (total_)inactive_file.
    """
    if usage is None:
        return None
    idle = inactive_file or 0
    return usage - idle if idle < usage else usage


class Reader:
    """Reads the counters of one container, again and again."""

    def __init__(
        self, pid: int, controllers: Controllers, *, network: bool, proc: Path = Path("/proc")
    ) -> None:
        self._files = _Files()
        self._folders = {name: f"{folder}/" for name, folder in controllers.items()}
        # A descriptor kept open on net/dev would keep the network namespace of a dead container.
        self._net = f"{proc}/{pid}/net/dev" if network else ""
        self._alive = f"{proc}/{pid}/cgroup"
        self._read = self._v1 if "memory" in controllers or "cpuacct" in controllers else self._v2

    def close(self) -> None:
        """Let go of the files it keeps open."""
        self._files.close()

    def sample(self) -> Sample:
        """One reading. Raises ProcessLookupError when the container is gone."""
        return self._read()

    def _get(self, controller: str, name: str) -> bytes:
        folder = self._folders.get(controller)
        return self._files.read(folder + name) if folder else b""

    def _network(self) -> tuple[int | None, int | None]:
        """Received and sent bytes of all interfaces but the loopback one."""
        if not self._net:
            return None, None
        try:
            with open(self._net, "rb", buffering=0) as file:
                rows = _NET.findall(file.read(1 << 20))
        except FileNotFoundError:
            raise ProcessLookupError(self._net) from None
        except OSError:
            return None, None
        real = [(int(rx), int(tx)) for name, rx, tx in rows if name != b"lo"]
        return sum(rx for rx, _ in real), sum(tx for _, tx in real)

    def _v2(self) -> Sample:
        get = self._get
        cpu = _Table(get("", "cpu.stat"))
        if not cpu and not os.path.exists(self._alive):
            raise ProcessLookupError(self._alive)
        memory = _Table(get("", "memory.stat"))
        rx, tx = self._network()
        read, written = _io(get("", "io.stat"))
        micro = cpu.get(b"usage_usec")
        throttled = cpu.get(b"throttled_usec")
        return Sample(
            at=time.time(),
            cpu_ns=None if micro is None else micro * 1000,
            throttled_ns=None if throttled is None else throttled * 1000,
            periods=cpu.get(b"nr_periods"),
            throttled_periods=cpu.get(b"nr_throttled"),
            memory=working_set(_number(get("", "memory.current")), memory.get(b"inactive_file")),
            memory_cache=memory.get(b"file"),
            memory_anon=memory.get(b"anon"),
            memory_kernel=memory.get(b"kernel"),
            memory_limit=_number(get("", "memory.max")),
            memory_peak=_number(get("", "memory.peak")),
            swap=_number(get("", "memory.swap.current")),
            oom_kills=_Table(get("", "memory.events")).get(b"oom_kill"),
            pids=_number(get("", "pids.current")),
            pids_limit=_number(get("", "pids.max")),
            net_rx=rx,
            net_tx=tx,
            block_read=read,
            block_write=written,
            pressure_cpu=_pressure(get("", "cpu.pressure")),
            pressure_memory=_pressure(get("", "memory.pressure")),
            pressure_io=_pressure(get("", "io.pressure")),
        )

    def _v1(self) -> Sample:
        get = self._get
        usage = get("cpuacct", "cpuacct.usage")
        if not usage and not os.path.exists(self._alive):
            raise ProcessLookupError(self._alive)
        cpu = _Table(get("cpu", "cpu.stat"))
        memory = _Table(get("memory", "memory.stat"))
        rx, tx = self._network()
        read, written = _blkio(
            get("blkio", "blkio.bfq.io_service_bytes_recursive")
            or get("blkio", "blkio.throttle.io_service_bytes_recursive")
            or get("blkio", "blkio.throttle.io_service_bytes")
        )
        total = _number(get("memory", "memory.usage_in_bytes"))
        both = _number(get("memory", "memory.memsw.usage_in_bytes"))
        return Sample(
            at=time.time(),
            cpu_ns=_number(usage),
            throttled_ns=cpu.get(b"throttled_time"),
            periods=cpu.get(b"nr_periods"),
            throttled_periods=cpu.get(b"nr_throttled"),
            memory=working_set(total, memory.get(b"total_inactive_file")),
            memory_cache=memory.get(b"total_cache"),
            memory_anon=memory.get(b"total_rss"),
            memory_kernel=_number(get("memory", "memory.kmem.usage_in_bytes")),
            memory_limit=_number(get("memory", "memory.limit_in_bytes")),
            memory_peak=_number(get("memory", "memory.max_usage_in_bytes")),
            swap=max(0, both - total) if both is not None and total is not None else None,
            oom_kills=_Table(get("memory", "memory.oom_control")).get(b"oom_kill"),
            pids=_number(get("pids", "pids.current")),
            pids_limit=_number(get("pids", "pids.max")),
            net_rx=rx,
            net_tx=tx,
            block_read=read,
            block_write=written,
        )


def _io(data: bytes) -> tuple[int | None, int | None]:
    """Bytes read and written over all devices, from ``io.stat``; quiet so far is 0."""
    read = written = 0
    for row in data.split():
        name, _, value = row.partition(b"=")
        if name == b"rbytes":
            read += int(value)
        elif name == b"wbytes":
            written += int(value)
    return read, written


def _blkio(data: bytes) -> tuple[int | None, int | None]:
    """The same from ``MAJOR:MINOR Read BYTES`` rows."""
    if not data:
        return None, None
    total = {b"Read": 0, b"Write": 0}
    for row in data.splitlines():
        parts = row.split()
        if len(parts) == 3 and parts[1] in total:
            total[parts[1]] += int(parts[2])
    return total[b"Read"], total[b"Write"]


def locate(pid: int, id: str, *, network: bool = True, proc: Path = Path("/proc")) -> Reader | None:
    """A reader of the container's counters; ``None`` where its cgroup is not on this machine.

    ``network`` is false for one that shares the host's network: its counters would be the host's.
    Raises ProcessLookupError when ``pid`` has ended.
    """
    controllers = directories(pid, id, proc)
    if not controllers or set(controllers) <= {"name=systemd"}:
        return None
    return Reader(pid, controllers, network=network, proc=proc)


def members(controllers: Controllers) -> list[int]:
    """The pids of all processes in a container's cgroup and below."""
    usable = ("pids", "memory", "cpuacct", "", "name=systemd")
    folder = next((controllers[name] for name in usable if name in controllers), None)
    pids: set[int] = set()
    if folder is not None:
        for where, _, _ in os.walk(folder):
            with contextlib.suppress(OSError, ValueError):
                pids.update(map(int, Path(where, "cgroup.procs").read_text().split()))
    return sorted(pids)


# --- limits


def version(controllers: Controllers) -> int:
    """1 or 2: where the memory and CPU controllers are."""
    return 1 if "memory" in controllers or "cpu" in controllers else 2


def limits(controllers: Controllers) -> Iterator[LimitInForce]:
    """Every limit in force. A tighter one of a parent cgroup counts: the kernel enforces both."""
    return _limits_v1(controllers) if version(controllers) == 1 else _limits_v2(controllers)


def _content(folder: Path | None, name: str) -> bytes:
    if folder is None:
        return b""
    try:
        return (folder / name).read_bytes()
    except OSError:
        return b""


def _tightest(
    folder: Path, name: str, value: Callable[[Path], float | None]
) -> tuple[float | None, str]:
    """The smallest limit of a cgroup and its parents, and the file that it stands in."""
    best, source = value(folder), name
    for parent in folder.parents:
        if not (parent / "cgroup.procs").exists():
            break
        limit = value(parent)
        if limit is not None and (best is None or limit < best):
            best, source = limit, f"{name} of the parent cgroup {parent.name or '/'}"
    return best, source


def _bytes_limit(folder: Path, name: str) -> tuple[float | None, str]:
    return _tightest(folder, name, lambda where: _number(_content(where, name)))


def _limits_v1(controllers: Controllers) -> Iterator[LimitInForce]:
    memory = controllers.get("memory")
    if memory is not None:
        detail = _Table(_content(memory, "memory.stat"))
        limit, source = _bytes_limit(memory, "memory.limit_in_bytes")
        used = working_set(
            _number(_content(memory, "memory.usage_in_bytes")), detail.get(b"total_inactive_file")
        )
        peak = _number(_content(memory, "memory.max_usage_in_bytes"))
        kills = _Table(_content(memory, "memory.oom_control")).get(b"oom_kill")
        yield LimitInForce("memory", limit, used, peak, kills, source)
        soft = _number(_content(memory, "memory.soft_limit_in_bytes"))
        yield LimitInForce("memory_reservation", soft, source="memory.soft_limit_in_bytes")
        if (memory / "memory.memsw.limit_in_bytes").exists():
            limit, source = _bytes_limit(memory, "memory.memsw.limit_in_bytes")
            yield LimitInForce(
                "swap",
                limit,
                _number(_content(memory, "memory.memsw.usage_in_bytes")),
                _number(_content(memory, "memory.memsw.max_usage_in_bytes")),
                _number(_content(memory, "memory.memsw.failcnt")),
                source,
            )
    cpu = controllers.get("cpu")
    if cpu is not None:
        cores, source = _tightest(cpu, "cpu.cfs_quota_us", _quota_v1)
        hits = _Table(_content(cpu, "cpu.stat")).get(b"nr_throttled")
        yield LimitInForce("cpu", cores, hits=hits, source=source)
        shares = _number(_content(cpu, "cpu.shares"))
        yield LimitInForce("cpu_weight", shares, source="cpu.shares")
    cpuset = controllers.get("cpuset")
    for name in ("cpuset.effective_cpus", "cpuset.cpus"):
        if data := _content(cpuset, name):
            yield LimitInForce("cpuset", data.decode("ascii", "replace").strip(), source=name)
            break
    yield from _pids(controllers.get("pids"))


def _quota_v1(folder: Path) -> float | None:
    quota = _number(_content(folder, "cpu.cfs_quota_us"))
    period = _number(_content(folder, "cpu.cfs_period_us"))
    return quota / period if quota and quota > 0 and period else None


def _quota_v2(folder: Path) -> float | None:
    quota, _, period = _content(folder, "cpu.max").partition(b" ")
    amount, each = _number(quota), _number(period)
    return amount / each if amount and each else None


def _limits_v2(controllers: Controllers) -> Iterator[LimitInForce]:
    folder = controllers.get("")
    if folder is None:
        return
    if (folder / "memory.current").exists():
        detail = _Table(_content(folder, "memory.stat"))
        limit, source = _bytes_limit(folder, "memory.max")
        used = working_set(
            _number(_content(folder, "memory.current")), detail.get(b"inactive_file")
        )
        peak = _number(_content(folder, "memory.peak"))
        kills = _Table(_content(folder, "memory.events")).get(b"oom_kill")
        yield LimitInForce("memory", limit, used, peak, kills, source)
        # runc writes the reservation to memory.low (libcontainer/cgroups/fs2/memory.go).
        low = _number(_content(folder, "memory.low"))
        yield LimitInForce("memory_reservation", low or None, source="memory.low")
        if (folder / "memory.swap.max").exists():
            limit, source = _bytes_limit(folder, "memory.swap.max")
            yield LimitInForce(
                "swap",
                limit,
                _number(_content(folder, "memory.swap.current")),
                _number(_content(folder, "memory.swap.peak")),
                _Table(_content(folder, "memory.swap.events")).get(b"fail"),
                source,
            )
    if (folder / "cpu.max").exists():
        cores, source = _tightest(folder, "cpu.max", _quota_v2)
        hits = _Table(_content(folder, "cpu.stat")).get(b"nr_throttled")
        yield LimitInForce("cpu", cores, hits=hits, source=source)
        weight = _number(_content(folder, "cpu.weight"))
        yield LimitInForce("cpu_weight", weight, source="cpu.weight")
    if data := _content(folder, "cpuset.cpus.effective"):
        cpus = data.decode("ascii", "replace").strip()
        yield LimitInForce("cpuset", cpus, source="cpuset.cpus.effective")
    yield from _pids(folder)


def _pids(folder: Path | None) -> Iterator[LimitInForce]:
    if folder is None or not (folder / "pids.current").exists():
        return
    limit, source = _bytes_limit(folder, "pids.max")
    yield LimitInForce(
        "pids",
        limit,
        _number(_content(folder, "pids.current")),
        _number(_content(folder, "pids.peak")),
        _Table(_content(folder, "pids.events")).get(b"max"),
        source,
    )
