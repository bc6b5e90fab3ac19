import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contui.model.action import Action

ID = "8226e10b9241"


@pytest.mark.parametrize(
    ("action", "command"),
    [
        (Action("start", id=ID, name="web"), "docker start web"),
        (Action("start", id=ID), f"docker start {ID}"),
        (Action("stop", id=ID, name="web", options={"timeout": 5}), "docker stop --time 5 web"),
        (Action("restart", id=ID, name="web"), "docker restart web"),
        (Action("kill", id=ID, name="web", options={"signal": "HUP"}),
         "docker kill --signal HUP web"),
        (Action("pause", name="web"), "docker pause web"),
        (Action("unpause", name="web"), "docker unpause web"),
        (Action("remove", name="web", options={"force": True, "volumes": True}),
         "docker rm --force --volumes web"),
        (Action("remove", name="web", options={"force": False}), "docker rm web"),
        (Action("rename", name="web", options={"name": "web-2"}), "docker rename web web-2"),
        (Action("update", name="web", options={"memory": 134217728, "memory_swap": -1}),
         "docker update --memory 134217728 --memory-swap -1 web"),
        (Action("update", name="web", options={"cpus": 1.5, "pids": 100, "restart": "always"}),
         "docker update --cpus 1.5 --pids-limit 100 --restart always web"),
        (Action("remove", "image", "sha256:1", "app:1"), "docker image rm app:1"),
        (Action("remove", "volume", "data"), "docker volume rm data"),
        (Action("remove", "network", "n1", "shop"), "docker network rm shop"),
        (Action("prune", "image"), "docker image prune --force"),
        (Action("prune", "builder"), "docker builder prune --force"),
        (Action("prune", "system"), "docker system prune --force"),
        (Action("prune", "container"), "docker container prune --force"),
    ],
)  # fmt: skip
def test_an_action_is_shown_as_the_docker_command(action: Action, command: str) -> None:
    assert action.command() == command


def test_the_host_is_part_of_the_command() -> None:
    assert Action("stop", name="web").command("ssh://a@b") == "docker -H ssh://a@b stop web"


def test_an_option_of_another_verb_is_left_out() -> None:
    assert Action("start", name="web", options={"force": True}).command() == "docker start web"


@pytest.mark.parametrize("name", ["a b", "x;reboot", "$(reboot)", "`id`", "it's", "a\nb"])
def test_a_hostile_name_stays_one_word_of_the_shell(name: str) -> None:
    assert shlex.split(Action("rename", name="web", options={"name": name}).command()) == [
        "docker", "rename", "web", name,
    ]  # fmt: skip


@given(st.sampled_from(["stop", "kill", "remove", "update"]), st.text(min_size=1))
def test_a_command_always_ends_in_what_it_is_about(verb: str, name: str) -> None:
    options: dict[str, Any] = {"timeout": 1, "signal": name, "force": True, "memory": 5}
    assert shlex.split(Action(verb, name=name, options=options).command())[-1] == name


@pytest.mark.parametrize(
    ("verb", "loses"),
    [("remove", True), ("kill", True), ("prune", True), ("stop", False), ("update", False)],
)
def test_what_loses_something_is_destructive(verb: str, loses: bool) -> None:
    assert Action(verb).destructive is loses
