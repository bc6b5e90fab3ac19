"""The first list as plain text, on the screen while Textual is still being imported.

Measured with 100 containers: rows after 3 times a ``docker ps`` instead of 11 times. Textual then
draws over it on the same alternate screen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

ENTER = "\x1b[?1049h\x1b[?25l\x1b[2J\x1b[H"
"""Alternate screen, no cursor, empty (xterm control sequences, DECSET 1049 and 25)."""
LEAVE = "\x1b[?1049l\x1b[?25h"
_BROKEN = re.compile(r"unhealthy|Restarting|Dead|Exited \((?!0\)|130\)|143\))")


def first_frame(entries: Sequence[Mapping[str, Any]], columns: int, rows: int) -> str:
    """The entries of ``GET /containers/json?all=1`` as a screen of ``rows`` lines, broken first."""
    known = sorted(
        (not _BROKEN.search(status), not status.startswith("Up"), name.lower(), name, status, image)
        for name, status, image in map(_texts, entries)
    )
    wide = min(40, max((len(each[3]) for each in known), default=4) + 1)
    lines = [
        f" {len(known)} container{'s' * (len(known) != 1)}",
        f"   {'NAME':<{wide}} {'STATUS':<32} IMAGE",
    ]
    for fine, _, _, name, status, image in known:
        lines.append(f" {' ' if fine else 'x'} {name[:wide]:<{wide}} {status[:32]:<32} {image}")
    return ENTER + "\r\n".join(line[:columns].rstrip() for line in lines[:rows])


def _texts(entry: Mapping[str, Any]) -> tuple[str, str, str]:
    names = entry.get("Names") or [entry.get("Id") or "-"]
    name = min(map(str, names), key=lambda each: each.count("/"))
    return _plain(name.lstrip("/")), _plain(entry.get("Status")), _plain(entry.get("Image"))


def _plain(text: object) -> str:
    """Printable ASCII only: what an engine reports is not trusted with the terminal."""
    return "".join(c if " " <= c <= "~" else "?" for c in str(text or "")[:256])
