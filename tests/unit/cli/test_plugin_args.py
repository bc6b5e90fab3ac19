"""What docker passes to its plugin becomes what a person would have typed.

The command lines are those that the docker command 28.2 passes on.
"""

import json
import os

import pytest

from contui.cli import plugin
from contui.model.errors import ConfigError

LINK = "/home/ann/.docker/cli-plugins/docker-contui"


def strip(*argv: str, environ: dict[str, str] | None = None) -> list[str]:
    return plugin.strip_plugin_args(argv, LINK, {} if environ is None else environ)


@pytest.mark.parametrize(
    ("argv", "own"),
    [
        ("contui", []),
        ("contui check --json", ["check", "--json"]),
        ("--context prod contui", ["--context", "prod"]),
        ("--context=prod contui", ["--context", "prod"]),
        ("-c prod contui doctor", ["--context", "prod", "doctor"]),
        ("-c=prod contui", ["--context", "prod"]),
        ("-Dc prod contui", ["--context", "prod"]),
        ("-Dcprod contui", ["--context", "prod"]),
        ("-H tcp://h:1 contui -x", ["--host", "tcp://h:1", "-x"]),
        ("-H=tcp://h:1 contui", ["--host", "tcp://h:1"]),
        ("-Htcp://h:1 contui", ["--host", "tcp://h:1"]),
        ("--host=tcp://h:1 contui", ["--host", "tcp://h:1"]),
        ("-D -l debug --log-level=info contui", []),
        ("--context contui contui", ["--context", "contui"]),
        ("contui --context foo", ["--context", "foo"]),
        ("--context a contui --context b", ["--context", "a", "--context", "b"]),
        ("contui contui", ["contui"]),
        ("contui -- --context x", ["--", "--context", "x"]),
        ("--help contui", ["--help"]),
        ("help contui", ["--help"]),
        ("help contui check", ["check", "--help"]),
        ("-v contui", ["--version"]),
    ],
)
def test_the_global_options_of_docker_become_ours(argv: str, own: list[str]) -> None:
    assert strip(*argv.split()) == own


@pytest.mark.parametrize("argv", [["--context", "prod", "contui"], ["contui", "contui"], []])
def test_a_person_s_own_arguments_are_left_alone(argv: list[str]) -> None:
    assert plugin.strip_plugin_args(argv, "/usr/bin/contui", {}) == argv


def test_docker_s_config_folder_becomes_the_variable_and_not_our_settings_file() -> None:
    environ: dict[str, str] = {}
    assert strip("--config", "/etc/d", "contui", "--config", "mine.toml", environ=environ) == [
        "--config",
        "mine.toml",
    ]
    assert environ == {"DOCKER_CONFIG": "/etc/d"}


@pytest.mark.parametrize(
    ("argv", "before", "after"),
    [
        (["--tls"], {}, {"DOCKER_TLS": "1"}),
        (["--tls=false"], {"DOCKER_TLS": "1"}, {}),
        (["--tlsverify"], {}, {"DOCKER_TLS": "1", "DOCKER_TLS_VERIFY": "1"}),
        (["--tlsverify=false"], {"DOCKER_TLS_VERIFY": "1"}, {"DOCKER_TLS": "1"}),
        (
            ["--tlscacert", "/p/ca.pem", "--tlscert=/p/cert.pem", "--tlskey", "/p/key.pem"],
            {},
            {"DOCKER_CERT_PATH": "/p"},
        ),
        (["--tlscacert", "ca.pem"], {}, {"DOCKER_CERT_PATH": "."}),
        (["--tlscacert", "/ca.pem"], {}, {"DOCKER_CERT_PATH": "/"}),
    ],
)
def test_tls_options_become_the_variables_that_mean_the_same(
    argv: list[str], before: dict[str, str], after: dict[str, str]
) -> None:
    environ = dict(before)
    assert strip(*argv, "contui", environ=environ) == []
    assert environ == after


@pytest.mark.parametrize(
    "argv",
    [
        ["--tlscacert", "/a/ca.pem", "--tlskey", "/b/key.pem"],
        ["--tlscacert", "/a/other.pem"],
        ["-H", "unix:///a", "-H", "unix:///b"],
        ["--context"],
    ],
)
def test_what_cannot_be_passed_on_is_refused_and_not_guessed(argv: list[str]) -> None:
    with pytest.raises(ConfigError):
        strip(*argv, "contui")


def test_the_metadata_are_those_that_docker_requires() -> None:
    told = json.loads(plugin.metadata())
    assert told["SchemaVersion"] == "0.1.0"
    assert told["Vendor"] and told["Version"] and told["ShortDescription"]


def test_install_makes_a_link_and_uninstall_removes_it(tmp_path) -> None:
    program = tmp_path / "contui"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    folder = tmp_path / "docker"
    link = plugin.install(folder, program)
    assert link == folder / "cli-plugins" / "docker-contui"
    assert link.readlink() == program and os.access(link, os.X_OK)
    assert plugin.install(folder, program) == link, "again is an update"
    assert plugin.uninstall(folder) == link
    assert not link.is_symlink()
    assert plugin.uninstall(folder) is None


def test_a_foreign_file_is_neither_replaced_nor_removed(tmp_path) -> None:
    foreign = tmp_path / "cli-plugins" / "docker-contui"
    foreign.parent.mkdir()
    foreign.write_text("mine")
    with pytest.raises(ConfigError, match="not made by contui"):
        plugin.install(tmp_path, tmp_path)
    with pytest.raises(ConfigError, match="not made by contui"):
        plugin.uninstall(tmp_path)
    assert foreign.read_text() == "mine"


def test_installing_from_within_docker_links_to_the_program_and_not_to_itself(
    tmp_path, monkeypatch
) -> None:
    program = tmp_path / "contui"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    link = plugin.install(tmp_path, program)
    monkeypatch.setattr("sys.argv", [str(link), "contui", "plugin", "install"])
    assert plugin.install(tmp_path).resolve() == program


def test_without_a_command_to_link_to_it_says_so(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("sys.argv", ["-c"])
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(ConfigError, match="no contui command"):
        plugin.install(tmp_path)
