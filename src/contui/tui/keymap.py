"""Key maps: presets, the user's own keys, and what is wrong with them.

Textual takes any map in silence: unknown commands are ignored and a key given to one command is
taken from another. So a map is checked here before it is set.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Final

from contui.tui.commands import BY_ID, COMMANDS, Context

Keys = dict[str, tuple[str, ...]]

_NODES: Final[tuple[frozenset[Context], ...]] = (
    frozenset({"app", "list", "container", "table"}),
    frozenset({"app", "objects", "table"}),
    frozenset({"app", "document"}),
    frozenset({"logs"}),
)
"""Contexts whose commands work at the same time, so that a key can mean only one thing. A log's own
keys hide those of the screen around it.
"""
_NAMES: Final = {
    "/": "slash", "?": "question_mark", ":": "colon", "[": "left_square_bracket",
    "]": "right_square_bracket", "+": "plus", "-": "minus", "_": "underscore",
    "!": "exclamation_mark", "space": "space", " ": "space", "#": "number_sign",
    "<": "less_than_sign", ">": "greater_than_sign", ",": "comma", ".": "full_stop",
    "%": "percent_sign", "\\": "backslash", "=": "equals_sign", "*": "asterisk",
}  # fmt: skip
_SHOWN: Final = {name: sign for sign, name in _NAMES.items() if sign != " "} | {
    "ctrl+@": "ctrl+space", "pageup": "PgUp", "pagedown": "PgDn", "enter": "Enter",
    "escape": "Esc", "up": "↑", "down": "↓", "left": "←", "right": "→",
}  # fmt: skip

PRESETS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "contui": {},
    # Keys of lazydocker where they only look, or where the letter is free of harm in contui; its
    # removing `d` stays on `D`, its stopping `s` on `S`: a lower-case key never changes anything.
    "lazydocker": {
        "container.logs": ("m", "l"),
        "container.shell": ("E",),
        "list.all": ("e",),
        "app.help": ("question_mark", "f1"),
        "list.grow": ("plus",),
        "list.shrink": ("underscore",),
    },
    # k9s: s is a shell, d describes, y is the raw document, p the logs, ctrl+z the faults.
    "k9s": {
        "container.shell": ("s", "e"),
        "container.stats": (),
        "list.faults": ("ctrl+z", "z"),
        "container.remove": ("ctrl+d", "D"),
        "table.page-down": ("pagedown", "ctrl+f"),
        "table.page-up": ("pageup", "ctrl+b"),
        "app.retry": ("ctrl+l",),
        "logs.follow": ("s", "f"),
        "logs.timestamps": ("t", "T"),
    },
}
"""Differences of each preset from the default keys."""


def key_name(key: str) -> str:
    """A key as Textual names it: ``?`` is ``question_mark``."""
    head, plus, last = key.rpartition("+") if len(key) > 1 else ("", "", key)
    return head + plus + _NAMES.get(last, last)


def key_label(key: str) -> str:
    """A key as people name it."""
    return _SHOWN.get(key, key)


def build(preset: str, own: Mapping[str, str | Sequence[str]]) -> tuple[Keys, list[str]]:
    """The keys of every command under a preset and the user's own keys, and what is wrong.

    The user's keys win: a command that loses its key to one of them is named in the problems, and
    keeps its other keys.
    """
    keys: Keys = {command.id: command.keys for command in COMMANDS}
    problems: list[str] = []
    if preset in PRESETS:
        keys |= PRESETS[preset]
    else:
        problems.append(f"there is no key map {preset}: {', '.join(PRESETS)}")
    chosen: dict[str, tuple[str, ...]] = {}
    for id, wanted in own.items():
        if id not in BY_ID:
            near = difflib.get_close_matches(id, BY_ID, n=1)
            problems.append(
                f"keys: there is no command {id}" + (f"; did you mean {near[0]}?" if near else "")
            )
            continue
        listed = [wanted] if isinstance(wanted, str) else list(wanted)
        chosen[id] = tuple(key_name(key) for key in listed if key)
    keys |= chosen
    problems += _clashes(keys, chosen)
    return keys, problems


def _clashes(keys: Keys, chosen: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Names what shares a key, and takes it from the one that the user did not ask for."""
    problems = []
    for node in _NODES:
        owners: dict[str, str] = {}
        ids = [command.id for command in COMMANDS if command.context in node]
        for id in sorted(ids, key=lambda id: id not in chosen):
            for key in keys[id]:
                owner = owners.setdefault(key, id)
                if owner == id:
                    continue
                keys[id] = tuple(other for other in keys[id] if other != key)
                left = f"; it keeps {', '.join(map(key_label, keys[id]))}" if keys[id] else ""
                problems.append(f"keys: {key_label(key)} is {owner}, so {id} loses it{left}")
    return problems
