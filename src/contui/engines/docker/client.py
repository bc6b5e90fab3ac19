"""One connection pool to one Docker-compatible API.

aiodocker's stream helpers never release an abandoned response and its default pool is 100
connections: 100 follows later, every call waits for ever. So streams go through
:meth:`Client.stream`, which closes what it opened, over a pool without a limit.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from contui.engines.boot import negotiate
from contui.engines.docker.ssh import Tunnel
from contui.engines.endpoints import ssl_context
from contui.engines.explain import explain
from contui.model.endpoint import Endpoint
from contui.model.errors import (
    EngineConflict,
    EngineError,
    EngineNotFound,
    EnginePermission,
    EngineTimeout,
    EngineUnavailable,
    EngineUnsupported,
)

TIMEOUT: Final = 10.0
_CHUNK: Final = 256 * 1024

Query = Mapping[str, str | int]


class Client:
    """HTTP to one endpoint. Open it inside the event loop; close it when done."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.version = ""
        self.base = ""
        self.headers: Mapping[str, str] = {}
        self._session: aiohttp.ClientSession | None = None
        self._tunnel: Tunnel | None = None

    async def open(self) -> None:
        """Connect and negotiate the API version.

        Raises EngineError: unavailable, no permission, timed out, or too old.
        """
        await self.close()
        connector, base = await self._connector()
        timeout = aiohttp.ClientTimeout(total=TIMEOUT, sock_connect=5)
        self._session = aiohttp.ClientSession(connector=connector, timeout=timeout)
        self.base = base
        self.version = ""
        async with self._response("GET", "/_ping", timeout=5) as response:
            self.headers = dict(response.headers)
        self.version = negotiate(self.endpoint, self.headers.get("Api-Version", ""))

    async def _connector(self) -> tuple[aiohttp.BaseConnector, str]:
        endpoint = self.endpoint
        path = endpoint.socket_path
        if endpoint.scheme == "ssh":
            self._tunnel = Tunnel(endpoint.url)
            path = await self._tunnel.open()
        if path is not None:
            return aiohttp.UnixConnector(path, limit=0), "http://localhost"
        secure = ssl_context(endpoint.tls) if endpoint.tls is not None else None
        address = urlsplit(endpoint.url).netloc
        connector = aiohttp.TCPConnector(limit=0, ssl=secure if secure is not None else True)
        return connector, f"http{'s' if secure else ''}://{address}"

    async def close(self) -> None:
        """Close every connection and the tunnel."""
        if self._session is not None:
            await self._session.close()
            self._session = None
        if self._tunnel is not None:
            await self._tunnel.close()
            self._tunnel = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The open session. Raises EngineUnavailable before :meth:`open`."""
        if self._session is None:
            raise EngineUnavailable(f"not connected to {self.endpoint.url}")
        return self._session

    def url(self, path: str, *, versioned: bool = True) -> str:
        """The URL of ``path`` under the negotiated API version, unless it has its own."""
        prefix = f"/v{self.version}" if self.version and versioned else ""
        return self.base + prefix + path

    @contextlib.asynccontextmanager
    async def _response(
        self,
        method: str,
        path: str,
        *,
        params: Query | None = None,
        body: object = None,
        timeout: float | None = TIMEOUT,
        versioned: bool = True,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        limit = aiohttp.ClientTimeout(total=timeout, sock_connect=5)
        try:
            response = await self.session.request(
                method, self.url(path, versioned=versioned), params=params, json=body, timeout=limit
            )
        except (OSError, aiohttp.ClientError, TimeoutError) as error:
            raise self.unreachable(error) from error
        try:
            if response.status >= 400:
                raise explain(self.endpoint, await _refusal(response), os.environ)
            yield response
        except (OSError, aiohttp.ClientError, TimeoutError) as error:
            raise self.unreachable(error) from error
        finally:
            # close, never release: release would wait for the end of an endless body.
            if response.content.at_eof():
                response.release()
            else:
                response.close()

    def unreachable(self, error: BaseException) -> EngineError:
        """What kept a request from its answer, as the error that fits."""
        if isinstance(error, TimeoutError):
            return EngineTimeout("the engine does not answer", hint="systemctl status docker")
        if isinstance(error, aiohttp.ClientPayloadError | aiohttp.ServerDisconnectedError):
            return EngineUnavailable("the engine closed the connection")
        return explain(self.endpoint, error, os.environ)

    async def json(
        self,
        method: str,
        path: str,
        *,
        params: Query | None = None,
        body: object = None,
        timeout: float | None = TIMEOUT,
    ) -> Any:
        """The decoded answer, ``None`` for an empty one.

        Bodies are decoded whatever their Content-Type says: Podman's stats and top have none.
        """
        async with self._response(
            method, path, params=params, body=body, timeout=timeout
        ) as response:
            data = await response.read()
        if not data:
            return None
        try:
            return json.loads(data)
        except ValueError:
            raise EngineError(f"unreadable answer to {method} {path}") from None

    async def text(self, path: str, *, timeout: float) -> str:
        """An answer that is plain text, as that of ``/_ping``."""
        async with self._response("GET", path, timeout=timeout) as response:
            return await response.text()

    @contextlib.asynccontextmanager
    async def stream(
        self,
        path: str,
        *,
        params: Query | None = None,
        quiet: float | None = None,
        versioned: bool = True,
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """An endless answer in chunks as they arrive; ``quiet`` is the longest silence in seconds.

        Leaving the context closes the connection. EngineUnavailable when it breaks.
        """
        async with self._response(
            "GET", path, params=params, timeout=None, versioned=versioned
        ) as response:
            yield self._chunks(response, quiet)

    async def _chunks(
        self, response: aiohttp.ClientResponse, quiet: float | None
    ) -> AsyncIterator[bytes]:
        while True:
            try:
                async with asyncio.timeout(quiet):
                    data = await response.content.readany()
            except TimeoutError:
                raise EngineTimeout(f"silent for {quiet:.0f} s") from None
            except (OSError, aiohttp.ClientError) as error:
                raise EngineUnavailable("the engine closed the connection") from error
            if not data:
                return
            yield data


async def _refusal(response: aiohttp.ClientResponse) -> EngineError:
    """The engine's own sentence as the exception that fits the status."""
    data = await response.content.read(_CHUNK)
    text = data.decode("utf-8", "replace").strip()
    with contextlib.suppress(ValueError):
        document = json.loads(text)
        if isinstance(document, dict):
            text = str(document.get("message") or document.get("cause") or text)
    kind: type[EngineError] = {
        401: EnginePermission,
        403: EnginePermission,
        404: EngineNotFound,
        409: EngineConflict,
        501: EngineUnsupported,
    }.get(response.status, EngineError)
    return kind(text or f"the engine answered {response.status}")
