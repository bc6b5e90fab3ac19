"""What the kernel has in force for a container is what was asked for, as the container sees it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from contui.model.capabilities import CAPABILITIES
from contui.model.errors import EngineUnsupported
from contui.model.linux import Listener, MountInForce
from lab.dockerd import Dockerd
from lab.live import complete, connected, force, limit, reached, seen, session
from support.wait import until

pytestmark = pytest.mark.engine

IDLE = ("--", "sleep", "1000")
M = 1 << 20
DEFAULT = 0xA80425FB
"""The fourteen kernel capabilities that Docker gives (moby, oci/caps/defaults.go)."""
CHOWN, KILL, NET_ADMIN = 1 << 0, 1 << 5, 1 << 12


# --- limits


async def test_limits_are_those_that_were_asked_for(engine: Dockerd) -> None:
    id = engine.run(
        "limited", "-m", "64m", "--memory-swap", "96m", "--memory-reservation", "32m",
        "--cpus", "0.5", "--pids-limit", "20", "--cpuset-cpus", "0", "--cpu-shares", "512",
        "--ulimit", "nofile=100:200", "--ulimit", "core=0", "--oom-score-adj", "250", *IDLE,
    )  # fmt: skip
    async with connected(engine) as ours:
        found = await force(ours, id)
    assert found.missing == {}
    asked = {
        "memory": 64 * M,
        "swap": 96 * M,
        "memory_reservation": 32 * M,
        "cpu": 0.5,
        "cpu_weight": 512,
        "cpuset": "0",
        "pids": 20,
    }
    assert {each.key: each.limit for each in found.limits} == asked
    assert limit(found, "pids").used == 1
    memory = limit(found, "memory")
    assert memory.used is not None and 0 < memory.used < 64 * M
    assert memory.hits == 0
    ulimits = {each.name: (each.soft, each.hard) for each in found.ulimits}
    assert ulimits["Max open files"] == (100, 200)
    assert ulimits["Max core file size"] == (0, 0)
    assert found.oom_score_adj == 250


async def test_what_was_not_asked_for_is_unlimited(engine: Dockerd) -> None:
    id = engine.run("free", *IDLE)
    async with connected(engine) as ours:
        found = await force(ours, id)
    limits = {each.key: each.limit for each in found.limits}
    assert limits["memory"] is limits["swap"] is limits["cpu"] is limits["pids"] is None
    assert limits["memory_reservation"] is None
    assert limits["cpu_weight"] == 1024


async def test_a_throttled_container_is_counted(engine: Dockerd) -> None:
    id = engine.run("burner", "--cpus", "0.1", "--", "sh", "-c", "while :; do :; done")
    async with session(engine) as at:
        await complete(at, "burner")
        await until(lambda: (at.store.rates(id).throttled or 0) > 0.5, "it is mostly throttled")
        found = await force(at.engine, id)
    assert (limit(found, "cpu").hits or 0) > 0


async def test_an_oom_kill_is_counted(engine: Dockerd) -> None:
    id = engine.run("hog", "-m", "16m", "--memory-swap", "16m",
                    "--", "sh", "-c", "tail /dev/zero; tail /dev/zero; sleep 1000")  # fmt: skip
    async with session(engine) as at:
        await complete(at, "hog")

        def killed_twice() -> bool:
            series = at.store.series.get(id)
            return series is not None and series.last is not None and series.last.oom_kills == 2

        await until(killed_twice, "both are killed")
        found = await force(at.engine, id)
    memory = limit(found, "memory")
    assert memory.hits == 2
    assert memory.peak == 16 * M


async def test_refused_forks_are_counted(engine: Dockerd) -> None:
    forks = "sh -c 'while :; do sleep 1000 & done'; sleep 1000"
    id = engine.run("forks", "--pids-limit", "8", "--", "sh", "-c", forks)
    async with connected(engine) as ours:
        found = await reached(lambda: force(ours, id), lambda now: limit(now, "pids").hits)
    pids = limit(found, "pids")
    assert pids.limit == 8
    assert pids.used is not None and pids.used <= 8


async def test_docker_update_is_seen(engine: Dockerd) -> None:
    id = engine.run("changing", "-m", "64m", "--memory-swap", "64m", *IDLE)
    async with session(engine) as at:
        await complete(at, "changing")
        with at.want("in_force", id), at.want("inspect", id):
            await until(lambda: at.store.resource("in_force", id).value)
            engine.docker("update", "-m", "128m", "--memory-swap", "128m", "--cpus", "0.25",
                          "--pids-limit", "33", id)  # fmt: skip

            def limits() -> dict[str, object]:
                found = at.store.resource("in_force", id).value
                return {each.key: each.limit for each in found.limits}

            await until(lambda: limits()["memory"] == 128 * M, "the new limit is in force")
            assert limits()["cpu"] == 0.25
            assert limits()["pids"] == 33

            def detail() -> object:
                known = at.store.containers[id].detail
                return known and (known.memory_limit, known.cpu_limit, known.pids_limit)

            await until(lambda: detail() == (128 * M, 0.25, 33), "the list knows it")


async def test_a_stopped_container_has_nothing_in_force(engine: Dockerd) -> None:
    id = engine.docker("create", "--name", "idle", "busybox")
    async with connected(engine) as ours:
        with pytest.raises(EngineUnsupported, match="no process: created"):
            await force(ours, id)


# --- credentials


def judge(engine: Dockerd, name: str, field: str) -> int:
    """A field of the first process's status, read from inside."""
    row = engine.docker("exec", name, "grep", f"^{field}:", "/proc/1/status")
    return int(row.split()[1], 16)


@pytest.mark.parametrize(
    ("options", "effective", "bounding"),
    [
        ([], DEFAULT, DEFAULT),
        (["--cap-add", "NET_ADMIN"], DEFAULT | NET_ADMIN, DEFAULT | NET_ADMIN),
        (["--cap-drop", "CHOWN"], DEFAULT & ~CHOWN, DEFAULT & ~CHOWN),
        (["--cap-drop", "ALL", "--cap-add", "KILL"], KILL, KILL),
        (["--user", "1000"], 0, DEFAULT),
    ],
)
async def test_capabilities_are_those_in_force(
    engine: Dockerd, options: list[str], effective: int, bounding: int
) -> None:
    id = engine.run("capable", *options, *IDLE)
    async with connected(engine) as ours:
        found = (await force(ours, id)).credentials
    assert found is not None
    assert (found.cap_effective, found.cap_bounding) == (effective, bounding)
    assert found.cap_effective == judge(engine, "capable", "CapEff")
    assert found.cap_bounding == judge(engine, "capable", "CapBnd")


async def test_every_capability_that_can_be_given_is_seen(engine: Dockerd) -> None:
    status = Path("/proc/self/status").read_text()
    # Docker 20.10 knows those up to AUDIT_READ.
    known = [each for each in CAPABILITIES if each.number <= 37]
    own = int(re.search(r"CapBnd:\s*(\w+)", status)[1], 16)
    names = [each.name for each in known if own >> each.number & 1]
    given = own & (1 << 38) - 1
    added = [word for name in names for word in ("--cap-add", name)]
    id = engine.run("mighty", "--cap-drop", "ALL", *added, *IDLE)
    async with connected(engine) as ours:
        found = (await force(ours, id)).credentials
    assert found is not None
    assert found.cap_effective == found.cap_bounding == given
    assert found.cap_effective == judge(engine, "mighty", "CapEff")


async def test_a_privileged_container_is_known_before_it_runs(engine: Dockerd) -> None:
    engine.docker("create", "--name", "mighty", "--privileged", "busybox")
    async with connected(engine) as ours:
        container = await seen(ours, "mighty")
    assert container.detail is not None and container.detail.privileged


async def test_user_and_groups_are_those_in_force(engine: Dockerd) -> None:
    id = engine.run("user", "--user", "1000:100", "--group-add", "7", *IDLE)
    async with connected(engine) as ours:
        found = (await force(ours, id)).credentials
    assert found is not None
    assert (found.uid, found.gid) == (1000, 100)
    assert 7 in found.groups


@pytest.mark.parametrize(
    ("option", "seccomp", "no_new_privileges"),
    [("", 2, False), ("seccomp=unconfined", 0, False), ("no-new-privileges", 2, True)],
)
async def test_confinement_is_that_in_force(
    engine: Dockerd, option: str, seccomp: int, no_new_privileges: bool
) -> None:
    id = engine.run("confined", *(["--security-opt", option] if option else []), *IDLE)
    async with connected(engine) as ours:
        found = (await force(ours, id)).credentials
    assert found is not None
    assert (found.seccomp, found.no_new_privileges) == (seccomp, no_new_privileges)
    assert found.seccomp == judge(engine, "confined", "Seccomp")


async def test_shared_namespaces_are_named(engine: Dockerd) -> None:
    own = engine.run("own", *IDLE)
    shared = engine.run("shared", "--pid", "host", "--uts", "host", "--ipc", "host", *IDLE)
    async with connected(engine) as ours:
        apart, together = await force(ours, own), await force(ours, shared)
    names = ("pid", "uts", "ipc", "mnt")
    assert [apart.namespaces[name] for name in names] == [False] * 4
    assert [together.namespaces[name] for name in names] == [True, True, True, False]


# --- mounts


async def mount(engine: Dockerd, id: str, target: str) -> MountInForce:
    async with connected(engine) as ours:
        found = await force(ours, id)
    return next(each for each in found.mounts if each.target == target)


def can_write(engine: Dockerd, name: str, target: str) -> bool:
    """Whether its own user can."""
    probe = f"touch {target}/.probe 2>/dev/null && rm {target}/.probe && echo yes || echo no"
    return engine.docker("exec", name, "sh", "-c", probe) == "yes"


@pytest.mark.parametrize(
    ("mode", "owner", "options", "writable", "why"),
    [
        (0o755, 0, [], True, "CAP_DAC_OVERRIDE: modes do not count"),
        (0o755, 1000, ["--cap-drop", "ALL"], False, "it runs as 0:0, others may not write"),
        (0o755, 0, ["--user", "1000:1000"], False, "it runs as 1000:1000, others may not write"),
        (0o755, 1000, ["--user", "1000:1000"], True, "it runs as 1000:1000, owner may write"),
        (0o775, 0, ["--user", "1000:0"], True, "it runs as 1000:0, group may write"),
        (0o775, 0, ["--user", "1000", "--group-add", "0"], True, "group may write"),
        (0o777, 0, ["--user", "1000:1000"], True, "it runs as 1000:1000, others may write"),
    ],
)
async def test_whether_it_can_write_is_what_it_finds_out_itself(
    engine: Dockerd, tmp_path: Path, mode: int, owner: int, options: list[str],
    writable: bool, why: str,
) -> None:  # fmt: skip
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(mode)
    os.chown(folder, owner, owner)
    id = engine.run("writer", *options, "-v", f"{folder}:/data", *IDLE)
    found = await mount(engine, id, "/data")
    assert (found.owner, found.mode) == (owner, mode)
    assert found.writable is writable
    assert found.why.endswith(why)
    assert can_write(engine, "writer", "/data") is writable


async def test_read_only_mounts_are_told(engine: Dockerd, tmp_path: Path) -> None:
    id = engine.run("careful", "--read-only", "-v", f"{tmp_path}:/data:ro", *IDLE)
    for target in ("/", "/data"):
        found = await mount(engine, id, target)
        assert found.read_only
        assert (found.writable, found.why) == (False, "mounted read-only")
        assert not can_write(engine, "careful", target)


async def test_free_space_is_that_of_df(engine: Dockerd) -> None:
    id = engine.run("full", "--tmpfs", "/scratch:size=2m", "-v", "/volume", *IDLE)
    engine.docker("exec", "full", "dd", "if=/dev/zero", "of=/scratch/half", "bs=1M", "count=1")
    found = await mount(engine, id, "/scratch")
    assert (found.filesystem, found.total, found.free) == ("tmpfs", 2 * M, M)
    row = engine.docker("exec", "full", "df", "-kP", "/scratch").splitlines()[-1].split()
    assert (int(row[1]) * 1024, int(row[3]) * 1024) == (found.total, found.free)
    volume = await mount(engine, id, "/volume")
    total = int(engine.docker("exec", "full", "df", "-kP", "/volume").splitlines()[-1].split()[1])
    assert volume.total == total * 1024
    assert volume.inodes and volume.inodes_free


# --- sockets


async def test_who_listens_where(engine: Dockerd) -> None:
    serve = "httpd -p 0.0.0.0:80; httpd -p 127.0.0.1:81; echo up; sleep 1000"
    id = engine.run("server", "-p", "8080:80", "-p", "8081:81", "-p", "8082:82",
                    "--", "sh", "-c", serve)  # fmt: skip

    async def logs() -> str:
        return engine.docker("logs", "server")

    async with connected(engine) as ours:
        await reached(logs, lambda said: "up" in said)
        found = await force(ours, id)
    assert set(found.listeners) == {
        Listener("tcp", "0.0.0.0", 80),
        Listener("tcp", "127.0.0.1", 81),
    }


async def test_connections_are_counted(engine: Dockerd) -> None:
    id = engine.run("server", "--", "nc", "-ll", "-p", "80", "-e", "cat")
    address = engine.inspect("server")["NetworkSettings"]["IPAddress"]
    async with connected(engine) as ours:
        await reached(lambda: force(ours, id), lambda now: now.listeners)
        engine.run("client", "-i", "--", "nc", address, "80")
        found = await reached(
            lambda: force(ours, id), lambda now: now.connections.get("ESTABLISHED") == 1
        )
    assert "LISTEN" not in found.connections


# --- processes


async def test_processes_are_those_of_ps(engine: Dockerd) -> None:
    id = engine.run("tree", "--user", "1000", "--", "sh", "-c", "sleep 1000 & sleep 2000; true")

    def sleeping(rows: object) -> int:
        assert isinstance(rows, tuple)
        return sum(1 for each in rows if each.command.startswith("sleep"))

    async with connected(engine) as ours:
        rows = await reached(
            lambda: ours.fetch("processes", id), lambda now: sleeping(now) == 2, "two asleep"
        )
    assert isinstance(rows, tuple)
    theirs = engine.docker("top", "tree", "-eo", "pid,ppid,args").splitlines()[1:]
    parsed = {tuple(re.split(r"\s+", row.strip(), maxsplit=2)) for row in theirs}
    assert {(str(each.pid), str(each.parent), each.command) for each in rows} == parsed
    assert {each.user for each in rows} == {"www"}
