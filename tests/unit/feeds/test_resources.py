import asyncio
from typing import Any

import pytest

from contui.feeds import resources as module
from contui.feeds.resources import INTERVALS, Poll
from contui.feeds.supervisor import Supervisor
from contui.model.errors import EngineError
from contui.model.update import Fetched
from support.scripted import Scripted
from support.wait import settled, until

KEY = ("images", "")


@pytest.fixture
def engine() -> Scripted:
    engine = Scripted()
    engine.resources[KEY] = ("app",)
    return engine


@pytest.fixture
async def poll(engine: Scripted, seen: Any, supervisor: Supervisor) -> Poll:
    poll = Poll(engine, seen, *KEY)
    supervisor.start("images:", poll.run)
    return poll


async def test_it_is_read_at_once(poll: Poll, engine: Scripted, seen: Any) -> None:
    await until(lambda: seen.store.resource(*KEY).value == ("app",))
    assert seen.store.resource(*KEY).at > 0
    assert seen.state("images:") == "live"
    await settled()
    assert engine.fetched == [KEY]


async def test_it_is_read_again_in_its_rhythm(
    engine: Scripted, seen: Any, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(module.INTERVALS, "images", 0.001)
    supervisor.start("images:", Poll(engine, seen, *KEY).run)
    await until(lambda: len(engine.fetched) == 3)


async def test_an_event_reads_it_again_now(poll: Poll, engine: Scripted, seen: Any) -> None:
    await until(lambda: seen.store.resource(*KEY).value)
    engine.resources[KEY] = ("app", "db")
    poll.poke()
    await until(lambda: seen.store.resource(*KEY).value == ("app", "db"))


async def test_an_event_while_it_is_read_reads_it_once_more(
    engine: Scripted, seen: Any, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = asyncio.sleep
    monkeypatch.setattr(module.asyncio, "sleep", lambda seconds: real(0))
    engine.hanging.add("fetch")
    poll = Poll(engine, seen, *KEY)
    supervisor.start("images:", poll.run)
    await until(lambda: engine.fetched)
    for _ in range(5):
        poll.poke()
    engine.hanging.clear()
    await until(lambda: len(engine.fetched) == 2)
    await until(lambda: sum(isinstance(each, Fetched) for each in seen.updates) == 2)
    await settled()
    assert len(engine.fetched) == 2


async def test_a_failure_is_part_of_the_resource(poll: Poll, engine: Scripted, seen: Any) -> None:
    await until(lambda: seen.store.resource(*KEY).value)
    engine.errors["fetch:images"] = EngineError("no space left", hint="docker system prune")
    poll.poke()
    await until(lambda: seen.store.resource(*KEY).stale)
    found = seen.store.resource(*KEY)
    assert (found.value, found.error, found.hint) == (
        ("app",), "no space left", "docker system prune",
    )  # fmt: skip
    assert seen.state("images:") == "live"
    engine.errors.clear()
    poll.poke()
    await until(lambda: not seen.store.resource(*KEY).error)


async def test_what_cannot_be_read_the_first_time_is_failed(
    engine: Scripted, seen: Any, supervisor: Supervisor
) -> None:
    supervisor.start("volumes:", Poll(engine, seen, "volumes", "").run)
    await until(lambda: seen.store.resource("volumes").failed)


def test_what_walks_the_disk_is_read_rarely() -> None:
    assert min(INTERVALS["sizes"], INTERVALS["disk"], INTERVALS["volumes"]) >= 30
