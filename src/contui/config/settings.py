"""Every setting: its name, type, default, limits and meaning, each said once.

The loader, the JSON Schema, the default file and the documentation are derived from these classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from typing import Any, Final, Literal, TypeVar, get_type_hints

T = TypeVar("T")
Column = Literal[
    "name", "state", "uptime", "cpu", "mem", "net", "io", "pids", "restarts", "ports", "image",
    "problem", "health", "project", "id", "created",
]  # fmt: skip


def _option(default: T, help: str, *, low: float | None = None, high: float | None = None) -> T:
    """A field with its meaning and, for numbers, the smallest and largest value."""
    made: T = field(default=default, metadata={"help": help, "low": low, "high": high})
    return made


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """The engine to connect to when no flag names one."""

    host: str = _option("", 'Its address, such as "ssh://user@host"; empty: as docker decides.')
    context: str = _option("", "A docker context; empty: as docker decides. Excludes host.")


@dataclass(frozen=True, slots=True)
class ListSettings:
    """The list of containers."""

    columns: tuple[Column, ...] = _option(
        ("name", "state", "uptime", "cpu", "mem", "net", "io", "restarts", "problem"),
        "Columns from left to right; those that do not fit are left out.",
    )
    sort: Column = _option("problem", "The column to sort by; problem puts the broken ones first.")  # noqa: RUF009
    reverse: bool = _option(False, "Turn the order round.")
    all: bool = _option(True, "Show stopped containers too.")
    group: bool = _option(True, "Group containers by compose project.")


@dataclass(frozen=True, slots=True)
class LogSettings:
    """Logs of containers."""

    tail: int = _option(1000, "Lines to fetch when a log is opened.", low=0, high=1_000_000)
    buffer_lines: int = _option(
        100_000, "Lines to keep; older ones are dropped.", low=1000, high=10_000_000
    )
    wrap: bool = _option(False, "Break long lines instead of cutting them.")
    timestamps: bool = _option(False, "Show when each line was written.")


@dataclass(frozen=True, slots=True)
class UiSettings:
    """The screen."""

    theme: str = _option("contui-dark", "The colours: a shipped theme or a file of yours.")
    keymap: Literal["contui", "lazydocker", "k9s"] = _option("contui", "Whose keys to use.")
    mouse: bool = _option(True, "Follow the mouse; false leaves selecting to the terminal.")
    confirm: Literal["destructive", "always"] = _option(
        "destructive", "Ask before actions that lose something, or before every change."
    )
    refresh: float = _option(1.0, "Seconds between updates of the screen.", low=0.25, high=5)


@dataclass(frozen=True, slots=True)
class ExecSettings:
    """Shells inside containers."""

    shell: str = _option("", "The shell to start; empty: the best one that the container has.")
    user: str = _option("", "The user to be inside; empty: the container's own.")


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings."""

    read_only: bool = _option(False, "Offer nothing that changes a container.")
    endpoint: EndpointSettings = EndpointSettings()
    list: ListSettings = ListSettings()
    logs: LogSettings = LogSettings()
    ui: UiSettings = UiSettings()
    exec: ExecSettings = ExecSettings()
    keys: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict,
        metadata={"help": "Your own keys: a command's id and its key, or a list of keys."},
    )


@dataclass(frozen=True, slots=True)
class Option:
    """One setting: ``section`` is ``""`` at the top level, ``kind`` its type."""

    section: str
    name: str
    kind: Any
    default: Any
    help: str
    low: float | None = None
    high: float | None = None

    @property
    def path(self) -> str:
        """Its name with its section: ``ui.theme``."""
        return f"{self.section}.{self.name}" if self.section else self.name


def _options() -> Iterator[Option]:
    hints = get_type_hints(Settings)
    for each in fields(Settings):
        kind = hints[each.name]
        if not is_dataclass(kind):
            yield _one("", each, kind)
            continue
        inner = get_type_hints(kind)
        yield from (_one(each.name, leaf, inner[leaf.name]) for leaf in fields(kind))


def _one(section: str, leaf: Field[Any], kind: Any) -> Option:
    default = leaf.default
    if default is MISSING and leaf.default_factory is not MISSING:
        default = leaf.default_factory()
    return Option(section, leaf.name, kind, default, **leaf.metadata)


OPTIONS: Final[tuple[Option, ...]] = tuple(_options())
"""All settings, those of the top level and of each section together, in the order above."""
SECTIONS: Final[Mapping[str, type]] = {
    name: kind
    for name, kind in get_type_hints(Settings).items()
    if isinstance(kind, type) and is_dataclass(kind)
}
"""The tables of the file, by name."""
