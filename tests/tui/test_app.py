"""The console on a scripted engine: the list, its panels, its actions, as a person uses them."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contui.config.settings import Settings, UiSettings
from contui.engines.base import Terminal
from contui.model.action import Action
from contui.model.endpoint import Endpoint
from contui.model.errors import EngineError
from contui.model.feed import FeedState, FeedStatus
from contui.model.host import Sizes
from contui.model.update import FeedChanged
from contui.tui.commands import COMMANDS
from contui.tui.keymap import key_label
from contui.tui.screens.dialogs import Confirm
from contui.tui.widgets.table import Group
from support import subjects
from support.scripted import Scripted, happened, make
from tui.harness import NARROW, SIDE, WIDE, Console, console, fleet, listed

SIZES = pytest.mark.parametrize("size", [NARROW, WIDE, SIDE], ids=["80x24", "120x40", "210x50"])


@pytest.fixture
def engine() -> Scripted:
    return Scripted(fleet())


# --- the list


@SIZES
async def test_the_list_says_what_is_broken_and_why_without_a_key(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted, size: tuple[int, int]
) -> None:
    async with console(monkeypatch, engine, size) as app:
        await listed(app)
        await app.shows("live", "5 up", "2 broken")
        assert app.names[:2] == ["shop-api-1", "shop-db-1"]
        assert app.names[-1] == "batch", "what stopped by itself is last"
        assert "unhealthy" in app.row("✗ shop-api-1")
        assert "exit 137" in app.row("✗ shop-db-1")
        assert "OOM-killed" in app.row("✗ shop-db-1")
        assert "paused" in app.row("frozen")
        assert " - " in app.row("· cache"), "what is not measured is a dash"


async def test_sorting_goes_through_the_columns_and_can_be_turned_round(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.press("ctrl+g", "o")
        await app.says("sorted by name")
        assert app.names == sorted(app.names)
        assert "NAME▾" in app.text
        await app.press("O")
        assert app.names == sorted(app.names, reverse=True)
        assert "NAME▴" in app.text
        await app.press("o")
        await app.says("sorted by state")
        assert app.names[0] == "batch", "a new column starts in its own order"
        columns = [spec.id for spec, _ in app.view._specs if spec.id != "problem"]
        await app.press(*["o"] * (len(columns) - 1))
        await app.says("broken first")
        assert app.names[:2] == ["shop-api-1", "shop-db-1"]


async def test_faults_only_and_back(monkeypatch: pytest.MonkeyPatch, engine: Scripted) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.press("z")
        assert app.names == ["shop-api-1", "shop-db-1"]
        await app.press("z")
        assert len(app.names) == 7
        await app.press("z", "escape")
        assert len(app.names) == 7, "Esc does not show the others again"


async def test_nothing_broken_is_said_when_only_faults_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with console(monkeypatch, Scripted([make("web")])) as app:
        await listed(app)
        await app.press("z")
        await app.shows("nothing is broken: 1 containers are hidden", "Esc shows them")


async def test_stopped_containers_are_hidden_unless_they_are_broken(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.press("A")
        await app.says("running and broken containers")
        assert "batch" not in app.names
        assert "shop-db-1" in app.names
        await app.press("A")
        await app.says("all containers")
        assert "batch" in app.names


async def test_an_engine_without_containers_says_how_to_run_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with console(monkeypatch, Scripted()) as app:
        await app.shows("this engine has no containers yet", "docker run -d IMAGE")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("cache", ["cache"]),
        ("state:exited", ["shop-db-1", "batch"]),
        ("!project:shop image:busybox", ["frozen", "batch"]),
        ("/^shop-[aw]/", ["shop-api-1", "shop-web-1"]),
        ("label:tier=front", ["cache"]),
        ("port:8080", ["shop-web-1"]),
        ("exit=137", ["shop-db-1"]),
        ("OOM-killed", ["shop-db-1"]),
    ],
)
async def test_the_filter_leaves_what_it_asks_for(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted, text: str, names: list[str]
) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.press("slash")
        await app.type(text)
        assert app.names == names, "it does not filter while one types"
        await app.press("enter")
        assert app.names == names
        assert app.view.table.has_focus
        await app.press("escape")
        assert len(app.names) == 7


async def test_a_filter_that_makes_no_sense_says_why_and_can_be_mended(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.press("slash")
        await app.type("cpux>5")
        await app.press("enter")
        await app.says("there is no field cpux; did you mean cpu?")
        await app.press(*["backspace"] * 6)
        await app.type("nobody")
        await app.press("enter")
        await app.shows("nothing passes the filter: 7 containers are hidden")
        await app.press("slash", "escape")
        assert len(app.names) == 7, "Esc in the line does not clear the filter"


async def test_projects_fold_and_tell_their_worst_fault(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.press("left")
        assert "shop-api-1" not in app.names
        head = app.row("▸ shop")
        assert "2/3 up" in head
        assert "✗ 2" in head
        assert "unhealthy" in head
        assert isinstance(app.view.table.current, Group)
        await app.press("right")
        assert app.names[0] == "shop-api-1"
        await app.press("g", "enter")
        assert "shop-api-1" not in app.names, "Enter on the head does not fold"
        await app.press("enter", "ctrl+g")
        assert "▾ shop" not in app.text


async def test_the_cursor_stays_on_its_container_when_the_order_changes(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.select("cache")
        broken = make("aaa", "exited", exit_code=1, finished_at=1.7e9)
        engine.put(broken)
        app.app.session._containers._unknown.set()  # type: ignore[union-attr]
        await app.shows("aaa")
        assert app.view.selected().name == "cache"  # type: ignore[union-attr]


async def test_a_container_that_is_removed_leaves_the_list_and_its_mark(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.select("cache")
        await app.press("space")
        (cache,) = (each for each in engine.present.values() if each.name == "cache")
        engine.drop(cache)
        engine.emit(happened(cache, "destroy"))
        await app.until(lambda: "cache" not in app.names)
        await app.until(lambda: not app.view.table.marks, "forgetting the mark")


async def test_columns_are_chosen_one_by_one(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine, SIDE) as app:
        await listed(app)
        assert "PIDS" not in app.text
        await app.press("C")
        await app.type("pids")
        await app.press("enter")
        await app.shows("● PIDS")
        await app.type("net")
        await app.press("enter")
        await app.shows("○ NET in/out")
        await app.type("io")
        await app.press("enter")
        await app.press("escape")
        await app.shows("PIDS")
        assert "NET in/out" not in app.text


async def test_a_click_on_a_head_sorts_and_on_a_row_selects(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        head = app.text.split("\n")[1]
        await app.pilot.click("#containers", offset=(head.index("STATE"), 0))
        await app.says("sorted by state")
        await app.pilot.click("#containers", offset=(head.index("STATE"), 0))
        await app.until(lambda: app.view.listing.reverse)
        line = next(i for i, row in enumerate(app.text.split("\n")) if "frozen" in row)
        await app.pilot.click("#containers", offset=(5, line - 1))
        await app.until(lambda: app.view.selected().name == "frozen")  # type: ignore[union-attr]
        await app.until(lambda: app.pane.container.name == "frozen")  # type: ignore[union-attr]


async def test_another_size_lays_out_anew_and_keeps_the_container(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine, WIDE) as app:
        await listed(app)
        await app.select("cache")
        await app.pilot.resize_terminal(*SIDE)
        await app.until(lambda: app.pane.region.x > 0, "side by side")
        await app.shows("cache  Logs")
        await app.pilot.resize_terminal(*NARROW)
        await app.until(lambda: not app.pane.display or not app.pane.region)
        assert app.view.selected().name == "cache"  # type: ignore[union-attr]
        await app.pilot.resize_terminal(20, 5)
        await app.pilot.resize_terminal(*WIDE)
        await app.shows("cache  Logs")


async def test_the_halves_grow_and_shrink(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        before = app.view.table.size.height
        await app.press("plus")
        await app.until(lambda: app.view.table.size.height > before)
        await app.press("underscore", "underscore")
        await app.until(lambda: app.view.table.size.height < before)


# --- panels


async def test_on_a_small_screen_enter_opens_and_esc_returns(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine, NARROW) as app:
        await listed(app)
        await app.press("enter")
        await app.shows("shop-api-1  Logs")
        assert "shop-db-1" not in app.text
        await app.press("escape")
        await app.shows("shop-db-1")
        assert app.view.table.has_focus


async def test_panels_open_by_their_key_and_go_round_with_brackets(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        expected = {
            "s": "stats", "v": "events", "i": "inspect", "y": "raw", "d": "describe",
            "t": "processes", "h": "health", "l": "logs",
        }  # fmt: skip
        for key, panel in expected.items():
            await app.press(key)
            await app.until(lambda panel=panel: app.pane.panel == panel, panel)
            assert app.pane.content_view.has_focus
        await app.press("right_square_bracket")
        assert app.pane.panel == "stats"
        await app.press("left_square_bracket", "left_square_bracket")
        assert app.pane.panel == "image"
        await app.press("escape")
        assert app.view.table.has_focus


async def test_a_click_on_a_panel_s_name_opens_it(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.shows("shop-api-1  Logs")
        row = app.row("shop-api-1  Logs")
        await app.pilot.click("#tabs", offset=(row.index("Limits"), 0))
        await app.until(lambda: app.pane.panel == "limits")


async def test_only_the_open_panel_of_the_open_container_is_read(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.press("t")
        await app.until(lambda: engine.fetched)
        assert {kind for kind, _ in engine.fetched} == {"processes"}
        assert len({id for _, id in engine.fetched}) == 1


def secretive(engine: Scripted) -> None:
    for each in engine.present.values():
        engine.documents[each.id] = {
            "Id": each.id,
            "Config": {"Env": ["DB_PASSWORD=hunter2secret", "API_TOKEN=tok3n-of-api", "LANG=C"]},
        }


@pytest.mark.parametrize("panel", ["inspect", "raw", "describe"])
async def test_ctrl_r_shows_one_secret_and_masks_it_again(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted, panel: str
) -> None:
    secretive(engine)
    async with console(monkeypatch, engine, SIDE) as app:
        await listed(app)
        await app.view.action_panel(panel)
        page = app.pane.page
        await app.until(lambda: "••" in page.text())
        assert "hunter2secret" not in page.text()
        place = next(i for i, each in enumerate(page.text().split("\n")) if "••" in each)
        page.cursor = place
        await app.press("c")
        assert "hunter2" not in app.app.clipboard
        await app.press("ctrl+r")
        shown = ("hunter2secret", "tok3n-of-api")
        await app.until(lambda: any(each in page.text() for each in shown))
        assert sum(each in page.text() for each in shown) == 1, "another one shows as well"
        await app.press("ctrl+r")
        await app.until(lambda: not any(each in page.text() for each in shown))
        await app.press("ctrl+r", "escape")
        await app.select("cache")
        await app.until(lambda: "••" in page.text())
        assert not any(each in page.text() for each in shown), "it stays shown elsewhere"


async def test_the_tree_folds_searches_and_copies_values(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    secretive(engine)
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.press("i")
        await app.shows("LANG=C")
        await app.press("slash")
        await app.type("lang")
        await app.press("enter")
        await app.shows("1 hits for lang")
        await app.press("c")
        assert app.app.clipboard == "LANG=C"
        await app.press("k", "k", "k", "enter")
        await app.hides("LANG=C")
        await app.press("enter")
        await app.shows("LANG=C")


async def test_what_cannot_be_read_is_said_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    engine.errors["fetch:processes"] = EngineError("permission denied", hint="try sudo")
    engine.errors["fetch:inspect"] = EngineError("no answer within 5 s")
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.press("t")
        await app.shows("permission denied", "try sudo")
        await app.press("i")
        await app.shows("cannot be read: no answer within 5 s")


# --- taking text away


async def test_copying_goes_through_the_terminal_and_is_told(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine, record=True) as app:
        await listed(app)
        await app.press("c")
        await app.says("copied 10 characters")
        code = base64.b64encode(b"shop-api-1").decode()
        assert f"\x1b]52;c;{code}\x07" in app.written
        await app.press("space", "space", "c")
        assert app.app.clipboard == "shop-api-1\nshop-db-1"


async def test_a_view_is_saved_to_a_new_file_and_never_over_an_old_one(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    async with console(monkeypatch, engine) as app:
        await listed(app)
        for said in ("saved to", "not saved: File exists"):
            await app.press("ctrl+s")
            await app.shows("Save what is shown")
            await app.press("end", "ctrl+u")
            await app.type("a.txt")
            await app.press("enter")
            await app.says(said)
            written = (tmp_path / "a.txt").read_text()
            assert written.split("\n")[0].split()[:2] == ["NAME", "STATE"]
            assert "OOM-killed at its 64.0M limit" in written


async def test_the_run_command_and_compose_file_are_shown_and_copied_masked(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    for each in engine.present.values():
        engine.documents[each.id] = subjects.docker()
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.app.run_command("container.copy-run")
        await app.shows("docker run", "shop/web:1.4")
        assert "hunter2secret" not in app.app.clipboard
        assert app.app.clipboard.startswith("docker run")
        await app.press("escape")
        await app.app.run_command("container.copy-compose")
        await app.shows("as compose file")
        assert "services:" in app.app.clipboard


# --- finding one's way


async def test_help_is_about_what_has_the_focus(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine, (120, 60)) as app:
        await listed(app)
        await app.press("question_mark")
        await app.shows("The selected container", "Remove")
        assert "In the log" not in app.text
        await app.press("escape", "l", "question_mark")
        await app.shows("In the log", "Hide what does not match")
        await app.press("q", "i", "f1")
        await app.shows("In this page", "Reveal")


async def test_every_key_in_the_help_is_the_one_in_force(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    from contui.tui.document import plain
    from contui.tui.help import help_lines

    async with console(monkeypatch, engine) as app:
        await listed(app)
        lines = plain(help_lines(app.app, app.view)).split("\n")
        for command in COMMANDS:
            keys = app.app.keys[command.id]
            if keys and command.context in ("app", "list", "container"):
                label = " ".join(map(key_label, keys))
                assert any(
                    each.startswith(f"  {label} ") and command.title in each for each in lines
                ), command.id


@pytest.mark.parametrize(
    ("short", "shown"),
    [
        ("im", "REPOSITORY"),
        ("vo", "this engine has no volumes yet"),
        ("ne", "SUBNETS"),
        ("compose", "SERVICES"),
        ("sy", "disk use of the engine"),
        ("ctx", "Context"),
        ("theme", "high-contrast-dark"),
        ("Limits", "CONFIGURED"),
    ],
)
async def test_the_palette_knows_short_names(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted, short: str, shown: str
) -> None:
    engine.resources |= {("images", ""): (), ("volumes", ""): (), ("networks", ""): ()}
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.press("colon")
        await app.until(lambda: len(app.app.screen_stack) == 2)
        await app.type(short)
        await chosen(app)
        await app.shows(shown)


async def chosen(app: Console) -> None:
    """Wait until the palette offers something, and take it."""
    from textual.command import CommandList

    await app.until(lambda: app.app.screen.query_one(CommandList).option_count > 0)
    await app.until(lambda: app.app.screen.query_one(CommandList).highlighted is not None)
    before = app.app.screen
    await app.press("enter")
    await app.until(lambda: app.app.screen is not before)


async def test_q_in_the_palette_leaves(monkeypatch: pytest.MonkeyPatch, engine: Scripted) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.press("colon")
        await app.until(lambda: len(app.app.screen_stack) == 2)
        await app.type("q")
        from textual.command import CommandList

        await app.until(lambda: app.app.screen.query_one(CommandList).highlighted is not None)
        await app.pilot.press("enter")
        await app.until(lambda: app.app._exit, "leaving")


async def test_q_goes_back_and_at_the_top_leaves(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.press("3")
        await app.until(lambda: len(app.app.screen_stack) == 2)
        await app.press("q")
        assert len(app.app.screen_stack) == 1
        await app.press("l", "q")
        assert app.view.table.has_focus
        assert not app.app._exit
        await app.pilot.press("q")
        await app.until(lambda: app.app._exit, "leaving")


async def test_the_key_bar_can_be_clicked(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        bar = app.row("faults")
        await app.pilot.click("#keys", offset=(bar.index("faults"), 0))
        await app.until(lambda: app.view.listing.faults)


# --- actions


@pytest.mark.parametrize(
    ("key", "verb", "title", "hit"),
    [
        ("D", "remove", "Remove shop-web-1?", "lost for ever: 3.00M in its writable layer"),
        ("ctrl+k", "kill", "Kill shop-web-1?", "restart policy always: killed by hand"),
        ("S", "stop", "Stop shop-web-1?", "it comes back when the engine restarts"),
        ("R", "restart", "Restart shop-web-1?", "go dark for a moment"),
        ("P", "pause", "Pause shop-web-1?", "published ports go dark: 8080→80"),
    ],
)
async def test_what_takes_something_down_asks_and_says_what_else_is_hit(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted, key: str, verb: str, title: str, hit: str
) -> None:
    web = next(iter(engine.present.values()))
    engine.resources["sizes", web.id] = Sizes(3 << 20, 9 << 20)
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.select("shop-web-1")
        for answer in ("n", "escape", "q", "enter"):
            await app.press(key)
            await app.shows(title, hit, "lose their network: sidecar", "runs   docker")
            await app.press(answer)
            if answer == "enter":
                assert isinstance(app.app.screen, Confirm), "Enter must not do it"
                await app.press("n")
            assert not engine.acts, f"{answer} did it"
        await app.press(key)
        await app.shows(title)
        await app.press("y")
        await app.until(lambda: engine.acts)
        done = engine.acts[-1]
        assert (done.verb, done.id) == (verb, web.id)
        assert bool(done.options.get("force")) == (verb == "remove")
        await app.says("shop-web-1 ")


async def test_dependants_are_named_before_their_service_goes(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.select("shop-api-1")
        await app.press("R")
        await app.shows("depend on it: shop-web-1")


async def test_starting_and_resuming_take_nothing_down_and_do_not_ask(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.select("batch")
        await app.press("S")
        await app.says("batch started")
        await app.select("frozen")
        await app.press("P")
        await app.says("frozen resumed")
        assert [each.verb for each in engine.acts] == ["start", "unpause"]


async def test_with_confirm_always_they_ask_as_well(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    settings = Settings(ui=UiSettings(confirm="always"))
    async with console(monkeypatch, engine, settings=settings) as app:
        await listed(app)
        await app.select("batch")
        await app.press("S")
        await app.shows("Start batch?")
        assert not engine.acts


async def test_marked_containers_are_acted_on_together(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.select("cache")
        await app.press("space", "space")
        assert len(app.view.table.marks) == 2
        assert "●" in app.row("cache")
        await app.press("R")
        await app.shows("Restart 2 containers?", "cache", "sidecar", "docker restart cache;")
        await app.press("y")
        await app.until(lambda: len(engine.acts) == 2)
        await app.until(lambda: not app.view.table.marks)
        await app.select("shop-api-1")
        await app.press("space", "j", "ctrl+@")
        assert len(app.view.table.marks) == 3, "the range between is not marked"
        await app.press("escape")
        assert not app.view.table.marks


async def test_a_project_s_head_stands_for_all_of_its_containers(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.press("g", "R")
        await app.shows("Restart 3 containers?")
        await app.press("y")
        await app.until(lambda: len(engine.acts) == 3)
        assert {each.name for each in engine.acts} == {"shop-web-1", "shop-api-1", "shop-db-1"}


async def test_an_action_that_fails_says_so_with_the_engine_s_words(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    engine.errors["act:stop"] = EngineError("cannot stop: device busy", hint="umount /data")
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.press("S")
        await app.shows("Stop shop-api-1?")
        await app.press("y")
        said = await app.says("cannot stop: device busy")
        assert "umount /data" in said
        assert said.startswith("shop-api-1")


async def test_the_menu_offers_every_action_with_its_key(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.press("x")
        await app.shows("Logs", "Stats")
        await app.type("remove")
        await app.shows("D       Remove")
        await app.press("enter")
        await app.shows("Remove shop-api-1?")


async def test_read_only_leaves_no_way_to_change_anything(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine, read_only=True) as app:
        await listed(app)
        await app.shows("read-only")
        for command in COMMANDS:
            if command.changes and command.context in ("container", "list", "app"):
                await app.press(*command.keys)
                await app.app.run_command(command.id)
                assert len(app.app.screen_stack) == 1, f"{command.id} opens something"
        assert not any(command.changes for command in app.app.offered())
        assert "restart" not in app.text.split("\n")[-1]
        await app.press("x")
        await app.shows("Logs")
        await app.type("remove")
        await app.shows("nothing of that name")
        await app.press("escape", "question_mark")
        assert " * " not in app.text.split("* changes something")[0]
        assert not engine.acts
        assert not engine.opened


@pytest.mark.parametrize("key", ["3", "4", "5", "9"])
async def test_read_only_removes_and_prunes_nothing_in_other_views(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted, key: str
) -> None:
    async with console(monkeypatch, engine, read_only=True) as app:
        await listed(app)
        await app.press(key)
        await app.until(lambda: len(app.app.screen_stack) == 2)
        await app.press("D", "X")
        assert len(app.app.screen_stack) == 2
        assert not engine.acts


async def test_rename_asks_for_the_name(monkeypatch: pytest.MonkeyPatch, engine: Scripted) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.select("cache")
        await app.app.run_command("container.rename")
        await app.shows("Rename cache")
        await app.press("end")
        await app.type("-2")
        await app.press("enter")
        await app.says("cache renamed")
        assert engine.acts == [
            Action("rename", "container", engine.acts[0].id, "cache", {"name": "cache-2"})
        ]


async def test_limits_are_changed_after_showing_the_command(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.select("cache")
        await app.app.run_command("container.limits-edit")
        await app.shows("Change the limits of cache", "as it is")
        await app.type("lots")
        await app.press("enter")
        await app.says("lots is not a size; write 512m or 1g")
        await app.app.run_command("container.limits-edit")
        await app.type("128m")
        await app.press("tab", "tab")
        await app.type("1.5")
        await app.press("enter")
        await app.shows("docker update --memory 134217728 --cpus 1.5")
        assert not engine.acts
        await app.press("y")
        await app.until(lambda: engine.acts)
        assert engine.acts[0].options == {
            "memory": 128 << 20, "cpus": 1.5, "memory_swap": 256 << 20
        }  # fmt: skip


class Handed:
    """Stands for handing the terminal over: opens what it is given, and ends."""

    def __init__(self, code: int | None = 0) -> None:
        self.titles: list[str] = []
        self.code = code

    async def __call__(
        self,
        app: Any,
        title: str,
        start: Callable[[tuple[int, int]], Awaitable[Terminal]],
        *,
        detach: bool,
        pause: bool,
    ) -> int | None:
        self.titles.append(title)
        terminal = await start((80, 24))
        await terminal.close()
        return self.code


async def test_shell_exec_and_attach_open_what_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    handed = Handed()
    monkeypatch.setattr("contui.tui.app.hand_over", handed)
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.select("cache")
        await app.press("e")
        await app.until(lambda: len(engine.opened) == 1)
        assert engine.opened[0][0] == "exec"
        assert "exec bash; exec sh" in engine.opened[0][2][-1]
        await app.app.run_command("container.exec")
        await app.shows("Run in cache", "command", "user", "directory")
        await app.press("ctrl+u", "end")
        await app.type('ls -l "a b"')
        await app.press("enter")
        await app.until(lambda: len(engine.opened) == 2)
        assert engine.opened[1][2][-2:] == ("-l", "a b")
        await app.press("a")
        await app.until(lambda: len(engine.opened) == 3)
        assert engine.opened[2][0] == "attach"
        assert "ctrl+p ctrl+q leaves it running" in handed.titles[2]


async def test_a_shell_in_what_does_not_run_or_has_none_says_so(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    monkeypatch.setattr("contui.tui.app.hand_over", Handed(127))
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.select("batch")
        await app.press("e")
        await app.says("batch does not run: exited")
        assert not engine.opened
        await app.select("cache")
        await app.press("e")
        await app.says("the image may have no shell")
        engine.errors["attach"] = EngineError("it is gone")
        await app.press("a")
        await app.says("cache: it is gone")


async def test_a_published_port_s_address_is_told_where_no_browser_is(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.select("shop-web-1")
        await app.press("w")
        await app.says("http://localhost:8080")
        await app.select("cache")
        await app.press("w")
        await app.says("cache publishes no port")


# --- the connection


async def test_without_an_engine_the_screen_says_why_and_what_mends_it(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    engine.errors["connect"] = EngineError("permission denied", hint="sudo usermod -aG docker me")
    async with console(monkeypatch, engine) as app:
        await app.shows(
            "No container engine answers", "unix:///scripted.sock", "permission denied",
            "sudo usermod -aG docker me", "Trying again in",
        )  # fmt: skip
        before = engine.calls["connect"]
        await app.until(lambda: engine.calls["connect"] > before, "trying by itself")
        for _ in range(4):
            seen = engine.calls["connect"]
            app.app.session._supervisor.retry_now()
            await app.until(lambda seen=seen: engine.calls["connect"] > seen)
            await app.shows("Trying again in")
        del engine.errors["connect"]
        await app.press("ctrl+l")
        await listed(app)
        await app.shows("shop-api-1", "live")
        assert "No container engine answers" not in app.text


@pytest.mark.parametrize(
    ("state", "words"),
    [(FeedState.STALLED, "not responding"), (FeedState.RETRYING, "not connected")],
)
async def test_an_old_list_stays_looks_old_and_says_so(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted, state: FeedState, words: str
) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.shows("live")
        status = FeedStatus(state, "no answer", retry_at=time.time() + 60)
        app.app.session.store.apply(FeedChanged("engine", status))
        await app.shows(f"{words}, retrying in", "shop-api-1")
        styles = {
            span.style for cell in app.view.draw_row(app.names and app.view.table.rows[1])
            for span in cell
        }  # fmt: skip
        assert styles == {"dim"}
        app.app.session.store.apply(FeedChanged("engine", FeedStatus(FeedState.LIVE)))
        await app.shows("live ")
        assert "critical" in {
            span.style for cell in app.view.draw_row(app.view.table.rows[1]) for span in cell
        }


async def test_a_lost_connection_comes_back_by_itself(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        engine.errors["connect"] = EngineError("connection refused")
        engine.break_off()
        await app.shows("not connected", "shop-api-1")
        del engine.errors["connect"]
        engine.put(make("newcomer"))
        await app.shows("newcomer", "live ")


def docker_context(home: Path, name: str, host: str) -> None:
    folder = home / ".docker/contexts/meta" / hashlib.sha256(name.encode()).hexdigest()
    folder.mkdir(parents=True)
    meta = {"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host}}}
    (folder / "meta.json").write_text(json.dumps(meta))


async def test_another_context_is_gone_to_by_menu_and_by_name(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted, tmp_path: Path
) -> None:
    docker_context(tmp_path / "home", "prod", "tcp://prod:2375")
    docker_context(tmp_path / "home", "stage", "tcp://stage:2375")
    prod = Scripted([make("on-prod")], endpoint=Endpoint("tcp://prod:2375", "prod"))
    stage = Scripted([make("on-stage")], endpoint=Endpoint("tcp://stage:2375", "stage"))
    endpoints = {"tcp://prod:2375": prod, "tcp://stage:2375": stage}
    async with console(monkeypatch, engine, endpoints=endpoints) as app:
        await listed(app)
        await app.app.run_command("app.contexts")
        await app.shows("prod", "tcp://prod:2375", "stage")
        await app.type("prod")
        await app.press("enter")
        await app.shows("on-prod", "prod")
        await app.until(lambda: engine.closed, "closing the first engine")
        await app.press("colon")
        await app.until(lambda: len(app.app.screen_stack) == 2)
        await app.type("ctx stage")
        await chosen(app)
        await app.shows("on-stage")
        app.app.go_to(context="nowhere")
        await app.says("nowhere")
        assert "on-stage" in app.text


async def test_every_theme_can_be_chosen_and_stays_readable(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        for theme in ("contui-light", "high-contrast-dark", "terminal", "colour-blind-safe"):
            await app.app.run_command("app.theme")
            await app.shows("Theme")
            await app.type(theme)
            await app.press("enter")
            await app.until(lambda theme=theme: app.app.theme == theme)
            await app.shows("shop-api-1")


async def test_figures_come_from_the_kernel_and_name_what_they_are_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    busy = make("busy", memory_limit=512 << 20, cpu_limit=0.5)
    engine = Scripted([busy])
    sample = subjects.samples()[-1]
    engine.kernel[busy.id] = replace(sample, oom_kills=2)
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.shows("339M / 512M", "of 0.5")
        await app.shows("the kernel killed a process")


async def test_an_action_under_way_shows_in_the_state(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.select("cache")
        engine.hanging.add("act")
        await app.press("S")
        await app.shows("docker stop cache")
        await app.press("y")
        await app.until(lambda: "stopping…" in app.row("cache"))
        engine.hanging.clear()
        await app.until(lambda: "stopping…" not in app.text)


async def test_the_whole_problem_is_told_above_the_panel(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    long = "exec: no such file or directory: " + "/opt/" * 12
    engine.put(make("broken", "created", error=long))
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.select("broken")
        await app.shows("cannot start: " + long)
        await app.select("cache")
        await app.hides("cannot start: " + long)


async def test_where_nothing_is_listed_nothing_is_shown_below(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.press("slash")
        await app.type("nosuchcontainer")
        await app.press("enter")
        await app.shows("nothing passes the filter", "no container")
