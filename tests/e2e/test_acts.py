"""Everything that is done to real containers, images, volumes and networks; and what is refused."""

from __future__ import annotations

import asyncio
import shlex
from typing import Any

import pytest

from contui.engines.base import Terminal
from contui.engines.docker.engine import DockerEngine
from contui.model.action import Action
from contui.model.errors import EngineConflict, EngineError, EngineNotFound
from lab.dockerd import Dockerd
from lab.live import complete, connected, reached, session
from support.wait import PATIENCE, until

pytestmark = pytest.mark.engine

IDLE = ("--", "sleep", "1000")
POLITE = "trap 'exit 9' TERM; trap 'exit 8' USR1; echo ready; while :; do sleep 0.05; done"
M = 1 << 20


async def act(engine: Dockerd, verb: str, id: str, kind: str = "container", **options: Any) -> str:
    async with connected(engine) as ours:
        return await ours.act(Action(verb, kind, id, options=options))


async def polite(engine: Dockerd) -> str:
    """A container that ends by itself when it gets a signal."""
    id = engine.run("polite", "--", "sh", "-c", POLITE)

    async def logs() -> str:
        return engine.docker("logs", "polite")

    # Before its traps are set the kernel spares it every signal but KILL.
    await reached(logs, lambda said: "ready" in said)
    return id


def state(engine: Dockerd, name: str) -> str:
    found: str = engine.inspect(name)["State"]["Status"]
    return found


# --- containers


async def test_start_stop_and_restart(engine: Dockerd) -> None:
    id = engine.run("one", *IDLE)
    await act(engine, "stop", id, timeout=0)
    assert state(engine, id) == "exited"
    await act(engine, "start", id)
    assert state(engine, id) == "running"
    began = engine.inspect(id)["State"]["StartedAt"]
    await act(engine, "restart", id, timeout=0)
    assert state(engine, id) == "running"
    assert engine.inspect(id)["State"]["StartedAt"] > began


async def test_a_stop_asks_before_it_kills(engine: Dockerd) -> None:
    id = await polite(engine)
    await act(engine, "stop", id, timeout=60)
    assert engine.inspect(id)["State"]["ExitCode"] == 9


async def test_pause_and_resume(engine: Dockerd) -> None:
    id = engine.run("one", *IDLE)
    await act(engine, "pause", id)
    assert state(engine, id) == "paused"
    await act(engine, "unpause", id)
    assert state(engine, id) == "running"


@pytest.mark.parametrize(("options", "code"), [({}, 137), ({"signal": "USR1"}, 8)])
async def test_a_kill_sends_the_signal(engine: Dockerd, options: dict[str, str], code: int) -> None:
    id = await polite(engine)
    await act(engine, "kill", id, **options)
    assert engine.docker("wait", id) == str(code)


async def test_remove_takes_the_container_and_its_anonymous_volumes(engine: Dockerd) -> None:
    id = engine.run("one", "-v", "/data", *IDLE)
    await act(engine, "remove", id, force=True, volumes=True)
    assert engine.docker("ps", "-aq") == ""
    assert engine.docker("volume", "ls", "-q") == ""


async def test_rename(engine: Dockerd) -> None:
    id = engine.run("one", *IDLE)
    await act(engine, "rename", id, name="two")
    assert engine.inspect(id)["Name"] == "/two"


async def test_update_sets_every_limit(engine: Dockerd) -> None:
    id = engine.run("one", "-m", "32m", *IDLE)
    await act(engine, "update", id, memory=64 * M, memory_swap=96 * M, memory_reservation=16 * M,
              cpus=0.75, cpu_shares=256, cpuset="0", pids=50, restart="on-failure:3")  # fmt: skip
    host = engine.inspect(id)["HostConfig"]
    assert {key: host[key] for key in (
        "Memory", "MemorySwap", "MemoryReservation", "NanoCpus", "CpuShares", "CpusetCpus",
        "PidsLimit", "RestartPolicy",
    )} == {
        "Memory": 64 * M,
        "MemorySwap": 96 * M,
        "MemoryReservation": 16 * M,
        "NanoCpus": 750_000_000,
        "CpuShares": 256,
        "CpusetCpus": "0",
        "PidsLimit": 50,
        "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3},
    }  # fmt: skip


async def test_the_command_we_show_does_the_same(engine: Dockerd) -> None:
    id = engine.run("one", *IDLE)
    actions = [
        Action("update", id=id, options={"memory": 64 * M, "memory_swap": 64 * M, "pids": 9}),
        Action("pause", id=id),
        Action("unpause", id=id),
        Action("rename", id=id, options={"name": "two"}),
        Action("restart", id=id, options={"timeout": 0}),
        Action("kill", id=id, options={"signal": "KILL"}),
        Action("start", id=id),
        Action("stop", id=id, options={"timeout": 0}),
        Action("remove", id=id, options={"force": True, "volumes": True}),
        Action("prune", kind="volume"),
        Action("prune", kind="network"),
    ]
    for action in actions:
        docker, *words = shlex.split(action.command())
        assert docker == "docker"
        engine.docker(*words)
    assert engine.docker("ps", "-aq") == ""


async def test_an_act_is_on_the_timeline_and_the_list_is_right_at_once(engine: Dockerd) -> None:
    id = engine.run("one", *IDLE)
    async with session(engine) as at:
        await complete(at, "one")
        await at.act(Action("stop", id=id, name="one", options={"timeout": 0}))
        await until(lambda: at.store.containers[id].state == "exited")
        own = [event for event in at.store.events if event.kind == "contui"]
        assert [(event.action, event.attributes["command"]) for event in own] == [
            ("stop", "docker stop --time 0 one")
        ]


# --- what is refused comes with the engine's own sentence


@pytest.mark.parametrize(
    ("verb", "options", "kind", "sentence"),
    [
        ("remove", {}, EngineConflict, "cannot remove a running container"),
        ("rename", {"name": "taken"}, EngineConflict, 'name "/taken" is already in use'),
        ("unpause", {}, EngineError, "is not paused"),
        ("update", {"memory": 1}, EngineError, "Minimum memory limit allowed is 6MB"),
    ],
)
async def test_a_refusal_is_the_engine_s_sentence(
    engine: Dockerd, verb: str, options: dict[str, Any], kind: type[EngineError], sentence: str
) -> None:
    engine.docker("create", "--name", "taken", "busybox")
    id = engine.run("one", *IDLE)
    with pytest.raises(kind, match=sentence):
        await act(engine, verb, id, **options)
    assert state(engine, "one") == "running"


async def test_not_running_is_a_conflict(engine: Dockerd) -> None:
    id = engine.docker("create", "--name", "idle", "busybox")
    for verb in ("kill", "pause"):
        with pytest.raises(EngineConflict, match="is not running"):
            await act(engine, verb, id)


@pytest.mark.parametrize("kind", ["container", "image", "volume", "network"])
async def test_what_is_gone_is_not_found(engine: Dockerd, kind: str) -> None:
    with pytest.raises(EngineNotFound, match=r"(?i)no such|not found"):
        await act(engine, "remove", "nosuch", kind)


async def test_a_start_that_fails_tells_why(engine: Dockerd) -> None:
    id = engine.docker("create", "--name", "bad", "busybox", "nosuch")
    with pytest.raises(EngineError, match='"nosuch": executable file not found'):
        await act(engine, "start", id)


async def test_what_is_in_use_is_not_removed(engine: Dockerd) -> None:
    engine.docker("volume", "create", "store")
    engine.docker("network", "create", "net")
    engine.run("user", "-v", "store:/data", "--network", "net", *IDLE)
    with pytest.raises(EngineConflict, match="volume is in use"):
        await act(engine, "remove", "store", "volume")
    with pytest.raises(EngineError, match="has active endpoints"):
        await act(engine, "remove", "net", "network")
    with pytest.raises(EngineConflict, match="is being used by running container"):
        await act(engine, "remove", engine.inspect("user")["Image"], "image", force=True)


# --- images, volumes, networks


async def test_images_are_listed_removed_and_pruned(engine: Dockerd) -> None:
    engine.docker("tag", "busybox", "spare:1")
    engine.make_image("old:1", "LABEL made=once")
    dangling = engine.docker("images", "-q", "--no-trunc", "old:1")
    engine.make_image("old:1", "LABEL made=twice")
    async with connected(engine) as ours:
        images = {each.id: each for each in await ours.fetch("images", "")}
        assert images[dangling].dangling
        await ours.act(Action("remove", "image", "spare:1"))
        assert "spare" not in engine.docker("images")
        said = await ours.act(Action("prune", "image"))
        assert said == "done" or said.endswith(" given back")
        left = {each.id for each in await ours.fetch("images", "")}
        assert left == set(images) - {dangling}
        await ours.act(Action("remove", "image", "old:1"))
    assert engine.docker("images", "--format", "{{.Repository}}") == "busybox"


async def test_volumes_are_listed_removed_and_pruned(engine: Dockerd) -> None:
    engine.run("user", "-v", "used:/data", *IDLE)
    for name in ("one", "two"):
        engine.docker("volume", "create", "--label", "owner=me", name)
    async with connected(engine) as ours:
        volumes = {each.name: each for each in await ours.fetch("volumes", "")}
        assert set(volumes) == {"used", "one", "two"}
        assert volumes["one"].labels == {"owner": "me"}
        await ours.act(Action("remove", "volume", name="one"))
        assert set(engine.docker("volume", "ls", "-q").split()) == {"used", "two"}
        await ours.act(Action("prune", "volume"))
    assert engine.docker("volume", "ls", "-q") == "used"


async def test_networks_are_listed_removed_and_pruned(engine: Dockerd) -> None:
    for name, subnet in (
        ("one", "10.71.0.0/24"),
        ("two", "10.72.0.0/24"),
        ("used", "10.73.0.0/24"),
    ):
        engine.docker("network", "create", "--subnet", subnet, name)
    engine.run("user", "--network", "used", *IDLE)
    async with connected(engine) as ours:
        networks = {each.name: each for each in await ours.fetch("networks", "")}
        assert networks["one"].subnets == ("10.71.0.0/24",)
        assert [name for name, each in networks.items() if not each.predefined] == (
            [name for name in networks if name in ("one", "two", "used")]
        )
        await ours.act(Action("remove", "network", networks["one"].id))
        await ours.act(Action("prune", "network"))
    names = set(engine.docker("network", "ls", "--format", "{{.Name}}").split())
    assert names == {"bridge", "host", "none", "used"}


async def test_container_prune_spares_what_runs(engine: Dockerd) -> None:
    engine.run("runs", *IDLE)
    engine.docker("create", "--name", "idle", "busybox")
    await act(engine, "prune", "")
    assert engine.docker("ps", "-a", "--format", "{{.Names}}") == "runs"


async def test_disk_use_is_that_of_docker_system_df(engine: Dockerd) -> None:
    engine.run("writer", "-v", "store:/data",
               "--", "sh", "-c", "echo some >/data/x; sleep 1000")  # fmt: skip
    async with connected(engine) as ours:
        disk = await ours.fetch("disk", "")
    rows = {kind: (count, used) for kind, count, used, _, _ in disk.rows}
    theirs = {}
    for line in engine.docker(
        "system", "df", "--format", "{{.Type}}|{{.TotalCount}}|{{.Active}}"
    ).splitlines():
        kind, count, used = line.split("|")
        theirs[kind.lower()] = (int(count), int(used))
    assert rows["images"] == theirs["images"]
    assert rows["containers"] == theirs["containers"]
    assert rows["volumes"] == theirs["local volumes"]
    assert next(each for each in disk.volumes if each.name == "store").references == 1


# --- exec and attach


async def told(terminal: Terminal, wanted: str) -> str:
    """What it writes, up to ``wanted``."""
    said = ""
    async with asyncio.timeout(PATIENCE):
        while wanted not in said:
            data = await terminal.read()
            assert data, f"it ended without {wanted!r}: {said!r}"
            said += data.decode()
    return said


async def rest(terminal: Terminal) -> str:
    """What it writes until its end."""
    said = b""
    async with asyncio.timeout(PATIENCE):
        while data := await terminal.read():
            said += data
    return said.decode()


async def run(
    ours: DockerEngine, id: str, command: str, user: str = "", directory: str = ""
) -> tuple[str, int | None]:
    """Output and exit code of a command in a container."""
    terminal = await ours.exec(
        id, ["sh", "-c", command], user=user, directory=directory, size=(80, 24)
    )
    said = await rest(terminal)
    return said.replace("\r\n", "\n").strip(), await terminal.close()


async def test_exec_has_the_exit_code_of_its_command(engine: Dockerd) -> None:
    id = engine.run("host", *IDLE)
    async with connected(engine) as ours:
        assert await run(ours, id, "echo hello; exit 42") == ("hello", 42)
        assert await run(ours, id, "true") == ("", 0)


async def test_exec_as_a_user_in_a_directory(engine: Dockerd) -> None:
    id = engine.run("host", *IDLE)
    async with connected(engine) as ours:
        said, _ = await run(ours, id, "id -u; pwd", user="www", directory="/tmp")
        assert said.split() == ["1000", "/tmp"]
        said, _ = await run(ours, id, "id -u; pwd; echo $TERM")
        assert said.split() == ["0", "/", "xterm-256color"]


async def test_exec_has_the_size_of_the_window_and_follows_it(engine: Dockerd) -> None:
    id = engine.run("host", *IDLE)
    async with connected(engine) as ours:
        terminal = await ours.exec(id, ["sh"], user="", directory="", size=(101, 37))
        await told(terminal, "#")
        await terminal.write(b"stty size\n")
        assert "37 101" in await told(terminal, "37 101")
        await terminal.resize(64, 16)
        await terminal.write(b"stty size\n")
        assert "16 64" in await told(terminal, "16 64")
        await terminal.write(b"exit 5\n")
        await rest(terminal)
        with pytest.raises(EngineConflict, match="has ended"):
            await terminal.write(b"too late")
        assert await terminal.close() == 5
        await terminal.resize(80, 24)  # quiet: it has ended


async def test_exec_passes_every_byte(engine: Dockerd) -> None:
    id = engine.run("host", *IDLE)
    async with connected(engine) as ours:
        terminal = await ours.exec(
            id, ["sh", "-c", "stty raw -echo; echo ready; head -c 256 | od -An -v -tu1"],
            user="", directory="", size=(80, 24),
        )  # fmt: skip
        await told(terminal, "ready")
        await terminal.write(bytes(range(256)))
        said = await rest(terminal)
        await terminal.close()
    assert list(map(int, said.split())) == list(range(256))


async def test_exec_in_a_stopped_container_is_a_conflict(engine: Dockerd) -> None:
    id = engine.docker("create", "--name", "idle", "busybox")
    async with connected(engine) as ours:
        with pytest.raises(EngineConflict, match="is not running"):
            await ours.exec(id, ["sh"], user="", directory="", size=(80, 24))


async def test_exec_of_a_missing_command_tells_so(engine: Dockerd) -> None:
    id = engine.run("host", *IDLE)
    async with connected(engine) as ours:
        terminal = await ours.exec(id, ["nosuch"], user="", directory="", size=(80, 24))
        assert "executable file not found" in await rest(terminal)
        assert await terminal.close() in (126, 127)


async def test_detaching_leaves_the_container_running(engine: Dockerd) -> None:
    command = "echo hello; while read line; do echo got $line; done"
    id = engine.run("tty", "-it", "--", "sh", "-c", command)
    async with connected(engine) as ours:
        terminal = await ours.attach(id, (90, 30))
        assert "hello" in await told(terminal, "hello")
        await terminal.write(b"ping\r")
        await told(terminal, "got ping")
        await terminal.resize(70, 20)
        await terminal.close()
        assert state(engine, "tty") == "running"
        again = await ours.attach(id, (90, 30))
        await told(again, "got ping")
        await again.write(b"pong\r")
        await told(again, "got pong")
        await again.close()
    assert state(engine, "tty") == "running"


async def test_attaching_without_a_terminal_shows_what_it_prints(engine: Dockerd) -> None:
    id = engine.run("plain", "-i", "--", "sh", "-c", "while read line; do echo got $line; done")
    async with connected(engine) as ours:
        terminal = await ours.attach(id, (80, 24))
        await terminal.write(b"ping\n")
        await told(terminal, "got ping")
        await terminal.close()
    assert state(engine, "plain") == "running"
