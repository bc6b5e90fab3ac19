import hashlib
import json
import os
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contui.engines import endpoints
from contui.engines.endpoints import (
    candidates,
    contexts,
    current_context,
    parse_host,
    resolve,
    ssl_context,
)
from contui.model.endpoint import Tls
from contui.model.errors import ConfigError, EngineUnavailable
from fake_engine import Certificates


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A home without anything, on a machine without any engine."""
    monkeypatch.setattr(endpoints, "DEFAULT_SOCKET", str(tmp_path / "var/docker.sock"))
    monkeypatch.setattr(endpoints, "PODMAN_SOCKET", str(tmp_path / "var/podman.sock"))
    (tmp_path / "var").mkdir()
    return {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path / "run")}


def store(home: Path, name: str, endpoint: Any, *, pem: tuple[str, ...] = ()) -> Path:
    digest = hashlib.sha256(name.encode()).hexdigest()
    folder = home / ".docker/contexts/meta" / digest
    folder.mkdir(parents=True)
    document = {"Name": name, "Metadata": {}, "Endpoints": {"docker": endpoint}}
    (folder / "meta.json").write_text(json.dumps(document))
    tls = home / ".docker/contexts/tls" / digest / "docker"
    for part in pem:
        tls.mkdir(parents=True, exist_ok=True)
        (tls / f"{part}.pem").touch()
    return folder / "meta.json"


def configure(home: Path, text: str) -> None:
    (home / ".docker").mkdir(exist_ok=True)
    (home / ".docker/config.json").write_text(text)


def touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def test_every_source_yields_to_the_one_before_it(tmp_path: Path, environ: dict[str, str]) -> None:
    for name in ("flagged", "variable", "configured"):
        store(tmp_path, name, {"Host": f"tcp://{name}:1"})
    configure(tmp_path, '{"currentContext": "configured"}')
    environ |= {"DOCKER_HOST": "tcp://host:1", "DOCKER_CONTEXT": "variable"}

    seen = [resolve("tcp://flag:1", None, environ), resolve(None, "flagged", environ)]
    seen.append(resolve(environ=environ))
    del environ["DOCKER_HOST"]
    seen.append(resolve(environ=environ))
    del environ["DOCKER_CONTEXT"]
    seen.append(resolve(environ=environ))
    (tmp_path / ".docker/config.json").unlink()
    seen.append(resolve(environ=environ))

    assert [(one.url, one.origin) for one in seen] == [
        ("tcp://flag:1", "--host"),
        ("tcp://flagged:1", "context flagged (--context)"),
        ("tcp://host:1", "DOCKER_HOST"),
        ("tcp://variable:1", "context variable (DOCKER_CONTEXT)"),
        ("tcp://configured:1", "context configured (config.json)"),
        (f"unix://{tmp_path}/var/docker.sock", "default socket"),
    ]


def test_well_known_sockets_are_tried_in_order(tmp_path: Path, environ: dict[str, str]) -> None:
    order = [
        "var/podman.sock",
        "run/podman/podman.sock",
        ".docker/desktop/docker.sock",
        ".docker/run/docker.sock",
        "run/docker.sock",
        "var/docker.sock",
    ]
    chosen = []
    for path in order:
        touch(tmp_path / path)
        chosen.append(resolve(environ=environ).url.removeprefix(f"unix://{tmp_path}/"))
    assert chosen == order


@pytest.mark.parametrize("how", ["flag", "variable", "config"])
def test_asking_for_the_default_context_never_picks_another_socket(
    how: str, tmp_path: Path, environ: dict[str, str]
) -> None:
    touch(tmp_path / "run/podman/podman.sock")
    if how == "variable":
        environ["DOCKER_CONTEXT"] = "default"
    if how == "config":
        configure(tmp_path, '{"currentContext": "default"}')
    endpoint = resolve(None, "default" if how == "flag" else None, environ)
    assert endpoint.url == f"unix://{tmp_path}/var/docker.sock"


def test_both_flags_are_refused(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="exclude each other"):
        resolve("tcp://h:1", "prod", environ)


def test_a_missing_context_is_refused_with_the_nearest_name(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    touch(tmp_path / "var/docker.sock")
    store(tmp_path, "prod-east", {"Host": "tcp://h:1"})
    environ["DOCKER_CONTEXT"] = "prod-est"
    with pytest.raises(
        ConfigError, match=r"'prod-est' \(named by DOCKER_CONTEXT\).*'prod-east'"
    ) as e:
        resolve(environ=environ)
    assert e.value.hint == "docker context ls"
    with pytest.raises(ConfigError, match="there are: default, prod-east"):
        resolve(None, "zzz", environ)


@pytest.mark.parametrize("text", ["{broken", "[]", '{"currentContext": 5}', "\xff"])
def test_an_unreadable_config_never_means_the_default_engine(
    text: str, tmp_path: Path, environ: dict[str, str]
) -> None:
    touch(tmp_path / "var/docker.sock")
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker/config.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"config\.json"):
        resolve(environ=environ)
    assert resolve("tcp://h:1", None, environ).url == "tcp://h:1"
    state = dict(candidates(environ))[f"{tmp_path}/.docker/config.json"]
    assert "config.json" in state


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("tcp://h", "tcp://h:2375"),
        ("tcp://h:2376", "tcp://h:2376"),
        ("tcp://h:1/", "tcp://h:1"),
        ("tcp://user@h:1", "tcp://h:1"),
        ("h:1", "tcp://h:1"),
        ("h", "tcp://h:2375"),
        (":1", "tcp://localhost:1"),
        ("tcp://", "tcp://localhost:2375"),
        ("[::1]:1", "tcp://[::1]:1"),
        ("unix://", "unix:///var/run/docker.sock"),
        ("unix:///run/x.sock", "unix:///run/x.sock"),
        ("", "unix:///var/run/docker.sock"),
        ("  tcp://h:1 ", "tcp://h:1"),
        ("ssh://me@h:22", "ssh://me@h:22"),
        ("ssh://h/run/x.sock", "ssh://h/run/x.sock"),
    ],
)
def test_hosts_are_read_as_the_docker_command_reads_them(text: str, url: str) -> None:
    assert parse_host(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "fd://",
        "npipe:////./pipe/docker",
        "http://h:1",
        "TCP://h:1",
        "tcp://h:abc",
        "tcp://h:70000",
        "tcp://h:1:2",
        "tcp://[::1]",
        "tcp://h:1/path",
        "ssh://",
        "ssh://me:secret@h",
        "ssh://-oProxyCommand=x",
        "ssh://me@-oProxyCommand=x",
        "/run/docker.sock",
    ],
)
def test_hosts_that_cannot_be_used_are_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_host(text)


def test_a_bare_path_is_answered_with_the_url_to_write() -> None:
    with pytest.raises(ConfigError) as e:
        parse_host("/run/docker.sock")
    assert e.value.hint == "unix:///run/docker.sock"


def test_any_non_empty_value_of_the_variable_asks_for_verified_tls(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    environ |= {"DOCKER_HOST": "tcp://h", "DOCKER_TLS_VERIFY": "0"}
    touch(tmp_path / ".docker/cert.pem")
    endpoint = resolve(environ=environ)
    folder = f"{tmp_path}/.docker"
    assert endpoint.url == "tcp://h:2375"
    assert endpoint.tls == Tls(f"{folder}/ca.pem", f"{folder}/cert.pem", None, True)

    environ |= {"DOCKER_CERT_PATH": str(tmp_path), "DOCKER_TLS_VERIFY": "", "DOCKER_TLS": "1"}
    assert resolve(environ=environ).tls == Tls(f"{tmp_path}/ca.pem", None, None, False)

    del environ["DOCKER_TLS"]
    assert resolve(environ=environ).tls is None


def test_tls_without_a_host_is_tcp_on_this_machine(environ: dict[str, str]) -> None:
    environ["DOCKER_TLS_VERIFY"] = "1"
    endpoint = resolve(environ=environ)
    assert (endpoint.url, endpoint.origin) == ("tcp://localhost:2376", "DOCKER_TLS_VERIFY")
    assert endpoint.tls is not None


def test_a_unix_socket_has_no_tls(environ: dict[str, str]) -> None:
    environ |= {"DOCKER_TLS_VERIFY": "1", "DOCKER_HOST": "unix:///x.sock"}
    assert resolve(environ=environ).tls is None


def test_a_context_verifies_unless_it_says_not_to(tmp_path: Path, environ: dict[str, str]) -> None:
    environ["DOCKER_TLS_VERIFY"] = "1"  # is for hosts, not for contexts
    store(tmp_path, "plain", {"Host": "tcp://h:1"})
    store(tmp_path, "tls", {"Host": "tcp://h:1"}, pem=("ca",))
    store(tmp_path, "skip", {"Host": "tcp://h:1", "SkipTLSVerify": True})
    found = {one.name: one.tls for one in contexts(environ)}
    digest = hashlib.sha256(b"tls").hexdigest()
    assert found["plain"] is None
    assert found["tls"] == Tls(f"{tmp_path}/.docker/contexts/tls/{digest}/docker/ca.pem")
    assert found["skip"] == Tls(verify=False)


def test_contexts_lists_the_readable_ones(tmp_path: Path, environ: dict[str, str]) -> None:
    store(tmp_path, "b", {"Host": "tcp://b:1"})
    store(tmp_path, "a", {"Host": "ssh://a"})
    store(tmp_path, "portless", {"Host": "tcp://h"})
    store(tmp_path, "kubernetes", None)
    store(tmp_path, "default", {"Host": "tcp://trap:1"})
    store(tmp_path, "broken", {}).write_text("{")
    store(tmp_path, "renamed", {"Host": "tcp://h:1"}).write_text('{"Name": "b2"}')
    (tmp_path / ".docker/contexts/meta/stray").touch()
    found = [(one.name, one.url) for one in contexts(environ)]
    default = ("default", f"unix://{tmp_path}/var/docker.sock")
    assert found == [default, ("a", "ssh://a"), ("b", "tcp://b:1")]

    environ["DOCKER_HOST"] = "npipe://x"
    assert [one.name for one in contexts(environ)] == ["a", "b"]


@pytest.mark.parametrize("name", ["portless", "kubernetes", "broken", "bare"])
def test_a_context_that_cannot_be_used_is_refused_by_name(
    name: str, tmp_path: Path, environ: dict[str, str]
) -> None:
    touch(tmp_path / "var/docker.sock")
    host = {"portless": {"Host": "tcp://h"}, "bare": {"Host": "h:1"}}.get(name)
    path = store(tmp_path, name, host)
    if name == "broken":
        path.write_text("{")
    with pytest.raises(ConfigError, match="context"):
        resolve(None, name, environ)


def test_the_current_context_is_the_one_resolve_uses(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    assert current_context(environ) == "default"
    configure(tmp_path, '{"currentContext": "prod"}')
    assert current_context(environ) == "prod"
    environ["DOCKER_HOST"] = "tcp://h:1"
    assert current_context(environ) == "default"


def test_the_docker_config_variable_moves_everything(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    other = tmp_path / "other"
    store(other, "prod", {"Host": "tcp://other:1"})
    configure(other, '{"currentContext": "prod"}')
    configure(tmp_path, '{"currentContext": "gone"}')
    environ["DOCKER_CONFIG"] = str(other / ".docker")
    assert resolve(environ=environ).url == "tcp://other:1"


def test_candidates_say_what_came_of_each(
    tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = socket.socket(socket.AF_UNIX)
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path)  # pytest's folders are too long for a socket's path
    listener.bind("run/docker.sock")
    listener.close()
    touch(tmp_path / ".docker/run/docker.sock")
    (tmp_path / "var/docker.sock").symlink_to("/nowhere")
    seen = dict(candidates(environ))
    assert seen["DOCKER_HOST"] == seen["DOCKER_CONTEXT"] == "not set"
    assert seen[f"{tmp_path}/.docker/config.json"] == "does not exist"
    assert seen[f"{tmp_path}/var/docker.sock"] == "link to /nowhere, which does not exist"
    assert seen[f"{tmp_path}/run/docker.sock"] == "socket"
    assert seen[f"{tmp_path}/.docker/run/docker.sock"] == "not a socket"
    assert seen[f"{tmp_path}/var/podman.sock"] == "does not exist"

    monkeypatch.setattr(os, "access", lambda *_: False)
    (tmp_path / "run/docker.sock").chmod(0o660)
    state = dict(candidates(environ))[f"{tmp_path}/run/docker.sock"]
    assert state.startswith("socket, not readable by you (")
    assert state.endswith(" 0660)")


def test_a_missing_runtime_folder_is_said(environ: dict[str, str]) -> None:
    del environ["XDG_RUNTIME_DIR"]
    seen = dict(candidates(environ))
    assert seen["XDG_RUNTIME_DIR"].startswith("not set")
    assert not any("podman/" in path for path in seen)


def test_the_tls_context_verifies_by_default(tmp_path: Path) -> None:
    authority = Certificates(tmp_path).authority("ca")
    context = ssl_context(Tls(ca=str(authority)))
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert len(context.get_ca_certs()) == 1
    assert ssl_context(Tls(verify=False)).verify_mode is ssl.CERT_NONE


def test_unusable_pem_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"gone\.pem: No such file"):
        ssl_context(Tls(ca=str(tmp_path / "gone.pem")))
    (tmp_path / "bad.pem").write_text("not a certificate")
    with pytest.raises(EngineUnavailable, match=r"bad\.pem: not a usable PEM"):
        ssl_context(Tls(cert=str(tmp_path / "bad.pem"), verify=False))


def test_an_encrypted_key_is_refused_without_asking_on_the_terminal(tmp_path: Path) -> None:
    made = Certificates(tmp_path)
    made.authority("ca")
    cert, key = made.issue("client")
    locked = tmp_path / "locked.pem"
    made.openssl(*f"ec -aes128 -passout pass:secret -in {key} -out {locked}".split())
    code = (
        f"import sys; sys.path[:0] = {sys.path!r}\n"
        "from contui.engines.endpoints import *\n"
        f"try: ssl_context(Tls(cert={str(cert)!r}, key={str(locked)!r}, verify=False))\n"
        "except EngineUnavailable as error: print(error)"
    )
    # On a terminal of its own: OpenSSL asks /dev/tty.
    spawn = f"import pty; pty.spawn([{sys.executable!r}, '-c', {code!r}])"
    done = subprocess.run(
        [sys.executable, "-c", spawn],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "its key is encrypted" in done.stdout
    assert "pass phrase" not in done.stdout
