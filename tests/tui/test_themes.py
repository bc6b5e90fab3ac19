"""Themes: the shipped ones can be read; a broken one of the user's own is named and left out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from textual.color import Color
from textual.theme import Theme

from contui.config.settings import Settings, UiSettings
from contui.tui import document
from contui.tui.themes import VARIABLES, load_themes, rich_styles, variable_defaults
from support.scripted import Scripted
from tui.harness import console, fleet, listed

SHIPPED, BROKEN = load_themes(None)
COLOURED = [theme for theme in SHIPPED.values() if not theme.ansi]
GROUNDS = ("background", "surface", "panel", "cursor")


def luminance(colour: Color) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [part / 255 for part in colour.rgb]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: Color, second: Color) -> float:
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def colours(theme: Theme) -> dict[str, str]:
    return variable_defaults(theme) | theme.to_color_system().generate() | theme.variables


def test_the_six_shipped_themes_load() -> None:
    assert BROKEN == []
    assert sorted(SHIPPED) == [
        "colour-blind-safe", "contui-dark", "contui-light", "high-contrast-dark",
        "high-contrast-light", "terminal",
    ]  # fmt: skip


@pytest.mark.parametrize("theme", SHIPPED.values(), ids=lambda theme: theme.name)
def test_a_shipped_theme_sets_all_of_our_colours(theme: Theme) -> None:
    assert set(VARIABLES) <= set(theme.variables)


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("theme", COLOURED, ids=lambda theme: theme.name)
def test_text_can_be_read_on_every_ground(theme: Theme, ground: str) -> None:
    below = Color.parse(colours(theme)[ground])
    texts = {name: style.color for name, style in rich_styles(theme).items()}
    for name, colour in texts.items():
        shown = (
            Color.from_rich_color(colour) if colour else Color.parse(colours(theme)["foreground"])
        )
        found = contrast(below, shown)
        assert found >= 4.5, f"{name or 'plain text'} on {ground}: {found:.2f}"


@pytest.mark.parametrize("theme", SHIPPED.values(), ids=lambda theme: theme.name)
def test_good_and_bad_do_not_look_the_same(theme: Theme) -> None:
    styles = rich_styles(theme)
    told = [styles[name] for name in ("ok", "warning", "critical")]
    assert len({str(style) for style in told}) == 3


def test_the_terminal_s_own_theme_has_only_the_terminal_s_colours() -> None:
    theme = SHIPPED["terminal"]
    for style in rich_styles(theme).values():
        assert style.color is None or style.color.triplet is None, style


def test_without_colour_attributes_tell_states_apart() -> None:
    for theme in SHIPPED.values():
        styles = rich_styles(theme, colour=False)
        assert set(styles) == set(get_args(document.Style))
        assert all(style.color is None and style.bgcolor is None for style in styles.values())
        told = [styles[name] for name in ("ok", "warning", "critical", "dim", "match")]
        assert len({str(style) for style in told}) == 5


WRONG = {
    "not TOML": ("primary = ", "Invalid value"),
    "no colour": ('name = "own"\nprimary = "#zz"', "primary = '#zz': expected a colour"),
    "unknown key": ('name = "own"\nprimari = "#fff"', "did you mean primary?"),
    "unknown variable": (
        'name = "own"\nprimary = "#fff"\n[variables]\nlable = "#fff"',
        "variables.lable: there is no such key; did you mean label?",
    ),
    "hostile name": ('name = "a b[/x]"\nprimary = "#fff"', "expected letters"),
    "no name": ('primary = "#fff"', "expected letters"),
    "no primary": ('name = "own"', "primary: missing"),
    "wrong type": ('name = "own"\nprimary = "#fff"\ndark = "yes"', "expected true or false"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_broken_theme_is_named_with_its_fault_and_the_others_load(
    wrong: str, tmp_path: Path
) -> None:
    written, fault = WRONG[wrong]
    (tmp_path / "mine.toml").write_text(written)
    (tmp_path / "other.toml").write_text('name = "other"\nprimary = "#abcdef"')
    themes, problems = load_themes(tmp_path)
    assert set(themes) == {*SHIPPED, "other"}
    assert len(problems) == 1
    assert str(tmp_path / "mine.toml") in problems[0]
    assert fault in problems[0]


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe\x00")
    assert load_themes(tmp_path)[1] == [f"{tmp_path / 'mine.toml'}: not UTF-8 text"]


async def test_the_console_starts_with_a_broken_theme_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "mine.toml").write_text('name = "mine"\nprimary = "no"')
    settings = Settings(ui=UiSettings(theme="mine"))
    async with console(monkeypatch, Scripted(fleet()), settings=settings, themes=tmp_path) as app:
        await app.until(lambda: len(app.said) >= 2)
        assert any("primary = 'no': expected a colour" in each for each in app.said)
        assert any("there is no theme mine: colour-blind-safe" in each for each in app.said)
        assert app.app.theme == "contui-dark"


async def test_a_theme_of_one_s_own_can_be_chosen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "mine.toml").write_text('name = "mine"\nprimary = "#112233"\ndark = false')
    settings = Settings(ui=UiSettings(theme="mine"))
    async with console(monkeypatch, Scripted(fleet()), settings=settings, themes=tmp_path) as app:
        await listed(app)
        assert app.app.theme == "mine"
        assert not app.said


async def test_no_color_writes_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with console(monkeypatch, Scripted(fleet()), record=True) as app:
        await listed(app)
        await app.shows("live")
        written = "".join(app.written)
        assert "shop-db-1" in written
        for found in re.findall("\x1b\\[([0-9;]*)m", written):
            grey = re.fullmatch(r"[0-9;]*?(?:[34]8;2;(\d+);\1;\1;?)*", found)
            codes = re.sub(r"[34]8;2;\d+;\d+;\d+", "", found).split(";")
            assert grey, f"a colour: {found}"
            assert not any(code.isdigit() and int(code) >= 30 for code in codes), found
