"""Find the engine exactly as the docker command does.

Verified against the docker command 28.2 (``tests/e2e/test_endpoints_cli.py``). The rules are
those of docker/cli: ``cli/command/cli.go`` (resolveContextName, getServerHost), ``opts/hosts.go``
(ParseHost) and ``cli/context/store`` (layout of contexts on disk). Where the docker command
would go on after a warning, or guess, this module refuses: a console that stops a container on
the wrong host is worse than one that does not start.

Imported before anything heavy, so modules that cost milliseconds are imported where used.
"""
# pathlib costs 4 ms at import.
# ruff: noqa: PTH110, PTH111, PTH114, PTH115, PTH116, PTH123, PTH208

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Mapping

from contui.model.endpoint import Endpoint, Tls
from contui.model.errors import ConfigError, EngineUnavailable

TYPE_CHECKING = False  # typing costs 3 ms at import; type checkers read this name as true
if TYPE_CHECKING:
    import ssl
    from typing import Any

DEFAULT_SOCKET = "/var/run/docker.sock"
PODMAN_SOCKET = "/run/podman/podman.sock"
_PORT = 2375  # also with TLS: ParseHost adds 2376 only where no host is given at all
_TLS_HOST = "tcp://localhost:2376"


def resolve(
    host: str | None = None,
    context: str | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Endpoint:
    """The endpoint to use, given the ``--host`` and ``--context`` flags and the environment.

    Order: ``host`` > ``context`` > ``DOCKER_HOST`` > ``DOCKER_CONTEXT`` > ``currentContext`` of
    ``$DOCKER_CONFIG/config.json`` > the first well-known socket that exists. Only the last step
    looks further than the docker command; asking for the context ``default`` never does.

    Raises:
        ConfigError: both flags, an address that cannot be used, a missing or unreadable context,
            an unreadable config.json.
    """
    if host is not None:
        if context:
            raise ConfigError("--host and --context exclude each other: give one of them")
        return _given(host, "", "--host", environ)
    name, source = _choice(context, environ)
    if name != "default":
        return _stored(name, source, environ)
    address = environ.get("DOCKER_HOST", "")
    if address:
        return _given(address, name, "DOCKER_HOST", environ)
    if _environment_tls(environ) is not None:
        return _given("", name, _tls_variable(environ), environ)
    sockets = well_known(environ)
    if not source:
        for label, path in sockets:
            if os.path.exists(path):
                return Endpoint(f"unix://{path}", name, label)
    label, path = sockets[0]
    return Endpoint(f"unix://{path}", name, label)


def current_context(environ: Mapping[str, str] = os.environ) -> str:
    """The name of the context in use, ``default`` when ``DOCKER_HOST`` overrides it.

    Raises ConfigError when config.json would decide and cannot be read.
    """
    return _choice(None, environ)[0]


def contexts(environ: Mapping[str, str] = os.environ) -> list[Endpoint]:
    """``default`` and every usable context of the store, by name; unreadable ones are left out."""
    found: list[Endpoint] = []
    for name in ("default", *_names(environ)):
        try:
            if name == "default":
                found.append(resolve(context=name, environ=environ))
            else:
                found.append(_stored(name, "", environ))
        except ConfigError:
            continue
    return found


def candidates(environ: Mapping[str, str] = os.environ) -> list[tuple[str, str]]:
    """Everything looked at to find an engine, in order, and what came of each."""
    seen = [(name, environ.get(name) or "not set") for name in ("DOCKER_HOST", "DOCKER_CONTEXT")]
    if _environment_tls(environ) is not None:
        seen.append((_tls_variable(environ), "set"))
    config = f"{_folder(environ)}/config.json"
    try:
        current = _configured(environ)
        state = f"currentContext is {current}" if current else "no currentContext"
    except ConfigError as error:
        state = str(error)
    seen.append((config, state if os.path.exists(config) else "does not exist"))
    if not environ.get("XDG_RUNTIME_DIR"):
        seen.append(("XDG_RUNTIME_DIR", "not set: no rootless socket looked for"))
    return seen + [(path, _socket_state(path)) for _, path in well_known(environ)]


def well_known(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """The sockets tried when nothing names an engine: (what it is, path); the default first."""
    home = _home(environ)
    runtime = environ.get("XDG_RUNTIME_DIR")
    found = [("default socket", DEFAULT_SOCKET)]
    if runtime:
        found.append(("socket of rootless Docker", f"{runtime}/docker.sock"))
    found.append(("socket of Docker Desktop", f"{home}/.docker/run/docker.sock"))
    found.append(("socket of Docker Desktop", f"{home}/.docker/desktop/docker.sock"))
    if runtime:
        found.append(("socket of rootless Podman", f"{runtime}/podman/podman.sock"))
    found.append(("socket of Podman", PODMAN_SOCKET))
    return found


def parse_host(text: str, *, tls: bool = False) -> str:
    """A host as a person writes it, as the URL of an :class:`Endpoint`.

    ``h``, ``h:port`` and ``:port`` are tcp; the port is 2375 even with TLS; an empty host is the
    default socket, or ``tcp://localhost:2376`` with TLS (docker/cli ``opts/hosts.go``).

    Raises:
        ConfigError: no such transport, a bare path, a bad port.
    """
    text = text.strip()
    if not text:
        return _TLS_HOST if tls else f"unix://{DEFAULT_SOCKET}"
    if text.startswith("/"):
        # The docker command reads this as tcp://localhost:2375 with a URL path.
        raise ConfigError(f"host {text!r} is a path without a scheme", hint=f"unix://{text}")
    scheme, mark, rest = text.partition("://")
    if not mark:
        scheme, rest = "tcp", text
    if scheme == "unix":
        return f"unix://{rest or DEFAULT_SOCKET}"
    if scheme == "tcp":
        return _tcp(text, rest)
    if scheme == "ssh":
        return _ssh(text, rest)
    hint = "unix:///path, tcp://host:port or ssh://user@host"
    raise ConfigError(f"host {text!r}: {scheme}:// is not supported", hint=hint)


def address(url: str) -> tuple[str, int]:
    """Host (an IPv6 address without brackets) and port of a ``tcp://`` endpoint's URL."""
    host, _, port = url.removeprefix("tcp://").rpartition(":")
    return host.strip("[]"), int(port)


def ssl_context(tls: Tls) -> ssl.SSLContext:
    """The client side of TLS for an endpoint.

    Not ``ssl.create_default_context``: from Python 3.13 on it refuses authorities without key
    identifiers, which the certificates of many Docker hosts are signed by and Go accepts.

    Raises:
        EngineUnavailable: a PEM file is missing, unreadable or wrong.
    """
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    file = tls.ca
    try:
        if tls.ca:
            context.load_verify_locations(cafile=tls.ca)
        elif tls.verify:
            context.load_default_certs()
        if tls.cert:
            file = tls.cert
            # A password, though empty: without one OpenSSL asks for it on the terminal.
            context.load_cert_chain(tls.cert, tls.key, password="")
    except OSError as error:
        if isinstance(error, ssl.SSLError):
            reason = "not a usable PEM file, or its key is encrypted or does not fit"
        else:
            reason = error.strerror or str(error)
        raise EngineUnavailable(f"TLS: {file}: {reason}", hint=f"ls -l {file}") from error
    return context


def _choice(context: str | None, environ: Mapping[str, str]) -> tuple[str, str]:
    """The context's name and what named it; nothing named it: ``("default", "")``."""
    if context:
        return context, "--context"
    if environ.get("DOCKER_HOST"):
        return "default", "DOCKER_HOST"
    if environ.get("DOCKER_CONTEXT"):
        return environ["DOCKER_CONTEXT"], "DOCKER_CONTEXT"
    current = _configured(environ)
    return (current, "config.json") if current else ("default", "")


def _given(text: str, name: str, origin: str, environ: Mapping[str, str]) -> Endpoint:
    tls = _environment_tls(environ)
    url = parse_host(text, tls=tls is not None)
    return Endpoint(url, name, origin, tls if url.startswith("tcp:") else None)


def _tcp(text: str, rest: str) -> str:
    where, _, path = rest.partition("/")
    where = where.rpartition("@")[2]
    mark = "]:" if where.startswith("[") else ":"
    host, found, port = where.partition(mark)
    host += mark[:-1]
    if path or (port and not _is_port(port)) or (not found and mark == "]:"):
        raise ConfigError(f"host {text!r} is not tcp://host:port")
    return f"tcp://{host or 'localhost'}:{port or _PORT}"


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text) < 65536


def _ssh(text: str, rest: str) -> str:
    where = rest.partition("/")[0]
    user, _, host = where.rpartition("@")
    # A leading dash would reach ssh as an option.
    if not host or "-" in (where[0], host[0]):
        raise ConfigError(f"host {text!r} is not ssh://user@host:port")
    if ":" in user:
        raise ConfigError("an ssh:// host takes no password", hint="ssh-copy-id USER@HOST")
    return text


def _home(environ: Mapping[str, str]) -> str:
    return environ.get("HOME") or os.path.expanduser("~")


def _folder(environ: Mapping[str, str]) -> str:
    return environ.get("DOCKER_CONFIG") or f"{_home(environ)}/.docker"


def _tls_variable(environ: Mapping[str, str]) -> str:
    return "DOCKER_TLS_VERIFY" if environ.get("DOCKER_TLS_VERIFY") else "DOCKER_TLS"


def _environment_tls(environ: Mapping[str, str]) -> Tls | None:
    """TLS as ``DOCKER_TLS_VERIFY`` or ``DOCKER_TLS`` (without verification) ask for it.

    Any value but the empty one counts, ``0`` too; ca.pem is required, the others are not
    (docker/cli ``cli/flags/options.go``).
    """
    verify = bool(environ.get("DOCKER_TLS_VERIFY"))
    if not verify and not environ.get("DOCKER_TLS"):
        return None
    folder = environ.get("DOCKER_CERT_PATH") or _folder(environ)
    return Tls(f"{folder}/ca.pem", _file(folder, "cert.pem"), _file(folder, "key.pem"), verify)


def _file(folder: str, name: str) -> str | None:
    path = f"{folder}/{name}"
    return path if os.path.exists(path) else None


def _document(path: str) -> dict[str, Any]:
    """A JSON object. Raises ConfigError naming the file, FileNotFoundError when there is none."""
    import json

    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", hint=f"ls -l {path}") from error
    except ValueError as error:
        raise ConfigError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise ConfigError(f"{path}: expected a JSON object")
    return document


def _configured(environ: Mapping[str, str]) -> str:
    path = f"{_folder(environ)}/config.json"
    try:
        current = _document(path).get("currentContext") or ""
    except FileNotFoundError:
        return ""
    if not isinstance(current, str):
        raise ConfigError(f"{path}: currentContext: expected a string")
    return current


def _digest(name: str) -> str:
    import hashlib

    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()


def _meta(folder: str, environ: Mapping[str, str]) -> str:
    return f"{_folder(environ)}/contexts/meta/{folder}/meta.json"


def _names(environ: Mapping[str, str]) -> list[str]:
    """Names in the store, sorted; ``default`` cannot be stored."""
    found = []
    try:
        folders = os.listdir(f"{_folder(environ)}/contexts/meta")
    except OSError:
        return []
    for folder in folders:
        try:
            name = _document(_meta(folder, environ)).get("Name")
        except (ConfigError, OSError):
            continue
        if isinstance(name, str) and name != "default" and _digest(name) == folder:
            found.append(name)
    return sorted(found)


def _stored(name: str, source: str, environ: Mapping[str, str]) -> Endpoint:
    """A context of the store; ``source`` is what named it."""
    path = _meta(_digest(name), environ)
    try:
        document = _document(path)
    except FileNotFoundError:
        raise _unknown(name, source, environ) from None
    endpoints = document.get("Endpoints")
    docker = endpoints.get("docker") if isinstance(endpoints, dict) else None
    if not isinstance(docker, dict):
        hint = f"docker context inspect {name}"
        raise ConfigError(f"context {name!r} has no docker endpoint", hint=hint)
    host = docker.get("Host") or ""
    # The docker command would take port 80 here, or fail.
    if host and ("://" not in host or (host.startswith("tcp:") and not _has_port(host))):
        raise ConfigError(
            f"context {name!r}: host {host!r} is not tcp://host:port",
            hint=f"docker context update {name} --docker host=tcp://HOST:PORT",
        )
    url = parse_host(host)
    tls = _context_tls(name, docker, environ) if url.startswith("tcp:") else None
    return Endpoint(url, name, f"context {name} ({source})" if source else f"context {name}", tls)


def _has_port(host: str) -> bool:
    return _is_port(host.partition("://")[2].partition("/")[0].rpartition(":")[2])


def _context_tls(name: str, docker: dict[str, Any], environ: Mapping[str, str]) -> Tls | None:
    """TLS of a stored context; no PEM file and no SkipTLSVerify means plain HTTP."""
    folder = f"{_folder(environ)}/contexts/tls/{_digest(name)}/docker"
    skip = docker.get("SkipTLSVerify") is True
    ca, cert, key = (_file(folder, f"{part}.pem") for part in ("ca", "cert", "key"))
    if not (ca or cert or key or skip):
        return None
    return Tls(ca, cert, key, verify=not skip)


def _unknown(name: str, source: str, environ: Mapping[str, str]) -> ConfigError:
    import difflib

    known = ["default", *_names(environ)]
    near = difflib.get_close_matches(name, known, n=1)
    guess = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
    by = f" (named by {source})" if source else ""
    return ConfigError(f"there is no context {name!r}{by}; {guess}", hint="docker context ls")


def _socket_state(path: str) -> str:
    try:
        info = os.stat(path)
    except FileNotFoundError:
        if os.path.islink(path):
            return f"link to {os.readlink(path)}, which does not exist"
        return "does not exist"
    except PermissionError:
        return "in a folder closed to you"
    except OSError as error:
        return error.strerror or str(error)
    if not stat.S_ISSOCK(info.st_mode):
        return "not a socket"
    if os.access(path, os.R_OK | os.W_OK):
        return "socket"
    owner, group = owners(info)
    return f"socket, not readable by you ({owner}:{group} {stat.S_IMODE(info.st_mode):04o})"


def owners(info: os.stat_result) -> tuple[str, str]:
    """The names of a file's owner and group, numbers where they have none."""
    import grp
    import pwd

    owner, group = str(info.st_uid), str(info.st_gid)
    with contextlib.suppress(KeyError):
        owner = pwd.getpwuid(info.st_uid).pw_name
    with contextlib.suppress(KeyError):
        group = grp.getgrgid(info.st_gid).gr_name
    return owner, group
