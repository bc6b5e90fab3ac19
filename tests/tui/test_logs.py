"""The log panel: following, searching, filtering, windows, merging, and why a log is empty."""

from __future__ import annotations

import time

import pytest

from contui.model.errors import EngineUnsupported
from contui.model.log import Std
from contui.model.units import clock
from contui.tui.logmodel import KEPT
from support.scripted import Scripted, line, make
from tui.harness import WIDE, Console, console, fleet, listed

SECOND = 10**9


def fill(engine: Scripted, name: str, count: int, text: str = "line") -> None:
    (each,) = (c for c in engine.present.values() if c.name == name)
    first = time.time_ns() - count * SECOND
    engine.lines[each.id] = [line(f"{text} {i}", first + i * SECOND) for i in range(count)]


@pytest.fixture
def engine() -> Scripted:
    made = Scripted(fleet())
    fill(made, "cache", 200)
    return made


async def opened(app: Console, name: str = "cache") -> None:
    """The log of a container, with the focus in it."""
    await listed(app)
    await app.select(name)
    await app.press("l")
    await app.until(lambda: app.pane.log_view.has_focus)


async def test_it_follows_until_one_scrolls_up_and_again_from_the_end(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await opened(app)
        await app.shows("line 199", "following", "200 lines")
        (cache,) = (c for c in engine.present.values() if c.name == "cache")
        engine.print(cache, line("fresh one"))
        await app.shows("fresh one", "201 lines")
        await app.press("k", "k")
        await app.shows("held")
        assert "fresh one" not in app.text
        engine.print(cache, *(line(f"more {i}") for i in range(100)))
        await app.shows("301 lines")
        assert "more 99" not in app.text, "it moves under the reader"
        await app.press("G")
        await app.shows("more 99", "following")
        await app.press("g")
        await app.shows("line 0", "held")
        await app.press("f")
        await app.shows("more 99", "following")
        await app.press("f")
        await app.shows("held")


async def test_the_wheel_ends_following_and_resumes_it(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    from textual.events import MouseScrollDown, MouseScrollUp

    async with console(monkeypatch, engine) as app:
        await opened(app)
        await app.shows("line 199")
        view = app.pane.log_view
        place = (view, 1, 1, 0, 0, 0, False, False, False)
        view.post_message(MouseScrollUp(*place))
        await app.until(lambda: not view.follow)
        for _ in range(3):
            view.post_message(MouseScrollDown(*place))
        await app.until(lambda: view.follow)


async def test_long_lines_scroll_sideways_or_wrap(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    (cache,) = (c for c in engine.present.values() if c.name == "cache")
    engine.lines[cache.id] += [line("a" * 300 + "END")]
    async with console(monkeypatch, engine) as app:
        await opened(app)
        await app.shows("aaaa")
        assert "END" not in app.text
        await app.press("w")
        await app.shows("aEND")
        await app.press("w")
        await app.hides("aEND")
        await app.press("right")
        await app.until(lambda: app.pane.log_view.scroll_offset.x > 0)


async def test_timestamps_are_shown_and_hidden(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    from contui.model.units import clock

    (cache,) = (c for c in engine.present.values() if c.name == "cache")
    stamp = clock(engine.lines[cache.id][-1].time_ns / 1e9)
    async with console(monkeypatch, engine) as app:
        await opened(app)
        await app.shows("line 199")
        assert stamp not in app.row("line 199")
        await app.press("T")
        await app.until(lambda: stamp in app.row("line 199"))
        await app.press("T")
        await app.until(lambda: stamp not in app.row("line 199"))


async def test_searching_keeps_all_lines_and_goes_from_hit_to_hit(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await opened(app)
        await app.press("slash")
        await app.type("line 5")
        await app.shows("11 hits for line 5")
        await app.press("enter")
        view = app.pane.log_view
        assert len(view.model) == 200
        assert view.hit == 59, "it does not begin at the nearest one above"
        await app.press("n")
        assert view.hit == 5, "it does not go round"
        await app.press("N", "N")
        assert view.hit == 58
        assert "▌" in app.row("line 58")
        await app.press("slash")
        await app.type("/line [12]$/")
        await app.press("enter")
        await app.shows("2 hits")
        await app.press("slash")
        await app.type("/[/")
        await app.press("enter")
        await app.says("not a regular expression")
        await app.press("escape", "escape")
        await app.hides("hits for")
        assert view.has_focus or app.view.table.has_focus


async def test_the_filter_hides_what_does_not_match(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await opened(app)
        await app.press("F")
        await app.type("line 19")
        await app.press("enter")
        await app.shows("11 of 200 lines", "filter line 19", "line 199")
        (cache,) = (c for c in engine.present.values() if c.name == "cache")
        engine.print(cache, line("other"), line("line 19 again"))
        await app.shows("12 of 202 lines", "line 19 again")
        assert "other" not in app.text
        await app.press("F")
        await app.type("!line")
        await app.press("enter")
        await app.shows("1 of 202 lines", "other")
        await app.press("F")
        await app.type("nowhere")
        await app.press("enter")
        await app.shows("none of 202 lines passes the filter")
        await app.press("escape")
        await app.shows("202 lines")


async def test_standard_streams_are_told_apart(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    (cache,) = (c for c in engine.present.values() if c.name == "cache")
    engine.lines[cache.id] = [line("to out"), line("to err", std=Std.ERR)]
    async with console(monkeypatch, engine) as app:
        await opened(app)
        await app.shows("to out", "to err")
        await app.press("b")
        await app.shows("stderr only", "to err")
        assert "to out" not in app.text
        await app.press("b")
        await app.shows("stdout only", "to out")
        assert "to err" not in app.text
        await app.press("b")
        await app.shows("to out", "to err")


async def test_windows_ask_the_engine_for_another_part(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await opened(app)
        await app.shows("last 1,000", "200 lines")
        for key, seconds in (("2", 60), ("3", 300), ("4", 900), ("5", 1800), ("6", 3600)):
            asked = len(engine.windows)
            await app.press(key)
            await app.until(lambda asked=asked: len(engine.windows) > asked, f"window {key}")
            window = engine.windows[-1]
            assert window.tail is None
            assert abs(time.time_ns() - window.since_ns - seconds * SECOND) < 30 * SECOND
            await app.shows("since " + clock(window.since_ns / 1e9))
        await app.press("1")
        await app.shows("everything", "200 lines")
        await app.press("0")
        await app.shows("last 1,000")
        assert len(app.app.screen_stack) == 1, "a digit went to another view"


async def test_a_window_leaves_out_what_is_older(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await opened(app)
        await app.shows("200 lines")
        await app.press("2")
        await app.until(lambda: 0 < app.pane.log_view.model.total < 70)
        assert "line 0\n" not in app.pane.log_view.text()


async def test_marked_logs_are_merged_in_the_order_of_time(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    now = time.time_ns()
    for name, offset in (("shop-api-1", 0), ("shop-web-1", 1)):
        (each,) = (c for c in engine.present.values() if c.name == name)
        engine.lines[each.id] = [
            line(f"{name} says {i}", now + (2 * i + offset) * SECOND) for i in range(5)
        ]
    async with console(monkeypatch, engine) as app:
        await opened(app, "shop-web-1")
        await app.press("M")
        await app.shows("3 logs", "10 lines")
        texts = [row.split(" ", 1)[1] for row in app.pane.log_view.text().split("\n")]
        assert texts[:4] == [
            "shop-api-1 says 0", "shop-web-1 says 0", "shop-api-1 says 1", "shop-web-1 says 1"
        ]  # fmt: skip
        (web,) = (c for c in engine.present.values() if c.name == "shop-web-1")
        engine.print(web, line("new of web", now + 100 * SECOND))
        await app.shows("new of web", "11 lines")
        await app.press("M")
        await app.shows("shop-web-1  Logs", "6 lines")


async def test_merging_one_log_says_how_to_choose_more(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await opened(app)
        await app.press("M")
        await app.says("mark the containers to merge with Space")


async def test_a_line_is_marked_and_unmarked(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await opened(app)
        await app.shows("line 199")
        await app.press("m")
        await app.until(lambda: "◆" in app.row("line 199"))
        await app.press("m")
        await app.until(lambda: "◆" not in app.row("line 199"))


async def test_what_is_shown_is_copied_and_saved_with_everything(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted, tmp_path: object
) -> None:
    async with console(monkeypatch, engine) as app:
        await opened(app)
        await app.shows("line 199")
        await app.press("c")
        copied = app.app.clipboard.split("\n")
        assert copied[-1] == "line 199"
        assert len(copied) == app.pane.log_view.size.height
        app.view.do_save(f"{tmp_path}/log.txt")
        await app.says("saved to")
        with open(f"{tmp_path}/log.txt") as saved:
            assert len(saved.read().split("\n")) == 201


async def test_an_empty_log_says_why(monkeypatch: pytest.MonkeyPatch, engine: Scripted) -> None:
    created = make("fresh", "created", log_driver="json-file")
    silent = make("silent")
    mute = make("mute", log_driver="none")
    engine.put(created, silent, mute)
    engine.errors[f"logs:{mute.id}"] = EngineUnsupported("configured logging driver does not read")
    async with console(monkeypatch, engine) as app:
        await opened(app, "fresh")
        await app.shows("it has never been started, so it has written nothing")
        for name, why in (
            ("silent", "it has written nothing to stdout or stderr so far"),
            ("mute", "its log cannot be read back: log driver none"),
        ):
            await app.press("escape")
            await app.select(name)
            await app.shows(why)
        await app.press("escape")
        await app.select("silent")
        await app.press("l", "2")
        await app.shows("it wrote nothing in this window (0: the last lines, 1: everything)")


async def test_a_lost_log_says_that_it_is_tried_again_and_goes_on_without_doubles(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    from contui.model.errors import EngineError

    (cache,) = (c for c in engine.present.values() if c.name == "cache")
    async with console(monkeypatch, engine) as app:
        await opened(app)
        await app.shows("200 lines")
        engine.errors["logs"] = EngineError("connection reset")
        engine.log_streams.end(cache.id, EngineError("connection reset"))
        await app.shows("connection reset: retrying in")
        del engine.errors["logs"]
        engine.lines[cache.id].append(line("after the break"))
        await app.shows("after the break", "201 lines")


async def test_another_container_s_log_starts_without_search_and_filter(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    fill(engine, "sidecar", 5, "other")
    async with console(monkeypatch, engine) as app:
        await opened(app)
        await app.press("F")
        await app.type("199")
        await app.press("enter")
        await app.shows("1 of 200 lines")
        app.view.table.focus()
        await app.select("sidecar")
        await app.shows("other 4", "5 lines")


async def test_a_hundred_thousand_lines_scroll_and_search(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    fill(engine, "cache", 100_000)
    async with console(monkeypatch, engine, WIDE) as app:
        await opened(app)
        await app.press("1")
        await app.shows("100,000 lines")
        await app.press("g")
        await app.shows("line 0")
        await app.press("slash")
        await app.type("line 99999")
        await app.press("enter")
        await app.shows("1 hits for line 99999", "▌ line 99999")
        assert KEPT >= 100_000
