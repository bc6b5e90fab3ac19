import errno
import os
from pathlib import Path
from typing import Any

import pytest

from contui.engines.linux import cgroup
from contui.model.linux import LimitInForce
from contui.model.sample import Sample

ID = "8226e10b924134caf4e933009e36bd5ca525283f22be8ef021fc6d982ca713d8"
PID = 4242
M = 1 << 20
UNLIMITED = 9223372036854771712


def read(machine: Any, *, network: bool = True) -> Sample:
    reader = cgroup.locate(PID, ID, network=network, proc=machine.proc)
    assert reader is not None
    try:
        return reader.sample()
    finally:
        reader.close()


def limits(machine: Any) -> dict[str, LimitInForce]:
    folders = cgroup.directories(PID, ID, machine.proc)
    return {limit.key: limit for limit in cgroup.limits(folders)}


def test_a_sample_of_cgroup_v2(machine: Any) -> None:
    machine.v2()
    found = read(machine)
    assert found == Sample(
        at=found.at,
        cpu_ns=9_000_000,
        throttled_ns=77_000,
        periods=10,
        throttled_periods=4,
        memory=70 * M,
        memory_cache=40 * M,
        memory_anon=55 * M,
        memory_kernel=3 * M,
        memory_limit=512 * M,
        memory_peak=120 * M,
        swap=4096,
        oom_kills=2,
        pids=7,
        pids_limit=100,
        net_rx=1005,
        net_tx=2006,
        block_read=105,
        block_write=200,
        pressure_cpu=1.5,
        pressure_memory=0.25,
        pressure_io=2.0,
    )


def test_a_sample_of_cgroup_v1(machine: Any) -> None:
    machine.v1()
    found = read(machine)
    assert found == Sample(
        at=found.at,
        cpu_ns=9_000_000,
        throttled_ns=77_000,
        periods=10,
        throttled_periods=4,
        memory=70 * M,
        memory_cache=40 * M,
        memory_anon=55 * M,
        memory_kernel=3 * M,
        memory_limit=512 * M,
        memory_peak=120 * M,
        swap=1 * M,
        oom_kills=2,
        pids=7,
        pids_limit=100,
        net_rx=1005,
        net_tx=2006,
        block_read=105,
        block_write=200,
    )


def test_on_a_hybrid_machine_the_controllers_of_v1_are_read(machine: Any) -> None:
    machine.v1()
    machine.mount("cgroup2", machine.cgroups / "unified")
    own = machine.proc / str(PID) / "cgroup"
    own.write_text(f"{own.read_text()}0::/system.slice/docker-{ID}.scope\n")
    machine.fill(
        machine.cgroups / f"unified/system.slice/docker-{ID}.scope", {"cgroup.procs": f"{PID}\n"}
    )
    folders = cgroup.directories(PID, ID, machine.proc)
    assert set(folders) == {"cpu", "cpuacct", "memory", "cpuset", "blkio", "pids", ""}
    assert cgroup.version(folders) == 1
    assert read(machine).memory == 70 * M


@pytest.mark.parametrize(
    "path",
    [
        f"/docker/{ID}",
        f"/system.slice/docker-{ID}.scope",
        f"/machine.slice/libpod-{ID}.scope",
        f"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope",
    ],
)
@pytest.mark.parametrize("child", ["", "/init.scope", "/container", "/system.slice/cron.service"])
def test_a_process_in_a_child_cgroup_belongs_to_the_containers_own(
    machine: Any, path: str, child: str
) -> None:
    folder = machine.v2(path)
    machine.fill(Path(f"{folder}{child}"), {"cgroup.procs": "4250\n"})
    machine.process(f"0::{path}{child}\n")
    assert cgroup.directories(PID, ID, machine.proc) == {"": folder}
    assert read(machine).memory == 70 * M


@pytest.mark.parametrize("path", ["/", "/user.slice/session-3.scope", f"/docker/{ID[::-1]}"])
def test_a_process_that_is_not_in_the_containers_cgroup_has_no_reader(
    machine: Any, path: str
) -> None:
    machine.v2()
    machine.process(f"0::{path}\n")
    assert cgroup.directories(PID, ID, machine.proc) == {}
    assert cgroup.locate(PID, ID, proc=machine.proc) is None


def test_a_cgroup_that_is_not_mounted_has_no_reader(machine: Any) -> None:
    machine.write(machine.proc / "self/mountinfo", "22 27 0:21 / /proc rw - proc proc rw\n")
    machine.process(f"0::/docker/{ID}\n")
    assert cgroup.locate(PID, ID, proc=machine.proc) is None


def test_a_cgroup_without_controllers_has_no_reader(machine: Any) -> None:
    mount = machine.mount("cgroup", machine.cgroups / "systemd", "rw,xattr,name=systemd")
    machine.fill(mount / f"docker/{ID}", {"cgroup.procs": f"{PID}\n"})
    machine.process(f"1:name=systemd:/docker/{ID}\n")
    assert cgroup.locate(PID, ID, proc=machine.proc) is None


def test_a_mount_of_a_part_of_the_hierarchy_is_seen_from_there(machine: Any) -> None:
    mount = machine.mount("cgroup2", machine.cgroups, root="/docker/outer")
    folder = machine.fill(mount / f"docker/{ID}", {"memory.current": "5\n"})
    machine.process(f"0::/docker/outer/docker/{ID}/init\n")
    assert cgroup.directories(PID, ID, machine.proc) == {"": folder}


def test_what_is_outside_of_the_mounted_part_cannot_be_read(machine: Any) -> None:
    machine.mount("cgroup2", machine.cgroups, root="/docker/outer")
    machine.process(f"0::/docker/{ID}\n")
    assert cgroup.directories(PID, ID, machine.proc) == {}


def test_the_hosts_cgroups_seen_from_a_namespace_below(machine: Any) -> None:
    mount = machine.mount("cgroup2", machine.cgroups, root="/../..")
    folder = machine.fill(mount / f"docker/{ID}", {"memory.current": "5\n"})
    machine.process(f"0::/../../docker/{ID}\n")
    assert cgroup.directories(PID, ID, machine.proc) == {"": folder}


def test_a_mount_point_with_a_space_and_foreign_bytes_elsewhere(machine: Any) -> None:
    mount = machine.mount("cgroup2", machine.cgroups.with_name("c group"))
    machine.fill(mount / f"docker/{ID}", {"memory.current": "5\n"})
    machine.process(f"0::/docker/{ID}\n")
    table = machine.proc / "self/mountinfo"
    table.write_bytes(b"30 23 0:9 / /mnt/caf\xe9 rw - ext4 /dev/sdb rw\n" + table.read_bytes())
    assert cgroup.directories(PID, ID, machine.proc) == {"": mount / f"docker/{ID}"}


@pytest.mark.parametrize("escaped", [r"a\040b", r"a\011b", r"a\012b", r"a\134b", r"\134040"])
def test_unescape(escaped: str) -> None:
    wanted = {r"a\040b": "a b", r"a\011b": "a\tb", r"a\012b": "a\nb", r"a\134b": "a\\b"}
    assert cgroup.unescape(escaped) == wanted.get(escaped, r"\040")


def test_a_process_that_has_ended_is_an_error(machine: Any) -> None:
    machine.v2()
    machine.end()
    with pytest.raises(ProcessLookupError):
        cgroup.directories(PID, ID, machine.proc)
    with pytest.raises(ProcessLookupError):
        cgroup.locate(PID, ID, proc=machine.proc)


@pytest.mark.parametrize("network", [True, False])
@pytest.mark.parametrize("which", ["v1", "v2"])
def test_a_reader_notices_that_its_container_has_ended(
    machine: Any, which: str, network: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    getattr(machine, which)()
    reader = cgroup.locate(PID, ID, network=network, proc=machine.proc)
    assert reader is not None
    reader.sample()
    machine.end()
    monkeypatch.setattr(os, "pread", removed)
    with pytest.raises(ProcessLookupError):
        reader.sample()
    reader.close()


def removed(*_: object) -> bytes:
    """What the kernel says of the open file of a cgroup that was removed."""
    raise OSError(errno.ENODEV, "No such device")


def test_a_reader_lets_go_of_its_files(machine: Any) -> None:
    machine.v2()
    before, kept = len(os.listdir("/proc/self/fd")), cgroup._Files.kept
    reader = cgroup.locate(PID, ID, proc=machine.proc)
    assert reader is not None
    reader.sample()
    held = len(os.listdir("/proc/self/fd")) - before
    assert held == cgroup._Files.kept - kept > 0
    reader.close()
    reader.close()
    assert len(os.listdir("/proc/self/fd")) == before
    assert cgroup._Files.kept == kept


def test_without_descriptors_to_spare_files_are_opened_each_time(
    machine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = machine.v2()
    monkeypatch.setattr(cgroup, "_budget", lambda: 0)
    before = len(os.listdir("/proc/self/fd"))
    reader = cgroup.locate(PID, ID, proc=machine.proc)
    assert reader is not None
    assert reader.sample().pids == 7
    machine.write(folder / "pids.current", "8\n")
    assert reader.sample().pids == 8
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_reader_sees_new_figures(machine: Any) -> None:
    folder = machine.v2()
    reader = cgroup.locate(PID, ID, proc=machine.proc)
    assert reader is not None
    assert reader.sample().pids == 7
    machine.write(folder / "pids.current", "8\n")
    machine.write(folder / "memory.max", "max\n")
    found = reader.sample()
    reader.close()
    assert (found.pids, found.memory_limit) == (8, None)


def test_the_network_of_the_host_is_not_the_containers(machine: Any) -> None:
    machine.v2()
    found = read(machine, network=False)
    assert (found.net_rx, found.net_tx) == (None, None)


def test_what_is_unlimited_or_missing_is_none(machine: Any) -> None:
    folder = machine.v2(memory__max="max\n", pids__max="max\n", cpu__max="max 100000\n",
                        memory__swap__max="max\n", memory__low="0\n")  # fmt: skip
    for name in ("memory.peak", "cpu.pressure", "memory.events", "io.stat"):
        (folder / name).unlink()
    found = read(machine)
    assert (found.memory_limit, found.pids_limit, found.memory_peak) == (None, None, None)
    assert (found.pressure_cpu, found.oom_kills) == (None, None)
    known = limits(machine)
    assert {key: limit.limit for key, limit in known.items()} == {
        "memory": None,
        "memory_reservation": None,
        "swap": None,
        "cpu": None,
        "cpu_weight": 100,
        "cpuset": "0-3",
        "pids": None,
    }


def test_unlimited_on_v1_is_none(machine: Any) -> None:
    folders = machine.v1()
    machine.write(folders["memory"] / "memory.limit_in_bytes", f"{UNLIMITED}\n")
    machine.write(folders["memory"] / "memory.memsw.limit_in_bytes", f"{UNLIMITED}\n")
    machine.write(folders["cpu"] / "cpu.cfs_quota_us", "-1\n")
    machine.write(folders["pids"] / "pids.max", "max\n")
    assert read(machine).memory_limit is None
    known = limits(machine)
    assert [known[key].limit for key in ("memory", "swap", "cpu", "pids")] == [None] * 4


def test_memory_is_never_negative(machine: Any) -> None:
    machine.v2(memory__current="5\n")
    assert read(machine).memory == 5


def test_limits_of_v2_with_what_is_used_and_how_often_they_were_hit(machine: Any) -> None:
    machine.v2()
    assert limits(machine) == {
        "memory": LimitInForce("memory", 512 * M, 70 * M, 120 * M, 2, "memory.max"),
        "memory_reservation": LimitInForce("memory_reservation", 64 * M, source="memory.low"),
        "swap": LimitInForce("swap", 64 * M, 4096, None, 3, "memory.swap.max"),
        "cpu": LimitInForce("cpu", 0.5, hits=4, source="cpu.max"),
        "cpu_weight": LimitInForce("cpu_weight", 100, source="cpu.weight"),
        "cpuset": LimitInForce("cpuset", "0-3", source="cpuset.cpus.effective"),
        "pids": LimitInForce("pids", 100, 7, 9, 5, "pids.max"),
    }


def test_limits_of_v1_with_what_is_used_and_how_often_they_were_hit(machine: Any) -> None:
    machine.v1()
    assert limits(machine) == {
        "memory": LimitInForce("memory", 512 * M, 70 * M, 120 * M, 2, "memory.limit_in_bytes"),
        "memory_reservation": LimitInForce(
            "memory_reservation", None, source="memory.soft_limit_in_bytes"
        ),
        "swap": LimitInForce("swap", 1024 * M, 101 * M, 121 * M, 0, "memory.memsw.limit_in_bytes"),
        "cpu": LimitInForce("cpu", 0.5, hits=4, source="cpu.cfs_quota_us"),
        "cpu_weight": LimitInForce("cpu_weight", 512, source="cpu.shares"),
        "cpuset": LimitInForce("cpuset", "0-3", source="cpuset.effective_cpus"),
        "pids": LimitInForce("pids", 100, 7, None, 5, "pids.max"),
    }


def test_a_tighter_limit_of_a_parent_cgroup_is_the_one_in_force(machine: Any) -> None:
    folder = machine.v2(f"/batch.slice/docker-{ID}.scope")
    machine.fill(folder.parent, {"memory.max": f"{256 * M}\n", "cpu.max": "20000 100000\n",
                                 "pids.max": "5000\n"})  # fmt: skip
    known = limits(machine)
    assert known["memory"].limit == 256 * M
    assert known["memory"].source == "memory.max of the parent cgroup batch.slice"
    assert known["cpu"].limit == 0.2
    assert (known["pids"].limit, known["pids"].source) == (100, "pids.max")


def test_a_parents_limit_counts_where_the_container_has_none(machine: Any) -> None:
    folders = machine.v1()
    machine.write(folders["memory"] / "memory.limit_in_bytes", f"{UNLIMITED}\n")
    machine.write(folders["memory"].parent / "memory.limit_in_bytes", f"{128 * M}\n")
    found = limits(machine)["memory"]
    assert found.limit == 128 * M
    assert found.source == "memory.limit_in_bytes of the parent cgroup docker"


def test_what_lies_above_the_mount_is_no_parent(machine: Any) -> None:
    machine.v2()
    machine.write(machine.cgroups.parent / "memory.max", "1\n")
    assert limits(machine)["memory"].limit == 512 * M


def test_members_are_those_of_the_cgroup_and_all_below(machine: Any) -> None:
    folder = machine.v2()
    machine.write(folder / "init.scope/cgroup.procs", "4300\n4299\n")
    machine.write(folder / "a/b/cgroup.procs", f"{PID}\n")
    folders = cgroup.directories(PID, ID, machine.proc)
    assert cgroup.members(folders) == [PID, PID + 1, 4299, 4300]
    assert cgroup.members({}) == []


def test_members_on_v1(machine: Any) -> None:
    machine.v1()
    assert cgroup.members(cgroup.directories(PID, ID, machine.proc)) == [PID]


@pytest.mark.parametrize(
    ("usage", "idle", "memory"),
    [(100, 30, 70), (100, None, 100), (None, 30, None), (100, 100, 100), (100, 200, 100)],
)
def test_the_working_set_is_usage_without_idle_cache(
    usage: int | None, idle: int | None, memory: int | None
) -> None:
    assert cgroup.working_set(usage, idle) == memory
