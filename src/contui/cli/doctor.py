"""``contui doctor``: how the engine is found, what it answers, and what stands in the way."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import contui
from contui.cli import Exit
from contui.config.load import config_dir, load
from contui.engines.boot import fetch
from contui.engines.endpoints import candidates, resolve
from contui.model.errors import ContuiError


def doctor(options: argparse.Namespace) -> int:
    """Print everything that was looked at; 1 when no engine answers."""
    write = sys.stdout.write
    write(
        f"contui {contui.__version__}  Python {platform.python_version()}  {platform.platform()}\n"
    )
    write("".join(f"  {name} {_version(name)}\n" for name in ("textual", "aiohttp", "aiodocker")))
    write("\nsettings\n")
    try:
        load(Path(options.config) if options.config else None)
        write(f"  {config_dir() / 'config.toml'}: in order, or not there\n")
    except ContuiError as error:
        write(f"  {error}\n")
    _warn_uncompiled()
    write("\nlooked at\n")
    for what, result in candidates(os.environ):
        write(f"  {what:<44} {result}\n")
    write("\nengine\n")
    try:
        endpoint = resolve(options.host, options.context)
    except ContuiError as error:
        write(f"  {error}\n" + (f"  mend it:  {error.hint}\n" if error.hint else ""))
        return Exit.FAILED
    write(f"  {endpoint.url}  chosen by {endpoint.origin or 'default'}\n")
    if endpoint.scheme == "ssh":
        write("  over ssh: contui opens a tunnel; `ssh` must log in without asking\n")
        return Exit.OK
    boot = fetch(endpoint, timeout=5.0)
    if boot.error is not None:
        write(f"  {boot.error}\n")
        if boot.error.hint:
            write(f"  mend it:  {boot.error.hint}\n")
        return Exit.FAILED
    count = len(boot.containers or ())
    write(f"  answers: {boot.product}, API {boot.version_header}, {count} containers\n")
    return Exit.OK


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "is missing"


def _warn_uncompiled() -> None:
    """Without byte code each start takes 2 s longer (measured): read-only installs cause it."""
    found = find_spec("textual")
    if found is None or found.origin is None:
        return
    folder = Path(found.origin).parent / "__pycache__"
    if not any(folder.glob("*.pyc")) and (
        sys.dont_write_bytecode or not os.access(folder.parent, os.W_OK)
    ):
        sys.stdout.write(
            "  Textual is not compiled here and cannot be: every start takes seconds.\n"
            f"  mend it:  python -m compileall {folder.parent}\n"
        )
