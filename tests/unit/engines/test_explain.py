import errno
import grp
import os
import pwd
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import aiohttp
import pytest

from contui.engines import explain as module
from contui.engines.explain import explain
from contui.model.endpoint import Endpoint, Tls
from contui.model.errors import (
    EngineError,
    EnginePermission,
    EngineTimeout,
    EngineUnavailable,
    EngineUnsupported,
)
from fake_engine import Certificates, serving

DEFAULT = Endpoint("unix:///var/run/docker.sock", "default", "default socket")
REMOTE = Endpoint("tcp://engine:2376", "", "DOCKER_HOST")
SECURE = Endpoint("tcp://engine:2376", "", "DOCKER_HOST", Tls(ca="/pki/ca.pem"))
CONTEXT = Endpoint("tcp://engine:2376", "prod", "context prod (config.json)", Tls(ca="/pki/ca.pem"))
ENVIRON = {"HOME": "/home/me", "XDG_RUNTIME_DIR": "/run/user/1000", "PATH": ""}

Install = Callable[..., None]


@pytest.fixture(autouse=True)
def as_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(module.sys, "platform", "linux")
    monkeypatch.setattr(module, "_systemd", lambda: True)


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Say which programs are installed."""

    def only(*programs: str) -> None:
        monkeypatch.setattr(module, "_installed", lambda program, _: program in programs)

    return only


def unix(path: str) -> Endpoint:
    return Endpoint(f"unix://{path}", "", "DOCKER_HOST")


@pytest.mark.parametrize(
    ("path", "command"),
    [
        ("/var/run/docker.sock", "sudo systemctl start docker"),
        ("/run/user/1000/docker.sock", "systemctl --user start docker"),
        ("/home/me/.docker/run/docker.sock", "systemctl --user start docker-desktop"),
        ("/home/me/.docker/desktop/docker.sock", "systemctl --user start docker-desktop"),
        ("/run/user/1000/podman/podman.sock", "systemctl --user start podman.socket"),
        ("/run/podman/podman.sock", "sudo systemctl start podman.socket"),
        ("/srv/x.sock", "ls -l /srv/x.sock"),
    ],
)
def test_a_missing_socket_names_what_starts_its_engine(
    path: str, command: str, install: Install
) -> None:
    install("dockerd", "podman")
    found = explain(unix(path), FileNotFoundError(errno.ENOENT, "x"), ENVIRON)
    assert isinstance(found, EngineUnavailable)
    assert path in str(found)
    assert found.hint == command


def test_root_needs_no_sudo(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("dockerd")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert explain(DEFAULT, FileNotFoundError(), ENVIRON).hint == "systemctl start docker"


def test_a_missing_engine_is_not_told_to_start(install: Install) -> None:
    install("podman")
    found = explain(DEFAULT, FileNotFoundError(), ENVIRON)
    assert "Docker is not installed" in str(found)
    assert found.hint == "systemctl --user start podman.socket"
    install()
    found = explain(DEFAULT, FileNotFoundError(), ENVIRON)
    assert "no container engine is installed" in str(found)
    assert found.hint == "contui --host ssh://USER@HOST"


def test_installed_looks_where_daemons_are(tmp_path: Path) -> None:
    program = tmp_path / "contui-test-daemon"
    program.touch()
    assert not module._installed(program.name, {"PATH": f"/x:{tmp_path}"})
    program.chmod(0o755)
    assert module._installed(program.name, {"PATH": f"/x:{tmp_path}"})
    assert not module._installed(program.name, {})


def test_a_machine_without_systemd_has_services(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("dockerd")
    monkeypatch.setattr(module, "_systemd", lambda: False)
    assert explain(DEFAULT, FileNotFoundError(), ENVIRON).hint == "sudo service docker start"
    assert explain(DEFAULT, TimeoutError(), ENVIRON).hint == "service docker status"


def test_macos_has_no_systemctl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.sys, "platform", "darwin")
    assert explain(DEFAULT, FileNotFoundError(), ENVIRON).hint == "open -a Docker"


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """A socket of group docker; say whether this user and this session are in it."""
    path = tmp_path / "engine.sock"
    path.touch(0o660)
    path.chmod(0o660)
    real = path.stat()
    gid = 4242

    def stat(asked: object, **_: object) -> object:
        assert asked == str(path)
        return SimpleNamespace(st_mode=real.st_mode, st_uid=0, st_gid=gid)

    def arrange(*, member: bool, session: bool) -> str:
        entry = SimpleNamespace(gr_name="docker", gr_mem=["me"] if member else [])
        monkeypatch.setattr(grp, "getgrgid", lambda _: entry)
        monkeypatch.setattr(pwd, "getpwuid", lambda _: SimpleNamespace(pw_name="me"))
        monkeypatch.setattr(os, "getgroups", lambda: [gid] if session else [])
        monkeypatch.setattr(module.os, "stat", stat)
        return str(path)

    return arrange


@pytest.mark.parametrize(
    ("member", "session", "words", "hint"),
    [
        (False, False, "add yourself, then log in again", "sudo usermod -aG docker $USER"),
        (True, False, "log in again", "newgrp docker"),
        (True, True, "security module", "ls -lZ "),
    ],
)
def test_a_refused_socket_tells_the_group_from_the_session(
    member: bool, session: bool, words: str, hint: str, group: Callable[..., str]
) -> None:
    path = group(member=member, session=session)
    found = explain(unix(path), PermissionError(errno.EACCES, "x"), ENVIRON)
    assert isinstance(found, EnginePermission)
    assert words in str(found)
    assert found.hint.startswith(hint)


def test_a_socket_of_its_owner_alone_is_said(tmp_path: Path) -> None:
    path = tmp_path / "podman.sock"
    path.touch(0o600)
    owner = pwd.getpwuid(os.getuid()).pw_name
    found = explain(unix(str(path)), PermissionError(), ENVIRON)
    assert (str(found), found.hint) == (f"only {owner} may use {path}", "sudo contui")


def test_a_closed_folder_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(module.os, "stat", closed)
    found = explain(unix("/run/user/7/docker.sock"), PermissionError(), ENVIRON)
    assert isinstance(found, EnginePermission)
    assert "folder" in str(found)


def refused(path: str) -> OSError:
    """The error that connecting to a path really gives."""
    with socket.socket(socket.AF_UNIX) as client, pytest.raises(OSError) as caught:
        client.connect(path)
    return caught.value


def test_a_left_over_socket_a_file_and_a_folder_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("stale")
    Path("file").touch()
    Path("folder").mkdir()
    found = {
        name: explain(unix(name), refused(name), ENVIRON) for name in ("stale", "file", "folder")
    }
    assert "left over" in str(found["stale"])
    assert "is a file, not a socket" in str(found["file"])
    assert "is a directory, not a socket" in str(found["folder"])
    assert found["folder"].hint == "sudo rmdir folder"
    under = explain(unix("file/x.sock"), refused("file/x.sock"), ENVIRON)
    assert "there is no socket at file/x.sock (DOCKER_HOST)" in str(under)


def test_a_dead_docker_behind_its_socket_is_to_be_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_is_socket", lambda _: True)
    found = explain(DEFAULT, ConnectionRefusedError(), ENVIRON)
    assert found.hint == "sudo systemctl start docker"


@pytest.mark.parametrize("error", [TimeoutError(), BlockingIOError(errno.EAGAIN, "x")])
@pytest.mark.parametrize(
    ("endpoint", "hint"),
    [
        (DEFAULT, "systemctl status docker"),
        (unix("/run/user/1000/podman/podman.sock"), "systemctl --user status podman.socket"),
        (REMOTE, "nc -vz engine 2376"),
        (Endpoint("ssh://me@host"), "ssh me@host docker version"),
        (Endpoint("ssh://me@host:2222"), "ssh ssh://me@host:2222 docker version"),
    ],
)
def test_silence_is_a_timeout(endpoint: Endpoint, hint: str, error: OSError) -> None:
    found = explain(endpoint, error, ENVIRON)
    assert isinstance(found, EngineTimeout)
    assert found.hint == hint


@pytest.mark.parametrize(
    ("error", "words", "hint"),
    [
        (socket.gaierror(-2, "x"), "engine does not resolve (DOCKER_HOST)", "getent hosts engine"),
        (UnicodeError("label empty"), "does not resolve", "getent hosts engine"),
        (ConnectionRefusedError(), "nothing listens on engine:2376", "systemctl status docker"),
        (OSError(errno.EHOSTUNREACH, "x"), "no route to engine", "ip route get engine"),
        (ConnectionResetError(), "as a TLS port does", "export DOCKER_TLS_VERIFY=1"),
        (OSError(errno.EIO, "Input/output error"), "Input/output error", ""),
    ],
)
def test_the_network_is_told_in_its_kinds(error: OSError, words: str, hint: str) -> None:
    found = explain(REMOTE, error, ENVIRON)
    assert isinstance(found, EngineUnavailable)
    assert words in str(found)
    assert hint in found.hint


def alert(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, reason)
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("WRONG_VERSION_NUMBER", "speaks plain HTTP"),
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "requires a client certificate"),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "requires a client certificate"),
        ("UNSUPPORTED_PROTOCOL", "unsupported protocol"),
    ],
)
def test_tls_refusals_are_told_in_their_kinds(reason: str, words: str) -> None:
    found = explain(CONTEXT, alert(reason), ENVIRON)
    assert words in str(found)
    assert found.hint in ("docker context inspect prod", "")


def test_a_refused_client_certificate_is_named() -> None:
    endpoint = Endpoint("tcp://engine:1", tls=Tls("/ca.pem", "/cert.pem", "/key.pem"))
    found = explain(endpoint, alert("TLSV1_ALERT_UNKNOWN_CA"), ENVIRON)
    assert str(found) == "TLS: engine:1 refuses the client certificate: unknown ca"
    assert found.hint.endswith("/cert.pem")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (9, "not valid yet"),
        (10, "has expired"),
        (18, "authority that is not in /pki/ca.pem"),
        (20, "authority that is not in /pki/ca.pem"),
        (62, "another name"),
        (64, "another name"),
        (23, "certificate revoked"),
    ],
)
def test_certificates_are_told_by_the_code_of_openssl(code: int, words: str) -> None:
    error = ssl.SSLCertVerificationError(1, "x")
    error.verify_code, error.verify_message = code, "certificate revoked"
    found = explain(SECURE, error, ENVIRON)
    assert isinstance(found, EngineUnavailable)
    assert words in str(found)
    assert found.hint.startswith(("openssl s_client -connect engine:2376", "date; openssl"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "client version 1.24 is too old. Minimum supported API version is 1.44, "
            "please upgrade your client to a newer version",
            "speaks API 1.44 and above",
        ),
        (
            "client version 1.50 is too new. Maximum supported API version is 1.41",
            "speaks API 1.41 and below",
        ),
    ],
)
def test_versions_apart_are_told_with_the_number(text: str, words: str) -> None:
    found = explain(DEFAULT, EngineError(text), ENVIRON)
    assert isinstance(found, EngineUnsupported)
    assert words in str(found)


def test_plain_http_on_a_tls_port_is_told_from_the_engines_sentence() -> None:
    said = EngineError("Client sent an HTTP request to an HTTPS server.")
    found = explain(Endpoint("tcp://h:2376", "", "--host"), said, ENVIRON)
    assert str(found) == "h:2376 speaks TLS, and --host asks for plain HTTP"
    context = Endpoint("tcp://h:2376", "prod", "context prod (config.json)")
    assert explain(context, said, ENVIRON).hint.startswith("docker context update prod ")


def test_other_errors_of_the_engine_stay_as_they_are() -> None:
    error = EngineError("no such container")
    assert explain(DEFAULT, error, ENVIRON) is error


def test_ssh_errors_name_the_command_to_try() -> None:
    found = explain(Endpoint("ssh://me@host/run/x.sock"), ConnectionResetError(104, "reset"), {})
    assert isinstance(found, EngineUnavailable)
    assert found.hint == "ssh me@host docker version"


async def test_the_errors_of_aiohttp_are_opened(tmp_path: Path) -> None:
    made = Certificates(tmp_path)
    made.authority("ca")
    endpoint = Endpoint("tcp://127.0.0.1:1", "", "DOCKER_HOST", Tls(ca="/pki/ca.pem"))
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError) as caught:
            await session.get("http://127.0.0.1:1/_ping")
        assert "nothing listens" in str(explain(endpoint, caught.value, ENVIRON))
        with serving(tls=made.server(made.issue("server"))) as engine:
            with pytest.raises(aiohttp.ClientError) as caught:
                await session.get(engine.url.replace("tcp", "https"))
            assert "authority that is not in" in str(explain(endpoint, caught.value, ENVIRON))
