"""The selected container: its panels, one at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.reactive import reactive

from contui.model.container import Container
from contui.model.feed import FeedState
from contui.model.host import EngineInfo
from contui.model.log import LogWindow, Std
from contui.model.problem import NOTHING, Severity
from contui.model.resource import Resource
from contui.model.units import clock, duration
from contui.session import Session
from contui.tui.columns import GLYPHS
from contui.tui.commands import bindings
from contui.tui.document import Line, Span, line
from contui.tui.listing import verdict
from contui.tui.logmodel import Source, pattern, text_test
from contui.tui.panels import OVERVIEW, PANELS, describe
from contui.tui.panels.subject import Panel, Subject
from contui.tui.screens.page import Asked, Page
from contui.tui.tree import Node, Tree, raw
from contui.tui.widgets.bars import Bar
from contui.tui.widgets.document_view import DocumentView
from contui.tui.widgets.log_view import LogView

_DOCUMENTS: Final[dict[str, Panel]] = {panel.id: panel for panel in PANELS}
_EVERYTHING: Final = tuple(
    dict.fromkeys(want for panel in (OVERVIEW, *PANELS) for want in panel.wants)
)
TABS: Final[tuple[tuple[str, str], ...]] = (
    ("logs", "Logs"),
    ("stats", "Stats"),
    ("events", "Events"),
    ("inspect", "Inspect"),
    *((panel.id, panel.title) for panel in PANELS if panel.id not in ("stats", "events")),
)
_WINDOWS: Final = {2: 60, 3: 300, 4: 900, 5: 1800, 6: 3600}


class Logs(LogView):
    """The log with its keys."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("logs")]

    def action_search(self) -> None:
        """Find a text."""
        self.post_message(Asked("search"))

    def action_filter_log(self) -> None:
        """Hide what does not match."""
        self.post_message(Asked("filter"))

    def action_std(self) -> None:
        """Both standard streams, or one."""
        self.post_message(Asked("std"))

    def action_merge(self) -> None:
        """Several containers in one log."""
        self.post_message(Asked("merge"))

    def action_window(self, number: int) -> None:
        """Another part of the log."""
        self.post_message(Asked("window", number))


class Tabs(Bar):
    """The panels' names."""

    class Picked(Message):
        """A panel's name was clicked."""

        def __init__(self, panel: str) -> None:
            super().__init__()
            self.panel = panel

    def select(self, name: str, current: str, width: int) -> None:
        """Show the container's name and which panel is open."""
        spans: list[Span] = [Span(f" {name} ", "heading")]
        self._places: list[tuple[int, int, str]] = []
        x = len(spans[0].text)
        short = width < x + sum(len(title) + 2 for _, title in TABS)
        for id, title in TABS:
            text = f" {title[:4] if short and id != current else title} "
            spans.append(Span(text, "match" if id == current else "dim"))
            self._places.append((x, x + len(text), id))
            x += len(text)
        self.show(tuple(spans))

    def on_click(self, event: events.Click) -> None:
        """Open the panel clicked on."""
        for start, end, id in self._places:
            if start <= event.x < end:
                self.post_message(self.Picked(id))


class ContainerPane(Vertical):
    """Shows one container. Its feeds run while it is shown, and only those of the open panel."""

    DEFAULT_CSS = """
    ContainerPane #problem { background: $surface; display: none; }
    ContainerPane Bar.note { background: $surface; color: $text-muted; }
    ContainerPane Logs, ContainerPane Page { height: 1fr; }
    """

    panel: reactive[str] = reactive("logs")

    class TextWanted(Message):
        """A line of text is needed: ``purpose`` is search or filter."""

        def __init__(self, purpose: str, value: str) -> None:
            super().__init__()
            self.purpose = purpose
            self.value = value

    def __init__(self, session: Callable[[], Session], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._session = session
        self._shown = ""
        self._sources: tuple[str, ...] = ()
        self._held: list[tuple[Session, str, str]] = []
        self._revealed: frozenset[str] = frozenset()
        self._tree = Tree()
        self._tree_nodes: list[Node] = []
        self._seen: tuple[object, ...] = ()
        self._search = ""
        self._filter = ""

    def compose(self) -> ComposeResult:
        """Names of panels, a note, the log and the page."""
        yield Tabs(id="tabs")
        yield Bar(id="problem")
        yield Bar(id="note")
        yield Logs(id="log")
        yield Page(id="page")

    def on_mount(self) -> None:
        """Start with the log."""
        self.query_one("#note").add_class("note")
        self._arrange()

    @property
    def log_view(self) -> Logs:
        """The log."""
        return self.query_one("#log", Logs)

    @property
    def page(self) -> Page:
        """The page of all other panels."""
        return self.query_one("#page", Page)

    @property
    def merged(self) -> bool:
        """Whether several logs are shown as one."""
        return len(self._sources) > 1

    @property
    def content_view(self) -> Logs | Page:
        """Whichever is shown."""
        return self.log_view if self.panel == "logs" else self.page

    # --- what it shows

    def open(self, id: str, merged: Sequence[str] = ()) -> None:
        """Show another container (``""``: none); ``merged`` are logs to show as one."""
        sources = tuple(merged) or ((id,) if id else ())
        if (id, sources) == (self._shown, self._sources):
            return
        if id != self._shown:
            self._revealed = frozenset()
            self._tree = Tree()
            self.page.home()
        self._shown, self._sources = id, sources
        self._hold()
        self._open_log()
        self.refresh_now()

    def watch_panel(self) -> None:
        """Show another panel."""
        if self.is_mounted:
            self._arrange()
            self._hold()
            self.page.home()
            self.refresh_now()

    def go_on(self, step: int) -> None:
        """Show the panel to the right or left."""
        ids = [id for id, _ in TABS]
        here = ids.index(self.panel) if self.panel in ids else 0
        self.panel = ids[(here + step) % len(ids)]

    def _arrange(self) -> None:
        had = self.log_view.has_focus or self.page.has_focus
        self.log_view.display = self.panel == "logs"
        self.page.display = self.panel != "logs"
        if had:
            self.screen.set_focus(self.content_view)

    def _wants(self) -> list[tuple[str, str]]:
        if not self._shown:
            return []
        if self.panel == "logs":
            return [("logs", id) for id in self._sources]
        if self.panel in ("inspect", "raw"):
            return [("inspect", self._shown)]
        kinds = _EVERYTHING if self.panel == "describe" else _DOCUMENTS[self.panel].wants
        return [(kind, self._shown) for kind in kinds]

    def _hold(self) -> None:
        session = self._session()
        before = self._held
        self._held = [(session, kind, id) for kind, id in self._wants()]
        for held in self._held:
            held[0].hold(held[1], held[2])
        for old, kind, id in before:
            old.release(kind, id)

    def let_go(self) -> None:
        """Let all feeds go: the screen is left."""
        for session, kind, id in self._held:
            session.release(kind, id)
        self._held = []

    def take_up(self) -> None:
        """Want them again."""
        if not self._held:
            self._hold()
            self.refresh_now()

    def _open_log(self) -> None:
        store = self._session().store
        known = store.containers
        self._search = self._filter = ""
        self.log_view.found = None
        self.log_view.model.search(None)
        self.log_view.model.filter(None)
        self.log_view.model.open(
            [
                (Source(id, known[id].name if id in known else id[:12]), store.log(id))
                for id in self._sources
            ]
        )
        self.log_view.reset()

    # --- keeping it fresh

    def tick(self) -> None:
        """Take in what is new."""
        self._tell_problem()
        if self.panel == "logs":
            self.log_view.pull()
            self._note_log()
            return
        seen = self._revisions()
        if seen != self._seen:
            self._seen = seen
            self._draw_page()

    def _tell_problem(self) -> None:
        """The sentence of the list in full: there it is often cut."""
        bar, container = self.query_one("#problem", Bar), self.container
        found = NOTHING
        if container is not None:
            found = verdict(self._session().store, container, time.time())
        bar.display = found.severity >= Severity.WARNING
        glyph, style = GLYPHS[found.severity]
        bar.show(line((f" {glyph} ", style), (found.text, style)))

    def refresh_now(self) -> None:
        """Draw everything anew."""
        if not self.is_mounted:
            return
        container = self.container
        name = container.name if container is not None else "no container"
        if len(self._sources) > 1:
            name = f"{len(self._sources)} logs"
        self.query_one(Tabs).select(name, self.panel, self.size.width)
        self._seen = ()
        self.tick()

    def on_resize(self) -> None:
        """Lay the page out for another width."""
        self.refresh_now()

    @property
    def container(self) -> Container | None:
        """The container shown."""
        return self._session().store.containers.get(self._shown)

    def _revisions(self) -> tuple[object, ...]:
        revision = self._session().store.revision
        topics = [f"{kind}:{id}" for kind, id in self._wants()]
        if self.panel in ("stats", "describe"):
            topics.append("samples")
        if self.panel in ("events", "describe"):
            topics.append("events")
        ages = int(time.time() / 5) if self.panel != "inspect" else 0
        return (
            self._shown,
            self.panel,
            ages,
            revision["containers"],
            *(revision[t] for t in topics),
        )

    def subject(self) -> Subject | None:
        """Everything known of the container."""
        container, store, id = self.container, self._session().store, self._shown
        if container is None:
            return None
        series = store.series.get(id)

        def resource(kind: str) -> Resource[Any]:
            return cast("Resource[Any]", store.resource(kind, id))

        return Subject(
            container=container,
            now=time.time(),
            info=store.info or EngineInfo(),
            inspect=resource("inspect"),
            in_force=resource("in_force"),
            processes=resource("processes"),
            image=resource("image"),
            sizes=resource("sizes"),
            samples=series.samples() if series is not None else (),
            events=[event for event in store.events if event.id == id],
            containers=store.containers,
            revealed=self._revealed,
        )

    def _draw_page(self) -> None:
        subject = self.subject()
        note = self.query_one("#note", Bar)
        if subject is None:
            gone = "it has been removed" if self._shown else "nothing is selected"
            note.show(())
            self.page.show([(), line(("  " + gone, "dim"))])
            return
        width = max(40, self.page.scrollable_content_region.width)
        if self.panel in ("inspect", "raw"):
            self.page.show(self._inspect(subject))
        elif self.panel == "describe":
            self.page.show(describe(subject, width))
        else:
            self.page.show(_DOCUMENTS[self.panel].render(subject, width))
        found = len(self.page.hits()) if self._search else 0
        note.show(line((f" {found} hits for {self._search}" if self._search else "", "dim")))

    def _inspect(self, subject: Subject) -> list[Line]:
        resource = subject.inspect
        if resource.value is None:
            words = f"cannot be read: {resource.error}" if resource.error else "reading..."
            return [line(("  " + words, "critical" if resource.error else "dim"))]
        if self.panel == "raw":
            return raw(resource.value, self._revealed)
        self._tree_nodes = self._tree.nodes(resource.value, self._revealed)
        return [node.line for node in self._tree_nodes]

    @on(DocumentView.Chosen)
    def _fold(self, event: DocumentView.Chosen) -> None:
        if self.panel == "inspect" and event.index < len(self._tree_nodes):
            node = self._tree_nodes[event.index]
            if node.children:
                self._tree.toggle(node.path)
                self._seen = ()
                self.tick()

    @on(DocumentView.Reveal)
    def _reveal(self, event: DocumentView.Reveal) -> None:
        event.stop()
        self._revealed ^= event.names
        self._seen = ()
        self.tick()

    # --- the log's note

    def _note_log(self) -> None:
        view, session = self.log_view, self._session()
        model = view.model
        words: list[str | tuple[str, Any]] = [
            (" following" if view.follow else " held", "ok" if view.follow else "warning")
        ]
        words.append((f"  {self._window_words()}", "dim"))
        shown = (
            f"{len(model):,} of {model.total:,}"
            if len(model) != model.total
            else f"{model.total:,}"
        )
        words.append((f"  {shown} lines", "dim"))
        if model.std is not None:
            words.append(("  stderr only" if model.std is Std.ERR else "  stdout only", "accent"))
        if self._filter:
            words.append((f"  filter {self._filter}", "accent"))
        if self._search:
            words.append((f"  {len(model.hits)} hits for {self._search}", "match"))
            if not model.hits and session.window(self._shown).tail is not None:
                words.append(("  in these lines; 1 reads everything", "dim"))
        dropped = sum(session.store.log(id).dropped for id in self._sources)
        if dropped:
            words.append((f"  {dropped:,} older lines dropped", "dim"))
        status = session.store.feeds.get(f"logs:{self._shown}")
        if status is not None and status.state in (FeedState.RETRYING, FeedState.STALLED):
            left = max(0.0, status.retry_at - time.time())
            words.append((f"  {status.reason}: retrying in {duration(left)}", "warning"))
        why = self._why_empty() if not len(model) else ""
        if why:
            words = [(" " + why, "warning" if "cannot" in why else "dim")]
        self.query_one("#note", Bar).show(line(*words))

    def _window_words(self) -> str:
        window = self._session().window(self._shown)
        if window.since_ns:
            return f"since {clock(window.since_ns / 1e9)}"
        return "everything" if window.tail is None else f"last {window.tail:,}"

    def _why_empty(self) -> str:
        """Why there is nothing to read, in a sentence."""
        session, container = self._session(), self.container
        if container is None:
            return "nothing is selected"
        model = self.log_view.model
        if model.total:
            return f"none of {model.total:,} lines passes the filter"
        detail = container.detail
        status = session.store.feeds.get(f"logs:{self._shown}")
        if status is not None and status.state is FeedState.FAILED:
            driver = detail.log_driver if detail is not None else ""
            return (
                f"its log cannot be read back: log driver {driver or 'unknown'} ({status.reason})"
            )
        if status is None or status.state is FeedState.STARTING:
            return "reading..."
        if status.state is not FeedState.LIVE:
            return f"it cannot be read now: {status.reason}"
        if container.state == "created":
            if detail is not None and detail.error:
                return "it could not be started, so it has written nothing"
            return "it has never been started, so it has written nothing"
        if session.window(self._shown).since_ns:
            return "it wrote nothing in this window (0: the last lines, 1: everything)"
        return "it has written nothing to stdout or stderr so far"

    # --- commands of the log and the page

    @on(Asked)
    def _asked(self, event: Asked) -> None:
        if event.name == "merge":
            return  # which containers: the screen knows
        event.stop()
        match event.name:
            case "search":
                self.post_message(self.TextWanted("search", self._search))
            case "filter":
                self.post_message(self.TextWanted("filter", self._filter))
            case "std":
                model = self.log_view.model
                std = {None: Std.ERR, Std.ERR: Std.OUT, Std.OUT: None}[model.std]
                model.filter(text_test(self._filter), std)
                self.log_view.reset()
            case "window":
                self._window(event.argument)

    def _window(self, number: int) -> None:
        if number in _WINDOWS:
            window = LogWindow(tail=None, since_ns=time.time_ns() - _WINDOWS[number] * 10**9)
        else:
            window = LogWindow(tail=None) if number == 1 else LogWindow()
        for id in self._sources:
            self._session().set_window(id, window)
        self.log_view.pull()
        self.log_view.reset()

    def set_text(self, purpose: str, value: str) -> None:
        """The answer. Raises ValueError with a sentence for a broken expression."""
        test = text_test(value)
        if purpose == "filter":
            self._filter = value
            self.log_view.model.filter(test, self.log_view.model.std)
            self.log_view.reset()
        elif self.panel == "logs":
            self._search = value
            self.log_view.found = pattern(value) if value.strip() else None
            self.log_view.model.search(test)
            self.log_view.repaint()
            if self.log_view.hit not in self.log_view.model.hits:
                self.log_view.action_next_hit(-1)
        else:
            self._search = value
            self.page.search(value)
        self._seen = ()
        self.tick()

    def cancel_text(self) -> bool:
        """Forget search and filter; whether there was one."""
        if not (self._search or self._filter):
            return False
        self.set_text("search", "")
        if self._filter:
            self.set_text("filter", "")
        return True
