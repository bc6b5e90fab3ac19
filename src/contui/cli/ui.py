"""Opens the console."""

from __future__ import annotations

import argparse
import gc
import os
import sys
import threading
from dataclasses import replace
from pathlib import Path

from contui.cli.paint import LEAVE, first_frame
from contui.config.load import config_dir, load
from contui.config.settings import Settings
from contui.engines.boot import Boot, fetch
from contui.engines.endpoints import resolve
from contui.model.endpoint import Endpoint

_PATIENCE = 1.0
"""Seconds the first screen waits for the first list; after that it opens without rows."""


def console(options: argparse.Namespace) -> int:
    """Run the console until it is left. Raises ContuiError for bad settings or endpoints.

    The first list is read in a thread while Textual is imported, and the garbage collector rests
    until then: measured, about a tenth of the time to the first row.
    """
    from contui.cli import Exit

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        sys.stderr.write(
            "contui: the console needs a terminal; contui --help tells what does not\n"
        )
        return Exit.USAGE
    gc.disable()
    endpoint, settings = _settings(options)
    boot = _Boot(endpoint)
    try:
        from contui.session import Session
        from contui.tui.app import ContuiApp

        session = Session(endpoint, log_lines=settings.logs.buffer_lines, tail=settings.logs.tail)
        entries = boot.wait(_PATIENCE).containers
        if entries is not None:
            session.preload(entries)
        app = ContuiApp(
            session, settings, read_only=options.read_only, theme_folder=config_dir() / "themes"
        )
    except BaseException:
        boot.give_way()
        if boot.painted:
            sys.stdout.write(LEAVE)
        raise
    app.call_later(_collect_again)
    app.run(mouse=settings.ui.mouse)
    return app.return_code or Exit.OK


def _collect_again() -> None:
    gc.freeze()
    gc.enable()


def _settings(options: argparse.Namespace) -> tuple[Endpoint, Settings]:
    settings = load(Path(options.config) if options.config else None)
    ui = settings.ui
    if options.theme:
        ui = replace(ui, theme=options.theme)
    if options.keymap:
        ui = replace(ui, keymap=options.keymap)
    settings = replace(settings, ui=ui)
    own = settings.endpoint
    flagged = options.host or options.context
    chosen = any(os.environ.get(name) for name in ("DOCKER_HOST", "DOCKER_CONTEXT"))
    if flagged or chosen:
        return resolve(options.host, options.context), settings
    return resolve(own.host or None, own.context or None), settings


class _Boot:
    """The first fetch, under way; what it brings is painted if Textual is not there yet."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._result = Boot()
        self._lock = threading.Lock()
        self._may_paint = True
        self.painted = False
        self._thread = threading.Thread(target=self._fetch, args=(endpoint,), daemon=True)
        self._thread.start()

    def _fetch(self, endpoint: Endpoint) -> None:
        self._result = fetch(endpoint)
        entries = self._result.containers
        with self._lock:
            if entries and self._may_paint:
                sys.stdout.write(first_frame(entries, *os.get_terminal_size()))
                sys.stdout.flush()
                self.painted = True

    def wait(self, seconds: float) -> Boot:
        """The result, or an empty one when it takes too long. From now on nothing is painted."""
        self._thread.join(seconds)
        self.give_way()
        return self._result

    def give_way(self) -> None:
        """The screen belongs to somebody else now."""
        with self._lock:
            self._may_paint = False
