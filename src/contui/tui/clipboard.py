"""Copy text to where the person sits: through the terminal, and to a local desktop's clipboard."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from subprocess import SubprocessError
from threading import Thread
from typing import Any, Final

from textual.app import App

LIMIT: Final = 74_000
"""Bytes that OSC 52 carries with many terminals: they cap the sequence near 100,000 bytes, and
base64 makes four of three. Beyond it they drop the text, or all but its start, in silence.
"""
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def copy(app: App[Any], text: str, environ: Mapping[str, str] = os.environ) -> str:
    """Copy ``text`` and say so in a sentence.

    OSC 52 reaches the terminal's clipboard over ssh and through multiplexers; a local desktop's
    clipboard is set too, because some terminals ignore OSC 52. Control characters but tabs and line
    ends are left out: pasted into a terminal they act.
    """
    text = _CONTROL.sub("", text)
    app.copy_to_clipboard(text)
    local = _local(environ) and not app.is_web
    if local:
        # A daemon thread: a helper that hangs holds up neither the screen nor the exit, which waits
        # for Textual's workers.
        Thread(target=_to_desktop, args=(text,), daemon=True).start()
    count = f"copied {len(text):,} character{'' if len(text) == 1 else 's'}"
    if len(text.encode()) <= LIMIT or local:
        return count
    return f"{count}, but many terminals take no more than 74 kB: save to a file instead"


def _local(environ: Mapping[str, str]) -> bool:
    """The desktop of this machine is the one in front of the person."""
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"):
        return False
    desktop = environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
    return bool(desktop) or sys.platform == "darwin"


def _to_desktop(text: str) -> None:
    """Runs a helper such as wl-copy or xclip, which may be missing or fail."""
    import pyperclip  # probes for helpers with subprocesses at import

    # When it fails, OSC 52 has been sent all the same.
    with suppress(pyperclip.PyperclipException, OSError, SubprocessError):
        pyperclip.copy(text)
