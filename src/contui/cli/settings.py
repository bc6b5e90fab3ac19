"""``contui config`` and ``contui plugin``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from contui.cli import Exit
from contui.config.load import config_dir, load
from contui.config.schema import default_toml, schema
from contui.config.settings import Settings
from contui.model.errors import ConfigError


def settings(options: argparse.Namespace) -> int:
    """Write a commented file, print the schema, or check the file and say where it is."""
    if options.schema:
        sys.stdout.write(json.dumps(schema(), indent=2) + "\n")
        return Exit.OK
    path = Path(options.config) if options.config else config_dir() / "config.toml"
    if options.init:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(default_toml())
        except FileExistsError:
            raise ConfigError(f"{path} exists already; it is left as it is") from None
        sys.stdout.write(f"{path}\n")
        return Exit.OK
    found = load(Path(options.config) if options.config else None)
    _look(found)
    state = "is in order" if path.exists() else "does not exist: all defaults"
    sys.stdout.write(f"{path} {state}\n")
    return Exit.OK


def _look(found: Settings) -> None:
    """What only the screen knows: its themes and its commands. Raises ConfigError."""
    from contui.tui.keymap import build
    from contui.tui.themes import load_themes

    themes, problems = load_themes(config_dir() / "themes")
    if found.ui.theme not in themes:
        problems.append(
            f"ui.theme: there is no theme {found.ui.theme}: {', '.join(sorted(themes))}"
        )
    problems += build(found.ui.keymap, found.keys)[1]
    if problems:
        raise ConfigError("\n".join(problems))


def plugin_command(options: argparse.Namespace) -> int:
    """Install or remove ``docker contui``."""
    from contui.cli import plugin

    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    if options.what == "install":
        sys.stdout.write(f"{plugin.install(folder)}\n")
        sys.stderr.write("docker contui now opens the console\n")
    else:
        plugin.uninstall(folder)
        sys.stderr.write("docker contui is removed\n")
    return Exit.OK
