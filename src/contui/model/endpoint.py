"""Where a runtime answers: an address, how it was chosen, and its TLS material."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tls:
    """Paths of PEM files; ``None`` where the endpoint has none."""

    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    verify: bool = True


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One runtime API address.

    ``url`` is ``unix:///path``, ``tcp://host:port`` or ``ssh://[user@]host[:port]``. ``origin``
    names what chose it, in the words a person would check: ``--host``, ``DOCKER_HOST``,
    ``context prod (config.json)``, ``default socket``.
    """

    url: str
    name: str = ""
    origin: str = ""
    tls: Tls | None = None

    @property
    def scheme(self) -> str:
        """The part before ``://``."""
        return self.url.partition("://")[0]

    @property
    def socket_path(self) -> str | None:
        """The path of a unix socket, ``None`` for other transports."""
        return self.url.removeprefix("unix://") if self.scheme == "unix" else None
