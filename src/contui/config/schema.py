"""What is derived from the settings: JSON Schema, the default file, the documentation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from textwrap import wrap
from typing import Any, Literal, get_args, get_origin

from contui.config.load import expected
from contui.config.settings import OPTIONS, SECTIONS, Option

_WIDTH = 98


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the settings file, for editors that check TOML."""
    properties: dict[str, Any] = {o.name: _property(o) for o in OPTIONS if not o.section}
    for name, kind in SECTIONS.items():
        inner = {option.name: _property(option) for option in OPTIONS if option.section == name}
        properties[name] = _table(inner) | {"description": kind.__doc__}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of contui",
        **_table(properties),
        "$defs": {
            "keys": {
                "anyOf": [
                    {"type": "string"},
                    {"type": "array", "items": {"type": "string"}},
                    {"type": "object", "additionalProperties": {"$ref": "#/$defs/keys"}},
                ]
            }
        },
    }


def default_toml() -> str:
    """A settings file with every setting at its default, each explained and commented out."""
    lines = ["# Settings of contui. Uncomment what you want to change."]
    for section, options in groupby(OPTIONS, key=lambda option: option.section):
        if section:
            lines += ["", f"# {SECTIONS[section].__doc__}", f"[{section}]"]
        for option in options:
            lines += ["", *_explained(option)]
    return "\n".join(lines) + "\n"


def docs() -> str:
    """All settings for reading: name, type, default, environment variable and meaning."""
    blocks = []
    for option in OPTIONS:
        variable = (
            "" if option.name == "keys" else f"CONTUI_{option.path.replace('.', '_').upper()}"
        )
        lines = [
            option.path,
            *(f"    {line}" for line in wrap(option.help, _WIDTH - 4)),
            *(f"    {line}" for line in wrap(_sentence(expected(option)), _WIDTH - 4)),
            *(f"    {line}" for line in wrap(f"Default: {_toml(option.default)}", _WIDTH - 4)),
        ]
        blocks.append("\n".join([*lines, f"    Environment: {variable}"] if variable else lines))
    return "\n\n".join(blocks) + "\n"


def _table(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _property(option: Option) -> dict[str, Any]:
    """The schema of one setting."""
    kind = option.kind
    made: dict[str, Any] = {"description": option.help, "default": option.default}
    if get_origin(kind) is Literal:
        made["enum"] = list(get_args(kind))
    elif get_origin(kind) is tuple:
        items = {"enum": list(get_args(get_args(kind)[0]))}
        made |= {"type": "array", "items": items, "uniqueItems": True, "minItems": 1}
        made["default"] = list(option.default)
    elif kind in (int, float):
        made["type"] = "integer" if kind is int else "number"
        made |= {"minimum": option.low, "maximum": option.high}
    elif kind in (bool, str):
        made["type"] = "boolean" if kind is bool else "string"
    else:
        made |= {"type": "object", "additionalProperties": {"$ref": "#/$defs/keys"}}
    return made


def _explained(option: Option) -> Iterator[str]:
    if option.name == "keys":
        yield f"# {option.help}"
        yield "[keys]"
        yield '# "container.logs" = ["l", "f3"]'
        return
    text = option.help
    if option.kind not in (bool, str):
        text += " " + _sentence(expected(option))
    yield from (f"# {line}" for line in wrap(text, _WIDTH))
    yield f"# {option.name} = {_toml(option.default)}"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def _toml(value: object) -> str:
    """A default as TOML; JSON writes texts, numbers, booleans and lists alike."""
    return "{}" if value == {} else json.dumps(value)
