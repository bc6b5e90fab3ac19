"""The first screen: all containers, and the selected one below."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container as Box
from textual.timer import Timer

from contui.model.container import Container
from contui.store.query import parse
from contui.tui import acting
from contui.tui.columns import FIELDS, SPECS, TIMES, chosen
from contui.tui.commands import Context, bindings
from contui.tui.connection import trouble
from contui.tui.document import Line, line
from contui.tui.listing import Listing, group_key
from contui.tui.screens.base import Readable, View
from contui.tui.screens.dialogs import Pick
from contui.tui.screens.page import Asked, Page
from contui.tui.widgets.table import Column, Group, LineTable

if TYPE_CHECKING:
    from contui.tui.screens.pane import ContainerPane, Tabs

_SETTLE: Final = 0.12
"""Seconds the cursor rests on a row before its feeds are opened: a held key opens none."""


class ContainerTable(LineTable):
    """The list with its keys."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("table")]

    def __init__(self, screen: ContainersView) -> None:
        super().__init__(screen.draw_row, id="containers")
        self._owner = screen

    def copied(self) -> str:
        """Copying the list yields the container's name."""
        return "\n".join(container.name for container in self._owner.targets())

    def text(self) -> str:
        """Saving it yields all rows."""
        return self._owner.as_text()


class ContainersView(View):
    """The list of containers and the pane of the one under the cursor."""

    contexts: ClassVar[tuple[Context, ...]] = ("container", "list")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("list", "container")]
    DEFAULT_CSS = """
    ContainersView #body { height: 1fr; layout: vertical; }
    ContainersView #containers { height: 1fr; }
    ContainersView #trouble { height: 1fr; display: none; padding: 1 2; }
    ContainersView ContainerPane { height: 1fr; display: none; }
    ContainersView.-wide ContainerPane { display: block; }
    ContainersView.-side #body { layout: horizontal; }
    ContainersView.-side ContainerPane { width: 1fr; height: 100%; }
    ContainersView.-side #containers { width: 1fr; height: 100%; }
    ContainersView.-side ContainerPane { border-left: vkey $panel; }
    ContainersView.-open ContainerPane { display: block; }
    ContainersView.-open #containers { display: none; }
    ContainersView.-trouble #trouble { display: block; }
    ContainersView.-trouble #containers, ContainersView.-trouble ContainerPane { display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.listing = Listing()
        self._seen: tuple[int, ...] = ()
        self._drawn_at = 0.0
        self._settle: Timer | None = None
        self._share = 0.5
        self._columns: tuple[str, ...] = ()
        self._specs = [(spec, spec.width) for spec in SPECS]
        self.pane: ContainerPane | None = None
        self._pane_lock = asyncio.Lock()

    def body(self) -> ComposeResult:
        """Table and pane."""
        with Box(id="body"):
            yield ContainerTable(self)
            yield Page(id="trouble")

    def on_mount(self) -> None:
        """Start with the list."""
        super().on_mount()
        settings = self.contui.settings
        self.listing.sort = "" if settings.list.sort == "problem" else settings.list.sort
        self.listing.reverse = settings.list.reverse
        self.listing.all = settings.list.all
        self.listing.group = settings.list.group
        self._columns = settings.list.columns
        self.set_focus(self.table)
        self.redraw()
        self.call_after_refresh(self.pane_ready)

    async def pane_ready(self) -> ContainerPane:
        """The selected container's pane, mounted once the first rows are on the screen: importing
        it with its panels takes a third of what contui's own modules take.
        """
        async with self._pane_lock:
            if self.pane is None:
                from contui.tui.screens.pane import ContainerPane

                pane = ContainerPane(lambda: self.session, id="pane")
                await self.query_one("#body").mount(pane)
                logs = self.contui.settings.logs
                pane.log_view.wrap, pane.log_view.timestamps = logs.wrap, logs.timestamps
                self.pane = pane
                self._lay_out()
                self._settled()
        return self.pane

    @property
    def table(self) -> ContainerTable:
        """The list."""
        return self.query_one("#containers", ContainerTable)

    def focus_contexts(self) -> tuple[Context, ...]:
        """What the focused widget understands."""
        if self.pane is not None and self.focused is self.pane.log_view:
            return ("logs",)
        return ("document",) if isinstance(self.focused, Page) else ()

    # --- layout

    def on_resize(self, event: events.Resize) -> None:
        """Side by side, stacked, or one at a time."""
        width, height = event.size
        self.set_class(width >= 200, "-side")
        self.set_class(width >= 100 and height >= 30, "-wide")
        self._lay_out()
        self.call_after_refresh(self.redraw)

    def _lay_out(self) -> None:
        stacked = self.has_class("-wide") and not self.has_class("-side")
        table, pane = self.table, self.pane
        table.styles.height = f"{round(self._share * 100)}fr" if stacked else "1fr"
        if pane is None:
            return
        pane.styles.height = f"{round((1 - self._share) * 100)}fr" if stacked else "1fr"
        if not self.has_class("-wide") and not self.has_class("-open"):
            pane.let_go()
        else:
            pane.take_up()

    def action_grow(self, step: int) -> None:
        """Give the half in focus more room, or less."""
        if not self.table.has_focus:
            step = -step
        self._share = min(0.85, max(0.15, self._share + 0.1 * step))
        self._lay_out()

    # --- rows

    def tick(self) -> None:
        """Redraw the list when something changed: at once for states, else at the chosen rate."""
        store = self.session.store
        revision = store.revision
        states = (revision["containers"], revision["feeds"], revision["info"], id(store))
        now = time.monotonic()
        due = now - self._drawn_at >= self.contui.settings.ui.refresh
        if states != self._seen or due:
            self._seen = states
            self.redraw()
        if self.pane is not None and self.pane.display:
            self.pane.tick()
        self._show_trouble()

    def start_over(self) -> None:
        """Show another endpoint: nothing of the one before stays."""
        self.listing.query, self.listing.faults = None, False
        self.listing.folded.clear()
        self.table.clear_marks()
        if self.pane is not None:
            self.pane.open("")
        self.redraw()
        self.set_focus(self.table)

    def redraw(self) -> None:
        """Lay out the rows anew."""
        self._drawn_at = time.monotonic()
        table, store = self.table, self.session.store
        rows = self.listing.rows(store, time.time())
        names = max((len(item.container.name) for item in self.listing.items.values()), default=8)
        width = table.size.width or self.app.size.width  # before the first layout it has none
        self._specs = chosen(self._columns, max(40, width - 1), names)
        table.sorted_by = (self.listing.sort or "problem", self.listing.reverse)
        table.empty = self._empty()
        columns = [
            Column(spec.id, spec.title, width, spec.right, spec.grow) for spec, width in self._specs
        ]
        table.marks &= set(store.containers)
        table.show(columns, rows)
        self.session.visible = set(table.visible_keys)
        self.contui.counted = [item.problem.severity for item in self.listing.items.values()]

    def _empty(self) -> Line:
        if not self.session.store.listed:
            return line(("  waiting for the engine...", "dim"))
        if self.listing.hidden:
            what = "nothing is broken" if self.listing.faults else "nothing passes the filter"
            return line(
                (f"  {what}: {self.listing.hidden} containers are hidden", "dim"),
                ("   Esc shows them", "key"),
            )
        return line(
            ("  this engine has no containers yet", "dim"), ("   docker run -d IMAGE", "code")
        )

    def draw_row(self, key: str) -> list[Line]:
        """The cells of one container."""
        item = self.listing.items.get(key)
        if item is None:
            return []
        cells = [spec.draw(item, width) for spec, width in self._specs]
        if item.stale:
            cells = [tuple(replace(span, style="dim") for span in cell) for cell in cells]
        return cells

    def as_text(self) -> str:
        """The list as text."""
        from contui.tui.document import plain, table

        head = [spec.title.strip() for spec, _ in self._specs]
        rows = [
            [plain([cell]).strip() for cell in self.draw_row(key)]
            for key in self.table.rows
            if isinstance(key, str)
        ]
        return plain(table(head, rows, indent=0))

    def _show_trouble(self) -> None:
        lines = trouble(self.session)
        self.set_class(bool(lines), "-trouble")
        if lines:
            self.query_one("#trouble", Page).show(lines)

    # --- selection

    def selected(self) -> Container | None:
        """The container under the cursor."""
        current = self.table.current
        return self.session.store.containers.get(current) if isinstance(current, str) else None

    def targets(self) -> list[Container]:
        """The marked containers, else the one under the cursor, else a project's."""
        store, table = self.session.store, self.table
        if table.marks:
            return [store.containers[id] for id in table.rows if id in table.marks] + [
                store.containers[id]
                for id in sorted(table.marks)
                if id not in table.rows and id in store.containers
            ]
        current = table.current
        if isinstance(current, Group):
            return [c for c in store.containers.values() if group_key(c.project) == current.key]
        selected = self.selected()
        return [selected] if selected is not None else []

    @on(LineTable.Highlighted, "#containers")
    def _highlighted(self, event: LineTable.Highlighted) -> None:
        if self._settle is not None:
            self._settle.stop()
        self._settle = self.set_timer(_SETTLE, self._settled)

    def _settled(self) -> None:
        selected = self.selected()
        if self.pane is None or not self.pane.display:
            return
        if selected is not None:
            self.pane.open(selected.id)
        elif not self.table.rows:
            self.pane.open("")

    @on(LineTable.Opened, "#containers")
    async def _opened(self, event: LineTable.Opened) -> None:
        if isinstance(event.row, Group):
            self._toggle_fold(event.row.key)
        else:
            await self._open_pane()

    async def _open_pane(self) -> None:
        pane = await self.pane_ready()
        selected = self.selected() or next(iter(self.targets()), None)  # on a head: its first one
        if selected is None:
            self.contui.say("there is no container to look at")
            return
        if not self.has_class("-wide"):
            self.add_class("-open")
        pane.display = True
        pane.styles.display = "block"
        pane.open(selected.id)
        pane.take_up()
        self.set_focus(pane.content_view)

    def back(self) -> bool:
        """From the pane to the list; then the marks, the filter, the faults."""
        pane = self.pane
        if pane is not None and (pane.content_view.has_focus or self.has_class("-open")):
            if pane.cancel_text():
                return True
            self.remove_class("-open")
            pane.styles.display = "block" if self.has_class("-wide") else None
            self._lay_out()
            self.set_focus(self.table)
            return True
        if self.table.clear_marks():
            return True
        if self.listing.query is not None or self.listing.faults:
            self.listing.query = None
            self.listing.faults = False
            self.redraw()
            return True
        return False

    def readable(self) -> Readable | None:
        """The focused view's text."""
        focused = self.focused
        if self.pane is not None and focused is self.pane.log_view:
            return self.pane.log_view
        return focused if isinstance(focused, ContainerTable | Page) else self.table

    # --- commands of the list

    def typed(self, purpose: str, value: str) -> None:
        """Filter while typing; search in the pane. Raises ValueError."""
        if purpose == "list":
            self.listing.query = parse(value, FIELDS, times=TIMES) if value.strip() else None
            self.redraw()
        elif self.pane is not None:
            self.pane.set_text(purpose, value)

    def action_filter(self) -> None:
        """Type a filter."""
        text = self.listing.query.text if self.listing.query else ""
        self.prompt("list", text, "words  /regex/  !not  cpu>50  mem>100M  state:exited  label:a=b")

    def on_container_pane_text_wanted(self, event: ContainerPane.TextWanted) -> None:
        """Type what to search or to filter for."""
        hint = "text, /regex/ or !not" if event.purpose == "filter" else "text or /regex/"
        self.prompt(event.purpose, event.value, hint)

    def action_faults(self) -> None:
        """Only containers with a problem, or all."""
        self.listing.faults = not self.listing.faults
        self.redraw()

    def action_all(self) -> None:
        """Stopped ones too, or not."""
        self.listing.all = not self.listing.all
        self.redraw()
        self.contui.say("all containers" if self.listing.all else "running and broken containers")

    def action_group(self) -> None:
        """By project, or in one list."""
        self.listing.group = not self.listing.group
        self.redraw()

    def action_fold(self, fold: bool) -> None:
        """Fold or unfold the project under the cursor."""
        current = self.table.current
        selected = self.selected()
        if isinstance(current, Group):
            key = current.key
        elif selected is not None and self.listing.group:
            key = group_key(selected.project)
        else:
            return
        if (key.removeprefix("project:") in self.listing.folded) != fold:
            self._toggle_fold(key)
            self.table.select(key)

    def _toggle_fold(self, key: str) -> None:
        self.listing.folded ^= {key.removeprefix("project:")}
        self.redraw()

    def action_sort(self) -> None:
        """By the next column on the screen; after the last one, by what is broken."""
        order = ["", *(spec.id for spec, _ in self._specs if spec.id != "problem")]
        now = order.index(self.listing.sort) if self.listing.sort in order else 0
        self._sort(order[(now + 1) % len(order)])

    def _sort(self, column: str) -> None:
        self.listing.sort = "" if column == "problem" else column
        self.listing.reverse = False
        self.redraw()
        if column:
            self.contui.say(f"sorted by {column}")
        else:
            self.contui.say("broken first, then by name")

    def action_reverse(self) -> None:
        """Turn the order round."""
        self.listing.reverse = not self.listing.reverse
        self.redraw()

    @on(LineTable.HeadClicked, "#containers")
    def _head_clicked(self, event: LineTable.HeadClicked) -> None:
        if event.column == (self.listing.sort or "problem"):
            self.action_reverse()
        else:
            self._sort(event.column)

    def action_columns(self) -> None:
        """Choose columns: one at a time is shown or hidden."""
        options = [
            (
                spec.id,
                line(
                    ("● " if spec.id in self._columns else "○ ", "accent"),
                    spec.title.strip(),
                ),
            )
            for spec in SPECS
            if spec.id not in ("name", "problem")
        ]

        def toggle(id: object) -> None:
            if not isinstance(id, str):
                return
            kept = set(self._columns) ^ {id}
            self._columns = tuple(spec.id for spec in SPECS if spec.id in kept)
            self.redraw()
            self.action_columns()

        self.app.push_screen(
            Pick("Columns: Enter shows or hides one, Esc is done", options), toggle
        )

    # --- commands of the container

    async def action_panel(self, panel: str) -> None:
        """Open a panel of the selected container."""
        pane = await self.pane_ready()
        pane.panel = panel
        if pane.content_view.has_focus:
            pane.refresh_now()
        await self._open_pane()
        self.show_keys()

    async def action_next_panel(self, step: int) -> None:
        """The panel to the right or left."""
        (await self.pane_ready()).go_on(step)
        self.show_keys()

    async def on_tabs_picked(self, event: Tabs.Picked) -> None:
        """A panel's name was clicked."""
        await self.action_panel(event.panel)

    @on(Asked)
    def _merge(self, event: Asked) -> None:
        pane = self.pane
        if event.name != "merge" or pane is None:
            return
        chosen_ids = [container.id for container in self.targets()]
        selected = pane.container
        if len(chosen_ids) < 2 and selected is not None and selected.project:
            chosen_ids = [
                c.id
                for c in self.session.store.containers.values()
                if c.project == selected.project
            ]
        if selected is None or len(chosen_ids) < 2:
            self.contui.say("mark the containers to merge with Space, or select one of a project")
            return
        merged = pane.merged
        pane.open(selected.id, () if merged else chosen_ids)

    def action_start_stop(self) -> None:
        """Start what is stopped, else stop what runs."""
        targets = self.targets()
        verb = "stop" if any(t.running or t.state == "restarting" for t in targets) else "start"
        acting.ask(self, verb, [t for t in targets if verb == "start" or t.state != "exited"])

    def action_act(self, verb: str) -> None:
        """Restart, kill or remove."""
        acting.ask(self, verb, self.targets())

    def action_pause(self) -> None:
        """Pause what runs, or resume what is paused."""
        targets = self.targets()
        verb = "unpause" if any(t.state == "paused" for t in targets) else "pause"
        wanted = "paused" if verb == "unpause" else "running"
        acting.ask(self, verb, [t for t in targets if t.state == wanted])

    def action_rename(self) -> None:
        """Give the selected one another name."""
        acting.rename(self, self.selected())

    def action_update_limits(self) -> None:
        """Change the selected one's limits."""
        acting.update_limits(self, self.selected())

    def action_actions(self) -> None:
        """A menu of everything for this row."""
        acting.menu(self, self.targets())

    def action_shell(self) -> None:
        """A shell in the selected one."""
        acting.shell(self, self.selected())

    def action_exec(self) -> None:
        """A command in the selected one."""
        acting.exec_dialog(self, self.selected())

    def action_attach(self) -> None:
        """The selected one's own terminal."""
        acting.attach(self, self.selected())

    def action_open_port(self) -> None:
        """A published port in the browser, or its address."""
        acting.open_port(self, self.selected())

    def action_copy_run(self) -> None:
        """The docker run command of the selected one."""
        acting.copy_reconstruction(self, self.selected(), compose=False)

    def action_copy_compose(self) -> None:
        """The compose service of the selected one."""
        acting.copy_reconstruction(self, self.selected(), compose=True)
