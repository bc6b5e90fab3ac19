"""Keys that arrive in one piece, as over a slow line, mean what they mean one by one."""

from __future__ import annotations

import pytest
from textual import events

from support.scripted import Scripted
from tui.harness import Console, console, fleet


def burst(running: Console, keys: str) -> None:
    """All of them before the first one has been looked at; ``>`` is Enter, ``<`` Escape."""
    names = {">": "enter", "<": "escape", "/": "slash"}
    for key in keys:
        name = names.get(key, key)
        running.app.post_message(events.Key(name, None if name in ("enter", "escape") else key))


async def test_a_filter_typed_in_one_piece_runs_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Scripted(fleet())
    async with console(monkeypatch, engine) as running:
        await running.shows("shop-web-1")
        burst(running, "/web")
        await running.until(lambda: running.names == ["shop-web-1"])
        assert running.view.line.value == "web"
        assert engine.acts == []
        assert running.said == []


async def test_what_follows_enter_is_a_command_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with console(monkeypatch, Scripted(fleet())) as running:
        await running.shows("shop-web-1")
        burst(running, "/cache>s")
        await running.until(lambda: running.names == ["cache"])
        await running.until(lambda: running.view.pane and running.pane.panel == "stats")
        assert not running.view.line.display


async def test_what_follows_escape_is_a_command_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with console(monkeypatch, Scripted(fleet())) as running:
        await running.shows("shop-web-1")
        everything = running.names
        burst(running, "/cache<z")
        await running.until(lambda: running.view.listing.faults)
        assert running.view.listing.query is None
        assert set(running.names) < set(everything)


async def test_one_filter_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    async with console(monkeypatch, Scripted(fleet())) as running:
        await running.shows("shop-web-1")
        burst(running, "/cache>/frozen>")
        await running.until(lambda: running.names == ["frozen"])
