"""The installed program in a real pseudo-terminal, as somebody on call uses it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contui import __version__
from lab.dockerd import Dockerd, private
from lab.terminal import Terminal

pytestmark = pytest.mark.engine

PROGRAM = str(Path(sys.executable).with_name("contui"))
ESCAPE, ENTER = "\x1b", "\r"


def environ(url: str) -> dict[str, str]:
    return {**os.environ, "DOCKER_HOST": url, "COLORTERM": "truecolor"}


@contextlib.contextmanager
def console(url: str, *words: str, size: tuple[int, int] = (120, 35)) -> Iterator[Terminal]:
    """The console on an engine."""
    terminal = Terminal([PROGRAM, *words], size, environ(url))
    try:
        yield terminal
    finally:
        terminal.close()


@pytest.fixture
def shop(engine: Dockerd) -> Dockerd:
    """A container that is well, one that is not, and one that can be stopped at once."""
    stops = "trap 'exit 0' TERM; echo hello from web; while :; do sleep 0.1; done"
    engine.run("web", "-p", "8080:80", "--", "sh", "-c", stops)
    engine.run("api", "--", "sleep", "1000")
    engine.run("broken", "--", "sh", "-c", "echo it failed; exit 3")
    engine.docker("wait", "broken")
    return engine


def ready(terminal: Terminal) -> None:
    """Wait for the list, its details and the live feed."""
    terminal.wait(lambda text: "exit 3: failed" in text and " live " in text, "the list is live")


def choose(terminal: Terminal, name: str) -> None:
    """Leave only one container in the list."""
    terminal.send("/")
    terminal.wait("/regex/")
    terminal.send(name)
    terminal.wait(lambda text: name in rows(text) and len(rows(text)) == 1, f"only {name}")
    terminal.send(ENTER)
    terminal.wait(lambda text: "? help" in text.splitlines()[-1], "the filter is taken")


def rows(text: str) -> list[str]:
    """The names of the containers in the list."""
    lines = iter(text.splitlines())
    for line in lines:
        if "NAME" in line and "STATE" in line:
            break
    names = []
    for line in lines:
        words = line.split()
        if len(words) < 2 or words[0] not in ("✗", "!", "·", "○", "x", "."):
            break
        names.append(words[1])
    return names


def test_the_list_shows_what_is_broken_first_and_why(shop: Dockerd) -> None:
    with console(shop.url) as terminal:
        ready(terminal)
        text = terminal.text()
        assert rows(text) == ["broken", "api", "web"]
        assert "2 up" in text and "1 broken" in text


def test_the_filter_leaves_what_matches(shop: Dockerd) -> None:
    with console(shop.url) as terminal:
        ready(terminal)
        choose(terminal, "web")
        terminal.send(ESCAPE)
        terminal.wait(lambda text: len(rows(text)) == 3, "all are back")


def test_logs_of_a_container_appear_and_follow(shop: Dockerd) -> None:
    with console(shop.url) as terminal:
        ready(terminal)
        choose(terminal, "web")
        terminal.send("l")
        terminal.wait("hello from web")
        shop.docker("exec", "web", "sh", "-c", "echo one more >/proc/1/fd/1")
        terminal.wait("one more")


def test_enter_opens_the_container_on_a_small_screen(shop: Dockerd) -> None:
    with console(shop.url, size=(80, 24)) as terminal:
        terminal.wait(lambda text: "broken" in rows(text) and "live" in text)
        terminal.send(ENTER)
        terminal.wait("it failed")
        assert rows(terminal.text()) == []
        terminal.send(ESCAPE)
        terminal.wait(lambda text: "broken" in rows(text), "the list is back")


def test_a_shell_opens_and_comes_back(shop: Dockerd) -> None:
    with console(shop.url) as terminal:
        ready(terminal)
        choose(terminal, "web")
        terminal.send("e")
        terminal.wait("/ #")
        assert not terminal.alternate()
        terminal.send("echo $((6 * 7)) in; hostname; stty size\r")
        id = shop.inspect("web")["Id"]
        terminal.wait(lambda text: "42 in" in text and id[:12] in text and "35 120" in text)
        terminal.resize(100, 30)
        terminal.send("stty size\r")
        terminal.wait("30 100")
        terminal.send("exit\r")
        terminal.wait(lambda text: rows(text) == ["web"], "the console is drawn again")
        assert terminal.alternate()
        terminal.send(ESCAPE)
        terminal.wait(lambda text: len(rows(text)) == 3, "it takes keys again")


def test_attaching_and_detaching_leaves_it_running(shop: Dockerd) -> None:
    command = "echo hello from tty; while read line; do echo got $line; done"
    shop.run("tty", "-it", "--", "sh", "-c", command)
    with console(shop.url) as terminal:
        ready(terminal)
        choose(terminal, "tty")
        terminal.send("a")
        terminal.wait(
            lambda text: "attached;" in text and "hello from tty" in text, "it is attached"
        )
        terminal.send("ping\r")
        terminal.wait("got ping")
        terminal.send("\x10\x11")
        terminal.wait(lambda text: rows(text) == ["tty"], "the console is drawn again")
    assert shop.inspect("tty")["State"]["Running"]


def test_stopping_asks_first(shop: Dockerd) -> None:
    def running() -> bool:
        alive: bool = shop.inspect("web")["State"]["Running"]
        return alive

    with console(shop.url) as terminal:
        ready(terminal)
        choose(terminal, "web")
        terminal.send("S")
        terminal.wait("Stop web?")
        terminal.wait("docker stop web")
        terminal.send("n")
        terminal.wait(lambda text: "Stop web?" not in text)
        assert running()
        terminal.send("S")
        terminal.wait("Stop web?")
        terminal.send("y")
        terminal.wait(lambda text: any("web" in row and "exit" in row for row in text.splitlines()))
        assert not running()


def test_help_and_commands(shop: Dockerd) -> None:
    with console(shop.url, size=(120, 100)) as terminal:
        ready(terminal)
        terminal.send("?")
        terminal.wait(lambda text: all(each in text for each in ("Stop or start", "Faults only")))
        terminal.send(ESCAPE)
        terminal.wait(lambda text: len(rows(text)) == 3)
        terminal.send(":")
        terminal.wait("Search for commands")
        terminal.send("images")
        terminal.wait("Go to images")
        terminal.send(ENTER)
        terminal.wait("busybox:latest")


@pytest.mark.parametrize("key", ["q", "\x03"])
def test_quitting_restores_the_terminal(shop: Dockerd, key: str) -> None:
    with console(shop.url) as terminal:
        ready(terminal)
        assert terminal.alternate()
        terminal.send(key)
        assert terminal.end() == 0
        assert terminal.restored()


def test_read_only_has_no_keys_that_change(shop: Dockerd) -> None:
    with console(shop.url, "--read-only", size=(120, 100)) as terminal:
        ready(terminal)
        choose(terminal, "web")
        before = shop.inspect("web")["State"]
        for key in "SRPDea\x0b":
            terminal.send(key)
        terminal.send("?")
        text = terminal.wait(lambda text: "Faults only" in text and "Describe" in text)
        for word in ("Stop or start", "Restart", "Pause", "Remove", "Kill", "Shell", "Attach"):
            assert word not in text
        terminal.send(ESCAPE)
        text = terminal.wait(lambda text: rows(text) == ["web"])
        assert "S stop" not in text
        assert "e shell" not in text
        assert shop.inspect("web")["State"] == before


# --- without an engine


@pytest.fixture(scope="module")
def lonely(daemon: Dockerd) -> Iterator[Dockerd]:
    """A daemon that is down: each test starts it itself."""
    with private() as started:
        started.run("survivor", "--", "sleep", "1000")
        started.stop()
        yield started
        if not started.answers():
            started.start()


def test_without_an_engine_it_says_what_was_tried_and_recovers(lonely: Dockerd) -> None:
    with console(lonely.url) as terminal:
        terminal.wait("No container engine answers")
        for word in (f"unix://{lonely.socket}", "DOCKER_HOST", "contui doctor"):
            terminal.wait(word)
        lonely.start()
        try:
            terminal.wait(lambda text: "survivor" in rows(text), "the list appears by itself")
            terminal.wait(" live ")
        finally:
            lonely.stop()


def test_without_an_engine_it_can_be_left(lonely: Dockerd) -> None:
    with console(lonely.url) as terminal:
        terminal.wait("No container engine answers")
        terminal.send("q")
        assert terminal.end() == 0
        assert terminal.restored()


# --- not on a terminal


def contui(url: str, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, *words],
        env=environ(url) | options.pop("env", {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        **options,
    )


def test_without_a_terminal_it_says_so(daemon: Dockerd) -> None:
    done = contui(daemon.url)
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr
    assert done.stdout == ""


def test_the_doctor_finds_the_engine(engine: Dockerd) -> None:
    engine.run("one", "--", "sleep", "1000")
    done = contui(engine.url, "doctor")
    assert done.returncode == 0
    assert f"{engine.url}  chosen by DOCKER_HOST" in done.stdout
    assert "answers: docker, API 1.41, 1 containers" in done.stdout


def test_the_doctor_tells_what_stands_in_the_way(tmp_path: Path) -> None:
    done = contui(f"unix://{tmp_path}/docker.sock", "doctor")
    assert done.returncode == 1
    assert f"{tmp_path}/docker.sock" in done.stdout
    assert "mend it:" in done.stdout


def test_the_docker_command_takes_it_as_a_plugin(engine: Dockerd, tmp_path: Path) -> None:
    own = {"DOCKER_CONFIG": str(tmp_path)}
    assert contui(engine.url, "plugin", "install", env=own).returncode == 0
    docker = shutil.which("docker")
    assert docker

    def run(*words: str) -> str:
        done = subprocess.run(
            [docker, *words], env=environ(engine.url) | own, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        return done.stdout + done.stderr

    assert run("contui", "--version").strip() == f"contui {__version__}"
    assert "needs a terminal" in run("contui")
    assert "answers: docker" in run("-H", engine.url, "contui", "doctor")
    terminal = Terminal([docker, "contui"], env=environ(engine.url) | own)
    try:
        terminal.wait(" live ")
        terminal.send("q")
        assert terminal.end() == 0
        assert terminal.restored()
    finally:
        terminal.close()
    assert contui(engine.url, "plugin", "uninstall", env=own).returncode == 0
    assert "contui" not in run("--help")
