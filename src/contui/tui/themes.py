"""Themes: from TOML files to Textual's themes, and from the current theme to rich styles.

A theme sets Textual's colours and our :data:`VARIABLES`. A file that is wrong is named and left
out; the others load.
"""

from __future__ import annotations

import contextlib
import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, get_args

from rich.style import Style
from textual.color import Color, ColorParseError
from textual.theme import Theme

from contui.tui import document

DEFAULT: Final = "contui-dark"
COLOURS: Final = (
    "primary", "secondary", "accent", "foreground", "background", "surface", "panel", "boost",
    "success", "warning", "error",
)  # fmt: skip
"""The colours that Textual knows and a theme file may set; ``primary`` it must."""
VARIABLES: Final = (
    "state-ok", "state-warning", "state-critical", "state-quiet", "log-stderr", "match", "label",
    "heading", "code", "key", "bar", "added", "removed", "cursor", "cursor-text-style",
)  # fmt: skip
"""Our CSS variables. All are colours of text but ``cursor``, the ground of the cursor's row, and
``cursor-text-style``.
"""
STYLE_VARIABLES: Final[Mapping[document.Style, str]] = {
    "dim": "state-quiet",
    "label": "label",
    "value": "foreground",
    "heading": "heading",
    "accent": "accent",
    "ok": "state-ok",
    "warning": "state-warning",
    "critical": "state-critical",
    "info": "primary",
    "stderr": "log-stderr",
    "key": "key",
    "code": "code",
    "added": "added",
    "removed": "removed",
    "bar": "bar",
    "bar-warning": "state-warning",
    "bar-critical": "state-critical",
    "match": "match",
}
"""The variable that colours each style of a document; plain text (``""``) has none."""

_PACKAGE: Final = Path(__file__).parents[1]
_ATTRIBUTES: Final[Mapping[str, Style]] = {
    "value": Style(bold=True),
    "heading": Style(bold=True),
    "key": Style(bold=True),
    "critical": Style(bold=True),
    "match": Style(bold=True, reverse=True),
}
_WITHOUT_COLOUR: Final[Mapping[str, Style]] = {
    **_ATTRIBUTES,
    "dim": Style(dim=True),
    "warning": Style(underline=True),
    "critical": Style(bold=True, reverse=True),
    "stderr": Style(italic=True),
    "match": Style(bold=True, underline=True, reverse=True),
    "bar-critical": Style(bold=True),
}
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
"""Textual makes a CSS class of a theme's name."""
_OPACITY: Final = re.compile(r" \d{1,3}%$")
_TEXT_STYLES: Final = frozenset(
    {"none", "bold", "b", "dim", "italic", "i", "underline", "u", "strike", "reverse", "not"}
)


class _ThemeError(ValueError):
    """A theme file is wrong; the text names the key and the reason."""


def load_themes(user_dir: Path | None) -> tuple[dict[str, Theme], list[str]]:
    """The shipped themes and those of ``user_dir`` by name, and a sentence for each broken file.

    A theme of the user replaces a shipped one of the same name.
    """
    themes: dict[str, Theme] = {}
    problems: list[str] = []
    for folder in (_shipped(), user_dir):
        for file in sorted(folder.glob("*.toml")) if folder is not None else ():
            try:
                theme = _theme(tomllib.loads(file.read_text(encoding="utf-8")))
            except OSError as error:
                problems.append(f"{file}: {error.strerror}")
            except UnicodeDecodeError:
                problems.append(f"{file}: not UTF-8 text")
            except (tomllib.TOMLDecodeError, _ThemeError) as error:
                problems.append(f"{file}: {error}")
            else:
                themes[theme.name] = theme
    return themes, problems


def variable_defaults(theme: Theme) -> dict[str, str]:
    """Our variables for a theme that does not set them, such as Textual's own.

    For ``App.get_theme_variable_defaults``.
    """
    colours = theme.to_color_system().generate()
    quiet = "ansi_default"
    if not theme.ansi:
        ground, text = Color.parse(colours["background"]), Color.parse(colours["foreground"])
        quiet = ground.blend(text, 0.7, alpha=1).hex
    ground_and_text = {"ansi-background": "ansi_default", "ansi-foreground": "ansi_default"}
    return {
        **(ground_and_text if theme.ansi else {}),  # Textual's CSS names them and sets no default
        "state-ok": colours["text-success"],
        "state-warning": colours["text-warning"],
        "state-critical": colours["text-error"],
        "state-quiet": quiet,
        "log-stderr": colours["text-warning"],
        "match": colours["text-accent"],
        "label": colours["text-secondary"],
        "heading": colours["text-primary"],
        "code": colours["text-secondary"],
        "key": colours["text-accent"],
        "bar": colours["text-primary"],
        "added": colours["text-success"],
        "removed": colours["text-error"],
        "cursor": "ansi_default" if theme.ansi else colours["primary-muted"],
        "cursor-text-style": "reverse" if theme.ansi else "bold",
    }


def rich_styles(theme: Theme, *, colour: bool = True) -> dict[str, Style]:
    """The rich style of every document style in a theme.

    Without ``colour`` (``NO_COLOR``) attributes alone tell the styles apart.
    """
    if not colour:
        return {name: _WITHOUT_COLOUR.get(name, Style.null()) for name in _style_names()}
    colours = variable_defaults(theme) | theme.to_color_system().generate() | theme.variables
    styles = {"": Style.null()}
    for name, variable in STYLE_VARIABLES.items():
        text = Style(color=Color.parse(colours[variable]).rich_color)
        styles[name] = text + _ATTRIBUTES.get(name, Style.null())
    if theme.ansi:
        styles["dim"] += Style(dim=True)
    return styles


def _style_names() -> tuple[str, ...]:
    return get_args(document.Style)


def _shipped() -> Path:
    """The shipped files: in the wheel's package, or beside ``src`` in an editable install."""
    inside = _PACKAGE / "themes"
    return inside if inside.is_dir() else _PACKAGE.parents[1] / "themes"


def _theme(values: Mapping[str, Any]) -> Theme:
    """A theme from a parsed file. Raises _ThemeError."""
    known = ("name", "dark", "ansi", *COLOURS, "variables")
    for key in values:
        if key not in known:
            raise _ThemeError(_unknown(key, known))
    name, primary = values.get("name"), values.get("primary")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _ThemeError(f"name = {name!r}: expected letters, digits and dashes")
    if primary is None:
        raise _ThemeError("primary: missing, expected a colour")
    for key in ("dark", "ansi"):
        if not isinstance(values.get(key, False), bool):
            raise _ThemeError(f"{key}: expected true or false")
    colours: dict[str, Any] = {key: _colour(key, values[key]) for key in COLOURS if key in values}
    variables = values.get("variables", {})
    if not isinstance(variables, dict):
        raise _ThemeError("variables: expected a table, [variables]")
    dark, ansi = values.get("dark", True), values.get("ansi", False)
    theme = Theme(name, **colours, dark=dark, ansi=ansi)
    theme.variables = dict(_variables(variables, theme))
    return theme


def _variables(values: Mapping[str, Any], theme: Theme) -> Iterator[tuple[str, str]]:
    """Ours, and those that Textual derives from the colours.

    Checked, because Textual ends with a traceback when its CSS meets a wrong one.
    """
    known = (*VARIABLES, *theme.to_color_system().generate())
    for key, value in values.items():
        if key not in known:
            raise _ThemeError(_unknown(key, known, "variables."))
        path = f"variables.{key}"
        if "style" not in key.split("-"):
            yield key, _colour(path, value, ours=key in VARIABLES)
        elif isinstance(value, str) and value and _TEXT_STYLES.issuperset(value.split()):
            yield key, value
        else:
            raise _ThemeError(f"{path} = {value!r}: expected words such as bold, reverse, none")


def _colour(key: str, value: object, *, ours: bool = True) -> str:
    """A colour; Textual's own variables may have an opacity (``#fff 30%``) or be ``auto``."""
    if isinstance(value, str):
        text = value if ours else _OPACITY.sub("", value)
        if not ours and text in ("auto", "initial"):
            return value
        with contextlib.suppress(ColorParseError):
            Color.parse(text)
            return value
    raise _ThemeError(f"{key} = {value!r}: expected a colour, #rrggbb or a name")


def _unknown(key: str, known: tuple[str, ...], prefix: str = "") -> str:
    near = difflib.get_close_matches(key, known, n=1)
    return f"{prefix}{key}: there is no such key" + (f"; did you mean {near[0]}?" if near else "")
