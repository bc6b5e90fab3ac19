"""A tiny engine on a unix or TCP socket that notes every request, and certificates for it."""

from __future__ import annotations

import contextlib
import http.server
import json
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PING = {"Api-Version": "1.47", "Server": "Docker/27.3 (linux)", "Docker-Experimental": "false"}
CONTAINERS = [{"Id": "a" * 64, "Names": ["/web"], "State": "running"}]

Handler = Callable[["Request"], None]


class Request(http.server.BaseHTTPRequestHandler):
    """One request; ``answer`` is what a handler replies with."""

    protocol_version = "HTTP/1.1"
    server: FakeEngine  # type: ignore[assignment]

    def address_string(self) -> str:
        return "client"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        self.server.handler(self)

    do_HEAD = do_GET

    def answer(
        self, status: int, body: bytes, headers: dict[str, str], *, chunked: bool = False
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for start in range(0, len(body), 7):
                part = body[start : start + 7]
                self.wfile.write(b"%x;extension\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def json(self, status: int, document: Any, headers: dict[str, str]) -> None:
        self.answer(status, json.dumps(document).encode(), headers)


def docker(request: Request) -> None:
    """Answers as a Docker engine does."""
    if request.path.endswith("/_ping"):
        request.answer(200, b"OK", PING)
    else:
        request.json(200, CONTAINERS, {"Content-Type": "application/json"})


class FakeEngine(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, where: str | tuple[str, int], handler: Handler) -> None:
        if isinstance(where, str):
            self.address_family = socket.AF_UNIX
        self.handler = handler
        self.requests: list[str] = []
        super().__init__(where, Request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gives up in the handshake is what some tests are about."""

    @property
    def url(self) -> str:
        if isinstance(self.server_address, tuple):
            return f"tcp://{self.server_address[0]}:{self.server_address[1]}"
        return f"unix://{self.server_address!s}"


@contextlib.contextmanager
def serving(
    where: str | Path | tuple[str, int] = ("127.0.0.1", 0),
    handler: Handler = docker,
    tls: ssl.SSLContext | None = None,
) -> Iterator[FakeEngine]:
    place = str(where) if isinstance(where, Path) else where
    if isinstance(place, str):
        assert len(place) < 100, f"too long for a unix socket: {place}"
    engine = FakeEngine(place, handler)
    if tls is not None:
        engine.socket = tls.wrap_socket(
            engine.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=engine.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield engine
    finally:
        engine.shutdown()
        engine.server_close()
        thread.join()


class Certificates:
    """Authorities, server and client certificates in a folder, made by openssl."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("openssl") is None:
            pytest.fail("openssl is needed to make certificates")
        self.folder = folder

    def openssl(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)

    def authority(self, name: str) -> Path:
        (self.folder / f"{name}.cnf").write_text(
            "[req]\ndistinguished_name=dn\nprompt=no\nx509_extensions=ext\n"
            f"[dn]\nCN={name}\n[ext]\nbasicConstraints=critical,CA:TRUE\n"
            "keyUsage=critical,keyCertSign\n"
        )
        self.openssl(
            *f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3 "
            f"-config {name}.cnf -keyout {name}-key.pem -out {name}.pem".split()
        )
        return self.folder / f"{name}.pem"

    def issue(
        self, name: str, *, authority: str = "ca", san: str = "IP:127.0.0.1", days: int = 3
    ) -> tuple[Path, Path]:
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={san}\n")
        self.openssl(
            *f"req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN={name} "
            f"-keyout {name}-key.pem -out {name}.csr".split()
        )
        self.openssl(
            *f"x509 -req -in {name}.csr -CA {authority}.pem -CAkey {authority}-key.pem "
            f"-CAcreateserial -days {days} -extfile {name}.ext -out {name}.pem".split()
        )
        return self.folder / f"{name}.pem", self.folder / f"{name}-key.pem"

    def server(self, pair: tuple[Path, Path], *, client_ca: Path | None = None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        if client_ca is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client_ca)
        return context
