"""What is known of one endpoint. Only :meth:`Store.apply` changes it, on the event loop."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from contui.model.container import Container
from contui.model.event import EngineEvent
from contui.model.feed import FeedStatus
from contui.model.host import EngineInfo, HostSample
from contui.model.resource import Resource
from contui.model.sample import Rates
from contui.model.update import (
    Acting,
    Changed,
    Connected,
    FeedChanged,
    Fetched,
    Gone,
    Happened,
    HostSampled,
    Listed,
    Logged,
    Sampled,
    Update,
)
from contui.store.logs import LogBuffer
from contui.store.series import Series

EVENTS_KEPT: Final = 5_000
_NOT_AN_END: Final = frozenset({"1", "10", "12", "18", "28"})
"""HUP, USR1, USR2, CONT, WINCH: reload, reopen the logs, go on."""
_LOADING: Final[Resource[object]] = Resource()


class Store:
    """Tables, rings and resources of one endpoint.

    ``revision`` counts the changes of each topic: ``containers``, ``samples``, ``events``,
    ``feeds``, ``host``, ``info``, ``logs:ID`` and ``KIND:ID`` for resources. A reader keeps the
    number it has seen and looks again when it is another one.
    """

    def __init__(self, log_lines: int = 100_000) -> None:
        self.containers: dict[str, Container] = {}
        self.series: dict[str, Series] = {}
        self.events: deque[EngineEvent] = deque(maxlen=EVENTS_KEPT)
        self.logs: dict[str, LogBuffer] = {}
        self.resources: dict[tuple[str, str], Resource[object]] = {}
        self.feeds: dict[str, FeedStatus] = {}
        self.host: HostSample | None = None
        self.info: EngineInfo | None = None
        self.listed = False
        """Whether the engine has given its list at least once."""
        self.stats_source = ""
        self.asked: dict[str, str] = {}
        """The signal that was to end each container, if any was sent since it last started."""
        self.oomed: set[str] = set()
        """Containers of which the kernel killed a process since they last started, by the engine's
        events: Docker sets ``OOMKilled`` only if it hears of that before it hears of the end.
        """
        self.busy: dict[str, str] = {}
        """The verb of the action that is under way on each object, by its id."""
        self.revision: Counter[str] = Counter()
        self._log_lines = log_lines

    def apply(self, update: Update) -> None:
        """Take in one update."""
        match update:
            case Listed(containers):
                self._list(containers)
            case Changed(container):
                self._change(container)
            case Gone(id):
                self._forget(id)
            case Sampled(samples, source):
                for id, sample in samples.items():
                    known = self.containers.get(id)
                    if known is not None and known.running:
                        self.series.setdefault(id, Series()).add(sample)
                self.stats_source = source
                self.revision["samples"] += 1
            case Happened(event):
                self.events.append(event)
                self._remember(event)
                self.revision["events"] += 1
            case Logged(id, lines, restart):
                buffer = self.log(id)
                if restart:
                    buffer.clear()
                buffer.extend(lines)
                self.revision[f"logs:{id}"] += 1
            case Fetched(kind, id, resource):
                self._fetch(kind, id, resource)
            case FeedChanged(feed, status):
                if status.state == "stopped":
                    self.feeds.pop(feed, None)
                else:
                    self.feeds[feed] = status
                self.revision["feeds"] += 1
            case HostSampled(sample):
                self.host = sample
                self.revision["host"] += 1
            case Connected(info):
                self.info = info
                self.revision["info"] += 1
            case Acting(id, verb):
                self.busy.pop(id, None)
                if verb:
                    self.busy[id] = verb
                self.revision["containers"] += 1

    def resource(self, kind: str, id: str = "") -> Resource[object]:
        """A resource; one that nobody has fetched yet is loading."""
        return self.resources.get((kind, id), _LOADING)

    def rates(self, id: str) -> Rates:
        """The newest rates of a container; all ``None`` before its second sample."""
        series = self.series.get(id)
        return series.rates if series is not None else Rates()

    def log(self, id: str) -> LogBuffer:
        """The log buffer of a container, made on first use."""
        if id not in self.logs:
            self.logs[id] = LogBuffer(max_lines=self._log_lines)
        return self.logs[id]

    def _list(self, containers: Sequence[Container]) -> None:
        present = {container.id for container in containers}
        for id in [id for id in self.containers if id not in present]:
            self._forget(id)
        for container in containers:
            self._change(container)
        self.listed = True
        self.revision["containers"] += 1

    def _change(self, container: Container) -> None:
        known = self.containers.get(container.id)
        if known is not None and container.detail is None and known.detail is not None:
            container = replace(container, detail=known.detail)
            if known.state == container.state:
                container = replace(container, health=known.health or container.health)
        detail = container.detail
        killed = detail is not None and detail.exit_code == 137 and not container.running
        if detail is not None and killed and container.id in self.oomed:
            container = replace(container, detail=replace(detail, oom_killed=True))
        if known == container:
            return
        if not container.running:
            self.series.pop(container.id, None)
        self.containers[container.id] = container
        self.revision["containers"] += 1

    def _forget(self, id: str) -> None:
        if self.containers.pop(id, None) is None:
            return
        self.series.pop(id, None)
        self.logs.pop(id, None)
        self.asked.pop(id, None)
        self.oomed.discard(id)
        for key in [key for key in self.resources if key[1] == id]:
            del self.resources[key]
        for topic in [topic for topic in self.revision if topic.endswith(":" + id)]:
            self.revision[topic] += 1
        self.revision["containers"] += 1

    def _remember(self, event: EngineEvent) -> None:
        if event.kind != "container":
            return
        if event.action == "kill":
            signal = event.attributes.get("signal", "15")
            if signal == "9":
                # A stop that times out asks first and kills then: that it had to shows by both.
                self.asked.setdefault(event.id, signal)
            elif signal not in _NOT_AN_END:
                self.asked[event.id] = signal
        elif event.action == "stop":
            self.asked.setdefault(event.id, "15")
        elif event.action == "oom":
            self.oomed.add(event.id)
        elif event.action == "start":
            self.asked.pop(event.id, None)
            self.oomed.discard(event.id)

    def _fetch(self, kind: str, id: str, resource: Resource[object]) -> None:
        known = self.resources.get((kind, id))
        if resource.failed and known is not None and known.value is not None:
            resource = replace(known, error=resource.error, hint=resource.hint)
        self.resources[kind, id] = resource
        self.revision[f"{kind}:{id}"] += 1
