"""The Docker engine (and Podman through its Docker-compatible API)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import platform
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from contui.engines.base import Sampler, StatsWay, Terminal
from contui.engines.boot import version_of
from contui.engines.docker import convert
from contui.engines.docker.client import Client
from contui.engines.docker.logs import Assembler
from contui.engines.linux import cgroup, proc
from contui.model.action import Action
from contui.model.container import Container
from contui.model.endpoint import Endpoint
from contui.model.errors import EngineError, EngineNotFound, EngineUnsupported
from contui.model.event import EngineEvent
from contui.model.host import EngineInfo, Sizes
from contui.model.image import DiskUse, Image, ImageDetail, Network, Volume
from contui.model.linux import InForce, Process
from contui.model.log import LogLine, LogWindow
from contui.model.sample import Sample
from contui.model.units import size

_SLOW: Final = 120.0
"""Disk use and prunes walk every layer and volume."""
_EVENT_KINDS: Final = ("container", "image", "volume", "network", "daemon", "plugin")
_EVENTS: Final = {
    "container": (
        "attach", "commit", "copy", "create", "destroy", "detach", "die", "export",
        "health_status", "kill", "oom", "pause", "rename", "resize", "restart", "start", "stop",
        "unpause", "update", "died", "remove", "cleanup", "init",
    ),
    "other": (
        "connect", "disconnect", "create", "destroy", "remove", "prune", "mount", "unmount",
        "delete", "import", "load", "pull", "push", "save", "tag", "untag", "reload",
    ),
}  # fmt: skip
"""Everything but ``exec_*`` and ``top``: each health probe makes three of those, which the screen
has no use for. The filter runs in the engine."""


class DockerEngine:
    """One endpoint over the Engine API 1.41 or newer."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._client = Client(endpoint)
        self._info = EngineInfo()
        self._tables: dict[str, proc.ProcessTable] = {}
        self._pids: dict[str, int] = {}

    async def connect(self) -> EngineInfo:
        """Negotiate the API version and read what the engine says of itself."""
        await self._client.open()
        podman = "Libpod-Api-Version" in self._client.headers
        document = await self._client.json("GET", "/info", timeout=30)
        local = (
            self.endpoint.scheme == "unix"
            and document.get("KernelVersion") == platform.release()
            and platform.system() == "Linux"
        )
        self._info = convert.info(document, self._client.version, podman=podman, local=local)
        return self._info

    async def ping(self) -> None:
        """Ask for a sign of life, within 3 s."""
        await self._client.text("/_ping", timeout=3)

    async def close(self) -> None:
        """Close every connection."""
        await self._client.close()

    async def containers(self) -> list[Container]:
        """All containers, running or not, without their details."""
        entries = await self._client.json("GET", "/containers/json", params={"all": 1})
        return [convert.listed(entry) for entry in entries or []]

    async def inspect(self, container: Container) -> tuple[Container, Mapping[str, Any]]:
        """The container completed by its inspect document, and the document itself.

        5 s: an engine can hang for ever on one container whose exec is stuck.
        """
        document = await self._client.json("GET", f"/containers/{container.id}/json", timeout=5)
        complete = convert.inspected(container, document)
        if complete.detail is not None:
            self._pids[complete.id] = complete.detail.pid
        return complete, document

    async def events(self, since_ns: int) -> AsyncIterator[EngineEvent]:
        """Events from a Unix time in nanoseconds (0: from now), without end."""
        verbs = [*_EVENTS["container"], *_EVENTS["other"]]
        params: dict[str, str | int] = {
            "filters": json.dumps({"type": list(_EVENT_KINDS), "event": verbs})
        }
        if since_ns:
            params["since"] = _nanoseconds(since_ns)
        async with self._client.stream("/events", params=params) as chunks:
            async for document in _documents(chunks):
                yield convert.event(document)

    async def logs(self, container: Container, window: LogWindow) -> AsyncIterator[list[LogLine]]:
        """The log's window and then, while the container runs, what follows; in batches.

        Raises EngineUnsupported when the log driver keeps nothing that can be read.
        """
        params: dict[str, str | int] = {"stdout": 1, "stderr": 1, "timestamps": 1, "follow": 1}
        if window.tail is not None:
            params["tail"] = window.tail
        if window.since_ns:
            params["since"] = _nanoseconds(window.since_ns)
        if container.detail is None:
            container, _ = await self.inspect(container)
        assembler = Assembler(tty=container.detail is not None and container.detail.tty)
        async with self._client.stream(f"/containers/{container.id}/logs", params=params) as chunks:
            async for chunk in chunks:
                if lines := assembler.feed(chunk):
                    yield lines
        if lines := assembler.end():
            yield lines

    async def stats(self, id: str) -> AsyncIterator[Sample]:
        """The engine's own readings, about one a second."""
        async with self._client.stream(f"/containers/{id}/stats", params={"stream": 1}) as chunks:
            async for document in _documents(chunks):
                reading = convert.sample(document)
                if reading is not None:
                    yield reading

    @property
    def stats_way(self) -> StatsWay:
        """Podman tells all in one stream. Docker answers one-shot questions at once from 25.0
        (API 1.44) on: moby 95aea39348; before, each waits for the collector's next round.
        """
        if self._info.product == "podman":
            return "all"
        return "once" if version_of(self._client.version) >= (1, 44) else "stream"

    async def stats_once(self, id: str) -> Sample:
        """One reading of the engine's own, at once. Raises EngineNotFound when it does not run."""
        params = {"stream": 0, "one-shot": 1}
        document = await self._client.json("GET", f"/containers/{id}/stats", params=params)
        reading = convert.sample(document or {})
        if reading is None:
            raise EngineNotFound("it does not run")
        return reading

    async def stats_all(self) -> AsyncIterator[Mapping[str, Sample]]:
        """Podman's readings of all running containers, one a second."""
        path = f"/v{self._client.headers.get('Libpod-Api-Version', '')}/libpod/containers/stats"
        params: dict[str, str | int] = {"stream": "true", "interval": 1}
        async with self._client.stream(path, params=params, versioned=False) as chunks:
            async for document in _documents(chunks):
                yield convert.podman_samples(document)

    def sampler(self, container: Container) -> Sampler | None:
        """Direct readings, where the container is a process of this machine."""
        detail = container.detail
        if detail is None or not detail.pid or self.endpoint.scheme != "unix":
            return None
        return cgroup.locate(detail.pid, container.id, network=detail.network_mode != "host")

    async def fetch(self, kind: str, id: str) -> object:
        """A resource by its kind; ``id`` is ``""`` for those of the whole engine."""
        readers: dict[str, Callable[[str], Awaitable[object]]] = {
            "inspect": self._document,
            "in_force": self._in_force,
            "processes": self._processes,
            "image": self._image_of,
            "image_detail": self._image_detail,
            "sizes": self._sizes,
            "images": self._images,
            "volumes": self._volumes,
            "networks": self._networks,
            "network": self._network,
            "disk": self._disk,
            "info": self._read_info,
        }
        return await readers[kind](id)

    async def _document(self, id: str) -> Mapping[str, Any]:
        document: Mapping[str, Any] = await self._client.json(
            "GET", f"/containers/{id}/json", timeout=5
        )
        self._pids[id] = int((document.get("State") or {}).get("Pid") or 0)
        return document

    async def _pid(self, id: str) -> int:
        """The pid of a running container on this machine. Raises EngineUnsupported otherwise."""
        if self.endpoint.scheme != "unix" or not self._info.local:
            raise EngineUnsupported("the engine runs on another machine: only it can see /proc")
        document = await self._document(id)
        if not self._pids[id]:
            state = (document.get("State") or {}).get("Status") or "not running"
            raise EngineUnsupported(f"it has no process: {state}")
        return self._pids[id]

    async def _in_force(self, id: str) -> InForce:
        pid = await self._pid(id)
        try:
            return await asyncio.to_thread(proc.in_force, pid, id)
        except ProcessLookupError:
            raise EngineNotFound("its process has ended") from None

    async def _processes(self, id: str) -> tuple[Process, ...]:
        try:
            pid = await self._pid(id)
            table = self._tables.get(id)
            if table is None or table.pid != pid:
                self._tables = {id: proc.ProcessTable(pid, id)}
            return await asyncio.to_thread(self._tables[id].read)
        except (EngineUnsupported, ProcessLookupError):
            return await self._top(id)

    async def _top(self, id: str) -> tuple[Process, ...]:
        document = await self._client.json(
            "GET",
            f"/containers/{id}/top",
            params={"ps_args": "-eo pid,ppid,user,stat,rss,nlwp,args"},
        )
        return tuple(_top_row(row) for row in (document or {}).get("Processes") or [])

    async def _image_of(self, id: str) -> ImageDetail:
        document = await self._document(id)
        image_id = str(document.get("Image") or "")
        detail = await self._image_detail(image_id)
        reference = str((document.get("Config") or {}).get("Image") or "")
        newer = ""
        if reference and reference != image_id:
            with contextlib.suppress(EngineError):
                now = await self._client.json("GET", f"/images/{quote(reference, safe='')}/json")
                newer = "" if now.get("Id") == image_id else str(now.get("Id") or "")
        return ImageDetail(detail.inspect, detail.history, newer)

    async def _image_detail(self, id: str) -> ImageDetail:
        name = quote(id, safe="")
        document = await self._client.json("GET", f"/images/{name}/json")
        history = await self._client.json("GET", f"/images/{name}/history")
        return ImageDetail(inspect=document, history=tuple(history or ()))

    async def _sizes(self, id: str) -> Sizes:
        document = await self._client.json(
            "GET", f"/containers/{id}/json", params={"size": 1}, timeout=_SLOW
        )
        named = {
            str(mount.get("Name"))
            for mount in document.get("Mounts") or []
            if mount.get("Type") == "volume"
        }
        known: dict[str, int | None] = {}
        if named:
            usage = await self._disk("")
            known = {each.name: each.size for each in usage.volumes}
        log = str(document.get("LogPath") or "")
        return Sizes(
            writable=document.get("SizeRw"),
            root=document.get("SizeRootFs"),
            log_file=await asyncio.to_thread(_file_size, log) if self._info.local else None,
            volumes=tuple((name, known.get(name)) for name in sorted(named)),
        )

    async def _images(self, _: str) -> tuple[Image, ...]:
        entries = await self._client.json("GET", "/images/json")
        return tuple(convert.image(entry) for entry in entries or [])

    async def _volumes(self, _: str) -> tuple[Volume, ...]:
        document = await self._client.json("GET", "/volumes")
        return tuple(convert.volume(entry) for entry in (document or {}).get("Volumes") or [])

    async def _networks(self, _: str) -> tuple[Network, ...]:
        entries = await self._client.json("GET", "/networks")
        return tuple(convert.network(entry) for entry in entries or [])

    async def _network(self, id: str) -> Mapping[str, Any]:
        document: Mapping[str, Any] = await self._client.json("GET", f"/networks/{id}")
        return document

    async def _disk(self, _: str) -> DiskUse:
        return convert.disk(await self._client.json("GET", "/system/df", timeout=_SLOW) or {})

    async def _read_info(self, _: str) -> EngineInfo:
        document = await self._client.json("GET", "/info", timeout=30)
        self._info = convert.info(
            document,
            self._client.version,
            podman=self._info.product == "podman",
            local=self._info.local,
        )
        return self._info

    async def act(self, action: Action) -> str:
        """Do it. Returns what the engine had to say (a warning, what was reclaimed)."""
        if action.verb == "prune":
            return await self._prune(action)
        method, path, params, body = _request(action)
        wait = float(action.options.get("timeout", 10)) + 30
        answer = await self._client.json(method, path, params=params, body=body, timeout=wait)
        warnings = answer.get("Warnings") if isinstance(answer, dict) else None
        return "; ".join(str(each) for each in warnings or [])

    async def _prune(self, action: Action) -> str:
        path = "/build/prune" if action.kind == "builder" else f"/{action.kind}s/prune"
        filters = {"dangling": ["true"]} if action.kind == "image" else {}
        params = {"filters": json.dumps(filters)}
        answer = await self._client.json("POST", path, params=params, timeout=_SLOW)
        freed = (answer or {}).get("SpaceReclaimed")
        return f"{size(freed)} given back" if freed else "done"

    async def exec(
        self, id: str, command: Sequence[str], *, user: str, directory: str, size: tuple[int, int]
    ) -> Terminal:
        """Start a command on a terminal inside a running container."""
        from contui.engines.docker.terminal import open_exec

        return await open_exec(self._client, id, command, user=user, directory=directory, size=size)

    async def attach(self, id: str, size: tuple[int, int]) -> Terminal:
        """Connect to the container's own standard streams."""
        from contui.engines.docker.terminal import open_attach

        return await open_attach(self._client, id, size=size)


async def _documents(chunks: AsyncIterator[bytes]) -> AsyncIterator[dict[str, Any]]:
    """JSON objects, one per line, of any length."""
    rest = bytearray()
    async for chunk in chunks:
        rest += chunk
        *whole, tail = bytes(rest).split(b"\n")
        rest = bytearray(tail)
        for row in whole:
            if row.strip():
                yield json.loads(row)


def _nanoseconds(time_ns: int) -> str:
    """A time as the API's ``since`` takes it: seconds, a dot and nine digits."""
    return f"{time_ns // 1_000_000_000}.{time_ns % 1_000_000_000:09d}"


def _top_row(row: Sequence[str]) -> Process:
    """A row of ``ps -eo pid,ppid,user,stat,rss,nlwp,args``."""

    def number(text: str) -> int:
        return int(text) if text.isdigit() else 0

    cells = [*map(str, row), *[""] * 7][:7]
    return Process(
        pid=number(cells[0]),
        parent=number(cells[1]),
        user=cells[2],
        state=cells[3][:1],
        command=" ".join(str(cell) for cell in row[6:]) or cells[6],
        memory=number(cells[4]) * 1024,
        threads=number(cells[5]) or None,
    )


def _file_size(path: str) -> int | None:
    try:
        return Path(path).stat().st_size if path else None
    except OSError:
        return None


_UPDATE_FIELDS: Final = {
    "memory": "Memory",
    "memory_swap": "MemorySwap",
    "memory_reservation": "MemoryReservation",
    "cpu_shares": "CpuShares",
    "cpuset": "CpusetCpus",
    "pids": "PidsLimit",
}


def _update_body(options: Mapping[str, object]) -> dict[str, object]:
    body: dict[str, object] = {
        field: options[name] for name, field in _UPDATE_FIELDS.items() if name in options
    }
    if "cpus" in options:
        body["NanoCpus"] = round(float(str(options["cpus"])) * 1e9)
    if "restart" in options:
        name, _, maximum = str(options["restart"]).partition(":")
        body["RestartPolicy"] = {"Name": name, "MaximumRetryCount": int(maximum or 0)}
    return body


def _request(
    action: Action,
) -> tuple[str, str, dict[str, str | int], dict[str, object] | None]:
    """Method, path, query and body of an action on one object."""
    options = action.options
    name = quote(action.id or action.name, safe="")
    base = f"/{action.kind}s/{name}"
    params: dict[str, str | int] = {}
    if action.kind != "container":
        if action.verb != "remove":
            raise EngineUnsupported(f"{action.verb} is not an action of a {action.kind}")
        if options.get("force") and action.kind != "network":
            params["force"] = 1
        return "DELETE", base, params, None
    match action.verb:
        case "start" | "pause" | "unpause":
            return "POST", f"{base}/{action.verb}", params, None
        case "stop" | "restart":
            if "timeout" in options:
                params["t"] = int(options["timeout"])
            return "POST", f"{base}/{action.verb}", params, None
        case "kill":
            return "POST", f"{base}/kill", {"signal": str(options.get("signal", "KILL"))}, None
        case "remove":
            params = {
                "force": int(bool(options.get("force"))),
                "v": int(bool(options.get("volumes"))),
            }
            return "DELETE", base, params, None
        case "rename":
            return "POST", f"{base}/rename", {"name": str(options["name"])}, None
        case "update":
            return "POST", f"{base}/update", params, _update_body(options)
    raise EngineUnsupported(f"{action.verb} is not an action of a container")
