"""The program starts whatever its settings say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contui.cli.paint import ENTER, first_frame
from contui.config.settings import Settings
from contui.tui.themes import load_themes
from support.scripted import Scripted
from tui.harness import console, fleet


@pytest.mark.parametrize("theme", sorted(load_themes(None)[0]))
async def test_it_opens_in_every_theme(monkeypatch: pytest.MonkeyPatch, theme: str) -> None:
    settings = Settings()
    settings = replace(settings, ui=replace(settings.ui, theme=theme))
    async with console(monkeypatch, Scripted(fleet()), settings=settings) as running:
        await running.shows("shop-db-1", "OOM-killed")
        assert running.app.theme == theme


async def test_it_opens_without_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with console(monkeypatch, Scripted(fleet()), record=True) as running:
        await running.shows("shop-db-1", "OOM-killed")
        assert "\x1b[38;2;255;128;128" not in "".join(running.written)


def test_the_first_frame_has_the_broken_ones_on_top_and_fits() -> None:
    entries = [
        {"Names": ["/a"], "Status": "Up 3 minutes", "Image": "x" * 500},
        {"Names": ["/z/alias", "/z"], "Status": "Exited (137) 2 seconds ago", "Image": "db"},
        {"Names": ["/m"], "Status": "Exited (0) 2 hours ago", "Image": "job"},
    ]
    frame = first_frame(entries, 60, 4)
    assert frame.startswith(ENTER)
    lines = frame.removeprefix(ENTER).split("\r\n")
    assert [line.split()[:2] for line in lines[2:]] == [["x", "z"], ["a", "Up"]]
    assert all(len(line) <= 60 for line in lines)


def test_the_first_frame_sends_no_control_character_of_an_engine_to_the_terminal() -> None:
    hostile = "\x1b]0;title\x07\x9b2J‮é\x00"
    frame = first_frame([{"Names": [hostile], "Status": hostile, "Image": hostile}], 200, 10)
    assert set(frame.removeprefix(ENTER)) <= {chr(c) for c in range(32, 127)} | {"\r", "\n"}


@pytest.mark.parametrize("entry", [{}, {"Names": None, "Status": None, "Image": None}])
def test_the_first_frame_survives_what_an_engine_leaves_out(entry: dict[str, object]) -> None:
    assert "1 container\r\n" in first_frame([entry], 80, 24)
