"""A view of images, volumes, networks or compose projects: a list, and the selected one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container as Box

from contui.model.action import Action
from contui.model.image import ImageDetail
from contui.model.units import size
from contui.tui import acting
from contui.tui.commands import Context, bindings
from contui.tui.document import Line, heading, line
from contui.tui.logmodel import Test, text_test
from contui.tui.screens.base import Readable, View
from contui.tui.screens.dialogs import Confirm
from contui.tui.screens.kinds import Entry, Kind, removal
from contui.tui.screens.page import Asked, Page
from contui.tui.tree import raw
from contui.tui.widgets.table import LineTable


class ObjectsTable(LineTable):
    """The list with its keys."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("table")]

    def copied(self) -> str:
        """The name of the selected one."""
        return self.current if isinstance(self.current, str) else ""

    def text(self) -> str:
        """All names."""
        return "\n".join(row for row in self.rows if isinstance(row, str))


class ObjectsView(View):
    """One kind of object."""

    contexts: ClassVar[tuple[Context, ...]] = ("objects",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("objects")]
    DEFAULT_CSS = """
    ObjectsView #body { height: 1fr; layout: vertical; }
    ObjectsView #objects { height: 1fr; }
    ObjectsView #detail { height: 12; border-top: solid $panel; }
    ObjectsView.-side #body { layout: horizontal; }
    ObjectsView.-side #objects, ObjectsView.-side #detail { width: 1fr; height: 100%; }
    """

    def __init__(self, kind: Kind) -> None:
        super().__init__()
        self.kind = kind
        self._entries: dict[str, Entry] = {}
        self._sort = ""
        self._reverse = False
        self._test: Test | None = None
        self._filter = ""
        self._inspecting = ""
        self._seen: tuple[object, ...] = ()
        self._held: list[tuple[str, str]] = []

    def body(self) -> ComposeResult:
        """List and detail."""
        with Box(id="body"):
            yield ObjectsTable(self._draw, id="objects")
            yield Page(id="detail")

    def on_mount(self) -> None:
        """Start reading."""
        super().on_mount()
        for want in self.kind.wants:
            self.session.hold(want)
        self.set_focus(self.table)
        self.tick()

    def on_unmount(self) -> None:
        """Stop reading."""
        for want in self.kind.wants:
            self.session.release(want)
        for kind, id in self._held:
            self.session.release(kind, id)

    def on_resize(self, event: events.Resize) -> None:
        """Side by side where there is room."""
        self.set_class(event.size.width >= 160, "-side")

    @property
    def table(self) -> ObjectsTable:
        """The list."""
        return self.query_one("#objects", ObjectsTable)

    def focus_contexts(self) -> tuple[Context, ...]:
        """The detail is a page."""
        return ("document",) if isinstance(self.focused, Page) else ()

    def _draw(self, key: str) -> tuple[Line, ...]:
        entry = self._entries.get(key)
        return entry.cells if entry is not None else ()

    def tick(self) -> None:
        """Redraw when something changed."""
        revision = self.session.store.revision
        topics = [f"{want}:" for want in self.kind.wants]
        seen = (
            revision["containers"],
            *(revision[topic] for topic in topics),
            *(revision[f"{kind}:{id}"] for kind, id in self._held),
            int(time.time() / 5),
        )
        if seen != self._seen:
            self._seen = seen
            self.redraw()

    def redraw(self) -> None:
        """Lay out the rows anew."""
        entries = self.kind.entries(self.session, time.time())
        self._entries = {entry.id: entry for entry in entries}
        kept = [e for e in entries if self._test is None or self._test(e.text)]
        columns = [column.id for column in self.kind.columns]
        index = columns.index(self._sort) if self._sort in columns else 0
        kept.sort(key=lambda entry: (entry.keys[index], entry.name), reverse=self._reverse)
        self.table.sorted_by = (columns[index], self._reverse)
        self.table.empty = self._empty(len(entries))
        self.table.show(self.kind.columns, [entry.id for entry in kept])
        self._draw_detail()

    def _empty(self, known: int) -> Line:
        if known:
            return line((f"  nothing passes the filter {self._filter}", "dim"))
        for want in self.kind.wants[:1]:
            resource = self.session.store.resource(want)
            if resource.failed:
                return line((f"  cannot be read: {resource.error}", "critical"))
            if resource.loading:
                return line(("  reading...", "dim"))
        return line(("  " + self.kind.empty, "dim"))

    def selected(self) -> Entry | None:
        """The one under the cursor."""
        current = self.table.current
        return self._entries.get(current) if isinstance(current, str) else None

    def _targets(self) -> list[Entry]:
        marked = [self._entries[id] for id in self.table.rows if id in self.table.marks]
        selected = self.selected()
        return marked or ([selected] if selected is not None else [])

    def _draw_detail(self) -> None:
        page, entry = self.query_one("#detail", Page), self.selected()
        if entry is None:
            page.show([])
            return
        self._hold_detail(entry)
        if self._inspecting == entry.id and self.kind.inspect:
            page.show(self._document(entry))
        else:
            self._inspecting = ""
            page.show(self.kind.detail(entry, self.session, time.time()))

    def _hold_detail(self, entry: Entry) -> None:
        wants = [(self.kind.inspect, entry.id)] if self.kind.inspect else []
        if wants != self._held:
            for kind, id in wants:
                self.session.hold(kind, id)
            for kind, id in self._held:
                self.session.release(kind, id)
            self._held = wants

    def _document(self, entry: Entry) -> list[Line]:
        resource = self.session.store.resource(self.kind.inspect, entry.id)
        if resource.value is None:
            return [line((f"  {resource.error or 'reading...'}", "dim"))]
        value = resource.value
        document: object = value
        if isinstance(value, ImageDetail):
            document = {"Inspect": value.inspect, "History": list(value.history)}
        assert isinstance(document, Mapping)
        return [heading(entry.name), *raw(document, frozenset())]

    @on(LineTable.Highlighted, "#objects")
    def _highlighted(self) -> None:
        self.query_one("#detail", Page).home()
        self._draw_detail()

    @on(LineTable.Opened, "#objects")
    def _opened(self) -> None:
        self.set_focus(self.query_one("#detail", Page))

    @on(LineTable.HeadClicked, "#objects")
    def _head(self, event: LineTable.HeadClicked) -> None:
        self._reverse = not self._reverse if self._sort == event.column else False
        self._sort = event.column
        self.redraw()

    @on(Asked)
    def _asked(self, event: Asked) -> None:
        page = self.query_one("#detail", Page)
        self.prompt("search", page.query_text, "text to find")

    def typed(self, purpose: str, value: str) -> None:
        """Filter the list or search the detail. Raises ValueError."""
        if purpose == "search":
            self.query_one("#detail", Page).search(value)
            return
        self._test, self._filter = text_test(value), value
        self.redraw()

    def back(self) -> bool:
        """From the detail to the list; then the marks, the filter."""
        if not self.table.has_focus:
            self._inspecting = ""
            self._draw_detail()
            self.set_focus(self.table)
            return True
        if self.table.clear_marks():
            return True
        if self._test is not None:
            self._test, self._filter = None, ""
            self.redraw()
            return True
        return False

    def readable(self) -> Readable | None:
        """The focused view."""
        return self.focused if isinstance(self.focused, ObjectsTable | Page) else self.table

    # --- commands

    def action_filter(self) -> None:
        """Type a filter."""
        self.prompt(
            "filter", self._filter, "words, /regex/ or !not; used, unused, dangling, anonymous"
        )

    def action_sort(self) -> None:
        """By the next column."""
        columns = [column.id for column in self.kind.columns]
        here = columns.index(self._sort) if self._sort in columns else 0
        self._sort, self._reverse = columns[(here + 1) % len(columns)], False
        self.redraw()

    def action_reverse(self) -> None:
        """Turn the order round."""
        self._reverse = not self._reverse
        self.redraw()

    def action_inspect(self) -> None:
        """The whole document of the selected one."""
        entry = self.selected()
        if entry is None or not self.kind.inspect:
            return
        self._inspecting = "" if self._inspecting == entry.id else entry.id
        self._draw_detail()
        self.set_focus(self.query_one("#detail", Page))

    def action_remove(self) -> None:
        """Remove what is marked, or the selected one, after asking."""
        entries = self._targets()
        if not entries or not self.kind.remove:
            self.contui.say(f"{self.kind.title.lower()} cannot be removed here")
            return
        actions = [removal(self.kind, entry) for entry in entries]
        lines: list[Line] = []
        for entry in entries:
            users = ", ".join(user.name for user in entry.users)
            lines.append(
                line(
                    (entry.name, "value"),
                    (f"  used by {users}", "critical") if users else ("  unused", "dim"),
                )
            )
        if self.kind.remove == "volume":
            lines.append(line(("lost for ever: ", "critical"), "the data in it"))
        self._confirm(f"Remove {_many(entries)}?", lines, actions)

    def action_prune(self) -> None:
        """Remove all that nothing uses, after a preview."""
        if self.kind.prunable is None:
            self.contui.say(f"{self.kind.title.lower()} cannot be pruned")
            return
        entries = self.kind.prunable(list(self._entries.values()))
        if not entries:
            self.contui.say("nothing to prune: everything is used, tagged or named")
            return
        total = sum(_bytes(entry) or 0 for entry in entries)
        lines = [line(entry.name, (f"  {units_of(entry)}", "dim")) for entry in entries[:20]]
        if len(entries) > 20:
            lines.append(line((f"and {len(entries) - 20} more", "dim")))
        if total:
            lines.append(line(("up to ", "label"), (size(total), "value"), " comes back"))
        self._confirm(f"Remove {_many(entries)}?", lines, [removal(self.kind, e) for e in entries])

    def _confirm(self, title: str, lines: list[Line], actions: list[Action]) -> None:
        command = "; ".join(action.command() for action in actions[:3])
        command += f"; and {len(actions) - 3} more" if len(actions) > 3 else ""

        def answered(yes: object) -> None:
            if yes:
                acting.perform(self, actions)

        self.app.push_screen(Confirm(title, lines, command), answered)


def _many(entries: list[Entry]) -> str:
    return entries[0].name if len(entries) == 1 else f"{len(entries)} of them"


def _bytes(entry: Entry) -> int | None:
    value = getattr(entry.value, "size", None)
    return value if isinstance(value, int) else None


def units_of(entry: Entry) -> str:
    """Its size in words, if it has one."""
    amount = _bytes(entry)
    return "" if amount is None else size(amount)
