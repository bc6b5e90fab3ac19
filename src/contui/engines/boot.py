"""The first list of containers, over a raw blocking socket.

It runs in a thread while the screen library is being imported, so that the first rows are there
when the first screen is drawn; aiohttp would cost 180 ms of imports before the first byte.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from contui.engines.endpoints import address, ssl_context
from contui.model.endpoint import Endpoint
from contui.model.errors import EngineError, EngineUnavailable, EngineUnsupported

TYPE_CHECKING = False  # typing costs 3 ms at import; type checkers read this name as true
if TYPE_CHECKING:
    from typing import Any

NEWEST = (1, 47)
"""The newest API version contui is tested with; a newer server is asked for this one."""
OLDEST = (1, 41)
_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class Boot:
    """What the first fetch brought; every field is empty where it did not get so far.

    ``version_header`` is the Api-Version of ``/_ping``, ``product`` ``docker`` or ``podman``,
    ``server`` the Server header. ``containers`` are the entries of ``/containers/json?all=1``.
    """

    version_header: str = ""
    product: str = ""
    server: str = ""
    containers: list[dict[str, Any]] | None = None
    error: EngineError | None = None


def fetch(
    endpoint: Endpoint, timeout: float = 2.0, environ: Mapping[str, str] = os.environ
) -> Boot:
    """Ping the engine and list its containers within ``timeout`` seconds. Never raises.

    Resolving a host name is not bounded by ``timeout``: the resolver has its own. An ``ssh://``
    endpoint gives an empty Boot: its tunnel is the client's to open.
    """
    boot = Boot()
    if endpoint.scheme == "ssh":
        return boot
    deadline = time.monotonic() + timeout
    try:
        headers, _ = _get(endpoint, "/_ping", deadline)
        boot = Boot(
            headers.get("api-version", ""),
            "podman" if "libpod-api-version" in headers else "docker",
            headers.get("server", ""),
        )
        version = negotiate(endpoint, boot.version_header)
        _, body = _get(endpoint, f"/v{version}/containers/json?all=1", deadline)
        return replace(boot, containers=_rows(body))
    except (OSError, ValueError, EngineError) as error:
        from contui.engines.explain import explain

        return replace(boot, error=explain(endpoint, error, environ))


def negotiate(endpoint: Endpoint, header: str) -> str:
    """The API version to ask for, from the Api-Version header of ``/_ping``.

    Raises:
        EngineUnavailable: no such header; this is no container engine.
        EngineUnsupported: older than API 1.41 (Docker 20.10).
    """
    offered = version_of(header)
    if offered == (0, 0):
        raise EngineUnavailable(
            f"{endpoint.url} answers, but not as a container engine does", hint="docker context ls"
        )
    if offered < OLDEST:
        raise EngineUnsupported(
            f"the engine is too old: it speaks API {header}; "
            "Docker 20.10 (API 1.41) or newer is needed",
            hint="upgrade the engine on that host",
        )
    chosen = min(offered, NEWEST)
    return f"{chosen[0]}.{chosen[1]}"


def version_of(text: str) -> tuple[int, int]:
    """An API version as numbers; (0, 0) for none."""
    major, _, minor = text.partition(".")
    return (int(major), int(minor)) if major.isdecimal() and minor.isdecimal() else (0, 0)


def _rows(body: bytes) -> list[dict[str, Any]]:
    import json

    rows = json.loads(body)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("expected a list of containers")
    return rows


def _get(endpoint: Endpoint, path: str, deadline: float) -> tuple[dict[str, str], bytes]:
    """Headers (names in lower case) and body of one GET.

    Raises EngineError with the engine's own sentence for a status of 400 and above, ValueError
    for what is not HTTP/1.1, OSError.
    """
    with _connect(endpoint, deadline) as connection:
        # The Host of a unix socket is not looked at, but dockerd answers 400 without one.
        host = "localhost" if endpoint.socket_path else endpoint.url.removeprefix("tcp://")
        connection.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: contui\r\n"
            "Accept: application/json\r\nConnection: close\r\n\r\n".encode("ascii")
        )
        answer = _Answer(connection, deadline)
        status, headers = answer.head()
        body = answer.body(headers)
    if status >= 400:
        raise EngineError(_sentence(body) or f"the engine answered {status}")
    return headers, body


def _sentence(body: bytes) -> str:
    import json

    text = body.decode("utf-8", "replace").strip()
    try:
        document = json.loads(text)
    except ValueError:
        return text
    if isinstance(document, dict):
        return str(document.get("message") or document.get("cause") or text)
    return text


def _connect(endpoint: Endpoint, deadline: float) -> socket.socket:
    path = endpoint.socket_path
    if path is None:
        where = address(endpoint.url)
        context = ssl_context(endpoint.tls) if endpoint.tls is not None else None
        connection = socket.create_connection(where, timeout=_left(deadline))
        if context is None:
            return connection
        return context.wrap_socket(connection, server_hostname=where[0])
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(_left(deadline))
        connection.connect(path)
    except BaseException:
        connection.close()
        raise
    return connection


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class _Answer:
    """Reads one HTTP/1.1 answer (RFC 9112), every read bounded by the deadline."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline
        self._buffer = bytearray()

    def head(self) -> tuple[int, dict[str, str]]:
        words = self._line().split(" ", 2)
        if not words[0].startswith("HTTP/1.") or len(words) < 2 or not words[1].isdecimal():
            raise ValueError("not HTTP")
        headers: dict[str, str] = {}
        while line := self._line():
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        return int(words[1]), headers

    def body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            parts = []
            while size := int(self._line().partition(";")[0], 16):
                parts.append(self._exactly(size))
                self._line()
            return b"".join(parts)
        if "content-length" in headers:
            return self._exactly(int(headers["content-length"]))
        while self._more():
            pass
        return bytes(self._buffer)

    def _more(self) -> bool:
        self._connection.settimeout(_left(self._deadline))
        data = self._connection.recv(_CHUNK)
        self._buffer += data
        return bool(data)

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            if not self._more():
                raise ConnectionResetError("the answer ends early")
        return self._take(size)

    def _line(self) -> str:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if not self._more():
                raise ConnectionResetError("the answer ends early")
        return self._take(end + 2)[:-2].decode("latin-1")

    def _take(self, size: int) -> bytes:
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data
