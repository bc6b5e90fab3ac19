"""The engine and its host: disk use, daemon, runtimes, warnings."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType

from contui.model.action import Action
from contui.model.host import EngineInfo
from contui.model.image import DiskUse, Volume
from contui.model.resource import Resource
from contui.model.units import count, duration, size
from contui.tui import acting
from contui.tui.commands import Context, bindings
from contui.tui.document import BLANK, Line, Style, field, heading, line, table
from contui.tui.screens.base import Readable, View
from contui.tui.screens.dialogs import Confirm, Pick
from contui.tui.screens.page import Asked, Page

_PRUNES = (
    ("container", "stopped containers", "their writable layers are lost"),
    ("image", "dangling images", "images that no tag points at"),
    ("network", "unused networks", "that no container is attached to"),
    ("builder", "build cache", "the next builds are slower"),
    ("volume", "unused anonymous volumes", "their data is lost"),
)


def disk_lines(resource: Resource[DiskUse], now: float) -> list[Line]:
    """What the engine's data takes."""
    if resource.value is None:
        words = resource.error or "reading... this walks every layer and volume"
        return [line(("  " + words, "critical" if resource.error else "dim"))]
    rows: list[Sequence[str | tuple[str, Style]]] = [
        (
            kind,
            count(total),
            count(used),
            (size(taken), "value"),
            (size(free), "warning" if free > 1 << 30 else ""),
        )
        for kind, total, used, taken, free in resource.value.rows
    ]
    age = f"  as of {duration(now - resource.at)} ago" if resource.at else ""
    return [
        *table(
            ("KIND", "COUNT", "IN USE", "SIZE", "RECLAIMABLE"), rows, right=frozenset({1, 2, 3, 4})
        ),
        line((age, "dim")),
    ]


def engine_lines(info: EngineInfo) -> list[Line]:
    """What the engine says of itself."""
    yes = {True: "yes", False: "no"}
    lines = [
        field(
            "engine",
            (f"{info.product} {info.version}", "value"),
            (f"  API {info.api_version}", "dim"),
        ),
        field("host", f"{info.name}  {info.os}  kernel {info.kernel}  {info.architecture}"),
        field("size", f"{info.cpus} CPUs, {size(info.memory)} memory"),
        field("data", f"{info.root_dir}  storage driver {info.storage_driver}"),
        field(
            "cgroups", f"version {info.cgroup_version or '-'}, driver {info.cgroup_driver or '-'}"
        ),
        field("log driver", info.logging_driver or "-"),
        field(
            "runtimes",
            ", ".join(info.runtimes) or "-",
            (f"  default {info.default_runtime}", "dim"),
        ),
        field("security", ", ".join(o.removeprefix("name=") for o in info.security_options) or "-"),
        field("rootless", yes[info.rootless]),
    ]
    if info.product == "docker":  # Podman has no daemon that its containers could end with
        loss = "" if info.live_restore else "  containers stop when the engine stops"
        lines.append(field("live restore", yes[info.live_restore], (loss, "dim")))
    if info.warnings:
        lines += [BLANK, heading("warnings of the engine")]
        lines += [
            line("  ", (warning.removeprefix("WARNING: "), "warning")) for warning in info.warnings
        ]
    return lines


class SystemView(View):
    """The engine's own page; its prune key offers what can be given back."""

    contexts: ClassVar[tuple[Context, ...]] = ("objects",)
    BINDINGS: ClassVar[list[BindingType]] = [
        binding for binding in bindings("objects") if binding.action == "prune"
    ]
    DEFAULT_CSS = """
    SystemView Page { height: 1fr; }
    """

    def body(self) -> ComposeResult:
        """The page."""
        yield Page(id="system")

    def on_mount(self) -> None:
        """Start reading."""
        super().on_mount()
        self._seen: tuple[object, ...] = ()
        for want in ("disk", "info"):
            self.session.hold(want)
        self.set_focus(self.page)

    def on_unmount(self) -> None:
        """Stop reading."""
        for want in ("disk", "info"):
            self.session.release(want)

    @property
    def page(self) -> Page:
        """The page."""
        return self.query_one("#system", Page)

    def focus_contexts(self) -> tuple[Context, ...]:
        """A page."""
        return ("document",)

    def tick(self) -> None:
        """Draw when something changed."""
        revision = self.session.store.revision
        seen = (
            revision["disk:"],
            revision["info:"],
            revision["info"],
            revision["feeds"],
            int(time.time() / 2),
        )
        if seen == self._seen:
            return
        self._seen = seen
        store, now = self.session.store, time.time()
        info = cast("EngineInfo | None", store.resource("info").value) or store.info
        lines: list[Line] = [heading("disk use of the engine")]
        lines += disk_lines(cast("Resource[DiskUse]", store.resource("disk")), now)
        lines += [BLANK, heading("engine")]
        lines += engine_lines(info) if info is not None else [line(("  not connected", "dim"))]
        lines += [BLANK, heading("connection")]
        endpoint = self.session.endpoint
        lines += [
            field("endpoint", endpoint.url, (f"  chosen by {endpoint.origin or 'default'}", "dim")),
            field("stats from", store.stats_source or "-"),
        ]
        for name, status in sorted(store.feeds.items()):
            if ":" not in name:
                style: Style = "ok" if status.state == "live" else "warning"
                state: tuple[str, Style] = (status.state, style)
                lines.append(field(f"feed {name}", state, ("  " + status.reason, "dim")))
        self.page.show(lines)

    def on_asked(self, event: Asked) -> None:
        """Search the page."""
        self.prompt("search", self.page.query_text, "text to find")

    def typed(self, purpose: str, value: str) -> None:
        """Search."""
        self.page.search(value)

    def readable(self) -> Readable | None:
        """The page."""
        return self.page

    def action_prune(self) -> None:
        """Choose what to give back, with what it would free."""
        disk = cast("DiskUse | None", self.session.store.resource("disk").value)
        free = {row[0]: row[4] for row in disk.rows} if disk is not None else {}
        names = {
            "container": "containers",
            "image": "images",
            "volume": "volumes",
            "builder": "build cache",
        }
        options = [
            (
                kind,
                line(
                    f"{title:<28}",
                    (f"up to {size(free.get(names.get(kind, '')))}  ", "value"),
                    (loss, "dim"),
                ),
            )
            for kind, title, loss in _PRUNES
        ]
        known = {kind: (title, loss) for kind, title, loss in _PRUNES}

        def chosen(kind: object) -> None:
            if not isinstance(kind, str):
                return
            actions = self._actions(kind)
            title, loss = known[kind]
            if not actions:
                self.contui.say(f"there are no {title}")
                return
            lines = [*self._preview(kind), line((loss, "warning"))]
            self.app.push_screen(
                Confirm(f"Remove all {title}?", lines, actions[0].command()),
                lambda yes: acting.perform(self, actions) if yes else None,
            )

        self.app.push_screen(Pick("Prune", options), chosen)

    def _actions(self, kind: str) -> list[Action]:
        """Volumes one by one: before API 1.42 the engine's own prune takes named ones too."""
        if kind != "volume":
            return [Action("prune", kind)]
        return [Action("remove", "volume", volume.name, volume.name) for volume in self._idle()]

    def _idle(self) -> list[Volume]:
        disk = cast("DiskUse | None", self.session.store.resource("disk").value)
        return [v for v in disk.volumes if v.references == 0 and v.anonymous] if disk else []

    def _preview(self, kind: str) -> list[Line]:
        """What would go, as far as the console knows it."""
        store = self.session.store
        names: list[str] = []
        disk = cast("DiskUse | None", store.resource("disk").value)
        if kind == "container":
            gone = ("exited", "created", "dead")
            names = [c.name for c in store.containers.values() if c.state in gone]
        elif kind == "image" and disk is not None:
            names = [
                image.id.removeprefix("sha256:")[:12] for image in disk.images if image.dangling
            ]
        elif kind == "volume":
            names = [volume.name[:20] for volume in self._idle()]
        lines = [line("  " + name) for name in sorted(names)[:20]]
        if len(names) > 20:
            lines.append(line((f"  and {len(names) - 20} more", "dim")))
        return lines
