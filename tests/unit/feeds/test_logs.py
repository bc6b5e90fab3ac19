import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contui.feeds import logs as module
from contui.feeds.logs import Logs
from contui.feeds.supervisor import Report, Supervisor
from contui.model.errors import EngineError, EngineUnsupported
from contui.model.log import LogWindow
from contui.model.update import Changed, Gone, Listed, Logged
from support.scripted import Scripted, line, make
from support.wait import settled, until

WEB = make("web", started_at=100.0)
EXITED = make("web", "exited", started_at=100.0)
AGAIN = make("web", started_at=200.0)

Start = Callable[..., None]


@pytest.fixture
def engine() -> Scripted:
    return Scripted([WEB])


@pytest.fixture
def start(engine: Scripted, seen: Any, supervisor: Supervisor) -> Start:
    def run(window: LogWindow | None = None) -> None:
        seen.store.apply(Listed([WEB]))
        feed = Logs(
            engine, seen, lambda: seen.store.containers.get(WEB.id), window or LogWindow(tail=1000)
        )
        supervisor.start("log", feed.run)

    return run


def texts(seen: Any) -> str:
    return "".join(each.text for each in seen.store.log(WEB.id).since(0))


async def test_the_tail_is_shown_and_what_follows(
    engine: Scripted, seen: Any, start: Start
) -> None:
    engine.print(WEB, *(line(text, 1) for text in "xyab"))
    start(LogWindow(tail=2))
    await until(lambda: texts(seen) == "ab")
    engine.print(WEB, line("c", 2))
    await until(lambda: texts(seen) == "abc")
    assert engine.windows == [LogWindow(tail=2)]
    assert seen.state("log") == "live"


async def test_the_last_line_of_a_burst_does_not_wait_for_another(
    engine: Scripted, seen: Any, start: Start
) -> None:
    start()
    await until(lambda: engine.log_streams.open(WEB.id))
    for stamp, text in enumerate("abcdef", 1):
        engine.print(WEB, line(text, stamp))
        await settled()
    await until(lambda: texts(seen) == "abcdef")


async def test_a_flood_comes_in_few_batches(engine: Scripted, seen: Any, start: Start) -> None:
    start()
    await until(lambda: engine.log_streams.open(WEB.id))
    for number in range(1000):
        engine.print(WEB, line(str(number % 10), number + 1))
    await until(lambda: len(texts(seen)) == 1000)
    assert sum(isinstance(each, Logged) for each in seen.updates) < 10


async def test_the_first_lines_replace_what_was_there(
    engine: Scripted, seen: Any, start: Start
) -> None:
    seen.store.apply(Listed([WEB]))
    seen.store.apply(Logged(WEB.id, [line("old", 1)]))
    engine.print(WEB, line("new", 2))
    start()
    await until(lambda: texts(seen) == "new")


async def test_an_empty_log_that_has_ended_is_shown_as_empty(
    engine: Scripted, seen: Any, start: Start
) -> None:
    engine.put(EXITED)
    start()
    await until(lambda: seen.store.revision[f"logs:{WEB.id}"] == 1)
    assert len(seen.store.log(WEB.id)) == 0
    await until(lambda: seen.reason("log") == "the log has ended")


async def test_after_an_interruption_nothing_is_lost_and_nothing_doubled(
    engine: Scripted, seen: Any, start: Start
) -> None:
    engine.print(WEB, line("a", 1), line("b", 2), line("c", 2))
    start()
    await until(lambda: texts(seen) == "abc")
    engine.hanging.add("logs")
    engine.break_off()
    await until(lambda: engine.calls["logs"] == 2)
    engine.lines[WEB.id] += [line("d", 2), line("e", 2), line("f", 3)]
    engine.hanging.clear()
    engine.break_off()
    await until(lambda: texts(seen) == "abcdef")
    assert engine.windows[-1] == LogWindow(tail=None, since_ns=2)


async def test_a_second_interruption_resumes_as_well(
    engine: Scripted, seen: Any, start: Start
) -> None:
    engine.print(WEB, line("a", 5), line("b", 5))
    start()
    for text, wanted in (("c", "abc"), ("d", "abcd"), ("e", "abcde")):
        await until(lambda wanted=wanted: texts(seen) == wanted[:-1])
        engine.break_off()
        await until(lambda: engine.log_streams.open(WEB.id))
        engine.print(WEB, line(text, 5))
        await until(lambda wanted=wanted: texts(seen) == wanted)


async def test_lines_that_were_rotated_away_hide_no_new_ones(
    engine: Scripted, seen: Any, start: Start
) -> None:
    engine.print(WEB, line("a", 1), line("b", 1))
    start()
    await until(lambda: texts(seen) == "ab")
    engine.hanging.add("logs")
    engine.break_off()
    await until(lambda: engine.calls["logs"] == 2)
    engine.lines[WEB.id] = [line("c", 2)]
    engine.hanging.clear()
    engine.break_off()
    await until(lambda: texts(seen) == "abc")
    engine.print(WEB, line("d", 2))
    await until(lambda: texts(seen) == "abcd")


async def test_an_error_between_two_batches_loses_no_line(
    engine: Scripted, seen: Any, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BATCH", 3600.0)
    engine.print(WEB, line("a", 1))
    start()
    await until(lambda: texts(seen) == "a")
    await until(lambda: engine.log_streams.open(WEB.id))
    monkeypatch.setattr(module, "_BATCH", 0.001)
    engine.print(WEB, line("b", 2))
    engine.break_off(EngineError("reset"))
    await until(lambda: texts(seen) == "ab")
    await settled()
    assert texts(seen) == "ab"


async def test_a_restarted_container_goes_on_in_the_same_log(
    engine: Scripted, seen: Any, start: Start
) -> None:
    seen.store.apply(Listed([WEB]))
    seen.store.apply(Changed(WEB))
    engine.print(WEB, line("a", 1), line("b", 2))
    start()
    await until(lambda: texts(seen) == "ab")
    engine.put(EXITED)
    seen.store.apply(Changed(EXITED))
    await until(lambda: seen.reason("log") == "the log has ended")
    engine.put(AGAIN)
    engine.print(AGAIN, line("c", 3))
    seen.store.apply(Changed(AGAIN))
    await until(lambda: texts(seen) == "abc")
    engine.print(AGAIN, line("d", 4))
    await until(lambda: texts(seen) == "abcd")
    assert seen.reason("log") == ""


async def test_a_log_that_ended_is_not_read_again_and_again(
    engine: Scripted, seen: Any, start: Start
) -> None:
    engine.put(EXITED)
    engine.print(EXITED, line("a", 1))
    start()
    seen.store.apply(Changed(EXITED))
    await until(lambda: seen.reason("log") == "the log has ended")
    seen.store.apply(Changed(replace(EXITED, status="Exited (0) 2 seconds ago")))
    await settled()
    assert engine.calls["logs"] == 1


async def test_a_log_that_ended_before_the_list_knows_is_not_read_again(
    engine: Scripted, seen: Any, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, looks = asyncio.sleep, []

    async def quick(seconds: float) -> None:
        looks.append(seconds)
        await real(0)

    start()
    seen.store.apply(Changed(WEB))
    await until(lambda: engine.log_streams.open(WEB.id))
    engine.log_streams.end(WEB.id)
    await until(lambda: seen.reason("log") == "the log has ended")
    monkeypatch.setattr(module.asyncio, "sleep", quick)
    await until(lambda: looks.count(0.25) > 3)
    assert engine.calls["logs"] == 1


async def test_a_driver_that_cannot_be_read_is_failed_with_its_reason(
    engine: Scripted, seen: Any, start: Start
) -> None:
    engine.errors["logs"] = EngineUnsupported("the log driver is none", hint="use json-file")
    start()
    await until(lambda: seen.state("log") == "failed")
    assert seen.reason("log") == "the log driver is none"
    assert engine.calls["logs"] == 1


async def test_a_container_that_is_removed_ends_its_log(
    engine: Scripted, seen: Any, start: Start
) -> None:
    engine.put(EXITED)
    start()
    await until(lambda: seen.state("log") == "live")
    seen.store.apply(Gone(WEB.id))
    await until(lambda: seen.state("log") == "failed")


stamps = st.lists(st.integers(0, 2), min_size=1, max_size=30)


@given(stamps, st.lists(st.integers(0, 30), max_size=4), st.integers(1, 5))
async def test_any_interruptions_lose_nothing_and_double_nothing(
    steps: list[int], cuts: list[int], batch: int
) -> None:
    """Stamps repeat as they do when many lines are written within a clock tick."""
    written, stamp = [], 1
    for number, step in enumerate(steps):
        stamp += step
        written.append(line(f"{number} ", stamp))
    shown: list[str] = []
    feed = Logs(
        Interrupted(written, cuts, batch),
        lambda update: shown.extend(each.text for each in update.lines),
        lambda: WEB,
        LogWindow(tail=None),
    )
    report = Report("log", stop_at_the_end)
    for _ in cuts:
        with pytest.raises(EngineError):
            await feed.run(report)
    with pytest.raises(Ended):
        await feed.run(report)
    assert "".join(shown) == "".join(each.text for each in written)


class Ended(Exception):
    pass


def stop_at_the_end(update: Any) -> None:
    if update.status.reason == "the log has ended":
        raise Ended


class Interrupted(Scripted):
    """Breaks off after so many lines, each time it is asked; the last time not at all."""

    def __init__(self, written: list[Any], cuts: list[int], batch: int) -> None:
        super().__init__([WEB])
        self._written = written
        self._cuts = iter(cuts)
        self._batch = batch

    async def logs(self, container: Any, window: LogWindow) -> Any:
        self.windows.append(window)
        cut = next(self._cuts, None)
        kept = [each for each in self._written if each.time_ns >= window.since_ns]
        for start in range(0, len(kept[:cut]), self._batch):
            yield kept[:cut][start : start + self._batch]
        if cut is not None:
            raise EngineError("connection reset")
