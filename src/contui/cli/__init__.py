"""The command line. Subcommands are imported when they are used; stdout is data, stderr is
narration, exit codes are :class:`Exit`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from enum import IntEnum

from contui import __version__


class Exit(IntEnum):
    """What contui's exit codes mean."""

    OK = 0
    FAILED = 1
    """The engine could not be reached, or refused."""
    USAGE = 2
    """Wrong words on the command line, or a broken settings file."""
    INTERRUPTED = 130


_EPILOG = """\
keys: ? help  / filter  : commands  Enter open  Esc back  q quit
file: $XDG_CONFIG_HOME/contui/config.toml (contui config --init writes one)"""


class _Help(argparse.RawDescriptionHelpFormatter):
    """Narrow enough for 80 columns, short enough for 24 lines."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=27, width=79)


def parser() -> argparse.ArgumentParser:
    """All options and subcommands."""
    top = argparse.ArgumentParser(
        prog="contui",
        usage="contui [OPTIONS] [COMMAND]",
        description="The terminal console to open when a container misbehaves.",
        epilog=_EPILOG,
        formatter_class=_Help,
    )
    top.add_argument("-V", "--version", action="version", version=f"contui {__version__}")
    _endpoint_options(top, default=None)
    top.add_argument("--read-only", action="store_true", help="look, never change anything")
    top.add_argument("--theme", metavar="NAME", help="colours, such as contui-light or terminal")
    top.add_argument(
        "--keymap",
        choices=("contui", "lazydocker", "k9s"),
        metavar="NAME",
        help="whose keys: contui, lazydocker or k9s",
    )
    commands = top.add_subparsers(
        prog="contui", dest="command", metavar="COMMAND", title="commands"
    )
    doctor = commands.add_parser("doctor", help="tell how the engine is found, and what is wrong")
    config = commands.add_parser("config", help="show, write or check the settings")
    config.add_argument("--init", action="store_true", help="write a commented file")
    config.add_argument("--schema", action="store_true", help="print the JSON schema")
    for each in (doctor, config):
        _endpoint_options(each, default=argparse.SUPPRESS)  # before or after the command
    completion = commands.add_parser("completion", help="print a shell's completion script")
    completion.add_argument("shell", choices=("bash", "zsh", "fish"))
    plugin = commands.add_parser("plugin", help="docker contui, as a plugin of the docker CLI")
    plugin.add_argument("what", choices=("install", "uninstall"))
    return top


def _endpoint_options(to: argparse.ArgumentParser, default: str | None) -> None:
    to.add_argument(
        "-H", "--host", metavar="URL", default=default, help="unix://, tcp:// or ssh:// address"
    )
    to.add_argument("-c", "--context", metavar="NAME", default=default, help="docker context")
    to.add_argument("--config", metavar="FILE", default=default, help="another settings file")


def main(argv: Sequence[str] | None = None) -> int:
    """Run contui. Returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if argv is None and sys.argv[0].endswith("docker-contui"):
        from contui.cli import plugin

        if words[:1] == [plugin.METADATA_COMMAND]:
            sys.stdout.write(plugin.metadata() + "\n")
            return Exit.OK
        words = plugin.strip_plugin_args(words, sys.argv[0])
    options = parser().parse_args(words)
    from contui.model.errors import ContuiError

    try:
        return _dispatch(options)
    except ContuiError as error:
        _narrate(f"contui: {error}" + (f"\n  {error.hint}" if error.hint else ""))
        return Exit.USAGE
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # Whoever read has seen enough; without this the interpreter complains when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK


def _dispatch(options: argparse.Namespace) -> int:
    match options.command:
        case "doctor":
            from contui.cli.doctor import doctor

            return doctor(options)
        case "config":
            from contui.cli.settings import settings

            return settings(options)
        case "completion":
            from contui.cli.completion import script

            sys.stdout.write(script(options.shell, parser()))
            return Exit.OK
        case "plugin":
            from contui.cli.settings import plugin_command

            return plugin_command(options)
    from contui.cli.ui import console

    return console(options)


def _narrate(text: str) -> None:
    sys.stderr.write(text + "\n")
