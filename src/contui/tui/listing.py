"""The rows of the container list: which, in what order, under which heads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from contui.model.container import Container
from contui.model.host import EngineInfo
from contui.model.problem import Problem, Severity, problem
from contui.model.units import percent, size
from contui.store.query import Query
from contui.store.store import Store
from contui.tui.columns import BY_ID, GLYPHS, Item, facts
from contui.tui.document import Span, Style, line
from contui.tui.widgets.table import Group, Row


@dataclass
class Listing:
    """What the user chose to see of the containers."""

    sort: str = ""
    """A column; ``""`` is broken first, then running, then by name."""
    reverse: bool = False
    all: bool = True
    faults: bool = False
    group: bool = True
    query: Query | None = None
    folded: set[str] = field(default_factory=set)
    items: dict[str, Item] = field(default_factory=dict)
    hidden: int = 0
    """Containers that the filter, ``faults`` or ``all`` leave out."""

    def rows(self, store: Store, now: float) -> list[Row]:
        """Rows for the table; :attr:`items` holds what each draws."""
        stale = any(
            status.state in ("stalled", "retrying", "failed")
            for name, status in store.feeds.items()
            if name == "engine"
        )
        self.items = {
            container.id: self._item(store, container, now, stale)
            for container in store.containers.values()
        }
        kept = [item for item in self.items.values() if self._keeps(item)]
        self.hidden = len(self.items) - len(kept)
        kept.sort(key=self._order)
        if self.reverse:
            kept.reverse()
        if not self.group or not any(item.container.project for item in kept):
            return [item.container.id for item in kept]
        return self._grouped(kept)

    def _item(self, store: Store, container: Container, now: float, stale: bool) -> Item:
        series = store.series.get(container.id)
        sample = series.last if series is not None else None
        return Item(
            container=container,
            problem=verdict(store, container, now),
            sample=sample,
            rates=store.rates(container.id),
            recent_cpu=series.cpu() if series is not None else (),
            info=store.info or EngineInfo(),
            now=now,
            stale=stale,
            busy=store.busy.get(container.id, ""),
        )

    def _keeps(self, item: Item) -> bool:
        serious = item.problem.severity >= Severity.WARNING
        if self.faults and not serious:
            return False
        if not self.all and not item.container.running and not serious:
            return False
        return self.query is None or self.query.matches(facts(item))

    def _order(self, item: Item) -> tuple[object, ...]:
        name = item.container.name.lower()
        if self.sort in BY_ID:
            key = BY_ID[self.sort].key(item)
            return (isinstance(key, str), key, name)
        return (-item.problem.severity, not item.container.running, name)

    def _grouped(self, items: Sequence[Item]) -> list[Row]:
        groups: dict[str, list[Item]] = {}
        for item in items:
            groups.setdefault(item.container.project, []).append(item)
        names = list(groups)
        if not self.sort:
            names.sort(key=lambda name: (-_worst(groups[name]), not name, name))
        rows: list[Row] = []
        for name in names:
            rows.append(_head(name, groups[name], folded=name in self.folded))
            if name not in self.folded:
                rows += [item.container.id for item in groups[name]]
        return rows


def verdict(store: Store, container: Container, now: float) -> Problem:
    """What the list says is wrong with a container."""
    series = store.series.get(container.id)
    sample = series.last if series is not None else None
    return problem(container, now, sample=sample, asked=store.asked.get(container.id, ""))


def _worst(items: Sequence[Item]) -> Severity:
    return max((item.problem.severity for item in items), default=Severity.NONE)


def group_key(project: str) -> str:
    """The key of a project's head row."""
    return "project:" + project


def _head(project: str, items: Sequence[Item], *, folded: bool) -> Group:
    running = sum(1 for item in items if item.container.running)
    cpu = [item.rates.cpu for item in items if item.rates.cpu is not None]
    memory = [
        item.sample.memory for item in items if item.sample and item.sample.memory is not None
    ]
    broken = [item for item in items if item.problem.severity >= Severity.WARNING]
    cpus = items[0].info.cpus
    words: list[str | Span | tuple[str, Style]] = [
        ("▸ " if folded else "▾ ", "accent"),
        (project or "no project", "heading" if project else "dim"),
        (f"  {running}/{len(items)} up", "dim"),
    ]
    if cpu and cpus:
        words.append((f"  cpu {percent(sum(cpu) / cpus)} of {cpus}", "dim"))
    if memory:
        words.append((f"  mem {size(sum(memory))}", "dim"))
    if broken:
        glyph, style = GLYPHS[_worst(broken)]
        words.append((f"  {glyph} {len(broken)}", style))
        if folded:
            worst: Problem = max(broken, key=lambda item: item.problem.severity).problem
            words.append((f" {worst.text}", style))
    return Group(group_key(project), line(*words))
