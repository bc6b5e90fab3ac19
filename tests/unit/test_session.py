import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from contui import session as module
from contui.model.action import Action
from contui.model.endpoint import Endpoint
from contui.model.errors import EngineConflict
from contui.model.event import EngineEvent
from contui.model.log import LogWindow
from contui.session import Session
from support.scripted import Scripted, happened, line, make
from support.wait import settled, until

WEB = make("web")


@pytest.fixture
def engine() -> Scripted:
    engine = Scripted([WEB])
    engine.resources["images", ""] = ("app",)
    return engine


@pytest.fixture
async def session(engine: Scripted, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Session]:
    monkeypatch.setattr(module, "open_engine", lambda endpoint: engine)
    monkeypatch.setattr(module, "LINGER", 0.0)
    session = Session(Endpoint("unix:///scripted.sock"))
    task = asyncio.create_task(session.run())
    await until(lambda: WEB.id in session.store.containers)
    await until(lambda: session.store.containers[WEB.id] == WEB)
    yield session
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def texts(session: Session) -> str:
    entries: list[Any] = session.store.log(WEB.id).since(0)
    return "".join(each.text for each in entries)


async def test_a_resource_is_read_only_while_it_is_wanted(
    session: Session, engine: Scripted
) -> None:
    await settled()
    assert engine.fetched == []
    with session.want("images"):
        await until(lambda: session.store.resource("images").value == ("app",))
    await until(lambda: "images:" not in session.store.feeds)
    session.poke("images")
    await settled()
    assert engine.fetched == [("images", "")]


async def test_what_two_look_at_is_read_once_and_goes_on_for_the_second(
    session: Session, engine: Scripted
) -> None:
    session.hold("images")
    session.hold("images")
    await until(lambda: session.store.resource("images").value)
    session.release("images")
    await settled()
    assert "images:" in session.store.feeds
    assert engine.fetched == [("images", "")]
    session.release("images")


async def test_an_event_reads_again_what_it_may_have_changed(
    session: Session, engine: Scripted
) -> None:
    engine.resources["networks", ""] = ()
    with session.want("images"), session.want("networks"):
        await until(lambda: len(engine.fetched) == 2)
        engine.emit(EngineEvent(1, "image", "delete", "sha256:1"))
        await until(lambda: len(engine.fetched) == 3)
        assert engine.fetched[2] == ("images", "")


async def test_a_log_is_followed_and_another_window_begins_anew(
    session: Session, engine: Scripted
) -> None:
    engine.print(WEB, line("a", 1), line("b", 2), line("c", 3))
    with session.want("logs", WEB.id):
        await until(lambda: texts(session) == "abc")
        session.set_window(WEB.id, LogWindow(tail=1))
        assert session.window(WEB.id) == LogWindow(tail=1)
        await until(lambda: texts(session) == "c")
        engine.print(WEB, line("d", 4))
        await until(lambda: texts(session) == "cd")
        assert engine.log_streams.open(WEB.id) == 1


async def test_what_is_done_is_on_the_timeline_and_looked_at(
    session: Session, engine: Scripted
) -> None:
    engine.answers["stop"] = "a warning"
    engine.on_act = lambda action: engine.put(make("web", "exited"))
    assert await session.act(Action("stop", id=WEB.id, name="web")) == "a warning"
    done = session.store.events[-1]
    assert (done.kind, done.action, done.name) == ("contui", "stop", "web")
    assert done.attributes == {"command": "docker stop web"}
    await until(lambda: session.store.containers[WEB.id].state == "exited")


async def test_what_the_engine_refused_is_not_on_the_timeline(
    session: Session, engine: Scripted
) -> None:
    engine.errors["act:start"] = EngineConflict("already in use")
    with pytest.raises(EngineConflict):
        await session.act(Action("start", id=WEB.id, name="web"))
    assert list(session.store.events) == []


async def test_retry_does_not_wait(session: Session, engine: Scripted) -> None:
    engine.errors["connect"] = EngineConflict("not yet")
    engine.break_off()
    await until(lambda: session.store.feeds["engine"].reason == "not yet")
    engine.errors.clear()
    session.retry()
    await until(lambda: session.store.feeds["engine"].state == "live")
    engine.emit(happened(WEB, "pause"))
    await until(lambda: session.store.events)


async def test_the_end_closes_the_engine_and_leaves_no_task(
    engine: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "open_engine", lambda endpoint: engine)
    before = asyncio.all_tasks()
    session = Session(Endpoint("unix:///scripted.sock"))
    session.hold("images")
    session.hold("logs", WEB.id)
    task = asyncio.create_task(session.run())
    await until(lambda: session.store.resource("images").value)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert engine.closed
    assert asyncio.all_tasks() == before
