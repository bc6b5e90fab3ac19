"""What /proc tells of a container's processes: credentials, limits, sockets, mounts.

Files and fields are those of proc(5). What another user's process hides from this one is named as
missing, never guessed.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, TypeVar

from contui.engines.linux import cgroup
from contui.model.linux import (
    Credentials,
    InForce,
    Interface,
    Listener,
    MountInForce,
    Process,
    Ulimit,
)

_T = TypeVar("_T")
Sockets = tuple[tuple[Listener, ...], Mapping[str, int]]

_STATES: Final = (
    "", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE",
    "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING", "SYN_RECV",
)  # fmt: skip
"""TCP states by number (include/net/tcp_states.h); the last one is NEW_SYN_RECV."""
_LISTEN: Final = 10
_UNCONNECTED: Final = 7
_SOCKETS: Final = 4 << 20
"""Bytes read of each socket table: some 28,000 rows."""
_NAMESPACES: Final = ("pid", "net", "ipc", "uts", "mnt", "cgroup", "user")
_PSEUDO: Final = frozenset({"proc", "sysfs", "cgroup", "cgroup2", "mqueue", "devpts", "securityfs"})
_MAY_HANG: Final = ("nfs", "cifs", "smb", "fuse", "9p", "ceph", "glusterfs", "afs")
"""File systems whose statfs(2) waits for a server that may be gone."""
_DAC_OVERRIDE: Final = 1
_PROCESSES: Final = 2000
_PASSWD: Final = 256 * 1024
_LIMIT: Final = re.compile(r"^(Max [a-z ]+?)\s{2,}(\S+)\s+(\S+)\s*(\S*)\s*$", re.M)
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def in_force(pid: int, id: str, proc: Path = Path("/proc")) -> InForce:
    """Everything that can be read of the container whose first process is ``pid``.

    Raises ProcessLookupError when that process has ended or is not the container's.
    """
    controllers = cgroup.directories(pid, id, proc)
    if not controllers and not (proc / str(pid)).exists():
        raise ProcessLookupError(pid)
    own = proc / str(pid)
    missing: dict[str, str] = {}

    def attempt(name: str, read: Callable[[], _T], otherwise: _T) -> _T:
        try:
            return read()
        except PermissionError:
            missing[name] = "needs root: only the owner of the process may read it"
        except (FileNotFoundError, ProcessLookupError):
            missing[name] = "its process has ended"
        except OSError as error:
            missing[name] = error.strerror or str(error)
        return otherwise

    if not controllers:
        missing["limits"] = "its cgroup is not one of this machine"
    credentials = attempt("credentials", lambda: _credentials(own), None)
    if credentials is None and "credentials" in missing and "ended" in missing["credentials"]:
        raise ProcessLookupError(pid)
    pids = cgroup.members(controllers) or [pid]
    files = attempt("open files", lambda: _most_files(proc, pids), None)
    nothing: Sockets = ((), {})
    listeners, connections = attempt("sockets", lambda: _sockets(own), nothing)
    return InForce(
        pid=pid,
        cgroup_version=cgroup.version(controllers),
        credentials=credentials,
        limits=tuple(cgroup.limits(controllers)),
        ulimits=attempt("ulimits", lambda: _ulimits(own, files), ()),
        oom_score_adj=attempt("oom_score_adj", lambda: _integer(own / "oom_score_adj"), None),
        namespaces=attempt("namespaces", lambda: _namespaces(proc, pid), {}),
        listeners=listeners,
        connections=connections,
        interfaces=attempt("interfaces", lambda: _interfaces(own), ()),
        mounts=attempt("mounts", lambda: _mounts(own, credentials, missing), ()),
        missing=missing,
    )


def _integer(path: Path) -> int:
    return int(path.read_text())


def _fields(path: Path) -> dict[str, str]:
    """The ``Name: value`` rows of a status file."""
    rows = (row.partition(":") for row in path.read_text(errors="replace").splitlines())
    return {name: value.strip() for name, _, value in rows}


def _credentials(own: Path) -> Credentials:
    status = _fields(own / "status")

    def mask(name: str) -> int:
        return int(status.get(name, "0"), 16)

    label = ""
    with contextlib.suppress(OSError):
        label = (own / "attr/current").read_text(errors="replace").strip("\0\n ")
    rows: list[tuple[int, int, int]] = []
    with contextlib.suppress(OSError, ValueError):
        for row in (own / "uid_map").read_text().splitlines():
            inside, outside, count = map(int, row.split())
            rows.append((inside, outside, count))
    return Credentials(
        uid=int(status["Uid"].split()[1]),
        gid=int(status["Gid"].split()[1]),
        groups=tuple(map(int, status.get("Groups", "").split())),
        cap_effective=mask("CapEff"),
        cap_bounding=mask("CapBnd"),
        cap_permitted=mask("CapPrm"),
        cap_inheritable=mask("CapInh"),
        cap_ambient=mask("CapAmb"),
        no_new_privileges=status.get("NoNewPrivs") == "1",
        seccomp=int(status.get("Seccomp", "0")),
        lsm_label=label,
        uid_map=tuple(rows),
    )


def _bound(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def _open_files(own: Path) -> int:
    return len(os.listdir(own / "fd"))


def _most_files(proc: Path, pids: list[int]) -> int | None:
    """Open files of the process that has most: the limit is each process's own."""
    counts = []
    for each in pids[:_PROCESSES]:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            counts.append(_open_files(proc / str(each)))
    return max(counts, default=None)


def _ulimits(own: Path, files: int | None) -> tuple[Ulimit, ...]:
    text = (own / "limits").read_text()
    return tuple(
        Ulimit(name, _bound(soft), _bound(hard), unit, files if name == "Max open files" else None)
        for name, soft, hard, unit in _LIMIT.findall(text)
    )


def _namespaces(proc: Path, pid: int) -> dict[str, bool]:
    """Whether each namespace is that of the machine's first process.

    Where that one is out of reach, as in a sandbox even for root, the kernel's own threads tell.
    """
    first = proc / "1/ns"
    with contextlib.suppress(OSError):
        if (
            not os.access(first / "pid", os.R_OK)
            and _fields(proc / "2/status")["Name"] == "kthreadd"
        ):
            first = proc / "2/ns"
    out = {}
    for name in _NAMESPACES:
        host = os.readlink(first / name)
        out[name] = os.readlink(proc / str(pid) / "ns" / name) == host
    return out


# --- sockets


def _address(text: str) -> str:
    """An address of /proc/net/tcp: 32-bit words in the byte order of the machine."""
    import socket

    words = [int(text[start : start + 8], 16) for start in range(0, len(text), 8)]
    data = struct.pack(f"={len(words)}I", *words)
    return socket.inet_ntop(socket.AF_INET if len(words) == 1 else socket.AF_INET6, data)


def _table(path: Path) -> Iterator[list[str]]:
    try:
        with path.open("rb") as file:
            text = file.read(_SOCKETS).decode("ascii", "replace")
    except FileNotFoundError:
        return  # IPv6 is off
    for row in text.splitlines()[1:]:
        columns = row.split()
        if len(columns) > 7:
            yield columns


def _sockets(own: Path) -> Sockets:
    """What listens in the network namespace, and how many TCP sockets are in each other state."""
    (own / "net/tcp").stat()
    listeners: dict[Listener, None] = {}
    states: Counter[str] = Counter()
    for protocol in ("tcp", "tcp6", "udp", "udp6"):
        for columns in _table(own / "net" / protocol):
            number = int(columns[3], 16)
            listening = _LISTEN if protocol.startswith("tcp") else _UNCONNECTED
            if number == listening:
                address, _, port = columns[1].partition(":")
                listeners[Listener(protocol, _address(address), int(port, 16), int(columns[7]))] = (
                    None
                )
            elif protocol.startswith("tcp") and number < len(_STATES):
                states[_STATES[number]] += 1
    return tuple(listeners), dict(states)


def _interfaces(own: Path) -> tuple[Interface, ...]:
    out = []
    for row in (own / "net/dev").read_text().splitlines()[2:]:
        name, _, rest = row.partition(":")
        numbers = [int(each) for each in rest.split()]
        if name.strip() == "lo" or len(numbers) < 12:
            continue
        out.append(
            Interface(
                name=name.strip(),
                rx_bytes=numbers[0],
                tx_bytes=numbers[8],
                rx_errors=numbers[2],
                tx_errors=numbers[10],
                rx_dropped=numbers[3],
                tx_dropped=numbers[11],
            )
        )
    return tuple(out)


# --- mounts


def _mounts(
    own: Path, credentials: Credentials | None, missing: dict[str, str]
) -> tuple[MountInForce, ...]:
    out = []
    for row in (own / "mountinfo").read_text(errors="replace").splitlines():
        before, _, after = row.partition(" - ")
        first, last = before.split(" "), after.split(" ")
        if len(first) < 6 or len(last) < 3 or last[0] in _PSEUDO:
            continue
        target, filesystem = cgroup.unescape(first[4]), last[0]
        options = first[5]
        read_only = "ro" in options.split(",") or "ro" in last[2].split(",")
        mount = MountInForce(
            target=target,
            filesystem=filesystem,
            source=cgroup.unescape(last[1]),
            options=options,
            read_only=read_only,
            propagation=next((f.partition(":")[0] for f in first[6:] if ":" in f), "private"),
        )
        out.append(_measured(own, mount, credentials, missing))
    return tuple(out)


def _measured(
    own: Path, mount: MountInForce, credentials: Credentials | None, missing: dict[str, str]
) -> MountInForce:
    """The mount with its free space and whether the first process can write to it."""
    from dataclasses import replace

    if mount.filesystem.startswith(_MAY_HANG):
        return replace(mount, why="not asked: a server that is gone would hang the question")
    path = f"{own}/root{mount.target}"
    try:
        room, entry = os.statvfs(path), os.lstat(path)
    except PermissionError:
        missing["free space"] = "needs root: only the owner of the process may look into it"
        return mount
    except OSError:
        return mount
    mount = replace(
        mount,
        total=room.f_blocks * room.f_frsize or None,
        free=room.f_bavail * room.f_frsize if room.f_blocks else None,
        inodes=room.f_files or None,
        inodes_free=room.f_favail if room.f_files else None,
        owner=entry.st_uid,
        group=entry.st_gid,
        mode=stat.S_IMODE(entry.st_mode),
    )
    if mount.read_only:
        return replace(mount, writable=False, why="mounted read-only")
    if credentials is None:
        return mount
    has_acl = False
    with contextlib.suppress(OSError, AttributeError):
        has_acl = bool(os.getxattr(path, "system.posix_acl_access", follow_symlinks=False))
    writable, why = may_write(entry, credentials, acl=has_acl)
    return replace(mount, writable=writable, why=why)


def may_write(
    entry: os.stat_result, credentials: Credentials, *, acl: bool
) -> tuple[bool | None, str]:
    """Whether a process may write to a file or into a directory, and what decides it.

    path_resolution(7), "Permissions"; capabilities(7), CAP_DAC_OVERRIDE: it counts only for files
    whose owner and group exist in the process's user namespace (user_namespaces(7)).
    """
    wanted = 3 if stat.S_ISDIR(entry.st_mode) else 2
    mapped = not credentials.uid_map or any(
        outside <= entry.st_uid < outside + count for _, outside, count in credentials.uid_map
    )
    if credentials.cap_effective >> _DAC_OVERRIDE & 1 and mapped:
        return True, "CAP_DAC_OVERRIDE: modes do not count"
    if acl:
        return None, "an access control list decides"
    ids = f"it runs as {credentials.uid}:{credentials.gid}"
    if entry.st_uid == credentials.uid:
        bits, who = entry.st_mode >> 6, "owner"
    elif entry.st_gid in (credentials.gid, *credentials.groups):
        bits, who = entry.st_mode >> 3, "group"
    else:
        bits, who = entry.st_mode, "others"
    if bits & wanted == wanted:
        return True, f"{ids}, {who} may write"
    return False, f"{ids}, {who} may not write"


# --- processes


def _passwd(own: Path) -> dict[int, str]:
    """User names of the container's own /etc/passwd.

    Opened step by step without following links: a link in the container would lead out of it. Not
    read at all unless it is a plain file: a pipe would hang the reader.
    """
    names: dict[int, str] = {}
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    held: list[int] = []
    try:
        held.append(os.open(own / "root", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        held.append(os.open("etc", flags | os.O_DIRECTORY, dir_fd=held[-1]))
        held.append(os.open("passwd", flags, dir_fd=held[-1]))
        if stat.S_ISREG(os.fstat(held[-1]).st_mode):
            for row in os.read(held[-1], _PASSWD).decode("utf-8", "replace").splitlines():
                columns = row.split(":")
                if len(columns) > 2 and columns[2].isdecimal():
                    names.setdefault(int(columns[2]), columns[0])
    except OSError:
        pass
    finally:
        for fd in held:
            os.close(fd)
    return names


class ProcessTable:
    """The processes of one container; CPU is what each used since the reading before."""

    def __init__(self, pid: int, id: str, proc: Path = Path("/proc")) -> None:
        self.pid = pid
        self._id = id
        self._proc = proc
        self._before: dict[tuple[int, int], int] = {}
        self._read_at = 0.0
        self._names = _passwd(proc / str(pid))
        self._booted = _booted(proc)

    def read(self) -> tuple[Process, ...]:
        """All of them, ordered by pid. Raises ProcessLookupError when the first one has ended."""
        controllers = cgroup.directories(self.pid, self._id, self._proc)
        pids = cgroup.members(controllers) or [self.pid]
        now = time.monotonic()
        elapsed = now - self._read_at if self._read_at else 0.0
        before, self._before, self._read_at = self._before, {}, now
        found = []
        for pid in pids[:_PROCESSES]:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError, IndexError):
                found.append(self._process(pid, before, elapsed))
        if not found:
            raise ProcessLookupError(self.pid)
        return tuple(found)

    def _process(self, pid: int, before: Mapping[tuple[int, int], int], elapsed: float) -> Process:
        own = self._proc / str(pid)
        text = (own / "stat").read_text(errors="replace")
        name = text[text.index("(") + 1 : text.rindex(")")]
        rest = text[text.rindex(")") + 2 :].split()
        ticks, started = int(rest[11]) + int(rest[12]), int(rest[19])
        known = before.get((pid, started))
        self._before[pid, started] = ticks
        command = (own / "cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ")
        files = limit = None
        with contextlib.suppress(PermissionError):
            files = _open_files(own)
        with contextlib.suppress(PermissionError):
            rows = {row[0]: row[1] for row in _LIMIT.findall((own / "limits").read_text())}
            limit = _bound(rows.get("Max open files", ""))
        return Process(
            pid=pid,
            parent=int(rest[1]),
            user=self._user(own),
            state=rest[0],
            # A kernel thread or a zombie has no command line, only a name.
            command=command.decode("utf-8", "replace") or f"[{name}]",
            cpu=(ticks - known) / _TICKS / elapsed if known is not None and elapsed else None,
            memory=int(rest[21]) * _PAGE,
            threads=int(rest[17]),
            files=files,
            files_limit=limit,
            started_at=self._booted + started / _TICKS if self._booted else 0.0,
        )

    def _user(self, own: Path) -> str:
        status = _fields(own / "status")
        uid = int(status["Uid"].split()[1])
        inside = uid
        with contextlib.suppress(OSError, ValueError):
            for row in (own / "uid_map").read_text().splitlines():
                first, outside, count = map(int, row.split())
                if outside <= uid < outside + count:
                    inside = uid - outside + first
                    break
        return self._names.get(inside, str(inside))


def _booted(proc: Path) -> float:
    """Unix time of the start of the machine, 0 where it is not told."""
    with contextlib.suppress(OSError):
        found = re.search(r"^btime (\d+)$", (proc / "stat").read_text(), re.M)
        return float(found[1]) if found else 0.0
    return 0.0
