"""The command table: every command once, each with an action where it belongs, and key maps."""

from __future__ import annotations

import re

import pytest
from textual.dom import DOMNode

from contui.config.settings import Settings, UiSettings
from contui.tui import keymap
from contui.tui.app import ContuiApp
from contui.tui.commands import BY_ID, CHANGING, COMMANDS, Command
from contui.tui.keymap import PRESETS, build
from contui.tui.screens.containers import ContainersView, ContainerTable
from contui.tui.screens.objects import ObjectsTable, ObjectsView
from contui.tui.screens.page import Page
from contui.tui.screens.pane import Logs
from support.scripted import Scripted
from tui.harness import console, fleet, listed

_NODES: dict[str, tuple[type[DOMNode], ...]] = {
    "app": (ContuiApp,),
    "list": (ContainersView,),
    "container": (ContainersView,),
    "table": (ContainerTable, ObjectsTable),
    "document": (Page,),
    "logs": (Logs,),
    "objects": (ObjectsView,),
}
_OPENS_A_TERMINAL = {"container.shell", "container.exec", "container.attach"}
"""They change nothing by themselves, and are absent from read-only mode all the same."""


def test_ids_are_unique_and_begin_with_what_they_work_on() -> None:
    assert len(BY_ID) == len(COMMANDS)
    for command in COMMANDS:
        assert re.fullmatch(r"[a-z]+\.[a-z0-9-]+", command.id)
        assert command.id.split(".")[0] in (command.context, "view")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.id)
def test_every_command_has_an_action_on_the_node_of_its_context(command: Command) -> None:
    name = command.action.partition("(")[0]
    for node in _NODES[command.context]:
        assert callable(getattr(node, f"action_{name}", None)), f"{node.__name__} has no {name}"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.id)
def test_every_command_can_be_reached_and_is_explained(command: Command) -> None:
    assert command.keys or command.palette, "neither a key nor the palette leads to it"
    assert command.title
    assert command.help or not command.palette


def test_no_action_both_changes_something_and_only_looks() -> None:
    looking = {command.action.partition("(")[0] for command in COMMANDS if not command.changes}
    assert not CHANGING & looking, "read-only mode would take away a look as well"


# --- key maps


@pytest.mark.parametrize("preset", PRESETS)
def test_no_key_of_a_preset_means_two_things(preset: str) -> None:
    keys, problems = build(preset, {})
    assert problems == []
    for contexts in ({"app", "list", "container", "table"}, {"app", "objects", "table"}):
        used: dict[str, str] = {}
        for command in COMMANDS:
            if command.context in contexts:
                for key in keys[command.id]:
                    assert used.setdefault(key, command.id) == command.id, key


@pytest.mark.parametrize("preset", PRESETS)
def test_no_lower_case_key_of_a_preset_changes_anything(preset: str) -> None:
    keys, _ = build(preset, {})
    for command in COMMANDS:
        if command.changes and command.id not in _OPENS_A_TERMINAL:
            for key in keys[command.id]:
                assert key.startswith("ctrl+") or key.isupper(), f"{key} is {command.id}"


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_only_names_commands_that_exist(preset: str) -> None:
    assert PRESETS[preset].keys() <= BY_ID.keys()


def test_an_unknown_preset_is_named_with_those_that_exist() -> None:
    keys, problems = build("vim", {})
    assert problems == ["there is no key map vim: contui, lazydocker, k9s"]
    assert keys["list.sort"] == ("o",)


def test_an_unknown_command_is_reported_with_the_nearest_one() -> None:
    _, problems = build("contui", {"list.sorts": "ctrl+o"})
    assert problems == ["keys: there is no command list.sorts; did you mean list.sort?"]


def test_the_user_s_key_wins_and_the_loser_is_named_with_what_it_keeps() -> None:
    keys, problems = build("contui", {"list.sort": "z", "container.limits": "f1"})
    assert (keys["list.sort"], keys["list.faults"]) == (("z",), ())
    assert keys["app.help"] == ("question_mark",)
    assert "keys: z is list.sort, so list.faults loses it" in problems
    assert "keys: f1 is container.limits, so app.help loses it; it keeps ?" in problems


def test_a_key_that_the_list_itself_takes_is_reported_and_given_to_the_user() -> None:
    keys, problems = build("contui", {"list.faults": "j"})
    assert keys["table.down"] == ("down",)
    assert problems == ["keys: j is list.faults, so table.down loses it; it keeps ↓"]


def test_the_keys_of_the_log_may_hide_those_around_it() -> None:
    assert build("contui", {"logs.follow": "w", "logs.wrap": "W"})[1] == []


@pytest.mark.parametrize(
    ("written", "name"),
    [("?", "question_mark"), ("ctrl+]", "ctrl+right_square_bracket"), ("+", "plus"), ("F", "F")],
)
def test_keys_are_written_as_they_are_typed(written: str, name: str) -> None:
    assert keymap.key_name(written) == name


async def test_a_key_of_one_s_own_works_and_the_old_one_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = {"list.faults": ("F",), "list.sort": ("z",)}
    async with console(monkeypatch, Scripted(fleet()), settings=Settings(keys=keys)) as app:
        await listed(app)
        assert not app.said
        await app.press("F")
        assert app.view.listing.faults
        await app.press("z")
        assert app.view.listing.faults
        assert app.view.listing.sort == "name"
        await app.press("question_mark")
        assert app.row("Faults only").strip("│ ").startswith("F "), "help tells another key"


async def test_a_preset_s_keys_work(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(ui=UiSettings(keymap="k9s"))
    async with console(monkeypatch, Scripted(fleet()), settings=settings) as app:
        await listed(app)
        await app.press("ctrl+z")
        assert app.view.listing.faults
        await app.press("ctrl+d")
        await app.shows("Remove shop-api-1?")
        await app.press("n")
        assert not app.engine.acts
