"""The docker command is the judge: which of several engines does it really talk to?"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contui.engines.boot import fetch
from contui.engines.endpoints import contexts, current_context, resolve
from contui.model.errors import ConfigError
from fake_engine import Certificates, FakeEngine, serving

ENGINES = ("one", "two", "three", "four")


class World:
    """A home with contexts, and engines that note who called."""

    def __init__(self, home: Path, engines: dict[str, FakeEngine]) -> None:
        self.home = home
        self.engines = engines
        self.environ = {"HOME": str(home), "PATH": os.environ["PATH"]}

    def fill(self, text: str) -> str:
        """``{one}`` is the URL of an engine, ``{tcp:port}`` its port, ``{home}`` the home."""
        for name, engine in self.engines.items():
            text = text.replace(f"{{{name}}}", engine.url)
            text = text.replace(f"{{{name}:at}}", engine.url.partition("://")[2])
            text = text.replace(f"{{{name}:port}}", engine.url.rpartition(":")[2])
        return text.replace("{home}", str(self.home))

    def called(self) -> list[str]:
        """Who was called since the last time."""
        hit = [name for name, engine in self.engines.items() if engine.requests]
        for engine in self.engines.values():
            engine.requests.clear()
        return hit

    def docker(self, *words: str, environ: dict[str, str] | None = None) -> str | None:
        """What it prints; ``None`` when it refuses."""
        done = subprocess.run(
            ["docker", *words],
            env=self.environ | (environ or {}),
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.stdout.strip() if done.returncode == 0 else None

    def store(self, name: str, docker: dict[str, Any], folder: str = ".docker") -> Path:
        digest = hashlib.sha256(name.encode()).hexdigest()
        meta = self.home / folder / "contexts/meta" / digest
        meta.mkdir(parents=True)
        document = {"Name": name, "Metadata": {}, "Endpoints": {"docker": docker}}
        (meta / "meta.json").write_text(json.dumps(document))
        return self.home / folder / "contexts/tls" / digest / "docker"

    def use(self, name: str, folder: str = ".docker") -> None:
        (self.home / folder).mkdir(exist_ok=True)
        (self.home / folder / "config.json").write_text(json.dumps({"currentContext": name}))


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    if shutil.which("docker") is None:
        if os.environ.get("CI"):
            pytest.fail("the docker command is needed to compare with")
        pytest.skip("the docker command is not installed")
    with contextlib.ExitStack() as stack:
        # Not tmp_path: the path of a socket is limited to 107 bytes.
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="contui-")))
        made = Certificates(home)
        ca = made.authority("ca")
        server = made.issue("server", san="IP:127.0.0.1,DNS:localhost")
        client = made.issue("client")
        engines = {name: stack.enter_context(serving(home / f"{name}.sock")) for name in ENGINES}
        engines["tcp"] = stack.enter_context(serving())
        engines["tls"] = stack.enter_context(serving(tls=made.server(server)))
        engines["mutual"] = stack.enter_context(serving(tls=made.server(server, client_ca=ca)))
        world = World(home, engines)
        certificates(home / "pki", ca, client)
        certificates(home / ".docker", ca, client)
        populate(world, ca, client)
        yield world


def certificates(folder: Path, ca: Path, client: tuple[Path, Path] | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(ca, folder / "ca.pem")
    if client is not None:
        shutil.copy(client[0], folder / "cert.pem")
        shutil.copy(client[1], folder / "key.pem")


def populate(world: World, ca: Path, client: tuple[Path, Path]) -> None:
    one, two, three, tcp, tls, mutual = (
        world.engines[name].url for name in ("one", "two", "three", "tcp", "tls", "mutual")
    )
    world.store("written", {"Host": two})
    world.store("with space", {"Host": three})
    world.store("plain", {"Host": tcp})
    world.store("skip", {"Host": tls, "SkipTLSVerify": True})
    world.store("unverifiable", {"Host": tls})
    certificates(world.store("secure", {"Host": tls}), ca, None)
    certificates(world.store("mutual", {"Host": mutual}), ca, client)
    world.store("default", {"Host": three})
    world.store("broken", {})
    digest = hashlib.sha256(b"broken").hexdigest()
    (world.home / ".docker/contexts/meta" / digest / "meta.json").write_text("{")
    world.store("elsewhere", {"Host": three}, "other")
    world.use("elsewhere", "other")
    world.use("gone", "stale")
    (world.home / "empty").mkdir()
    assert world.docker("context", "create", "created", "--docker", f"host={one}") is not None
    options = f"host={mutual},ca={ca},cert={client[0]},key={client[1]}"
    assert world.docker("context", "create", "imported", "--docker", options) is not None
    world.use("written")


CASES: dict[str, tuple[str | None, dict[str, str], list[str]]] = {
    # name: (engine or None for a refusal, environment, flags)
    "nothing: the current context": ("two", {}, []),
    "DOCKER_HOST over the current context": ("three", {"DOCKER_HOST": "{three}"}, []),
    "DOCKER_HOST over DOCKER_CONTEXT": (
        "three",
        {"DOCKER_HOST": "{three}", "DOCKER_CONTEXT": "created"},
        [],
    ),
    "DOCKER_HOST over a missing DOCKER_CONTEXT": (
        "three",
        {"DOCKER_HOST": "{three}", "DOCKER_CONTEXT": "gone"},
        [],
    ),
    "an empty DOCKER_HOST is not set": (
        "one",
        {"DOCKER_HOST": "", "DOCKER_CONTEXT": "created"},
        [],
    ),
    "DOCKER_CONTEXT over the current context": ("one", {"DOCKER_CONTEXT": "created"}, []),
    "an empty DOCKER_CONTEXT is not set": ("two", {"DOCKER_CONTEXT": ""}, []),
    "a context with a space": ("three", {"DOCKER_CONTEXT": "with space"}, []),
    "default is not read from the store": (
        "one",
        {"DOCKER_CONTEXT": "default", "DOCKER_HOST": "{one}"},
        [],
    ),
    "--host over everything": (
        "four",
        {"DOCKER_HOST": "{three}", "DOCKER_CONTEXT": "created"},
        ["--host", "{four}"],
    ),
    "--context over DOCKER_HOST": ("one", {"DOCKER_HOST": "{three}"}, ["--context", "created"]),
    "--context over DOCKER_CONTEXT": (
        "one",
        {"DOCKER_CONTEXT": "written"},
        ["--context", "created"],
    ),
    "--context default means DOCKER_HOST": (
        "three",
        {"DOCKER_HOST": "{three}"},
        ["--context", "default"],
    ),
    "an empty --context is not given": ("one", {"DOCKER_CONTEXT": "created"}, ["--context", ""]),
    "--host and --context": (None, {}, ["--host", "{one}", "--context", "created"]),
    "a missing --context": (None, {"DOCKER_HOST": "{one}"}, ["--context", "gone"]),
    "a missing DOCKER_CONTEXT": (None, {"DOCKER_CONTEXT": "gone"}, []),
    "a missing current context": (None, {"DOCKER_CONFIG": "{home}/stale"}, []),
    "a broken context": (None, {"DOCKER_CONTEXT": "broken"}, []),
    "another DOCKER_CONFIG": ("three", {"DOCKER_CONFIG": "{home}/other"}, []),
    "contexts of the other DOCKER_CONFIG only": (
        None,
        {"DOCKER_CONFIG": "{home}/other", "DOCKER_CONTEXT": "created"},
        [],
    ),
    "an empty DOCKER_CONFIG is not set": ("two", {"DOCKER_CONFIG": ""}, []),
    "DOCKER_HOST under another DOCKER_CONFIG": (
        "one",
        {"DOCKER_CONFIG": "{home}/other", "DOCKER_HOST": "{one}"},
        [],
    ),
    "tcp": ("tcp", {"DOCKER_HOST": "{tcp}"}, []),
    "tcp without a scheme": ("tcp", {"DOCKER_HOST": "{tcp:at}"}, []),
    "tcp with a user": ("tcp", {"DOCKER_HOST": "tcp://me@{tcp:at}"}, []),
    "tcp with spaces": ("tcp", {}, ["--host", " {tcp} "]),
    "a port alone": ("tcp", {}, ["--host", ":{tcp:port}"]),
    "tcp of a context": ("tcp", {}, ["--context", "plain"]),
    "TLS of a context, authority only": ("tls", {}, ["--context", "secure"]),
    "TLS of a context, with a client": ("mutual", {}, ["--context", "mutual"]),
    "TLS of a context made by docker": ("mutual", {}, ["--context", "imported"]),
    "TLS of a context, not verified": ("tls", {}, ["--context", "skip"]),
    "DOCKER_TLS_VERIFY": (
        "mutual",
        {"DOCKER_HOST": "{mutual}", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "{home}/pki"},
        [],
    ),
    "DOCKER_TLS_VERIFY=0 counts": (
        "mutual",
        {"DOCKER_HOST": "{mutual}", "DOCKER_TLS_VERIFY": "0", "DOCKER_CERT_PATH": "{home}/pki"},
        [],
    ),
    "certificates beside config.json": (
        "mutual",
        {"DOCKER_HOST": "{mutual}", "DOCKER_TLS_VERIFY": "1"},
        [],
    ),
    "DOCKER_TLS": ("mutual", {"DOCKER_TLS": "1"}, ["--host", "{mutual}"]),
    "DOCKER_TLS_VERIFY does not touch contexts": (
        "tcp",
        {"DOCKER_TLS_VERIFY": "1"},
        ["--context", "plain"],
    ),
    "DOCKER_CERT_PATH alone is not TLS": (
        "tcp",
        {"DOCKER_HOST": "{tcp}", "DOCKER_CERT_PATH": "{home}/pki"},
        [],
    ),
    "DOCKER_TLS_VERIFY leaves unix sockets alone": (
        "one",
        {"DOCKER_HOST": "{one}", "DOCKER_TLS_VERIFY": "1"},
        [],
    ),
    "TLS without certificates": (
        None,
        {"DOCKER_HOST": "{tls}", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "{home}/empty"},
        [],
    ),
    "plain HTTP is not taken for a TLS port": (None, {}, ["--context", "unverifiable"]),
    "fd": (None, {"DOCKER_HOST": "fd://"}, []),
    "http": (None, {"DOCKER_HOST": "http://{tcp:at}"}, []),
    "an IPv6 address without a port": (None, {"DOCKER_HOST": "tcp://[::1]"}, []),
}


SINCE_23 = {
    "an empty DOCKER_HOST is not set",
    "an empty DOCKER_CONTEXT is not set",
    "DOCKER_TLS_VERIFY leaves unix sockets alone",
}
"""What the docker command does since 23.0; Debian 12 has 20.10, which refuses these."""


@functools.cache
def old() -> bool:
    """Whether the docker command is older than 23.0."""
    # "Docker version 20.10.24+dfsg1, build 297e128"; it asks an engine even for this.
    words = subprocess.run(["docker", "--version"], capture_output=True, text=True).stdout.split()
    return int(words[2].split(".")[0]) < 23


def flag(words: list[str], name: str) -> str | None:
    return words[words.index(name) + 1] if name in words else None


@pytest.mark.parametrize("name", CASES)
def test_we_talk_to_the_engine_the_docker_command_talks_to(name: str, world: World) -> None:
    expected, variables, flags = CASES[name]
    environ = {key: world.fill(value) for key, value in variables.items()}
    words = [world.fill(word) for word in flags]

    answered = world.docker(*words, "ps", "--quiet", environ=environ) is not None
    theirs = world.called() if answered else []

    try:
        endpoint = resolve(flag(words, "--host"), flag(words, "--context"), world.environ | environ)
        boot = fetch(endpoint, 10.0, world.environ | environ)
        ours = world.called() if boot.error is None else []
    except ConfigError:
        ours = []

    assert ours == ([expected] if expected else [])
    if not (old() and name in SINCE_23):
        assert theirs == ours, "the docker command changed its ways"


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize(
    "host",
    [
        *("", "unix://", "unix:///x.sock", "tcp://", "tcp://h", "h", "h:1", ":1", "tcp://:1"),
        *("tcp://h:2376", "[::1]:1", "ssh://me@h", "ssh://me@h:22/run/x.sock", "x://h"),
    ],
)
def test_we_read_hosts_as_the_docker_command_does(host: str, tls: bool, world: World) -> None:
    environ = {"DOCKER_TLS_VERIFY": "1"} if tls else {}
    theirs = world.docker(
        "--host", host, "context", "inspect", "-f", "{{.Endpoints.docker.Host}}", environ=environ
    )
    try:
        ours: str | None = resolve(host, None, world.environ | environ).url
    except ConfigError:
        ours = None
    if old() and host.startswith("ssh:"):
        theirs = host  # it refuses a path
    assert ours == theirs


@pytest.mark.parametrize("tls", [False, True])
def test_the_default_engine_is_the_one_of_the_docker_command(tls: bool, world: World) -> None:
    environ = {"DOCKER_CONTEXT": "default"} | ({"DOCKER_TLS_VERIFY": "1"} if tls else {})
    theirs = world.docker("context", "inspect", "-f", "{{.Endpoints.docker.Host}}", environ=environ)
    assert resolve(environ=world.environ | environ).url == theirs


@pytest.mark.parametrize(
    "variables",
    [{}, {"DOCKER_CONTEXT": "created"}, {"DOCKER_HOST": "tcp://h:1"}, {"DOCKER_CONFIG": "/none"}],
)
def test_the_current_context_has_the_name_docker_gives_it(
    variables: dict[str, str], world: World
) -> None:
    theirs = world.docker("context", "inspect", "-f", "{{.Name}}", environ=variables)
    assert current_context(world.environ | variables) == theirs


def test_we_list_the_contexts_of_the_docker_command(world: World) -> None:
    digest = hashlib.sha256(b"broken").hexdigest()
    broken = world.home / ".docker/contexts/meta" / digest
    hidden = world.home / "broken"
    broken.rename(hidden)  # the docker command lists nothing while one is broken
    theirs = world.docker("context", "ls", "--format", "{{.Name}}\t{{.DockerEndpoint}}")
    hidden.rename(broken)
    assert theirs is not None
    named = {one.name: one.url for one in contexts(world.environ)}
    assert named == dict(line.split("\t") for line in theirs.splitlines())
