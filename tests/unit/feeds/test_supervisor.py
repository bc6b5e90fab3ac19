import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from contui.feeds import supervisor as module
from contui.feeds.supervisor import Feed, Report, Supervisor
from contui.model.errors import (
    EngineError,
    EngineNotFound,
    EnginePermission,
    EngineTimeout,
    EngineUnavailable,
    EngineUnsupported,
)
from contui.model.feed import FeedState, FeedStatus
from contui.model.update import FeedChanged, Update
from support.wait import settled, until


class Told:
    """What feeds were said to be in."""

    def __init__(self) -> None:
        self.all: list[FeedStatus] = []

    def __call__(self, update: Update) -> None:
        assert isinstance(update, FeedChanged)
        assert update.feed == "f"
        self.all.append(update.status)

    @property
    def states(self) -> list[str]:
        return [status.state.value for status in self.all]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def supervisor(told: Told) -> AsyncIterator[Supervisor]:
    started = Supervisor(told)
    yield started
    await started.close()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that a feed waits between its tries; none of them is waited."""
    asked: list[float] = []

    async def pause(_: Supervisor, seconds: float) -> None:
        asked.append(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr(Supervisor, "_pause", pause)
    monkeypatch.setattr(module.random, "uniform", lambda low, high: 1.0)
    return asked


def failing(error: Exception, times: int) -> Feed:
    """A feed that fails some times and then ends."""
    left = iter(range(times))

    async def feed(report: Report) -> None:
        if next(left, None) is not None:
            raise error

    return feed


async def for_ever(report: Report) -> None:
    report(FeedState.LIVE)
    await asyncio.Event().wait()


async def test_a_feed_that_returns_has_done_its_work(supervisor: Supervisor, told: Told) -> None:
    async def feed(report: Report) -> None:
        report(FeedState.STARTING)
        report(FeedState.LIVE)

    supervisor.start("f", feed)
    assert supervisor.running("f")
    await until(lambda: not supervisor.running("f"))
    assert told.states == ["starting", "live", "stopped"]


async def test_a_state_is_told_once(supervisor: Supervisor, told: Told) -> None:
    async def feed(report: Report) -> None:
        for reason in ("", "", "the log has ended", "the log has ended"):
            report(FeedState.LIVE, reason)

    supervisor.start("f", feed)
    await until(lambda: not supervisor.running("f"))
    assert [status.reason for status in told.all] == ["", "the log has ended", ""]


@pytest.mark.parametrize("kind", [EngineNotFound, EngineUnsupported])
async def test_what_trying_again_would_not_help_is_failed(
    supervisor: Supervisor, told: Told, waits: list[float], kind: type[EngineError]
) -> None:
    supervisor.start("f", failing(kind("no such container", hint="look"), 5))
    await until(lambda: not supervisor.running("f"))
    assert told.all == [FeedStatus(FeedState.FAILED, "no such container", "look")]
    assert waits == []


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (EngineError, FeedState.RETRYING),
        (EngineUnavailable, FeedState.RETRYING),
        (EnginePermission, FeedState.RETRYING),
        (EngineTimeout, FeedState.STALLED),
    ],
)
async def test_what_may_pass_is_tried_again(
    supervisor: Supervisor,
    told: Told,
    waits: list[float],
    kind: type[EngineError],
    state: FeedState,
) -> None:
    supervisor.start("f", failing(kind("refused", hint="sudo"), 1))
    await until(lambda: not supervisor.running("f"))
    status = told.all[0]
    assert (status.state, status.reason, status.hint) == (state, "refused", "sudo")
    assert status.retry_at > 0
    assert told.states[1:] == ["stopped"]


async def test_the_waits_double_up_to_five_seconds(
    supervisor: Supervisor, waits: list[float]
) -> None:
    supervisor.start("f", failing(EngineUnavailable("refused"), 8))
    await until(lambda: not supervisor.running("f"))
    assert waits == [0.25, 0.5, 1, 2, 4, 5, 5, 5]


async def test_after_a_long_good_run_the_waits_begin_anew(
    supervisor: Supervisor, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 1.0, 1.0, 2.0, 2.0, 100.0, 100.0])
    monkeypatch.setattr(module, "time", FakeTime(clock))
    supervisor.start("f", failing(EngineUnavailable("refused"), 3))
    await until(lambda: not supervisor.running("f"))
    assert waits == [0.25, 0.5, 0.25]


class FakeTime:
    def __init__(self, clock: object) -> None:
        self._clock = clock

    def monotonic(self) -> float:
        return next(self._clock)  # type: ignore[call-overload, no-any-return]

    def time(self) -> float:
        return 0.0


async def test_a_bug_in_a_feed_is_named_logged_and_survived(
    supervisor: Supervisor, told: Told, waits: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        supervisor.start("f", failing(KeyError("Id"), 1))
        await until(lambda: not supervisor.running("f"))
    assert told.states == ["retrying", "stopped"]
    assert told.all[0].reason == "internal error: KeyError('Id')"
    assert "KeyError" in caplog.text


async def test_retry_now_does_not_wait(
    supervisor: Supervisor, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FIRST", 3600.0)
    supervisor.start("f", failing(EngineUnavailable("refused"), 1))
    await until(lambda: told.states == ["retrying"])
    await settled()
    assert supervisor.running("f")
    supervisor.retry_now()
    await until(lambda: not supervisor.running("f"))
    assert told.states == ["retrying", "stopped"]


async def test_retry_now_is_not_remembered(
    supervisor: Supervisor, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FIRST", 3600.0)
    supervisor.retry_now()
    supervisor.start("f", failing(EngineUnavailable("refused"), 1))
    await until(lambda: told.states)
    await settled()
    assert told.states == ["retrying"]


async def test_a_feed_runs_once_under_its_name(supervisor: Supervisor) -> None:
    count = 0

    async def feed(report: Report) -> None:
        nonlocal count
        count += 1
        await asyncio.Event().wait()

    for _ in range(3):
        supervisor.start("f", feed)
        await settled()
    assert count == 1


async def test_a_stopped_feed_is_gone_and_can_be_started_again(
    supervisor: Supervisor, told: Told
) -> None:
    supervisor.start("f", for_ever)
    await until(lambda: told.states == ["live"])
    supervisor.stop("f")
    assert not supervisor.running("f")
    assert told.states == ["live", "stopped"]
    supervisor.start("f", for_ever)
    await until(lambda: told.states[2:] == ["live"])


async def test_stopping_what_does_not_run_says_nothing(supervisor: Supervisor, told: Told) -> None:
    supervisor.stop("f")
    assert told.all == []


async def test_close_leaves_no_task(told: Told) -> None:
    before = asyncio.all_tasks()
    cleaned = []

    async def careful(report: Report) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append(True)

    supervisor = Supervisor(lambda update: None)
    supervisor.start("a", careful)
    supervisor.start("b", careful)
    supervisor.start("waits", failing(EngineUnavailable("refused"), 99))
    await settled()
    await supervisor.close()
    assert asyncio.all_tasks() == before
    assert cleaned == [True, True]
    assert not supervisor.running("a")


async def failing_group(report: Report) -> None:
    """Fails in a task of its own, as the feed of the engine does."""

    async def one() -> None:
        report(FeedState.LIVE)
        raise EngineUnavailable("connection reset")

    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(one())
            tasks.create_task(asyncio.Event().wait())
    except* EngineError as group:
        raise group.exceptions[0] from None


async def test_a_feed_whose_own_task_failed_is_tried_again(
    supervisor: Supervisor, told: Told, waits: list[float]
) -> None:
    supervisor.start("f", failing_group)
    await until(lambda: told.states.count("retrying") >= 3)
    assert told.states[:4] == ["live", "retrying", "live", "retrying"]


async def test_a_feed_that_fails_while_it_is_stopped_is_not_tried_again(
    told: Told, waits: list[float]
) -> None:
    async def stubborn(report: Report) -> None:
        report(FeedState.LIVE)
        try:
            await asyncio.Event().wait()
        finally:
            raise EngineUnavailable("connection reset")

    supervisor = Supervisor(told)
    supervisor.start("f", stubborn)
    await until(lambda: told.states)
    await supervisor.close()
    assert told.states == ["live"]
    assert waits == []
