"""Nothing of the developer's own home, engine or terminal gets into a test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.dockerd import Dockerd, lacking, private

_OWN = (
    "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH",
    "NO_COLOR", "SSH_CONNECTION", "SSH_TTY", "DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR",
)  # fmt: skip


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-snapshots", action="store_true", help="take the pictures anew")


@pytest.fixture(autouse=True)
def _own_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _OWN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home/.config"))
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")


@pytest.fixture(scope="session")
def daemon() -> Iterator[Dockerd]:
    """This worker's own dockerd. Without one, engine tests are skipped, and fail in CI."""
    why = lacking()
    if why:
        if os.environ.get("CI") == "true":
            pytest.fail(f"no engine to test with: {why}")
        pytest.skip(why)
    with private() as started:
        yield started


@pytest.fixture
def engine(daemon: Dockerd) -> Iterator[Dockerd]:
    """The daemon, without containers before and after."""
    yield daemon
    daemon.remove_all()
