"""Events of a real engine as they happen, and what a session makes of a daemon that fails."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator

import pytest

from contui.engines.base import Terminal
from contui.model.errors import EngineError, EngineTimeout, EngineUnavailable
from contui.model.feed import FeedState
from contui.session import Session
from lab.dockerd import Dockerd, private
from lab.live import complete, named, session
from support.wait import PATIENCE, until

pytestmark = pytest.mark.engine

IDLE = ("--", "sleep", "1000")


def happened(at: Session, id: str) -> list[str]:
    """What the session knows to have happened to a container, oldest first."""
    return [event.action for event in at.store.events if event.id == id]


def feed(at: Session) -> FeedState | None:
    status = at.store.feeds.get("engine")
    return status.state if status is not None else None


async def live(at: Session) -> None:
    await until(lambda: at.store.listed and feed(at) is FeedState.LIVE, "the engine's feed is live")


# --- as it happens


async def test_a_life_is_told_as_it_happens(engine: Dockerd) -> None:
    async with session(engine) as at:
        await live(at)
        id = engine.run("one", *IDLE)
        await until(lambda: "start" in happened(at, id))
        assert (await complete(at, "one")).state == "running"
        engine.docker("pause", "one")
        await until(lambda: at.store.containers[id].state == "paused")
        engine.docker("unpause", "one")
        await until(lambda: at.store.containers[id].state == "running")
        engine.docker("rename", "one", "two")
        await until(lambda: at.store.containers[id].name == "two")
        engine.docker("kill", "two")
        await until(lambda: at.store.containers[id].state == "exited")
        engine.docker("rm", "two")
        await until(lambda: id not in at.store.containers)
        events = [event for event in at.store.events if event.id == id]
    order = ["create", "start", "pause", "unpause", "rename", "kill", "die", "destroy"]
    assert [each.action for each in events if each.action in order] == order
    assert next(each for each in events if each.action == "die").attributes["exitCode"] == "137"
    assert not any(each.inferred for each in events)
    assert [each.time_ns for each in events] == sorted(each.time_ns for each in events)


async def test_what_happened_before_the_console_is_told_too(engine: Dockerd) -> None:
    id = engine.run("early", "--", "sh", "-c", "exit 7")
    engine.docker("wait", "early")
    async with session(engine) as at:
        await until(lambda: "die" in happened(at, id))
        assert [each for each in happened(at, id) if each in ("create", "start", "die")] == [
            "create", "start", "die",
        ]  # fmt: skip


async def test_an_oom_kill_is_an_event(engine: Dockerd) -> None:
    async with session(engine) as at:
        await live(at)
        id = engine.run("hog", "-m", "16m", "--memory-swap", "16m", "--", "tail", "/dev/zero")
        await until(lambda: {"oom", "die"} <= set(happened(at, id)), "oom and die are reported")


async def test_health_changes_are_events(engine: Dockerd) -> None:
    async with session(engine) as at:
        await live(at)
        id = engine.run("patient", "--health-cmd", "test ! -e /ill", "--health-interval", "1s",
                        "--health-retries", "1", *IDLE)  # fmt: skip
        await until(lambda: "health_status: healthy" in happened(at, id))
        await until(lambda: at.store.containers[id].health == "healthy")
        engine.docker("exec", "patient", "touch", "/ill")
        await until(lambda: "health_status: unhealthy" in happened(at, id))
        await until(lambda: at.store.containers[id].health == "unhealthy")
        # Each probe makes three of these, which would push everything else out of the timeline.
        assert not [action for action in happened(at, id) if action.startswith("exec_")]


async def test_other_objects_are_read_again_when_they_change(engine: Dockerd) -> None:
    async with session(engine) as at:
        await live(at)
        with at.want("volumes"), at.want("networks"):

            def names(kind: str) -> set[str]:
                return {each.name for each in at.store.resource(kind).value or ()}

            await until(lambda: "bridge" in names("networks"))
            engine.docker("volume", "create", "store")
            await until(lambda: "store" in names("volumes"))
            engine.docker("network", "create", "net")
            await until(lambda: "net" in names("networks"))
            engine.docker("network", "rm", "net")
            engine.docker("volume", "rm", "store")
            await until(lambda: "net" not in names("networks") and "store" not in names("volumes"))


# --- a daemon that fails: one of its own, so that nobody else's is disturbed


@pytest.fixture(scope="module")
def fragile(daemon: Dockerd) -> Iterator[Dockerd]:
    with private() as started:
        yield started


@pytest.fixture
def failing(fragile: Dockerd) -> Iterator[Dockerd]:
    yield fragile
    fragile.remove_all()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_daemon_that_restarts_is_followed_again(
    failing: Dockerd, number: signal.Signals
) -> None:
    survivor = failing.run("survivor", *IDLE)
    victim = failing.run("victim", *IDLE)
    async with session(failing) as at:
        await live(at)
        await complete(at, "survivor")
        pid = (await complete(at, "victim")).detail.pid
        failing.stop(number)
        await until(lambda: feed(at) is FeedState.RETRYING, "it tries again")
        status = at.store.feeds["engine"]
        assert status.reason and status.retry_at > 0
        # The list stays, and the kernel still tells of what runs on.
        assert set(at.store.containers) == {survivor, victim}
        os.kill(pid, signal.SIGKILL)
        failing.start()
        await live(at)
        await until(lambda: at.store.containers[victim].state == "exited", "the victim's end")
        assert at.store.containers[survivor].state == "running"
        await until(
            lambda: any(
                event.inferred and (event.id, event.action) == (victim, "die")
                for event in at.store.events
            ),
            "its end is inferred",
        )
        newcomer = failing.run("newcomer", *IDLE)
        await until(lambda: "start" in happened(at, newcomer), "events arrive again")
        failing.docker("rm", "-f", "survivor")
        await until(lambda: named(at, "survivor") is None)


async def test_a_frozen_daemon_is_stalled_until_it_goes_on(failing: Dockerd) -> None:
    id = failing.run("idle", *IDLE)
    async with session(failing) as at:
        await live(at)
        await until(lambda: at.store.series.get(id), "it is sampled")
        failing.send(signal.SIGSTOP)
        try:
            await until(lambda: feed(at) is FeedState.STALLED, "the feed says that it is stalled")
            assert at.store.feeds["engine"].reason == "the engine does not answer"
            sampled = at.store.series[id].last.at
            await until(lambda: at.store.series[id].last.at > sampled, "the kernel still tells")
        finally:
            failing.send(signal.SIGCONT)
        await live(at)
        other = failing.run("other", *IDLE)
        await until(lambda: "start" in happened(at, other), "events arrive again")


@pytest.mark.parametrize("turns", range(5))
async def test_a_session_that_is_left_while_its_daemon_dies_ends(
    failing: Dockerd, turns: int
) -> None:
    async with asyncio.timeout(PATIENCE):
        async with session(failing) as at:
            await live(at)
            # The loop does not turn meanwhile: the end of the streams and that of the session meet.
            failing.stop(signal.SIGKILL)
            failing.start()
            for _ in range(turns):
                await asyncio.sleep(0)


async def test_a_session_without_an_engine_waits_for_it(failing: Dockerd) -> None:
    id = failing.run("idle", *IDLE)
    failing.stop()
    try:
        async with session(failing) as at:
            await until(lambda: feed(at) is FeedState.RETRYING)
            status = at.store.feeds["engine"]
            assert "docker.sock" in status.reason
            assert not at.store.listed
            failing.start()
            at.retry()
            await live(at)
            assert set(at.store.containers) == {id}
    finally:
        if not failing.answers():
            failing.start()


# --- a shell while the daemon fails


async def shell(at: Session, id: str) -> Terminal:
    return await at.exec(id, ["sh"], user="", directory="", size=(80, 24))


async def test_a_shell_ends_with_its_daemon(failing: Dockerd) -> None:
    id = failing.run("host", *IDLE)
    async with session(failing) as at:
        await live(at)
        terminal = await shell(at, id)
        failing.stop(signal.SIGKILL)
        try:
            async with asyncio.timeout(PATIENCE):
                with contextlib.suppress(EngineError):
                    while await terminal.read():
                        pass
            with pytest.raises(EngineError):
                await terminal.write(b"exit\n")
            await terminal.resize(70, 20)
            assert await terminal.close() is None
            for start in (shell(at, id), at.attach(id, (80, 24))):
                with pytest.raises(EngineUnavailable, match="engine is not running"):
                    await start
        finally:
            failing.start()


async def test_a_shell_of_a_frozen_daemon_is_given_up(
    failing: Dockerd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contui.engines.docker.terminal.TIMEOUT", 0.5)
    id = failing.run("host", *IDLE)
    async with session(failing) as at:
        await live(at)
        failing.send(signal.SIGSTOP)
        try:
            with pytest.raises(EngineTimeout, match="does not answer"):
                await shell(at, id)
        finally:
            failing.send(signal.SIGCONT)
