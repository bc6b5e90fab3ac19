"""Whatever a container, an image or an engine calls itself reaches the terminal as plain text only.

The whole app runs on a driver that keeps what a terminal would be given to read.
"""

from __future__ import annotations

import base64
import dataclasses
import re
from collections.abc import Mapping
from typing import Any

import pytest

from contui.model.action import Action
from contui.model.container import Container, Detail, Port, Probe
from contui.model.endpoint import Endpoint
from contui.model.errors import EngineError
from contui.model.host import EngineInfo
from contui.model.image import DiskUse, Image, Network, Volume
from contui.model.linux import Process
from contui.model.log import Std
from contui.tui.document import plain
from contui.tui.panels import OVERVIEW, PANELS, describe
from contui.tui.safe import ansi, clean, content
from support import subjects
from support.scripted import Scripted, happened, line
from tui.harness import NARROW, SIDE, WIDE, Console, console, listed

PAYLOADS = {
    "closing markup": "[/x] [/] [/bold]",
    "markup": "[bold red]x[/] [$error]y [@click=app.quit]q[/] \\[",
    "title": "\x1b]0;owned\x07\x1b]2;owned\x1b\\",
    "clipboard": "\x1b]52;c;b3duZWQ=\x07",
    "open link": "\x1b]8;;http://owned\x1b\\x",
    "no end": "\x1b]0;owned",
    "screen": "\x1b[2J\x1b[H\x1b[?1049l\x1b[31mred\x1b[5;5Hx\x1b[6n",
    "nested": "\x1b\x1b[2J\x1b[\x1b[2Jx\x1b\x00[2J\x1b(0\x1bc",
    "c1": "\x9b2J\x9d0;owned\x9c\x90q\x9c\x85\x8d\x84",
    "c0": "a\x00b\x07\x08\x0b\x0c\x0e\x0f\x7f\t.",
    "bidi": "\u202egnp.exe\u202c\u2066x\u2069\u061c\u200f",
    "unseen": "a\u200bb\u200d\ufeff\u2060\u00ad\u180e\ufff9\U000e0041\U000e007f",
    "lines": "a\nb\r\nc\rd\u2028e\u2029f",
    "surrogate": "\ud800\udfff",
    "cells": "名前" * 20 + "e" + "\u0301" * 40 + "👩\u200d👩\u200d👧",
}
MIXED = [
    "".join(each for name, each in PAYLOADS.items() if name != "no end") + PAYLOADS["no end"],
    PAYLOADS["closing markup"] + PAYLOADS["no end"],
    PAYLOADS["cells"] + "".join(PAYLOADS.values()),
]
"""One for a container that runs, an ailing and a stopped one."""
MARK = "evil"
"""Begins every hostile text, so that it can be seen that it was drawn at all."""

_DRAWING = re.compile(
    "\x1b\\[[0-9;:]*m"  # colours
    "|\x1b\\[[0-9;]*[ABCDH]"  # cursor
    "|\x1b\\[\\?(?:2026|25)[hl]"  # synchronised output, cursor
    "|\x1b\\]22;[a-z-]*\x07"  # the mouse pointer's shape
)
_COPIED = re.compile("\x1b\\]52;c;([A-Za-z0-9+/=]*)\x07")
_HARM = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)


def harm(written: str) -> list[str]:
    """What a terminal would obey or hide, beside what drawing needs."""
    rest = _DRAWING.sub("", _COPIED.sub("", written))
    found = [rest[max(0, m.start() - 20) : m.end() + 20] for m in _HARM.finditer(rest)]
    for copied in _COPIED.findall(written):
        text = base64.b64decode(copied).decode()
        found += ["a clipboard that nobody filled"] if text == "owned" else []
        found += [f"copied: {m[0]!r}" for m in re.finditer("[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)]
    return found


def checked(app: Console, what: str) -> None:
    """What was written since the last time is harmless, and is forgotten."""
    written = "".join(app.written)
    app.written.clear()
    assert not harm(written), what


_NAMED = {"Labels", "Networks", "Tmpfs", "ExposedPorts", "PortBindings", "Ports", "Volumes"}
_WORDS = {"bind", "volume", "tcp", "tcp6", "CMD-SHELL", "layers", "container"}


def poisoned(value: Any, payload: str, name: str = "") -> Any:
    """The same with the payload at the end of every text, of names in mappings too."""
    if isinstance(value, str):
        return value if value in _WORDS or name in ("id", "state") else value + MARK + payload
    if isinstance(value, Mapping):
        return {
            (key + MARK + payload if name in _NAMED else key): poisoned(each, payload, key)
            for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return type(value)(poisoned(each, payload, name) for each in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changes = {
            each.name: poisoned(getattr(value, each.name), payload, each.name)
            for each in dataclasses.fields(value)
        }
        return dataclasses.replace(value, **changes)
    return value


def container(number: int, payload: str) -> Container:
    """A container in which everything that is text is hostile."""
    bad = MARK + payload
    running = number % 3 != 2
    detail = Detail(
        pid=4000 + number,
        started_at=subjects.NOW - 60,
        finished_at=subjects.NOW - 90,
        exit_code=1,
        error="" if running else bad,
        restart_policy=bad,
        log_driver=bad,
        log_path=bad,
        user=bad,
        network_mode=bad,
        probes=(Probe(subjects.NOW - 9, subjects.NOW - 8, 1, bad),),
    )
    return Container(
        id=f"{number:064x}",
        name=bad,
        image=bad,
        image_id=bad,
        command=bad,
        state="running" if running else "exited",
        status=bad,
        health="unhealthy" if number % 3 == 1 else "",
        ports=(Port(80, "tcp" + bad, bad, 8080),),
        labels={
            bad: bad,
            "com.docker.compose.project": bad,
            "com.docker.compose.service": bad,
            "com.docker.compose.depends_on": bad + ":x,web",
            "com.docker.compose.project.config_files": bad,
            "com.docker.compose.project.working_dir": bad,
        },
        networks=(bad,),
        mounts=(bad,),
        detail=detail,
    )


def hostile_engine(payloads: list[str]) -> Scripted:
    """An engine with a container, an image, a volume, a network and events for each payload."""
    fleet = [container(number, payload) for number, payload in enumerate(payloads)]
    bad = MARK + "".join(each for each in payloads if len(each) < 10_000)
    info = EngineInfo(
        product=bad, version=bad, api_version=bad, name=bad, os=bad, kernel=bad, architecture=bad,
        cpus=4, memory=1 << 33, root_dir=bad, storage_driver=bad, logging_driver=bad,
        cgroup_driver=bad, cgroup_version=bad, runtimes=(bad,), default_runtime=bad,
        security_options=(bad,), warnings=(bad,), local=True,
    )  # fmt: skip
    engine = Scripted(fleet, info, Endpoint("unix:///run/evil\x1b[2J\u202e[/x].sock", bad, bad))
    images, volumes, networks = [], [], []
    for each, payload in zip(fleet, payloads, strict=True):
        bad = MARK + payload
        engine.documents[each.id] = poisoned(subjects.docker(), payload)
        known = subjects.in_force()
        engine.resources["in_force", each.id] = poisoned(known, payload)
        engine.resources["processes", each.id] = tuple(
            Process(**{**{f.name: getattr(p, f.name) for f in dataclasses.fields(p)},
                       "user": bad, "command": bad}) for p in subjects.processes()
        )  # fmt: skip
        engine.resources["image", each.id] = poisoned(subjects.image(), payload)
        engine.resources["sizes", each.id] = poisoned(subjects.subject().sizes.value, payload)
        engine.lines[each.id] = [
            line(MARK),
            line(bad, std=Std.ERR),
            line(f'{{"level": "{bad}"}}'),
            line("\x1b[31m" + bad + "\x1b[0m\x1b[38;5;1m\x1b[38;2;1;2;3m\x1b[999m\x1b[;;m"),
        ]
        images.append(Image(bad, (bad + ":" + bad,), (bad,), 1.0, 10, labels={bad: bad}))
        volumes.append(Volume(bad, bad, bad, 1.0, {"com.docker.compose.project": bad}))
        networks.append(Network(bad, bad, bad, bad, False, (bad,)))
        engine.resources["image_detail", bad] = poisoned(subjects.image(), payload)
        engine.resources["network", bad] = {
            "Containers": {bad: {"Name": bad, "IPv4Address": bad, "IPv6Address": bad}}
        }
        for action in ("die", "kill", bad, f"exec_create: {bad}", f"health_status: {bad}"):
            engine.history.append(
                happened(each, action, exitCode=bad, signal=bad, command=bad, oldName=bad)
            )
    engine.resources["images", ""] = tuple(images)
    engine.resources["volumes", ""] = tuple(volumes)
    engine.resources["networks", ""] = tuple(networks)
    engine.resources["info", ""] = info
    rows = tuple((each.name, 1, 1, 10, 5) for each in fleet)
    engine.resources["disk", ""] = DiskUse(rows, tuple(images), tuple(volumes))
    engine.errors["act"] = EngineError(bad, hint=bad)
    return engine


# --- the functions that all drawing goes through


@pytest.mark.parametrize("name", PAYLOADS)
def test_cleaned_text_is_one_harmless_line(name: str) -> None:
    for text in (PAYLOADS[name], "before" + PAYLOADS[name] + "after", PAYLOADS[name] * 2):
        assert not _HARM.search(clean(text))
        assert "\n" not in clean(text)
        assert not _HARM.search("".join(run for run, _ in ansi(text)))
        assert not _HARM.search(content(text).plain)


def test_harmless_text_is_left_as_it_is() -> None:
    for text in ("", "web-1", "[/x] [bold]", "naïve 名前 ✓ e\u0301", "a" * 1000):
        assert clean(text) == text
    assert clean("a\tb\nc") == "a    b⏎c"


def test_what_counts_as_harm_is_found() -> None:
    for name, payload in PAYLOADS.items():
        if name not in ("closing markup", "markup", "cells"):
            assert harm(payload), name
    assert harm("\x1b]52;c;" + base64.b64encode(b"rm\r").decode() + "\x07")


@pytest.mark.parametrize("name", PAYLOADS)
def test_panels_of_a_hostile_container_still_fit(name: str) -> None:
    subject = poisoned(subjects.subject(), PAYLOADS[name])
    for panel in (OVERVIEW, *PANELS):
        for width in (40, 120):
            for each in panel.render(subject, width):
                assert len(each) < 1000
                assert content(plain([each])).cell_length <= width, panel.id
    assert describe(subject, 80)


# --- the whole app


PANEL_KEYS = ("l", "s", "v", "i", "y", "d", "t", "h")


@pytest.mark.parametrize("size", [NARROW, WIDE, SIDE], ids=["80x24", "120x40", "210x50"])
async def test_every_panel_of_a_hostile_container_is_plain_text(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    engine = hostile_engine(MIXED)
    async with console(monkeypatch, engine, size, record=True, notifications=True) as app:
        await listed(app)
        await app.shows("live", MARK)
        checked(app, "the list")
        panels = [panel.id for panel in PANELS] if size == WIDE else ["stats"]
        for index, id in enumerate(row for row in app.view.table.rows if isinstance(row, str)):
            app.view.table.focus()
            app.view.table.select(id)
            for panel in ("logs", "inspect", "raw", "describe", *panels):
                await app.view.action_panel(panel)
                shown = app.pane.content_view
                if panel != "stats":
                    await app.until(lambda shown=shown: MARK in shown.text(), f"drawing {panel}")
                checked(app, panel)
                if size == WIDE and not index:
                    await app.press("G", "c", "ctrl+r")
                    checked(app, f"copying from {panel}")
            await app.press("escape")


async def test_keys_for_panels_and_merged_logs_draw_plain_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = hostile_engine(MIXED)
    async with console(monkeypatch, engine, record=True) as app:
        await listed(app)
        for key in PANEL_KEYS:
            await app.press(key)
            checked(app, key)
            await app.press("escape")
        await app.press("ctrl+g", "g", *["space"] * len(MIXED), "l", "M")
        await app.until(lambda: app.pane.merged)
        await app.until(lambda: len(app.pane.log_view.model) == 4 * len(MIXED))
        await app.press("T", "w", "slash", *"evil", "enter", "n", "m", "F", *"!x", "enter", "c")
        checked(app, "merged logs")
        await app.press("escape", "escape", "c", "question_mark")
        await app.shows("The list")
        checked(app, "copied names and help")


@pytest.mark.parametrize("key", ["2", "3", "4", "5", "6", "9"])
async def test_every_other_view_is_plain_text(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    engine = hostile_engine(MIXED)
    async with console(monkeypatch, engine, record=True, notifications=True) as app:
        await listed(app)
        checked(app, "the list")
        await app.press(key)
        await app.shows(MARK)
        for _ in MIXED:
            await app.press("down", "c")
        checked(app, f"view {key}")
        if key in "2345":
            await app.press("D")
            await app.pilot.pause()
            checked(app, "asking to remove")
            await app.press("escape", "i")
            await app.press("G", "c", "slash", *"evil", "enter", "escape", "escape")
            checked(app, "its document")
        await app.press("X")
        checked(app, "asking to prune")
        await app.press("escape", "slash", *"evil", "enter")
        await app.shows(MARK)
        checked(app, "a filter")


async def test_dialogs_and_messages_about_hostile_containers_are_plain_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = hostile_engine(MIXED)
    async with console(monkeypatch, engine, SIDE, record=True, notifications=True) as app:
        await listed(app)
        ids = [row for row in app.view.table.rows if isinstance(row, str)]
        for id in ids[1:]:
            app.view.table.focus()
            app.view.table.select(id)
            for key in ("D", "x", "S", "R"):
                await app.press(key)
                await app.until(lambda: len(app.app.screen_stack) > 1 or app.said, key)
                checked(app, f"dialog {key}")
                await app.press("escape")
            await app.until(lambda: len(app.app.screen_stack) == 1)
            for command in ("rename", "limits-edit", "exec", "open-port", "copy-run"):
                app.said.clear()
                await app.app.run_command(f"container.{command}")
                await app.until(lambda: len(app.app.screen_stack) > 1 or app.said, command)
                checked(app, command)
                while len(app.app.screen_stack) > 1:
                    await app.press("escape")
            app.said.clear()
            app.view.action_act("kill")
            await app.until(lambda: len(app.app.screen_stack) > 1)
            await app.press("y")
            await app.says(MARK)
            checked(app, "an engine's error")
        app.app.clear_notifications()
        for payload in PAYLOADS.values():
            app.app.say(MARK + payload, hint=payload, severity="error")
        await app.shows(MARK)
        checked(app, "messages")
        await app.press("colon", *"ctx ")
        checked(app, "the palette")


async def test_an_engine_that_fails_with_a_hostile_reason_is_plain_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for payload in MIXED:
        engine = Scripted(endpoint=Endpoint("unix:///x" + payload, payload, payload))
        engine.errors["connect"] = EngineError(MARK + payload, hint=MARK + payload)
        async with console(monkeypatch, engine, record=True) as app:
            await app.shows("No container engine answers", MARK)
            await app.press("9")
            await app.shows("feed engine", MARK)
            checked(app, repr(payload))


async def test_texts_of_a_megabyte_are_cut_and_hold_nothing_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    long = MARK + "x" * 1_000_000
    own = container(1, "")
    engine = hostile_engine([""])
    (known,) = engine.present.values()
    own = dataclasses.replace(
        known, name=long, labels={long: long}, status=long,
        detail=dataclasses.replace(own.detail, probes=(Probe(1.0, 2.0, 1, long),)),
    )  # fmt: skip
    document = subjects.docker()
    document["Config"] |= {"Env": ["A=" + long], "Labels": {"a": long}}
    engine.put(own)
    engine.documents[own.id] = document
    engine.lines[own.id] = [
        line(long),
        line("\x1b[31m" * 200_000 + "end"),
        line(MARK + "\r" * 10**6),
    ]
    engine.history.append(happened(own, "die", exitCode=long))
    engine.errors["act"] = EngineError(long, hint=long)
    async with console(monkeypatch, engine, record=True, notifications=True) as app:
        await listed(app)
        await app.shows(MARK)
        for panel in ("logs", "inspect", "raw", "describe"):
            await app.view.action_panel(panel)
            shown = app.pane.content_view
            await app.until(lambda shown=shown: shown.text(), panel)
            await app.press("c")
        await app.view.action_panel("logs")
        await app.press("w", "slash", *"xx", "enter", "n", "escape", "escape")
        await app.press("D")
        await app.shows("docker rm")
        await app.press("y")
        await app.says(MARK)
        await app.press("6")
        await app.shows(MARK)
        checked(app, "a megabyte")


def test_a_command_to_copy_has_no_control_character() -> None:
    action = Action("remove", "container", "1", "a\x1b]0;x\x07 b;rm -rf /")
    assert "'" in action.command(), "not quoted for a shell"
    assert not _HARM.search(clean(action.command()))
