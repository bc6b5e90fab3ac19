import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from contui.feeds import containers as module
from contui.feeds.containers import Containers
from contui.feeds.supervisor import Supervisor
from contui.model.errors import EngineError, EngineNotFound, EngineTimeout, EngineUnavailable
from contui.model.event import EngineEvent
from contui.model.update import Changed, Connected, Listed
from support.scripted import Scripted, happened, make
from support.wait import settled, until

WEB = make("web", pid=10)
DB = make("db", pid=20)
HOUR_AGO = 3600 * 10**9


@pytest.fixture
def engine() -> Scripted:
    return Scripted([WEB, DB])


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PING", 0.005)
    monkeypatch.setattr(module, "GRACE", 0.02)


Start = Callable[[Scripted], Containers]


@pytest.fixture
def start(seen: Any, supervisor: Supervisor) -> Start:
    """Start the feed; what it says has changed is in ``seen.changed``."""
    seen.changed = []

    def run(engine: Scripted) -> Containers:
        feed = Containers(
            engine,
            seen,
            lambda: seen.store.containers,
            lambda kind, id: seen.changed.append((kind, id)),
        )
        supervisor.start("engine", feed.run)
        return feed

    return run


def inspected(seen: Any, *containers: Any) -> bool:
    return all(seen.store.containers.get(each.id) == each for each in containers)


def events(seen: Any) -> list[tuple[str, str, bool]]:
    return [(each.name, each.action, each.inferred) for each in seen.store.events]


async def test_the_list_is_shown_first_and_completed_by_inspecting(
    engine: Scripted, seen: Any, start: Start
) -> None:
    engine.hanging.add("inspect")
    start(engine)
    await until(lambda: seen.store.listed)
    assert [each.detail for each in seen.store.containers.values()] == [None, None]
    assert seen.store.info == engine.info
    engine.hanging.clear()
    await until(lambda: inspected(seen, WEB, DB))
    assert seen.state("engine") == "live"


async def test_it_subscribes_once_and_asks_for_what_happened_lately(
    engine: Scripted, seen: Any, start: Start
) -> None:
    old = happened(WEB, "kill", signal="15")
    engine.history.append(old)
    start(engine)
    await until(lambda: seen.store.events)
    await until(lambda: inspected(seen, WEB, DB))
    assert engine.event_streams.open("") == 1
    assert list(seen.store.events) == [old]
    assert seen.store.asked == {WEB.id: "15"}
    (since,) = engine.subscribed
    assert abs(old.time_ns - since - HOUR_AGO) < 60 * 10**9


async def test_an_event_makes_its_container_looked_at_again(
    engine: Scripted, seen: Any, start: Start
) -> None:
    start(engine)
    await until(lambda: inspected(seen, WEB, DB))
    stopped = make("web", "exited", exit_code=3)
    engine.put(stopped)
    engine.emit(happened(WEB, "die", exitCode="3"))
    await until(lambda: inspected(seen, stopped))
    assert engine.inspected.count(DB.id) == 1
    assert events(seen) == [("web", "die", False)]
    assert ("container", WEB.id) in seen.changed


async def test_a_new_container_appears_and_a_removed_one_goes(
    engine: Scripted, seen: Any, start: Start
) -> None:
    start(engine)
    await until(lambda: inspected(seen, WEB, DB))
    new = make("new")
    engine.put(new)
    engine.emit(happened(new, "create"), happened(new, "start"))
    await until(lambda: inspected(seen, new))
    engine.drop(WEB)
    engine.emit(happened(WEB, "destroy"))
    await until(lambda: WEB.id not in seen.store.containers)
    await settled()
    assert [action for _, action, _ in events(seen)] == ["create", "start", "destroy"]


async def test_a_container_that_is_gone_when_it_is_inspected_is_gone(
    engine: Scripted, seen: Any, start: Start
) -> None:
    engine.errors[f"inspect:{WEB.id}"] = EngineNotFound("no such container")
    start(engine)
    await until(lambda: inspected(seen, DB) and WEB.id not in seen.store.containers)


async def test_an_answer_that_comes_after_the_removal_does_not_bring_it_back(
    engine: Scripted, seen: Any, start: Start
) -> None:
    start(engine)
    await until(lambda: inspected(seen, WEB, DB))
    engine.hanging.add(f"inspect:{WEB.id}")
    engine.emit(happened(WEB, "pause"))
    await until(lambda: engine.inspected.count(WEB.id) == 2)
    engine.emit(happened(WEB, "destroy"))
    await until(lambda: WEB.id not in seen.store.containers)
    count = sum(isinstance(each, Changed) for each in seen.updates)
    engine.hanging.clear()
    engine.emit(happened(DB, "pause"))
    await until(lambda: sum(isinstance(each, Changed) for each in seen.updates) > count)
    assert WEB.id not in seen.store.containers


@pytest.mark.parametrize("error", [EngineTimeout("5 s"), EngineError("500: layer not known")])
async def test_one_container_that_cannot_be_inspected_does_not_stop_the_others(
    engine: Scripted, seen: Any, start: Start, error: EngineError
) -> None:
    engine.errors[f"inspect:{WEB.id}"] = error
    start(engine)
    await until(lambda: inspected(seen, DB))
    await until(lambda: seen.state("engine") == "live")
    assert seen.store.containers[WEB.id].detail is None
    assert engine.calls["connect"] == 1


async def test_one_container_that_hangs_does_not_stop_the_others(
    engine: Scripted, seen: Any, start: Start
) -> None:
    many = [make(f"c{number}") for number in range(30)]
    engine.put(*many)
    engine.hanging.add(f"inspect:{WEB.id}")
    start(engine)
    await until(lambda: inspected(seen, DB, *many))
    assert seen.store.containers[WEB.id].detail is None


async def test_answers_about_one_container_do_not_overtake_each_other(
    engine: Scripted, seen: Any, start: Start
) -> None:
    engine.hanging.add(f"inspect:{WEB.id}")
    start(engine)
    await until(lambda: engine.inspected.count(WEB.id) == 1)
    engine.emit(happened(WEB, "pause"), happened(WEB, "unpause"))
    await until(lambda: inspected(seen, DB) and len(seen.store.events) == 2)
    await settled()
    assert engine.inspected.count(WEB.id) == 1
    engine.hanging.clear()
    await until(lambda: engine.inspected.count(WEB.id) == 2)
    await until(lambda: inspected(seen, WEB))
    await settled()
    assert engine.inspected.count(WEB.id) == 2


async def test_an_engine_that_does_not_answer_is_stalled_until_it_does(
    engine: Scripted, seen: Any, start: Start
) -> None:
    start(engine)
    await until(lambda: seen.state("engine") == "live")
    engine.errors["ping"] = EngineTimeout("no answer within 3 s")
    await until(lambda: seen.state("engine") == "stalled")
    assert seen.store.feeds["engine"].reason == "the engine does not answer"
    assert inspected(seen, WEB, DB)
    engine.errors.clear()
    await until(lambda: seen.state("engine") == "live")
    assert engine.calls["connect"] == 1


async def test_an_engine_that_goes_away_keeps_the_list_and_is_tried_again(
    engine: Scripted, seen: Any, start: Start
) -> None:
    start(engine)
    await until(lambda: inspected(seen, WEB, DB))
    engine.errors["connect"] = EngineUnavailable("connection refused", hint="start it")
    engine.break_off()
    await until(lambda: seen.state("engine") == "retrying")
    await until(lambda: seen.store.feeds["engine"].reason == "connection refused")
    assert inspected(seen, WEB, DB)
    engine.errors.clear()
    await until(lambda: seen.state("engine") == "live")
    assert engine.event_streams.open("") == 1


async def test_an_event_stream_that_just_ends_is_an_interruption(
    engine: Scripted, seen: Any, start: Start
) -> None:
    start(engine)
    await until(lambda: inspected(seen, WEB, DB))
    engine.event_streams.end("")
    await until(lambda: engine.calls["connect"] == 2)
    await until(lambda: engine.event_streams.open("") == 1)


async def interrupt(engine: Scripted, seen: Any, meanwhile: Callable[[], None]) -> None:
    """Break the connection, let something happen, and wait until the feed has caught up."""
    engine.hanging.add("connect")
    connects = engine.calls["connect"]
    lists = sum(isinstance(each, Listed) for each in seen.updates)
    engine.break_off()
    await until(lambda: engine.calls["connect"] > connects)
    meanwhile()
    engine.hanging.clear()
    await until(lambda: sum(isinstance(each, Listed) for each in seen.updates) > lists)


async def test_what_happened_while_nobody_listened_is_inferred(
    engine: Scripted, seen: Any, start: Start
) -> None:
    job = make("job", "paused")
    engine.put(job)
    start(engine)
    await until(lambda: inspected(seen, WEB, DB, job))
    stopped = make("web", "exited", exit_code=1)
    resumed = make("job", "running")

    def meanwhile() -> None:
        engine.put(stopped, resumed)
        engine.drop(DB)

    await interrupt(engine, seen, meanwhile)
    await until(lambda: len(seen.store.events) == 3)
    assert sorted(events(seen)) == [
        ("db", "destroy", True), ("job", "unpause", True), ("web", "die", True),
    ]  # fmt: skip
    await until(lambda: inspected(seen, stopped, resumed))
    assert DB.id not in seen.store.containers


async def test_an_end_that_was_told_before_does_not_hide_the_next_one(
    engine: Scripted, seen: Any, start: Start
) -> None:
    start(engine)
    await until(lambda: inspected(seen, WEB, DB))
    engine.emit(happened(WEB, "die"), happened(WEB, "start"))
    await until(lambda: len(seen.store.events) == 2)
    await interrupt(engine, seen, lambda: engine.put(make("web", "exited")))
    await until(lambda: len(seen.store.events) == 3)
    assert events(seen)[2] == ("web", "die", True)


async def test_what_the_engine_still_tells_is_not_inferred_as_well(
    engine: Scripted, seen: Any, start: Start
) -> None:
    start(engine)
    await until(lambda: inspected(seen, WEB, DB))
    engine.emit(happened(WEB, "rename"))
    await until(lambda: seen.store.events)

    def meanwhile() -> None:
        engine.put(make("web", "exited"))
        engine.drop(DB)
        engine.history.append(happened(WEB, "die", exitCode="0"))

    await interrupt(engine, seen, meanwhile)
    await until(lambda: len(seen.store.events) == 3)
    assert events(seen) == [
        ("web", "rename", False), ("web", "die", False), ("db", "destroy", True),
    ]  # fmt: skip


async def test_after_an_interruption_events_are_asked_for_from_the_last_one(
    engine: Scripted, seen: Any, start: Start
) -> None:
    start(engine)
    await until(lambda: inspected(seen, WEB, DB))
    last = happened(WEB, "die")
    twin = replace(last, action="stop")
    engine.emit(last, twin)
    await until(lambda: len(seen.store.events) == 2)
    after = happened(WEB, "start")
    await interrupt(engine, seen, lambda: engine.history.append(after))
    await until(lambda: len(seen.store.events) == 3)
    await settled()
    assert engine.subscribed[1] == last.time_ns
    assert list(seen.store.events) == [last, twin, after]


async def test_a_restart_that_nobody_saw_is_found_by_inspecting_anew(
    engine: Scripted, seen: Any, start: Start
) -> None:
    start(engine)
    await until(lambda: inspected(seen, WEB, DB))
    again = make("web", pid=99, started_at=1.8e9, restart_count=1)
    await interrupt(engine, seen, lambda: engine.put(again))
    await until(lambda: inspected(seen, again))
    await settled()
    assert events(seen) == []


async def test_a_change_of_state_in_a_later_list_is_looked_at(
    engine: Scripted, seen: Any, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RELIST", 0.02)
    start(engine)
    await until(lambda: inspected(seen, WEB, DB))
    stopped = make("web", "exited", exit_code=9)
    engine.put(stopped)
    await until(lambda: inspected(seen, stopped))
    assert events(seen) == []


async def test_events_of_networks_and_images_are_passed_on(
    engine: Scripted, seen: Any, start: Start
) -> None:
    start(engine)
    await until(lambda: inspected(seen, WEB, DB))
    engine.emit(
        EngineEvent(1, "image", "pull", "app:1"),
        EngineEvent(2, "network", "connect", "n1", "shop", {"container": WEB.id}),
    )
    await until(lambda: ("network", "n1") in seen.changed)
    assert ("image", "app:1") in seen.changed
    await until(lambda: engine.inspected.count(WEB.id) == 2)


async def test_refresh_inspects_soon_and_once(engine: Scripted, seen: Any, start: Start) -> None:
    feed = start(engine)
    await until(lambda: inspected(seen, WEB, DB))
    for _ in range(5):
        feed.refresh(WEB.id)
    await until(lambda: engine.inspected.count(WEB.id) == 2)
    await settled()
    assert engine.inspected.count(WEB.id) == 2


async def test_an_interruption_while_inspecting_forgets_no_container(
    engine: Scripted, seen: Any, start: Start
) -> None:
    engine.hanging.add("inspect")
    start(engine)
    await until(lambda: len(engine.inspected) == 2)
    engine.emit(happened(WEB, "pause"), happened(DB, "pause"))
    await until(lambda: len(seen.store.events) == 2)
    engine.break_off()
    await until(lambda: engine.calls["connect"] == 2)
    engine.hanging.clear()
    await until(lambda: inspected(seen, WEB, DB))


async def test_stopping_leaves_no_task(
    engine: Scripted, seen: Any, start: Start, supervisor: Supervisor
) -> None:
    before = asyncio.all_tasks()
    start(engine)
    await until(lambda: inspected(seen, WEB, DB))
    await supervisor.close()
    assert asyncio.all_tasks() == before
    assert engine.event_streams.open("") == 0
    assert sum(isinstance(each, Connected) for each in seen.updates) == 1
