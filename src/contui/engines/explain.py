"""Why an engine could not be reached, in a sentence and a command.

The facts beside the error - does the path exist, what is it, whose is it, who is in the group -
are read at the moment of the failure.
"""
# pathlib costs 4 ms at import.
# ruff: noqa: PTH112, PTH116

from __future__ import annotations

import errno
import os
import socket
import stat
import sys
from collections.abc import Mapping

from contui.engines.endpoints import address, owners
from contui.model.endpoint import Endpoint
from contui.model.errors import (
    EngineError,
    EnginePermission,
    EngineTimeout,
    EngineUnavailable,
    EngineUnsupported,
)

# X509_V_ERR_* of OpenSSL's x509_vfy.h.
_NOT_YET_VALID = 9
_EXPIRED = 10
_MISMATCH = (62, 64)
_UNKNOWN_AUTHORITY = (18, 19, 20, 21)

_TOO_OLD = "Minimum supported API version is "
_TOO_NEW = "Maximum supported API version is "


def explain(endpoint: Endpoint, error: BaseException, environ: Mapping[str, str]) -> EngineError:
    """What kept us from the engine, as a sentence, and the command that mends it as ``hint``.

    ``error`` is an OSError (TLS errors are), an aiohttp error that wraps one, or the engine's own
    refusal as an EngineError. The result is one of the kinds of :mod:`contui.model.errors`.
    """
    error = _root(error)
    if isinstance(error, EngineError):
        return _refused(endpoint, error)
    if isinstance(error, TimeoutError | BlockingIOError):
        # EAGAIN from connect(2) on a unix socket: the queue is full, nobody accepts.
        return _silent(endpoint, environ)
    if not isinstance(error, OSError | UnicodeError):
        return EngineUnavailable(
            f"{endpoint.url} answers, but not as a container engine does",
            hint="docker context ls",
        )
    if endpoint.scheme == "ssh":
        return _remote(endpoint, error)
    path = endpoint.socket_path
    if path is None:
        return _network(endpoint, error)
    return _local(endpoint, path, error, environ)


def _root(error: BaseException) -> BaseException:
    """The OSError inside an aiohttp connector error (named by its attribute), else the error."""
    for name in ("certificate_error", "os_error"):
        inner = getattr(error, name, None)
        if isinstance(inner, BaseException):
            return inner
    return error


# The engine answered


def _refused(endpoint: Endpoint, error: EngineError) -> EngineError:
    text = str(error)
    if "HTTP request to an HTTPS server" in text:
        return _needs_tls(endpoint)
    if _TOO_OLD in text:
        least = _version_after(text, _TOO_OLD)
        return EngineUnsupported(
            f"the engine is newer than this contui: it speaks API {least} and above",
            hint="upgrade contui",
        )
    if _TOO_NEW in text:
        most = _version_after(text, _TOO_NEW)
        return EngineUnsupported(
            f"the engine is too old: it speaks API {most} and below",
            hint="upgrade the engine on that host",
        )
    return error


def _version_after(text: str, mark: str) -> str:
    return text.partition(mark)[2].split(",")[0].split()[0].rstrip(".")


def _silent(endpoint: Endpoint, environ: Mapping[str, str]) -> EngineTimeout:
    path = endpoint.socket_path
    if path is not None:
        service = _service(path, environ)
        hint = _command("status", service) if service else f"sudo lsof {path}"
        return EngineTimeout(f"the engine at {path} does not answer in time", hint=hint)
    if endpoint.scheme == "ssh":
        return EngineTimeout(f"{endpoint.url} does not answer in time", hint=_over_ssh(endpoint))
    host, port = address(endpoint.url)
    return EngineTimeout(f"{host}:{port} does not answer in time", hint=f"nc -vz {host} {port}")


# Over ssh and TCP


def _over_ssh(endpoint: Endpoint) -> str:
    host = endpoint.url.removeprefix("ssh://").partition("/")[0]
    return f"ssh {'ssh://' if ':' in host else ''}{host} docker version"


def _remote(endpoint: Endpoint, error: OSError | UnicodeError) -> EngineError:
    return EngineUnavailable(
        f"the engine behind {endpoint.url} cannot be reached: {_reason(error)}",
        hint=_over_ssh(endpoint),
    )


def _network(endpoint: Endpoint, error: OSError | UnicodeError) -> EngineError:
    import ssl

    host, port = address(endpoint.url)
    where = f"{host}:{port}"
    if isinstance(error, socket.gaierror | UnicodeError):
        return EngineUnavailable(
            f"the name {host} does not resolve ({endpoint.origin})", hint=f"getent hosts {host}"
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return _untrusted(endpoint, where, error)
    if isinstance(error, ssl.SSLError) and error.reason:
        return _handshake(endpoint, where, error)
    if isinstance(error, ssl.SSLError | ConnectionResetError | BrokenPipeError):
        return _hung_up(endpoint, where)
    if isinstance(error, ConnectionRefusedError):
        return EngineUnavailable(
            f"nothing listens on {where} ({endpoint.origin})",
            hint=f"on {host}: systemctl status docker",
        )
    if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return EngineUnavailable(f"there is no route to {host}", hint=f"ip route get {host}")
    return EngineUnavailable(f"cannot connect to {where}: {_reason(error)}")


def _untrusted(endpoint: Endpoint, where: str, error: OSError) -> EngineError:
    code = getattr(error, "verify_code", 0)
    look = f"openssl s_client -connect {where} </dev/null | openssl x509 -noout "
    if code == _EXPIRED:
        return EngineUnavailable(
            f"TLS: the certificate of {where} has expired", hint=f"{look}-dates"
        )
    if code == _NOT_YET_VALID:
        return EngineUnavailable(
            f"TLS: the certificate of {where} is not valid yet, or the clock here is behind",
            hint=f"date; {look}-dates",
        )
    if code in _MISMATCH:
        return EngineUnavailable(
            f"TLS: the certificate of {where} is for another name",
            hint=f"{look}-ext subjectAltName",
        )
    ca = endpoint.tls.ca if endpoint.tls else None
    trusted = ca or "this machine's certificate store"
    if code in _UNKNOWN_AUTHORITY:
        return EngineUnavailable(
            f"TLS: the certificate of {where} is signed by an authority that is not in {trusted}",
            hint=f"{look}-issuer",
        )
    reason = getattr(error, "verify_message", "") or _reason(error)
    return EngineUnavailable(f"TLS: the certificate of {where} is refused: {reason}", hint=look)


def _handshake(endpoint: Endpoint, where: str, error: OSError) -> EngineError:
    """A TLS error that is not about the server's certificate; OpenSSL names it in ``reason``."""
    reason: str = getattr(error, "reason", "")
    if "WRONG_VERSION_NUMBER" in reason or "RECORD_LAYER_FAILURE" in reason:
        return EngineUnavailable(
            f"{where} speaks plain HTTP, and {endpoint.origin} asks for TLS",
            hint=f"docker context inspect {endpoint.name}"
            if endpoint.origin.startswith("context ")
            else "unset DOCKER_TLS_VERIFY DOCKER_TLS",
        )
    certificate = endpoint.tls.cert if endpoint.tls else None
    if certificate is None and reason.endswith(
        ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE", "BAD_CERTIFICATE")
    ):
        return _needs_certificate(endpoint, f"TLS: {where} requires a client certificate")
    if "_ALERT_" in reason and certificate is not None:
        said = reason.partition("_ALERT_")[2].replace("_", " ").lower()
        return EnginePermission(
            f"TLS: {where} refuses the client certificate: {said}",
            hint=f"openssl x509 -noout -issuer -dates -in {certificate}",
        )
    return EngineUnavailable(f"TLS with {where} failed: {reason.replace('_', ' ').lower()}")


def _needs_certificate(endpoint: Endpoint, message: str) -> EnginePermission:
    if endpoint.origin.startswith("context "):
        hint = f"docker context inspect {endpoint.name}"
    else:
        hint = "export DOCKER_CERT_PATH=FOLDER (with ca.pem, cert.pem and key.pem)"
    return EnginePermission(message, hint=hint)


def _hung_up(endpoint: Endpoint, where: str) -> EngineError:
    """The other side closed the connection; what that says depends on what we spoke."""
    if endpoint.tls is None:
        return EngineUnavailable(
            f"{where} closed the connection without an answer, as a TLS port does to plain HTTP",
            hint=_with_tls(endpoint),
        )
    if endpoint.tls.cert is None:
        return _needs_certificate(
            endpoint,
            f"TLS: {where} closed the connection, as one that requires a client certificate does",
        )
    return EngineUnavailable(f"TLS: {where} closed the connection")


def _needs_tls(endpoint: Endpoint) -> EngineUnavailable:
    where = endpoint.url.removeprefix("tcp://")
    return EngineUnavailable(
        f"{where} speaks TLS, and {endpoint.origin} asks for plain HTTP", hint=_with_tls(endpoint)
    )


def _with_tls(endpoint: Endpoint) -> str:
    if endpoint.origin.startswith("context "):
        return (
            f"docker context update {endpoint.name} "
            f"--docker host={endpoint.url},ca=ca.pem,cert=cert.pem,key=key.pem"
        )
    return "export DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=~/.docker"


# On this machine


def _local(
    endpoint: Endpoint, path: str, error: OSError | UnicodeError, environ: Mapping[str, str]
) -> EngineError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return _missing(endpoint, path, environ)
    if isinstance(error, PermissionError):
        return _forbidden(path)
    service = _service(path, environ)
    if isinstance(error, ConnectionRefusedError):
        # connect(2) says refused for a path that is not a socket, too.
        if not _is_socket(path):
            return _no_socket(path)
        return EngineUnavailable(
            f"nothing listens on {path}: the socket is left over, its engine is not running",
            hint=_command("start", service) if service else f"ls -l {path}",
        )
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return EngineUnavailable(
            f"the engine at {path} closed the connection without an answer",
            hint=_command("status", service) if service else "",
        )
    return EngineUnavailable(f"cannot connect to {path}: {_reason(error)}")


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return True


def _no_socket(path: str) -> EngineUnavailable:
    if os.path.isdir(path):
        return EngineUnavailable(
            f"{path} is a directory, not a socket: a bind mount made it while no engine ran",
            hint=f"{_sudo()}rmdir {path}",
        )
    return EngineUnavailable(f"{path} is a file, not a socket", hint=f"ls -l {path}")


def _missing(endpoint: Endpoint, path: str, environ: Mapping[str, str]) -> EngineUnavailable:
    service = _service(path, environ)
    if service is None:
        return EngineUnavailable(
            f"there is no socket at {path} ({endpoint.origin})", hint=f"ls -l {path}"
        )
    product, _, user = service
    if product == "Docker" and sys.platform != "darwin" and not _installed("dockerd", environ):
        if _installed("podman", environ):
            root = os.geteuid() == 0
            return EngineUnavailable(
                "Docker is not installed here, and Podman's socket is not active",
                hint=_command("start", ("Podman", "podman.socket", not root)),
            )
        return EngineUnavailable(
            "no container engine is installed here", hint="contui --host ssh://USER@HOST"
        )
    whose = "for this user" if user and product != "Docker Desktop" else "here"
    return EngineUnavailable(
        f"{product} is not running {whose}: there is no socket at {path}",
        hint=_command("start", service),
    )


def _forbidden(path: str) -> EnginePermission:
    try:
        info = os.stat(path)
    except OSError:
        return EnginePermission(
            f"the folder of {path} is closed to this user", hint=f"namei -l {path}"
        )
    owner, group = owners(info)
    if not info.st_mode & stat.S_IWGRP or info.st_gid == 0:
        return EnginePermission(f"only {owner} may use {path}", hint="sudo contui")
    if info.st_gid in (os.getegid(), *os.getgroups()):
        return EnginePermission(
            f"{path} is refused although group {group} may use it: "
            "a security module may be in the way",
            hint=f"ls -lZ {path}",
        )
    if _is_member(info.st_gid):
        return EnginePermission(
            f"this session is older than your membership in group {group}: log in again",
            hint=f"newgrp {group}",
        )
    return EnginePermission(
        f"{path} is open to group {group}, and you are not in it: add yourself, then log in again",
        hint=f"sudo usermod -aG {group} $USER",
    )


def _is_member(gid: int) -> bool:
    """Whether group(5) lists this user, whatever groups this session has."""
    import grp
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name in grp.getgrgid(gid).gr_mem
    except KeyError:
        return False


def _service(path: str, environ: Mapping[str, str]) -> tuple[str, str, bool] | None:
    """What should serve a well-known socket: product, systemd unit, whether of the user."""
    runtime = environ.get("XDG_RUNTIME_DIR")
    user = path.startswith("/run/user/") or bool(runtime and path.startswith(f"{runtime}/"))
    if path.endswith("/podman/podman.sock"):
        return "Podman", "podman.socket", user
    if path.endswith(("/.docker/run/docker.sock", "/.docker/desktop/docker.sock")):
        return "Docker Desktop", "docker-desktop", True
    if user and path.endswith("/docker.sock"):
        return "rootless Docker", "docker", True
    if path in ("/var/run/docker.sock", "/run/docker.sock"):
        return "Docker", "docker", False
    return None


def _command(verb: str, service: tuple[str, str, bool]) -> str:
    product, unit, user = service
    if sys.platform == "darwin":
        return "podman machine start" if product == "Podman" else "open -a Docker"
    if user:
        return f"systemctl --user {verb} {unit}"
    sudo = "" if verb == "status" else _sudo()
    if product == "Docker" and not _systemd():
        return f"{sudo}service {unit} {verb}"
    return f"{sudo}systemctl {verb} {unit}"


def _systemd() -> bool:
    """Whether systemd runs this machine: sd_booted(3)."""
    return os.path.isdir("/run/systemd/system")


def _sudo() -> str:
    return "" if os.geteuid() == 0 else "sudo "


def _installed(program: str, environ: Mapping[str, str]) -> bool:
    """Whether a program is there; daemons are not on every user's PATH."""
    folders = [*environ.get("PATH", "").split(":"), "/usr/local/sbin", "/usr/sbin", "/usr/bin"]
    return any(os.access(f"{folder}/{program}", os.X_OK) for folder in folders if folder)


def _reason(error: OSError | UnicodeError) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
