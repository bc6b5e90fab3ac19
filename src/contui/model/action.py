"""What a person can have done to an object, as one value: performed, shown and explained."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

Option = str | int | float | bool

DESTRUCTIVE: Final = frozenset({"kill", "remove", "prune"})
"""Verbs that lose something."""

_FLAGS: Final = {
    ("stop", "timeout"): "--time",
    ("restart", "timeout"): "--time",
    ("kill", "signal"): "--signal",
    ("remove", "force"): "--force",
    ("remove", "volumes"): "--volumes",
    ("update", "memory"): "--memory",
    ("update", "memory_swap"): "--memory-swap",
    ("update", "memory_reservation"): "--memory-reservation",
    ("update", "cpus"): "--cpus",
    ("update", "cpu_shares"): "--cpu-shares",
    ("update", "cpuset"): "--cpuset-cpus",
    ("update", "pids"): "--pids-limit",
    ("update", "restart"): "--restart",
}


@dataclass(frozen=True, slots=True)
class Action:
    """One verb on one object (or, for ``prune``, on a kind of objects).

    ``kind`` is container, image, volume, network, builder or system. ``options`` are those of
    :data:`_FLAGS`, and ``name`` for rename; sizes in bytes.
    """

    verb: str
    kind: str = "container"
    id: str = ""
    name: str = ""
    options: Mapping[str, Option] = field(default_factory=dict)

    @property
    def destructive(self) -> bool:
        """Whether it loses something that cannot be brought back."""
        return self.verb in DESTRUCTIVE

    def command(self, host: str = "") -> str:
        """The equivalent docker command, quoted for a shell; ``host`` adds ``-H`` if given."""
        words = ["docker", *(["-H", host] if host else [])]
        if self.kind != "container" or self.verb == "prune":
            words.append(self.kind)
        verb = {"remove": "rm"}.get(self.verb, self.verb)
        words.append(verb)
        for option, value in self.options.items():
            flag = _FLAGS.get((self.verb, option))
            if flag is None or value is False:
                continue
            words += [flag] if value is True else [flag, str(value)]
        if self.verb == "prune":
            words.append("--force")
        else:
            words.append(self.name or self.id)
        if self.verb == "rename":
            words.append(str(self.options.get("name", "")))
        return shlex.join(words)
