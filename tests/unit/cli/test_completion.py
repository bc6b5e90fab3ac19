"""The completion scripts, asked in the shells themselves."""

import argparse
import shutil
import subprocess

import pytest

from contui.cli import completion


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="contui")
    top.add_argument("-H", "--host", help="100%% the engine's address")
    top.add_argument("-c", "--context", help="docker context: its name")
    top.add_argument("--keymap", choices=("contui", "k9s"), help="whose keys (%(default)s)")
    top.add_argument("--read-only", action="store_true", help="don't change [anything]")
    top.add_argument("--hidden", help=argparse.SUPPRESS)
    commands = top.add_subparsers()
    check = commands.add_parser("check", help="run the checks")
    check.add_argument("--format", choices=("text", "json"))
    shells = commands.add_parser("completion", help="print a script")
    shells.add_argument("shell", choices=("bash", "zsh", "fish"))
    config = commands.add_parser("config", help="settings")
    config.add_subparsers().add_parser("show", help="show them").add_argument("--all")
    return top


def bash(tmp_path, line: str) -> set[str]:
    """What bash offers at the end of ``line``."""
    file = tmp_path / "contui.bash"
    file.write_text(completion.script("bash", parser()))
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\n[ \"$*\" = 'context ls -q' ] && printf 'default\\nprod\\n'\n")
    docker.chmod(0o755)
    words = line.replace("=", " = ").split(" ")
    words = [word for word in words[:-1] if word] + words[-1:]
    quoted = " ".join(f"'{word}'" for word in words)
    asked = (
        f"PATH={tmp_path}:$PATH; set -u; source {file}; complete -p contui >/dev/null || exit 3; "
        f"COMP_WORDS=({quoted}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _contui; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", asked], capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 0 and not done.stderr, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_the_script_is_valid(shell: str, tmp_path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    file = tmp_path / "script"
    file.write_text(completion.script(shell, parser()))
    done = subprocess.run([shell, "-n", str(file)], capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("contui ch", {"check"}),
        ("contui --k", {"--keymap"}),
        ("contui --hid", set()),
        ("contui --keymap ", {"contui", "k9s"}),
        ("contui --keymap=k", {"k9s"}),
        ("contui --keymap=", {"contui", "k9s"}),
        ("contui --context ", {"default", "prod"}),
        ("contui -c pr", {"prod"}),
        ("contui check --f", {"--format"}),
        ("contui check --format ", {"text", "json"}),
        ("contui --host check ch", {"check"}),
        ("contui --read-only check --f", {"--format"}),
        ("contui completion ", {"bash", "zsh", "fish", "-h", "--help"}),
        ("contui config show --a", {"--all"}),
        ("contui --host ", set()),
    ],
)
def test_bash_offers_what_fits_there(line: str, offered: set[str], tmp_path) -> None:
    assert bash(tmp_path, line) == offered


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("contui ch", {"check"}),
        ("contui --keymap ", {"contui", "k9s"}),
        ("contui check --format ", {"text", "json"}),
        ("contui --host check ch", {"check"}),
        ("contui completion ", {"bash", "zsh", "fish"}),
        ("contui config show --a", {"--all"}),
    ],
)
def test_fish_offers_what_fits_there(line: str, offered: set[str], tmp_path) -> None:
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed")
    file = tmp_path / "contui.fish"
    file.write_text(completion.script("fish", parser()))
    asked = f"source {file}; complete -C '{line}'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", asked], capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert {each.split("\t")[0] for each in done.stdout.splitlines()} == offered


def test_the_helps_are_told_with_their_defaults_filled_in() -> None:
    made = completion.script("fish", parser())
    assert "100% the engine\\'s address" in made
    assert "don\\'t change [anything]" in made
    assert "whose keys (None)" in made


def test_an_unknown_shell_is_refused() -> None:
    with pytest.raises(KeyError):
        completion.script("tcsh", parser())


def test_the_program_s_own_parser_completes() -> None:
    from contui.cli import parser as own

    for shell in completion.SHELLS:
        assert "--read-only" in completion.script(shell, own()).replace(
            "-l read-only", "--read-only"
        )
