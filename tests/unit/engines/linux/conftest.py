"""A machine of files: /proc and the cgroup file systems of a container."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

ID = "8226e10b924134caf4e933009e36bd5ca525283f22be8ef021fc6d982ca713d8"
PID = 4242
M = 1 << 20
UNLIMITED = 9223372036854771712
"""How cgroup v1 writes that there is no limit, on pages of 4 KiB."""

V2_FILES = {
    "cgroup.procs": f"{PID}\n{PID + 1}\n",
    "cpu.stat": "usage_usec 9000\nuser_usec 1\nnr_periods 10\nnr_throttled 4\nthrottled_usec 77\n",
    "cpu.max": "50000 100000\n",
    "cpu.weight": "100\n",
    "cpu.pressure": "some avg10=1.50 avg60=0.10 avg300=0.00 total=5\nfull avg10=0.00\n",
    "cpuset.cpus.effective": "0-3\n",
    "io.stat": "8:0 rbytes=100 wbytes=200 rios=1 wios=2\n8:16 rbytes=5 wbytes=0\n",
    "io.pressure": "some avg10=2.00 avg60=0.10\n",
    "memory.current": f"{100 * M}\n",
    "memory.stat": f"anon {55 * M}\nfile {40 * M}\nkernel {3 * M}\ninactive_file {30 * M}\n",
    "memory.max": f"{512 * M}\n",
    "memory.low": f"{64 * M}\n",
    "memory.peak": f"{120 * M}\n",
    "memory.events": "low 0\nhigh 0\nmax 9\noom 2\noom_kill 2\n",
    "memory.swap.current": "4096\n",
    "memory.swap.max": f"{64 * M}\n",
    "memory.swap.events": "high 0\nmax 0\nfail 3\n",
    "memory.pressure": "some avg10=0.25 avg60=0.10\n",
    "pids.current": "7\n",
    "pids.max": "100\n",
    "pids.peak": "9\n",
    "pids.events": "max 5\n",
}
V1_FILES = {
    "cpuacct": {"cpuacct.usage": "9000000\n"},
    "cpu": {
        "cpu.stat": "nr_periods 10\nnr_throttled 4\nthrottled_time 77000\n",
        "cpu.cfs_quota_us": "50000\n",
        "cpu.cfs_period_us": "100000\n",
        "cpu.shares": "512\n",
    },
    "cpuset": {"cpuset.cpus": "0-7\n", "cpuset.effective_cpus": "0-3\n"},
    "memory": {
        "memory.usage_in_bytes": f"{100 * M}\n",
        "memory.max_usage_in_bytes": f"{120 * M}\n",
        "memory.limit_in_bytes": f"{512 * M}\n",
        "memory.soft_limit_in_bytes": f"{UNLIMITED}\n",
        "memory.memsw.usage_in_bytes": f"{101 * M}\n",
        "memory.memsw.max_usage_in_bytes": f"{121 * M}\n",
        "memory.memsw.limit_in_bytes": f"{1024 * M}\n",
        "memory.memsw.failcnt": "0\n",
        "memory.kmem.usage_in_bytes": f"{3 * M}\n",
        "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
        "memory.stat": (
            f"cache 1\ninactive_file 1\ntotal_cache {40 * M}\ntotal_rss {55 * M}\n"
            f"total_inactive_file {30 * M}\n"
        ),
    },
    "blkio": {
        "blkio.throttle.io_service_bytes_recursive": (
            "8:0 Read 100\n8:0 Write 200\n8:0 Sync 300\n8:0 Total 300\n8:16 Read 5\nTotal 305\n"
        )
    },
    "pids": {
        "pids.current": "7\n",
        "pids.max": "100\n",
        "pids.events": "max 5\n",
        "cgroup.procs": f"{PID}\n",
    },
}
NET_DEV = """\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop
    lo:  999999    9    0    0    0     0          0         0   999999    9    0    0    0
  eth0: 1000      10    1    2    0     0          0         0     2000   20    3    4    0
  eth1:5         1    0    0    0     0          0         0        6    1    0    0    0
"""


class Machine:
    """Files below a folder; ``proc`` is what is read as /proc."""

    def __init__(self, folder: Path) -> None:
        self.proc = folder / "proc"
        self.cgroups = folder / "sys/fs/cgroup"
        self._mounts: list[str] = []

    def write(self, path: Path, text: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def mount(self, kind: str, folder: Path, options: str = "rw", root: str = "/") -> Path:
        """Mount a part of a cgroup hierarchy."""
        folder.mkdir(parents=True, exist_ok=True)
        escaped = str(folder).replace(" ", "\\040")
        self._mounts.append(f"31 23 0:28 {root} {escaped} rw shared:9 - {kind} cgroup {options}\n")
        self.write(self.proc / "self/mountinfo", "".join(self._mounts))
        self.write(folder / "cgroup.procs", "")
        return folder

    def process(self, cgroup: str, pid: int = PID, **files: str) -> Path:
        """A process that is in these cgroups; ``files`` are others of its folder."""
        own = self.proc / str(pid)
        self.write(own / "cgroup", cgroup)
        self.write(own / "net/dev", NET_DEV)
        for name, text in files.items():
            self.write(own / name.replace("__", "/"), text)
        return own

    def fill(self, folder: Path, files: Mapping[str, str]) -> Path:
        for name, text in files.items():
            self.write(folder / name, text)
        return folder

    def v2(self, path: str = f"/system.slice/docker-{ID}.scope", **files: str) -> Path:
        """A container on cgroup v2. Returns its cgroup's folder."""
        mount = self.mount("cgroup2", self.cgroups)
        self.process(f"0::{path}\n")
        for parent in reversed((mount / path.lstrip("/")).parents):
            if mount in parent.parents:
                self.write(parent / "cgroup.procs", "")
        changed = {name.replace("__", "."): text for name, text in files.items()}
        return self.fill(mount / path.lstrip("/"), {**V2_FILES, **changed})

    def v1(self, path: str = f"/docker/{ID}") -> dict[str, Path]:
        """A container on cgroup v1, cpu and cpuacct mounted together. Returns its folders."""
        together = self.mount("cgroup", self.cgroups / "cpu,cpuacct", "rw,cpu,cpuacct")
        rows = [f"4:cpu,cpuacct:{path}\n"]
        mounts = {"cpu": together, "cpuacct": together}
        for number, name in enumerate(("memory", "cpuset", "blkio", "pids"), 5):
            mounts[name] = self.mount("cgroup", self.cgroups / name, f"rw,{name}")
            rows.append(f"{number}:{name}:{path}\n")
        rows.append("1:name=systemd:/\n")
        self.process("".join(rows))
        folders = {name: mount / path.lstrip("/") for name, mount in mounts.items()}
        for name, folder in folders.items():
            self.fill(folder, V1_FILES[name])
            self.write(folder.parent / "cgroup.procs", "")
        return folders

    def end(self, pid: int = PID) -> None:
        """The process ends."""
        for file in sorted((self.proc / str(pid)).rglob("*"), reverse=True):
            file.rmdir() if file.is_dir() and not file.is_symlink() else file.unlink()
        (self.proc / str(pid)).rmdir()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)
