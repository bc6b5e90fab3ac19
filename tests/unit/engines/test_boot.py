import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from contui.engines.boot import fetch, negotiate
from contui.model.endpoint import Endpoint, Tls
from contui.model.errors import (
    EngineError,
    EnginePermission,
    EngineTimeout,
    EngineUnavailable,
    EngineUnsupported,
)
from fake_engine import CONTAINERS, Certificates, Request, docker, serving


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A short path for a socket: the system allows 107 bytes."""
    monkeypatch.chdir(tmp_path)
    return "engine.sock"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    certificates = Certificates(tmp_path_factory.mktemp("pki"))
    certificates.authority("ca")
    certificates.authority("other")
    certificates.issue("server")
    certificates.issue("client")
    certificates.issue("stranger", authority="other")
    certificates.issue("elsewhere", san="DNS:engine.example")
    certificates.issue("expired", days=-1)
    return certificates


def pair(made: Certificates, name: str) -> tuple[Path, Path]:
    return made.folder / f"{name}.pem", made.folder / f"{name}-key.pem"


def tls(made: Certificates, ca: str = "ca", client: str = "", verify: bool = True) -> Tls:
    cert, key = pair(made, client) if client else (None, None)
    return Tls(
        str(made.folder / f"{ca}.pem"),
        str(cert) if cert else None,
        str(key) if key else None,
        verify,
    )


def test_the_list_comes_with_what_the_engine_is(path: str) -> None:
    with serving(path) as engine:
        boot = fetch(Endpoint(engine.url))
    assert boot.error is None
    assert boot.containers == CONTAINERS
    assert (boot.version_header, boot.product) == ("1.47", "docker")
    assert "Docker/27.3 (linux)" in boot.server
    assert engine.requests == ["/_ping", "/v1.47/containers/json?all=1"]


@pytest.mark.parametrize(("offered", "asked"), [("1.41", "1.41"), ("1.52", "1.47")])
def test_the_older_of_both_versions_is_asked_for(offered: str, asked: str, path: str) -> None:
    def handler(request: Request) -> None:
        if request.path == "/_ping":
            request.answer(200, b"OK", {"Api-Version": offered})
        else:
            request.answer(200, b"[]", {})

    with serving(path, handler) as engine:
        boot = fetch(Endpoint(engine.url))
    assert boot.containers == []
    assert engine.requests[1].startswith(f"/v{asked}/")


def test_podman_is_told_by_its_header(path: str) -> None:
    def handler(request: Request) -> None:
        request.answer(200, b"[]", {"Api-Version": "1.41", "Libpod-Api-Version": "4.3.1"})

    with serving(path, handler) as engine:
        assert fetch(Endpoint(engine.url)).product == "podman"


def test_a_chunked_body_is_put_together(path: str) -> None:
    def handler(request: Request) -> None:
        body = b'[{"Id": "0123456789", "Names": ["/chunked"]}]'
        request.answer(200, body, {"Api-Version": "1.47"}, chunked=True)

    with serving(path, handler) as engine:
        boot = fetch(Endpoint(engine.url))
    assert boot.containers == [{"Id": "0123456789", "Names": ["/chunked"]}]


def test_an_engine_older_than_20_10_is_refused(path: str) -> None:
    with serving(path, lambda r: r.answer(200, b"OK", {"Api-Version": "1.40"})) as engine:
        boot = fetch(Endpoint(engine.url))
    assert isinstance(boot.error, EngineUnsupported)
    assert "API 1.40" in str(boot.error)
    assert "Docker 20.10" in str(boot.error)
    assert boot.version_header == "1.40"
    assert engine.requests == ["/_ping"]


def test_an_engine_that_left_our_versions_behind_is_reported(path: str) -> None:
    message = (
        "client version 1.47 is too old. Minimum supported API version is 1.60, "
        "please upgrade your client to a newer version"
    )

    def handler(request: Request) -> None:
        if request.path == "/_ping":
            request.answer(200, b"OK", {"Api-Version": "1.70"})
        else:
            request.json(400, {"message": message}, {})

    with serving(path, handler) as engine:
        boot = fetch(Endpoint(engine.url))
    assert isinstance(boot.error, EngineUnsupported)
    assert "1.60 and above" in str(boot.error)
    assert boot.containers is None


def test_an_error_of_the_engine_keeps_its_words(path: str) -> None:
    def handler(request: Request) -> None:
        if request.path == "/_ping":
            docker(request)
        else:
            request.json(500, {"message": "layer store is broken"}, {})

    with serving(path, handler) as engine:
        boot = fetch(Endpoint(engine.url))
    assert str(boot.error) == "layer store is broken"


@pytest.mark.parametrize(
    "reply",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\nOK",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nApi-Version: 1.47\r\nContent-Length: 1\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nApi-Version: 1.47\r\nContent-Length: 3\r\n\r\n[1]",
        b"",
    ],
)
def test_whatever_answers_becomes_an_error(reply: bytes, path: str) -> None:
    def handler(request: Request) -> None:
        request.wfile.write(reply)
        request.close_connection = True

    with serving(path, handler) as engine:
        boot = fetch(Endpoint(engine.url))
    assert isinstance(boot.error, EngineUnavailable)
    assert boot.containers is None


def test_a_body_without_a_length_ends_with_the_connection(path: str) -> None:
    def handler(request: Request) -> None:
        request.wfile.write(b'HTTP/1.0 200 OK\r\nApi-Version: 1.47\r\n\r\n[{"Id": "x"}]')
        request.close_connection = True

    with serving(path, handler) as engine:
        assert fetch(Endpoint(engine.url)).containers == [{"Id": "x"}]


@pytest.fixture
def release() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_silence_ends_at_the_deadline(path: str, release: threading.Event) -> None:
    def handler(request: Request) -> None:
        if request.path == "/_ping":
            docker(request)
        else:
            release.wait(30)

    with serving(path, handler) as engine:
        boot = fetch(Endpoint(engine.url), timeout=0.2)
        release.set()
    assert isinstance(boot.error, EngineTimeout)
    assert boot.version_header == "1.47"


def test_a_drip_does_not_outlive_the_deadline(path: str, release: threading.Event) -> None:
    def handler(request: Request) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not release.wait(0.02):
            request.wfile.write(b"X-More: 1\r\n")

    with serving(path, handler) as engine:
        boot = fetch(Endpoint(engine.url), timeout=0.2)
        release.set()
    assert isinstance(boot.error, EngineTimeout)


def test_a_full_queue_is_silence_too(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as waiting:
        listener.bind(path)
        listener.listen(0)
        waiting.connect(path)
        boot = fetch(Endpoint(f"unix://{path}"), timeout=0.2)
    assert isinstance(boot.error, EngineTimeout)


def test_nothing_there_is_an_error_not_an_exception(tmp_path: Path) -> None:
    assert isinstance(fetch(Endpoint(f"unix://{tmp_path}/none.sock")).error, EngineUnavailable)
    assert isinstance(fetch(Endpoint(f"unix://{'x' * 200}")).error, EngineError)


def test_nothing_heavy_is_imported_before_the_first_byte() -> None:
    heavy = {"asyncio", "aiohttp", "textual", "typing", "ssl", "json", "pathlib", "urllib.parse"}
    code = f"import sys; sys.path[:0] = {sys.path!r}; before = set(sys.modules)\n"
    code += "import contui.engines.boot; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = set(done.stdout.split())
    assert "contui.engines.boot" in imported
    assert not heavy & imported


def test_ssh_is_left_to_the_client() -> None:
    boot = fetch(Endpoint("ssh://me@host"))
    assert boot.containers is None
    assert boot.error is None


@pytest.mark.parametrize("header", ["", "x", "1", "1.x", "latest"])
def test_no_version_is_no_engine(header: str) -> None:
    with pytest.raises(EngineUnavailable, match="not as a container engine"):
        negotiate(Endpoint("tcp://h:1"), header)


def test_tcp_works_without_tls() -> None:
    with serving() as engine:
        assert fetch(Endpoint(engine.url)).containers == CONTAINERS


def test_tls_works_with_and_without_a_client_certificate(made: Certificates) -> None:
    with serving(tls=made.server(pair(made, "server"))) as engine:
        assert fetch(Endpoint(engine.url, tls=tls(made))).containers == CONTAINERS
    mutual = made.server(pair(made, "server"), client_ca=made.folder / "ca.pem")
    with serving(tls=mutual) as engine:
        boot = fetch(Endpoint(engine.url, tls=tls(made, client="client")))
    assert boot.containers == CONTAINERS


@pytest.mark.parametrize(
    ("server", "ca", "words"),
    [
        ("server", "other", "authority that is not in"),
        ("stranger", "ca", "authority that is not in"),
        ("elsewhere", "ca", "is for another name"),
        ("expired", "ca", "has expired"),
    ],
)
def test_a_certificate_that_does_not_hold_is_refused(
    server: str, ca: str, words: str, made: Certificates
) -> None:
    with serving(tls=made.server(pair(made, server))) as engine:
        refused = fetch(Endpoint(engine.url, tls=tls(made, ca)))
        assert engine.requests == []
        unverified = fetch(Endpoint(engine.url, tls=tls(made, ca, verify=False)))
    assert isinstance(refused.error, EngineUnavailable)
    assert words in str(refused.error)
    assert unverified.containers == CONTAINERS


def test_a_missing_or_unknown_client_certificate_is_said(made: Certificates) -> None:
    mutual = made.server(pair(made, "server"), client_ca=made.folder / "ca.pem")
    with serving(tls=mutual) as engine:
        without, unknown = (
            fetch(Endpoint(engine.url, origin="DOCKER_HOST", tls=tls(made, client=client))).error
            for client in ("", "stranger")
        )
        assert engine.requests == []
    assert isinstance(without, EnginePermission)
    assert "client certificate" in str(without)
    assert "DOCKER_CERT_PATH" in without.hint
    assert isinstance(unknown, EngineError)
    assert str(unknown).startswith("TLS: ")


def test_tls_to_a_plain_port_and_plain_to_a_tls_port_are_told(made: Certificates) -> None:
    with serving() as engine:
        boot = fetch(Endpoint(engine.url, origin="DOCKER_HOST", tls=tls(made)))
    assert "speaks plain HTTP" in str(boot.error)
    with serving(tls=made.server(pair(made, "server"))) as engine:
        boot = fetch(Endpoint(engine.url, origin="DOCKER_HOST"))
    assert boot.error is not None
    assert "TLS" in str(boot.error)
    assert "DOCKER_TLS_VERIFY" in boot.error.hint


def test_missing_pem_files_are_an_error(tmp_path: Path) -> None:
    boot = fetch(Endpoint("tcp://127.0.0.1:1", tls=Tls(ca=str(tmp_path / "ca.pem"))))
    assert isinstance(boot.error, EngineUnavailable)
