"""Every command once: its key, its words, where it works and whether it changes anything.

Bindings, footer, palette, help, key maps and read-only mode are derived from this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from textual.binding import Binding

Context = Literal["app", "list", "container", "table", "document", "logs", "objects"]


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    ``keys`` are Textual key names. ``action`` is the action method's name on the node of its
    context. ``changes`` marks what alters a container: absent in read-only mode. ``bar`` is the
    label in the key bar, ``""`` for not there.
    """

    id: str
    context: Context
    keys: tuple[str, ...]
    action: str
    title: str
    help: str
    changes: bool = False
    bar: str = ""
    palette: bool = True

    @property
    def binding(self) -> Binding:
        """As Textual wants it."""
        return Binding(",".join(self.keys), self.action, self.title, id=self.id, show=False)


def _move(context: Context) -> tuple[Command, ...]:
    rows = (
        ("up", ("up", "k"), "move(-1)", "Up"),
        ("down", ("down", "j"), "move(1)", "Down"),
        ("page-up", ("pageup", "ctrl+u"), "page(-1)", "Page up"),
        ("page-down", ("pagedown", "ctrl+d"), "page(1)", "Page down"),
        ("top", ("g", "home"), "top", "To the top"),
        ("bottom", ("G", "end"), "bottom", "To the end"),
    )
    return tuple(
        Command(f"{context}.{id}", context, keys, action, title, "", palette=False)
        for id, keys, action, title in rows
    )


def _views() -> tuple[Command, ...]:
    names = (
        ("containers", "1", "Containers"), ("compose", "2", "Compose projects"),
        ("images", "3", "Images"), ("volumes", "4", "Volumes"), ("networks", "5", "Networks"),
        ("events", "6", "Events"), ("system", "9", "System"),
    )  # fmt: skip
    return tuple(
        Command(f"view.{id}", "app", (key,), f"view('{id}')", title, f"Go to {title.lower()}")
        for id, key, title in names
    )


COMMANDS: Final[tuple[Command, ...]] = (
    # the whole program
    Command("app.help", "app", ("question_mark", "f1"), "help", "Help",
            "Keys for what has the focus", bar="help"),
    Command("app.palette", "app", ("colon", "ctrl+p"), "command_palette", "Commands",
            "Find any command by its name", bar="command", palette=False),
    Command("app.back", "app", ("q",), "back", "Back, or quit",
            "Close what is open; at the top, quit", palette=False),
    Command("app.quit", "app", ("ctrl+c", "ctrl+q"), "quit", "Quit", "Leave contui"),
    Command("app.theme", "app", (), "themes", "Theme", "Choose the colours"),
    Command("app.contexts", "app", (), "contexts", "Context", "Go to another docker context"),
    Command("app.retry", "app", ("ctrl+l",), "retry", "Refresh",
            "Read everything again now; connect again if the connection is lost"),
    *_views(),
    # the list of containers, and whatever is selected in it
    Command("list.filter", "list", ("slash",), "filter", "Filter",
            "Words, /regex/, !not, cpu>50 state:exited label:a=b", bar="filter"),
    Command("list.faults", "list", ("z",), "faults", "Faults only",
            "Show only containers with a problem", bar="faults"),
    Command("list.all", "list", ("A",), "all", "Running or all", "Hide or show stopped containers"),
    Command("list.sort", "list", ("o",), "sort", "Sort", "Sort by the next column"),
    Command("list.reverse", "list", ("O",), "reverse", "Reverse", "Turn the order round"),
    Command("list.columns", "list", ("C",), "columns", "Columns", "Choose the columns"),
    Command("list.group", "list", ("ctrl+g",), "group", "Group by project",
            "Group containers by compose project, or not"),
    Command("list.fold", "list", ("left", "minus"), "fold(True)", "Fold", "Fold this project",
            palette=False),
    Command("list.unfold", "list", ("right",), "fold(False)", "Unfold", "Unfold this project",
            palette=False),
    Command("list.grow", "list", ("plus",), "grow(1)", "Larger", "Give the half in focus more room",
            palette=False),
    Command("list.shrink", "list", ("underscore",), "grow(-1)", "Smaller",
            "Give the half in focus less room", palette=False),
    Command("container.logs", "container", ("l",), "panel('logs')", "Logs", "What it says",
            bar="logs"),
    Command("container.stats", "container", ("s",), "panel('stats')", "Stats",
            "CPU, memory, network and disk over time"),
    Command("container.events", "container", ("v",), "panel('events')", "Its events",
            "The container's life as a timeline"),
    Command("container.inspect", "container", ("i",), "panel('inspect')", "Inspect",
            "The engine's whole document as a tree", bar="inspect"),
    Command("container.raw", "container", ("y",), "panel('raw')", "Raw JSON",
            "The same document as JSON"),
    Command("container.describe", "container", ("d",), "panel('describe')", "Describe",
            "All panels on one page", bar="describe"),
    Command("container.limits", "container", (), "panel('limits')", "Limits",
            "Each limit: configured, in force, used, times hit"),
    Command("container.security", "container", (), "panel('security')", "Security",
            "Kernel capabilities and confinement in force"),
    Command("container.mounts", "container", (), "panel('mounts')", "Mounts",
            "What is mounted, free space, who can write"),
    Command("container.network", "container", (), "panel('network')", "Network",
            "Addresses, published ports and what listens"),
    Command("container.processes", "container", ("t",), "panel('processes')", "Processes",
            "What runs inside"),
    Command("container.health", "container", ("h",), "panel('health')", "Health",
            "The health check and what it said"),
    Command("container.image", "container", (), "panel('image')", "Image",
            "Where it comes from, layer by layer"),
    Command("container.next-panel", "container", ("right_square_bracket",), "next_panel(1)",
            "Next panel", "", palette=False),
    Command("container.previous-panel", "container", ("left_square_bracket",), "next_panel(-1)",
            "Previous panel", "", palette=False),
    Command("container.shell", "container", ("e",), "shell", "Shell",
            "Open a shell inside; what you type there is up to you", changes=True, bar="shell"),
    Command("container.exec", "container", (), "exec", "Exec",
            "Run a command inside: choose user, shell and directory", changes=True),
    Command("container.attach", "container", ("a",), "attach", "Attach",
            "Connect to its own input and output", changes=True),
    Command("container.open-port", "container", ("w",), "open_port", "Open port",
            "Open a published port in the browser, or show its address"),
    Command("container.copy-run", "container", (), "copy_run", "Copy as docker run",
            "The command that makes this container"),
    Command("container.copy-compose", "container", (), "copy_compose", "Copy as compose file",
            "The compose service that makes this container"),
    Command("container.start-stop", "container", ("S",), "start_stop", "Stop or start",
            "Start what is stopped, stop what runs", changes=True, bar="stop"),
    Command("container.restart", "container", ("R",), "act('restart')", "Restart",
            "Stop and start", changes=True, bar="restart"),
    Command("container.pause", "container", ("P",), "pause", "Pause or resume",
            "Freeze its processes, or thaw them", changes=True),
    Command("container.kill", "container", ("ctrl+k",), "act('kill')", "Kill",
            "End it at once, without asking it", changes=True),
    Command("container.remove", "container", ("D",), "act('remove')", "Remove",
            "Delete the container", changes=True),
    Command("container.rename", "container", (), "rename", "Rename", "Give it another name",
            changes=True),
    Command("container.limits-edit", "container", (), "update_limits", "Change limits",
            "Memory, CPU, pids and restart policy while it runs", changes=True),
    Command("container.actions", "container", ("x",), "actions", "Actions",
            "Every action for this row, with its key", bar="actions", palette=False),
    # tables
    *_move("table"),
    Command("table.open", "table", ("enter",), "open", "Open", "Open the row", palette=False),
    Command("table.mark", "table", ("space",), "mark", "Mark",
            "Mark for actions on several", palette=False),
    Command("table.mark-range", "table", ("ctrl+@", "ctrl+space"), "mark_range", "Mark range",
            "Mark all from the last mark to here", palette=False),
    # documents
    *_move("document"),
    Command("document.search", "document", ("slash",), "search", "Search", "Find a text",
            bar="search", palette=False),
    Command("document.next", "document", ("n",), "next_hit(1)", "Next hit", "", palette=False),
    Command("document.previous", "document", ("N",), "next_hit(-1)", "Previous hit", "",
            palette=False),
    Command("document.open", "document", ("enter",), "open", "Fold or unfold", "", palette=False),
    Command("document.reveal", "document", ("ctrl+r",), "reveal", "Reveal",
            "Show the secret on this line, or mask it again", bar="reveal", palette=False),
    # logs
    *_move("logs"),
    Command("logs.follow", "logs", ("f",), "follow", "Follow", "Stay at the newest line",
            bar="follow", palette=False),
    Command("logs.wrap", "logs", ("w",), "wrap", "Wrap", "Break long lines", bar="wrap",
            palette=False),
    Command("logs.timestamps", "logs", ("T",), "timestamps", "Timestamps", "Show times",
            bar="times", palette=False),
    Command("logs.search", "logs", ("slash",), "search", "Search",
            "Find a text or /regex/; all lines stay", bar="search", palette=False),
    Command("logs.next", "logs", ("n",), "next_hit(1)", "Next hit", "", palette=False),
    Command("logs.previous", "logs", ("N",), "next_hit(-1)", "Previous hit", "", palette=False),
    Command("logs.filter", "logs", ("F",), "filter_log", "Hide what does not match",
            "Words, /regex/ or !not", bar="filter", palette=False),
    Command("logs.std", "logs", ("b",), "std", "Standard stream",
            "Both, only stderr, only stdout", bar="stderr", palette=False),
    Command("logs.mark", "logs", ("m",), "log_mark", "Mark a line", "", palette=False),
    Command("logs.merge", "logs", ("M",), "merge", "Merge",
            "All marked containers (else the project) in time order", bar="merge", palette=False),
    *(
        Command(f"logs.window-{key}", "logs", (key,), f"window({key})", title, "", palette=False)
        for key, title in (
            ("0", "The last lines"), ("1", "Everything"), ("2", "Last minute"),
            ("3", "Last 5 minutes"), ("4", "Last 15 minutes"), ("5", "Last 30 minutes"),
            ("6", "Last hour"),
        )
    ),
    # images, volumes, networks
    Command("objects.filter", "objects", ("slash",), "filter", "Filter", "Words or /regex/",
            bar="filter"),
    Command("objects.inspect", "objects", ("i",), "inspect", "Inspect", "The whole document",
            bar="inspect"),
    Command("objects.remove", "objects", ("D",), "remove", "Remove", "Delete what is selected",
            changes=True, bar="remove"),
    Command("objects.prune", "objects", ("X",), "prune", "Prune",
            "Remove everything that nothing uses, after a preview", changes=True, bar="prune"),
    Command("objects.sort", "objects", ("o",), "sort", "Sort", "Sort by the next column"),
    Command("objects.reverse", "objects", ("O",), "reverse", "Reverse", "Turn the order round"),
    # everywhere something can be taken away
    Command("app.copy", "app", ("c",), "copy", "Copy", "Copy what is selected or shown", bar="copy",
            palette=False),
    Command("app.save", "app", ("ctrl+s",), "save", "Save", "Save what is shown to a file"),
)  # fmt: skip
BY_ID: Final = {command.id: command for command in COMMANDS}
CHANGING: Final = frozenset(c.action.partition("(")[0] for c in COMMANDS if c.changes)
"""Names of the actions that alter a container, or anything else of the engine."""


def bindings(*contexts: Context) -> list[Binding]:
    """The bindings of the node that carries out the commands of these contexts."""
    return [c.binding for c in COMMANDS if c.context in contexts and c.keys]


def in_context(*contexts: Context) -> list[Command]:
    """The commands of these contexts, in order."""
    return [command for command in COMMANDS if command.context in contexts]
