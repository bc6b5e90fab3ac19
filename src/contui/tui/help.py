"""Help for what has the focus, from the command table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contui.tui.commands import Context, in_context
from contui.tui.document import BLANK, Line, heading, line
from contui.tui.keymap import key_label

if TYPE_CHECKING:
    from contui.tui.app import ContuiApp
    from contui.tui.screens.base import View

_TITLES: Final[dict[Context, str]] = {
    "logs": "In the log",
    "document": "In this page",
    "list": "The list",
    "container": "The selected container (or all that are marked)",
    "objects": "The list",
    "table": "Moving and marking",
    "app": "Everywhere",
}
_FILTER: Final = (
    ("web", "name, image, project, state or problem contains it"),
    ("/^shop-.*/", "a regular expression"),
    ("!web", "not"),
    ("state:exited  health:unhealthy  project:shop  image:redis  port:8080", "one field"),
    ("label:tier=front  network:back  volume:data", "labels, networks, volumes"),
    ("cpu>50  mem>100M  pids>200  restarts>3  up<10m  exit=137", "figures; cpu in % of its limit"),
)


def help_lines(app: ContuiApp, view: View) -> list[Line]:
    """Keys by context, the focused one first."""
    contexts: list[Context] = [*view.focus_contexts(), *view.contexts]
    if not view.focus_contexts():
        contexts.append("table")
    lines: list[Line] = []
    contexts.append("app")
    for context in contexts:
        rows = []
        for command in in_context(context):
            keys = app.keys.get(command.id, ())
            if not keys or not app.allowed(command):
                continue
            label = " ".join(key_label(key) for key in keys)
            rows.append(
                line(
                    (f"  {label:<14}", "key"),
                    ("*" if command.changes else " ", "warning"),
                    f" {command.title:<18} ",
                    (command.help, "dim"),
                )
            )
        if rows:
            lines += [heading(_TITLES[context]), *rows, BLANK]
    if "list" in contexts or "objects" in contexts:
        lines.append(heading("Filters"))
        lines += [line((f"  {text:<72}", "code"), (words, "dim")) for text, words in _FILTER]
        lines.append(BLANK)
    lines.append(
        line(("  * changes something. Lower case only looks; upper case and ctrl change.", "dim"))
    )
    return lines
