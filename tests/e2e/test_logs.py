"""Logs of real containers: what was printed, whole, in order and told apart."""

from __future__ import annotations

import time

import pytest

from contui.engines.docker.engine import DockerEngine
from contui.model.container import Container
from contui.model.errors import EngineUnsupported
from contui.model.feed import FeedState
from contui.model.log import LogLine, LogWindow, Std
from contui.session import Session
from lab.dockerd import Dockerd
from lab.live import complete, connected, reached, seen, session
from support.wait import until

pytestmark = pytest.mark.engine

ALL = LogWindow(tail=None)


async def read(ours: DockerEngine, container: Container, window: LogWindow = ALL) -> list[LogLine]:
    """The log of a container that has ended."""
    return [line async for lines in ours.logs(container, window) for line in lines]


async def ended(ours: DockerEngine, name: str) -> Container:
    return await reached(lambda: seen(ours, name), lambda now: now.state == "exited", "ended")


def texts(at: Session, id: str) -> list[str]:
    """What the store holds of a log."""
    return [line.text for line in at.store.log(id).since(0) if isinstance(line, LogLine)]


async def test_stdout_and_stderr_are_told_apart(engine: Dockerd) -> None:
    said = "echo out one; echo err one >&2; echo out two; echo err two >&2"
    engine.run("both", "--", "sh", "-c", said)
    async with connected(engine) as ours:
        lines = await read(ours, await ended(ours, "both"))
    assert sorted((line.std, line.text) for line in lines) == [
        (Std.OUT, "out one"),
        (Std.OUT, "out two"),
        (Std.ERR, "err one"),
        (Std.ERR, "err two"),
    ]


async def test_times_are_those_of_docker_logs(engine: Dockerd) -> None:
    engine.run("clock", "--", "sh", "-c", "echo a; echo b; echo c")
    async with connected(engine) as ours:
        lines = await read(ours, await ended(ours, "clock"))
    theirs = [row.split(" ") for row in engine.docker("logs", "-t", "clock").splitlines()]
    assert [line.text for line in lines] == [text for _, text in theirs]
    assert [line.time_ns % 10**9 for line in lines] == [
        int(stamp.partition(".")[2].rstrip("Z").ljust(9, "0")) for stamp, _ in theirs
    ]
    assert lines == sorted(lines, key=lambda line: line.time_ns)


@pytest.mark.parametrize("tty", [False, True])
async def test_a_line_of_40_kb_is_one_line(engine: Dockerd, tty: bool) -> None:
    command = "head -c 40960 /dev/zero | tr '\\0' x; echo; echo after"
    engine.run("long", *(["-t"] if tty else []), "--", "sh", "-c", command)
    async with connected(engine) as ours:
        lines = await read(ours, await ended(ours, "long"))
    assert [line.text for line in lines] == ["x" * 40960, "after"]


async def test_a_terminal_s_lines_end_without_carriage_return(engine: Dockerd) -> None:
    engine.run("tty", "-t", "--", "sh", "-c", "echo one; printf '\\033[31mred\\033[0m\\n'; echo")
    async with connected(engine) as ours:
        lines = await read(ours, await ended(ours, "tty"))
    assert [(line.std, line.text) for line in lines] == [
        (Std.OUT, "one"),
        (Std.OUT, "\x1b[31mred\x1b[0m"),
        (Std.OUT, ""),
    ]
    assert all(line.time_ns for line in lines)


async def test_what_ends_without_a_line_feed_is_shown(engine: Dockerd) -> None:
    engine.run("cut", "--", "sh", "-c", "echo whole; printf half")
    async with connected(engine) as ours:
        lines = await read(ours, await ended(ours, "cut"))
    assert [line.text for line in lines] == ["whole", "half"]


async def test_the_tail_is_the_newest_lines(engine: Dockerd) -> None:
    engine.run("many", "--", "seq", "1", "5000")
    async with connected(engine) as ours:
        container = await ended(ours, "many")
        tail = await read(ours, container, LogWindow(tail=3))
        everything = await read(ours, container)
    assert [line.text for line in tail] == ["4998", "4999", "5000"]
    assert [line.text for line in everything] == [str(each) for each in range(1, 5001)]


async def test_since_leaves_out_what_is_older(engine: Dockerd) -> None:
    engine.run("slow", "--", "sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.1; done")
    async with connected(engine) as ours:
        container = await ended(ours, "slow")
        first, second, third = await read(ours, container)
        later = await read(ours, container, LogWindow(None, second.time_ns))
        after = await read(ours, container, LogWindow(None, second.time_ns + 1))
        none = await read(ours, container, LogWindow(None, third.time_ns + 10**9))
    assert first.time_ns < second.time_ns < third.time_ns
    assert later == [second, third]
    assert after == [third]
    assert none == []


@pytest.mark.parametrize("tty", [False, True])
async def test_new_lines_follow(engine: Dockerd, tty: bool) -> None:
    command = "echo first; until [ -e /go ]; do sleep 0.05; done; echo second; sleep 1000"
    id = engine.run("talker", *(["-t"] if tty else []), "--", "sh", "-c", command)
    async with session(engine) as at:
        await complete(at, "talker")
        with at.want("logs", id):
            await until(lambda: texts(at, id) == ["first"])
            engine.docker("exec", "talker", "touch", "/go")
            await until(lambda: texts(at, id) == ["first", "second"])


async def test_the_log_goes_on_when_the_container_is_restarted(engine: Dockerd) -> None:
    id = engine.run("phoenix", "--", "sh", "-c", "echo up; exec sleep 1000")
    async with session(engine) as at:
        await complete(at, "phoenix")
        with at.want("logs", id):
            for run in range(1, 4):
                await until(lambda run=run: texts(at, id) == ["up"] * run, f"run {run}")
                if run < 3:
                    engine.docker("restart", "-t", "0", "phoenix")


async def test_another_window_is_read_anew(engine: Dockerd) -> None:
    id = engine.run("many", "--", "sh", "-c", "seq 1 3000; sleep 1000")

    async def last() -> str:
        return engine.docker("logs", "--tail", "1", "many")

    async with session(engine) as at:
        await reached(last, lambda said: said == "3000")
        await complete(at, "many")
        with at.want("logs", id):
            await until(lambda: texts(at, id)[-1:] == ["3000"])
            assert len(texts(at, id)) == 1000
            at.set_window(id, LogWindow(tail=None))
            await until(lambda: len(texts(at, id)) == 3000)
            assert texts(at, id) == [str(each) for each in range(1, 3001)]


async def test_a_log_that_is_kept_nowhere_says_so(engine: Dockerd) -> None:
    id = engine.run("mute", "--log-driver", "none", "--", "sh", "-c", "echo lost; sleep 1000")
    async with connected(engine) as ours:
        with pytest.raises(EngineUnsupported, match="configured logging driver does not support"):
            await read(ours, await seen(ours, "mute"))
    async with session(engine) as at:
        await complete(at, "mute")
        with at.want("logs", id):
            feed = f"logs:{id}"
            await until(lambda: feed in at.store.feeds and at.store.feeds[feed].reason)
            status = at.store.feeds[feed]
            assert status.state is FeedState.FAILED
            assert "logging driver" in status.reason


async def test_nothing_printed_yet_is_an_empty_log_that_is_live(engine: Dockerd) -> None:
    id = engine.run("quiet", "--", "sleep", "1000")
    async with session(engine) as at:
        await complete(at, "quiet")
        with at.want("logs", id):
            await until(lambda: f"logs:{id}" in at.store.feeds)
            assert at.store.feeds[f"logs:{id}"].state is FeedState.LIVE
            assert texts(at, id) == []


async def test_following_a_fast_talker_loses_nothing(engine: Dockerd) -> None:
    id = engine.run("fast", "--", "sh", "-c", "seq 1 60000; sleep 1000")
    async with session(engine) as at:
        await complete(at, "fast")
        at.set_window(id, LogWindow(tail=None, since_ns=time.time_ns() - 3600 * 10**9))
        with at.want("logs", id):
            await until(lambda: texts(at, id)[-1:] == ["60000"])
            assert texts(at, id) == [str(each) for each in range(1, 60001)]


async def test_a_removed_container_s_log_ends(engine: Dockerd) -> None:
    id = engine.run("gone", "--", "sh", "-c", "echo here; sleep 1000")
    async with session(engine) as at:
        await complete(at, "gone")
        with at.want("logs", id):
            await until(lambda: texts(at, id) == ["here"])
            engine.docker("rm", "-f", "gone")
            await until(lambda: id not in at.store.containers)
            feed = f"logs:{id}"
            await until(lambda: at.store.feeds[feed].state is FeedState.FAILED)
            assert at.store.feeds[feed].reason == "the container is gone"
