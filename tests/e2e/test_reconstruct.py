"""The command that we say makes a container makes the same container."""

from __future__ import annotations

import os
import subprocess
from typing import Any

import pytest

from contui.model.reconstruct import docker_run
from lab.dockerd import Dockerd

pytestmark = pytest.mark.engine

IDLE = ("--", "sleep", "1000")
OWN = ("Hostname",)
"""Of Config: by default a container's host name is its own id."""

CASES: dict[str, tuple[str, ...]] = {
    "nothing": ("--", "sleep", "1000"),
    "no command": ("-it",),
    "limits": (
        "-m", "64m", "--memory-swap", "96m", "--memory-reservation", "32m", "--cpus", "0.5",
        "--cpu-shares", "512", "--cpuset-cpus", "0", "--cpuset-mems", "0", "--pids-limit", "50",
        "--ulimit", "nofile=100:200", "--ulimit", "core=0", "--oom-score-adj", "250",
        "--shm-size", "32m", "--memory-swappiness", "10", *IDLE,
    ),
    "quota, no swap": (
        "--cpu-quota", "25000", "--cpu-period", "50000", "-m", "32m", "--memory-swap", "32m", *IDLE,
    ),
    "unlimited swap": ("-m", "32m", "--memory-swap", "-1", *IDLE),
    "security": (
        "--cap-drop", "ALL", "--cap-add", "NET_BIND_SERVICE", "--security-opt",
        "no-new-privileges", "--security-opt", "seccomp=unconfined", "--read-only",
        "--user", "1000:1000", "--group-add", "7", "--init", *IDLE,
    ),
    "devices": (
        "--device", "/dev/null:/dev/zilch:r", "--device", "/dev/zero",
        "--device-cgroup-rule", "c 1:3 mr", *IDLE,
    ),
    "mounts": (
        "-v", "store:/store", "-v", "/tmp:/host:ro", "-v", "/anonymous",
        "--tmpfs", "/scratch:size=1m,mode=1777", "--tmpfs", "/other", *IDLE,
    ),
    "network": (
        "--network", "lab", "--network-alias", "db", "--ip", "10.77.0.9", "--hostname", "box",
        "--add-host", "other:10.0.0.9", "--dns", "10.0.0.53", "--dns-search", "corp",
        "--dns-option", "ndots:2", *IDLE,
    ),
    "ports": ("-p", "127.0.0.1::80", "-p", "90/udp", "--expose", "91", *IDLE),
    "shared namespaces": (
        "--pid", "host", "--ipc", "host", "--uts", "host", "--network", "host", *IDLE,
    ),
    "no network": ("--network", "none", "--domainname", "example.org", "--hostname", "a", *IDLE),
    "words": (
        "-e", "GREETING=it's \"me\" & $HOME; `id`", "-e", "EMPTY=", "--label", "a=b c",
        "--label", "empty=", "-w", "/tmp", "--entrypoint", "/bin/sh",
        "--", "-c", "echo \"$GREETING\" 'one two'\n sleep 1000", "", "last",
    ),
    "health": (
        "--health-cmd", "test -e /ok || exit 1", "--health-interval", "1m30s", "--health-timeout",
        "500ms", "--health-retries", "4", "--health-start-period", "10s", *IDLE,
    ),
    "no health": ("--no-healthcheck", *IDLE),
    "life": (
        "--restart", "on-failure:3", "--stop-signal", "USR1", "--stop-timeout", "3", "-it",
        "--log-driver", "json-file", "--log-opt", "max-size=1m", "--log-opt", "max-file=2", *IDLE,
    ),
    "kernel": (
        "--sysctl", "net.ipv4.ip_forward=0", "--sysctl", "net.core.somaxconn=256",
        "--cgroup-parent", "/contui-lab", *IDLE,
    ),
}  # fmt: skip


def comparable(document: dict[str, Any]) -> dict[str, Any]:
    """What was asked for, without what is each container's own."""
    config = {key: value for key, value in document["Config"].items() if key not in OWN}
    host = dict(document["HostConfig"])
    # The order in which docker hands these on is a map's: any.
    host["Binds"] = sorted(host["Binds"] or ())
    config["Env"] = sorted(config["Env"] or ())
    given = document["Config"]["Hostname"]
    config["Hostname"] = "" if document["Id"][:12] == given else given
    # An empty list and none are the same to the engine.
    networks = {
        name: (
            endpoint["IPAMConfig"] or {},
            sorted(set(endpoint["Aliases"] or ()) - {document["Id"][:12]}),
        )
        for name, endpoint in document["NetworkSettings"]["Networks"].items()
    }
    mounts = sorted(
        (each["Type"], each["Destination"], each["Mode"], each["RW"]) for each in document["Mounts"]
    )
    made = {"config": config, "host": host, "networks": networks, "mounts": mounts}
    return {
        part: {name: value for name, value in each.items() if value not in (None, [], {}, "")}
        if isinstance(each, dict) else each
        for part, each in made.items()
    }  # fmt: skip


def again(engine: Dockerd, text: str) -> None:
    """Run the commands as a shell would that they are pasted into."""
    environ = {**os.environ, "DOCKER_HOST": engine.url}
    subprocess.run(["sh", "-e"], input=text.encode(), env=environ, check=True, timeout=60)


@pytest.mark.parametrize("name", CASES)
def test_the_command_makes_the_same_container(engine: Dockerd, name: str) -> None:
    engine.docker("network", "create", "--subnet", "10.77.0.0/24", "lab")
    engine.run("box", *CASES[name])
    first = engine.inspect("box")
    image = engine.inspect(first["Image"])
    text = docker_run(first, image)
    engine.docker("rm", "-f", "box")
    again(engine, text)
    second = engine.inspect("box")
    assert second["Id"] != first["Id"]
    assert differences(comparable(second), comparable(first)) == {}, text


def differences(now: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """What is not the same, by part and name."""
    out = {}
    for part in now:
        one, other = now[part], before[part]
        if not isinstance(one, dict):
            one, other = {"": one}, {"": other}
        for name in one.keys() | other.keys():
            if one.get(name) != other.get(name):
                out[f"{part}.{name}"] = (one.get(name), other.get(name))
    return out


def test_a_tmpfs_mount_is_as_large_again(engine: Dockerd) -> None:
    engine.run("box", "--mount", "type=tmpfs,dst=/scratch,tmpfs-size=1m", *IDLE)
    text = docker_run(engine.inspect("box"))
    engine.docker("rm", "-f", "box")
    again(engine, text)
    assert engine.docker("exec", "box", "df", "-k", "/scratch").split()[-5] == "1024"


def test_several_networks_are_joined_again(engine: Dockerd) -> None:
    engine.docker("network", "create", "--subnet", "10.77.0.0/24", "one")
    engine.docker("network", "create", "--subnet", "10.78.0.0/24", "two")
    engine.run("box", "--network", "one", *IDLE)
    engine.docker("network", "connect", "--alias", "db", "--ip", "10.78.0.7", "two", "box")
    first = engine.inspect("box")
    text = docker_run(first, engine.inspect(first["Image"]))
    engine.docker("rm", "-f", "box")
    again(engine, text)
    assert comparable(engine.inspect("box")) == comparable(first), text


def test_a_secret_is_masked(engine: Dockerd) -> None:
    secret = "hunter2-and-more"
    engine.run("box", "-e", f"DB_PASSWORD={secret}", "--label", f"api_token={secret}",
               "--", "sh", "-c", "sleep 1000", "x", f"--password={secret}")  # fmt: skip
    first = engine.inspect("box")
    for image in (None, engine.inspect(first["Image"])):
        text = docker_run(first, image)
        assert secret not in text
        assert "DB_PASSWORD=" in text
