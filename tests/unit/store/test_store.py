from dataclasses import replace
from typing import Any

import pytest

from contui.model.container import Container, Detail
from contui.model.event import EngineEvent
from contui.model.feed import FeedState, FeedStatus
from contui.model.host import EngineInfo, HostSample
from contui.model.log import LogLine, Std
from contui.model.problem import problem
from contui.model.resource import Resource
from contui.model.sample import Rates, Sample
from contui.model.update import (
    Changed,
    Connected,
    FeedChanged,
    Fetched,
    Gone,
    Happened,
    HostSampled,
    Listed,
    Logged,
    Sampled,
)
from contui.store.store import EVENTS_KEPT, Store

WEB = Container("w" * 64, "web", state="running")
DB = Container("d" * 64, "db", state="running")
FULL = replace(WEB, detail=Detail(pid=42, exit_code=3), health="unhealthy")


@pytest.fixture
def store() -> Store:
    store = Store()
    store.apply(Listed([WEB, DB]))
    return store


def event(action: str, id: str = WEB.id, **attributes: str) -> Happened:
    return Happened(EngineEvent(1, "container", action, id, "web", attributes))


def test_a_list_says_what_is_there_and_what_is_gone(store: Store) -> None:
    assert store.listed
    store.apply(Listed([DB]))
    assert list(store.containers) == [DB.id]


def test_an_empty_list_is_a_list() -> None:
    store = Store()
    assert not store.listed
    store.apply(Listed([]))
    assert store.listed


def test_a_list_keeps_what_only_inspecting_told(store: Store) -> None:
    store.apply(Changed(FULL))
    store.apply(Listed([WEB, DB]))
    assert store.containers[WEB.id] == FULL


def test_health_is_forgotten_when_the_state_changes(store: Store) -> None:
    store.apply(Changed(FULL))
    store.apply(Listed([replace(WEB, state="exited"), DB]))
    assert store.containers[WEB.id].health == ""


def test_a_change_that_changes_nothing_wakes_nobody(store: Store) -> None:
    before = store.revision["containers"]
    store.apply(Changed(WEB))
    assert store.revision["containers"] == before
    store.apply(Changed(FULL))
    assert store.revision["containers"] > before


def test_a_container_that_is_gone_takes_everything_with_it(store: Store) -> None:
    store.apply(Sampled({WEB.id: Sample(1.0)}, "cgroup"))
    store.apply(Logged(WEB.id, [LogLine(1, Std.OUT, "x")]))
    store.apply(Fetched("inspect", WEB.id, Resource({"Id": WEB.id})))
    store.apply(event("kill", signal="15"))
    seen = dict(store.revision)
    store.apply(Gone(WEB.id))
    assert WEB.id not in store.containers
    assert (store.series, store.logs, store.resources, store.asked) == ({}, {}, {}, {})
    for topic in ("containers", f"logs:{WEB.id}", f"inspect:{WEB.id}"):
        assert store.revision[topic] > seen[topic], topic


def test_the_revision_of_a_resource_never_goes_back(store: Store) -> None:
    store.apply(Fetched("inspect", WEB.id, Resource(1)))
    store.apply(Gone(WEB.id))
    seen = store.revision[f"inspect:{WEB.id}"]
    store.apply(Listed([WEB, DB]))
    store.apply(Fetched("inspect", WEB.id, Resource(2)))
    assert store.revision[f"inspect:{WEB.id}"] > seen


def test_one_that_was_never_there_can_be_gone(store: Store) -> None:
    before = store.revision["containers"]
    store.apply(Gone("nobody"))
    assert store.revision["containers"] == before


def test_samples_make_rates(store: Store) -> None:
    assert store.rates(WEB.id) == Rates()
    store.apply(Sampled({WEB.id: Sample(1.0, cpu_ns=0)}, "cgroup"))
    store.apply(Sampled({WEB.id: Sample(3.0, cpu_ns=1_000_000_000)}, "cgroup, every 1 s"))
    assert store.rates(WEB.id).cpu == 0.5
    assert store.stats_source == "cgroup, every 1 s"
    assert store.revision["samples"] == 2


def test_a_sample_of_a_container_that_is_not_listed_is_ignored(store: Store) -> None:
    store.apply(Sampled({"nobody": Sample(1.0)}, "cgroup"))
    assert store.series == {}


def test_a_container_that_stops_loses_its_series(store: Store) -> None:
    store.apply(Sampled({WEB.id: Sample(1.0), DB.id: Sample(1.0)}, "cgroup"))
    store.apply(Changed(replace(WEB, state="exited")))
    store.apply(Sampled({WEB.id: Sample(2.0)}, "cgroup"))
    assert list(store.series) == [DB.id]


def test_events_are_kept_up_to_a_bound(store: Store) -> None:
    for _ in range(EVENTS_KEPT + 5):
        store.apply(event("start"))
    assert len(store.events) == EVENTS_KEPT
    assert store.revision["events"] == EVENTS_KEPT + 5


@pytest.mark.parametrize(
    ("events", "asked"),
    [
        ([event("kill", signal="15"), event("die")], "15"),
        ([event("kill", signal="15"), event("kill", signal="9"), event("die")], "15"),
        ([event("kill", signal="9"), event("die")], "9"),
        ([event("kill", signal="15"), event("stop")], "15"),
        ([event("kill", signal="2"), event("stop")], "2"),
        ([event("stop")], "15"),
        ([event("kill")], "15"),
        ([event("kill", signal="15"), event("start")], ""),
        ([event("kill", signal="1")], ""),
        ([event("kill", signal="10")], ""),
        ([event("die")], ""),
        ([Happened(EngineEvent(1, "contui", "kill", WEB.id))], ""),
        ([event("kill", id=DB.id, signal="15")], ""),
    ],
)
def test_who_ended_a_container_is_remembered_until_it_starts(
    store: Store, events: list[Happened], asked: str
) -> None:
    for each in events:
        store.apply(each)
    assert store.asked.get(WEB.id, "") == asked


def test_a_reload_by_a_signal_does_not_excuse_a_later_kill(store: Store) -> None:
    store.apply(event("kill", signal="1"))
    killed = replace(WEB, state="exited", detail=Detail(exit_code=137, oom_killed=True))
    store.apply(Changed(killed))
    found = problem(killed, 0.0, asked=store.asked.get(WEB.id, ""))
    assert found.text.startswith("OOM-killed")


def test_an_oom_kill_that_docker_heard_of_too_late_to_mark_is_one_all_the_same(
    store: Store,
) -> None:
    dead = replace(WEB, state="exited", detail=Detail(exit_code=137))
    for late in (False, True):
        store.apply(event("start"))
        store.apply(Changed(WEB))
        store.apply(Changed(dead) if late else event("oom"))
        store.apply(event("oom") if late else Changed(dead))
        store.apply(Changed(dead))
        assert problem(store.containers[WEB.id], 0.0).text == "OOM-killed"
    store.apply(event("start"))
    store.apply(Changed(WEB))
    store.apply(Changed(dead))
    assert problem(store.containers[WEB.id], 0.0).text == "exit 137: SIGKILL, killed"


def test_log_lines_are_appended_and_a_restart_empties_the_log(store: Store) -> None:
    def texts() -> list[str]:
        return [getattr(each, "text", "") for each in store.log(WEB.id).since(0)]

    store.apply(Logged(WEB.id, [LogLine(1, Std.OUT, "a")]))
    store.apply(Logged(WEB.id, [LogLine(2, Std.ERR, "b")]))
    assert texts() == ["a", "b"]
    store.apply(Logged(WEB.id, [LogLine(3, Std.OUT, "c")], restart=True))
    assert texts() == ["c"]
    assert store.revision[f"logs:{WEB.id}"] == 3


def test_the_log_is_bounded_as_asked() -> None:
    store = Store(log_lines=2)
    store.apply(Logged(WEB.id, [LogLine(1, Std.OUT, text) for text in "abc"]))
    assert len(store.log(WEB.id)) == 2


def test_a_resource_that_nobody_fetched_is_loading(store: Store) -> None:
    assert store.resource("inspect", WEB.id).loading
    assert store.resources == {}


def test_a_failed_reading_leaves_the_last_value_stale(store: Store) -> None:
    store.apply(Fetched("images", "", Resource(("app",), at=5.0)))
    store.apply(Fetched("images", "", Resource(error="timeout", hint="wait", at=9.0)))
    found = store.resource("images")
    assert found == Resource(("app",), at=5.0, error="timeout", hint="wait")
    assert found.stale
    store.apply(Fetched("images", "", Resource(("app", "db"), at=12.0)))
    assert store.resource("images") == Resource(("app", "db"), at=12.0)
    assert store.revision["images:"] == 3


def test_a_first_reading_that_fails_is_failed(store: Store) -> None:
    store.apply(Fetched("images", "", Resource(error="timeout")))
    assert store.resource("images").failed


@pytest.mark.parametrize("empty", [(), {}, 0])
def test_an_empty_value_is_a_value(store: Store, empty: Any) -> None:
    store.apply(Fetched("volumes", "", Resource(empty)))
    assert not store.resource("volumes").loading
    store.apply(Fetched("volumes", "", Resource(error="gone")))
    assert store.resource("volumes").stale


def test_feeds_are_listed_until_they_stop(store: Store) -> None:
    retrying = FeedStatus(FeedState.RETRYING, "refused", "", 5.0)
    store.apply(FeedChanged("engine", retrying))
    assert store.feeds == {"engine": retrying}
    store.apply(FeedChanged("engine", FeedStatus(FeedState.STOPPED)))
    assert store.feeds == {}
    assert store.revision["feeds"] == 2


def test_the_host_and_the_engine_introduce_themselves(store: Store) -> None:
    store.apply(HostSampled(HostSample(1.0, cpu=0.5)))
    store.apply(Connected(EngineInfo(version="26.1")))
    assert store.host == HostSample(1.0, cpu=0.5)
    assert store.info == EngineInfo(version="26.1")
    assert (store.revision["host"], store.revision["info"]) == (1, 1)
