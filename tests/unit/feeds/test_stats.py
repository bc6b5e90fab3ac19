import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from contui.feeds import stats as module
from contui.feeds.stats import Stats
from contui.feeds.supervisor import Supervisor
from contui.model.container import Container
from contui.model.errors import EngineError
from contui.model.sample import Sample
from contui.model.update import Changed, Listed
from support.scripted import Scripted, make
from support.wait import settled, until

WEB = make("web", pid=10)
DB = make("db", pid=20)
READING = Sample(0.0, cpu_ns=5, memory=100)


class Lab:
    """The feed, its engine and what is on the screen."""

    def __init__(self, seen: Any) -> None:
        self.seen = seen
        self.engine = Scripted([WEB, DB])
        self.visible: set[str] = set()
        self.feed = Stats(self.engine, seen, self._running, lambda: self.visible)

    def _running(self) -> list[Container]:
        return [each for each in self.seen.store.containers.values() if each.state == "running"]

    def show(self, *containers: Container) -> None:
        self.seen.store.apply(Listed(containers))
        for container in containers:
            self.seen.store.apply(Changed(container))

    def last(self, container: Container) -> Sample | None:
        series = self.seen.store.series.get(container.id)
        return series.last if series is not None else None

    async def sweeps(self, number: int) -> None:
        """Wait for so many sweeps more."""
        goal = self.seen.store.revision["samples"] + number
        await until(lambda: self.seen.store.revision["samples"] >= goal)


@pytest.fixture
async def lab(
    seen: Any, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Lab]:
    real = asyncio.sleep
    monkeypatch.setattr(module.asyncio, "sleep", lambda seconds: real(min(seconds, 0.002)))
    lab = Lab(seen)
    supervisor.start("stats", lab.feed.run)
    yield lab
    await supervisor.close()


async def test_every_running_container_is_sampled_in_one_sweep(lab: Lab) -> None:
    lab.engine.kernel = {WEB.id: READING, DB.id: READING}
    lab.show(WEB, DB)
    await until(lambda: lab.last(WEB) and lab.last(DB))
    first = lab.last(WEB)
    await until(lambda: lab.last(WEB) != first)
    assert lab.seen.store.stats_source == "cgroup, every 1 s"
    assert lab.seen.state("stats") == "live"
    assert len(lab.engine.samplers) == 2


async def test_a_container_that_was_not_inspected_yet_waits(lab: Lab) -> None:
    lab.engine.kernel = {WEB.id: READING}
    lab.visible = {WEB.id}
    lab.seen.store.apply(Listed([Container(WEB.id, "web", state="running")]))
    await lab.sweeps(2)
    assert lab.last(WEB) is None
    assert lab.engine.samplers == []
    assert lab.engine.stat_streams.topics() == []


@pytest.mark.parametrize("end", ["gone", "stopped", "dead process"])
async def test_the_sampler_of_a_container_that_goes_away_is_closed(lab: Lab, end: str) -> None:
    lab.engine.kernel = {WEB.id: READING, DB.id: READING}
    lab.show(WEB, DB)
    await until(lambda: lab.last(WEB))
    sampler = next(each for each in lab.engine.samplers if each.id == WEB.id)
    if end == "gone":
        lab.show(DB)
    elif end == "stopped":
        lab.show(make("web", "exited"), DB)
    else:
        del lab.engine.kernel[WEB.id]
    await until(lambda: sampler.closed)
    await lab.sweeps(2)
    assert [each.closed for each in lab.engine.samplers if each.id == DB.id] == [False]


async def test_a_restarted_container_gets_another_sampler(lab: Lab) -> None:
    lab.engine.kernel = {WEB.id: READING}
    lab.show(WEB)
    await until(lambda: lab.last(WEB))
    lab.show(make("web", pid=11))
    await until(lambda: len(lab.engine.samplers) == 2)
    assert [each.closed for each in lab.engine.samplers] == [True, False]


async def test_only_what_is_on_the_screen_gets_a_stream_of_the_engine(lab: Lab) -> None:
    lab.show(WEB, DB)
    await lab.sweeps(2)
    assert lab.engine.stat_streams.topics() == []
    lab.visible = {WEB.id}
    await until(lambda: lab.engine.stat_streams.topics() == [WEB.id])
    lab.engine.measure(WEB, Sample(7.0, memory=5))
    await until(lambda: lab.last(WEB) == Sample(7.0, memory=5))
    assert lab.seen.store.stats_source == "engine API, every 1 s"
    lab.visible = {DB.id}
    await until(lambda: lab.engine.stat_streams.topics() == [DB.id])


async def test_what_the_kernel_tells_needs_no_stream(lab: Lab) -> None:
    lab.engine.kernel = {WEB.id: READING}
    lab.visible = {WEB.id, DB.id}
    lab.show(WEB, DB)
    await until(lambda: lab.engine.stat_streams.topics() == [DB.id])
    await until(lambda: lab.last(WEB))
    assert lab.seen.store.stats_source == "cgroup, every 1 s; engine API, every 1 s"


async def test_the_number_of_streams_is_bounded(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_STREAMS", 3)
    many = [make(f"c{number}") for number in range(9)]
    lab.visible = {each.id for each in many}
    lab.show(*many)
    await until(lambda: len(lab.engine.stat_streams.topics()) == 3)
    await lab.sweeps(3)
    assert len(lab.engine.stat_streams.topics()) == 3


async def test_a_stream_that_breaks_off_is_opened_again(lab: Lab) -> None:
    lab.visible = {WEB.id}
    lab.show(WEB)
    await until(lambda: lab.engine.stat_streams.topics() == [WEB.id])
    lab.engine.stat_streams.end(WEB.id, EngineError("connection reset"))
    await until(lambda: lab.engine.calls["stats"] == 2)
    assert lab.seen.state("stats") == "live"


async def test_a_stream_ends_with_its_container(lab: Lab) -> None:
    lab.visible = {WEB.id}
    lab.show(WEB)
    await until(lambda: lab.engine.stat_streams.topics() == [WEB.id])
    lab.show(make("web", "exited"))
    await until(lambda: lab.engine.stat_streams.topics() == [])


async def test_stopping_closes_samplers_and_streams(lab: Lab, supervisor: Supervisor) -> None:
    lab.engine.kernel = {WEB.id: READING}
    lab.visible = {DB.id}
    lab.show(WEB, DB)
    await until(lambda: lab.last(WEB) and lab.engine.stat_streams.topics() == [DB.id])
    await supervisor.close()
    await settled()
    assert [each.closed for each in lab.engine.samplers] == [True]
    assert lab.engine.stat_streams.topics() == []
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("stats")]


async def test_an_engine_that_answers_at_once_is_asked_for_all_and_more_often_for_what_is_seen(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "INTERVAL", 0.001)
    monkeypatch.setattr(module, "_HIDDEN", 0.05)
    lab.engine.stats_way = "once"
    lab.engine.answers = {WEB.id: Sample(1.0, memory=1), DB.id: Sample(1.0, memory=2)}
    lab.visible = {WEB.id}
    lab.show(WEB, DB)
    await until(lambda: lab.last(WEB) and lab.last(DB))
    await until(lambda: lab.engine.questions[DB.id] >= 3)
    assert lab.engine.questions[WEB.id] > 2 * lab.engine.questions[DB.id]
    assert lab.engine.stat_streams.topics() == []


async def test_a_container_that_cannot_be_asked_does_not_keep_the_others_from_being_asked(
    lab: Lab,
) -> None:
    lab.engine.stats_way = "once"
    lab.engine.answers = {DB.id: Sample(1.0, memory=2)}
    lab.show(WEB, DB)
    await until(lambda: lab.last(DB))
    assert lab.last(WEB) is None


async def test_one_stream_serves_all_containers_of_an_engine_that_has_it(lab: Lab) -> None:
    lab.engine.stats_way = "all"
    lab.show(WEB, DB)
    await until(lambda: lab.engine.all_stats.topics() == [""])
    other = make("other").id
    lab.engine.all_stats.put("", {WEB.id: READING, DB.id: READING, other: READING})
    await until(lambda: lab.last(WEB) and lab.last(DB))
    assert other not in lab.seen.store.series
    lab.show(make("web", "exited"), make("db", "exited"))
    await until(lambda: lab.engine.all_stats.topics() == [])


async def test_a_stream_of_all_that_breaks_is_opened_again(lab: Lab) -> None:
    lab.engine.stats_way = "all"
    lab.show(WEB)
    await until(lambda: lab.engine.all_stats.topics() == [""])
    lab.engine.all_stats.end("", EngineError("gone"))
    await until(lambda: lab.engine.calls["stats_all"] == 2)
