"""What a short command must not pay for: imports are the greatest part of its time."""

import subprocess
import sys

import pytest

SLOW = ("textual", "rich", "aiohttp", "aiodocker")
PROGRAM = """
import runpy, sys
sys.argv = ["contui", *sys.argv[1:]]
try:
    runpy.run_module("contui", run_name="__main__")
except SystemExit as end:
    assert not end.code, end.code
"""
REPORT = "\nsys.stderr.write(' '.join(name for name in sys.modules if '.' not in name))\n"


def imported(program: str, *words: str) -> tuple[str, set[str]]:
    """What a program printed, and the packages that it has imported."""
    done = subprocess.run(
        [sys.executable, "-c", program + REPORT, *words],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout, set(done.stderr.split())


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (["--version"], "contui "),
        (["--help"], "usage: contui"),
        (["completion", "bash"], "complete"),
        (["completion", "fish"], "complete"),
        (["completion", "zsh"], "#compdef"),
    ],
)
def test_a_short_command_imports_neither_screen_nor_client(words: list[str], printed: str) -> None:
    output, packages = imported(PROGRAM, *words)
    assert printed in output
    assert "contui" in packages
    assert packages & set(SLOW) == set()


@pytest.mark.parametrize(
    ("module", "banned"),
    [
        ("contui.session", ("textual", "rich", "aiohttp", "aiodocker")),
        ("contui.engines.boot", ("textual", "rich", "aiohttp", "aiodocker")),
        ("contui.engines.docker.engine", ("textual", "rich")),
        ("contui.model.update", ("textual", "rich", "aiohttp", "aiodocker", "asyncio")),
        ("contui.store.store", ("textual", "rich", "aiohttp", "aiodocker", "asyncio")),
    ],
)
def test_a_lower_layer_brings_no_higher_one(module: str, banned: tuple[str, ...]) -> None:
    _, packages = imported(f"import sys, {module}")
    assert packages & set(banned) == set()
