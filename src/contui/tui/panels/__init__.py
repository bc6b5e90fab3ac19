"""The panels of one container, and all of them on one page."""

from __future__ import annotations

from typing import Final

from contui.tui.document import BLANK, Line, Span, heading, line
from contui.tui.panels import (
    events,
    health,
    image,
    limits,
    mounts,
    network,
    overview,
    processes,
    reading,
    security,
    stats,
)
from contui.tui.panels.layout import fit
from contui.tui.panels.subject import Panel, Subject

PANELS: Final[tuple[Panel, ...]] = (
    stats.PANEL,
    events.PANEL,
    limits.PANEL,
    security.PANEL,
    mounts.PANEL,
    network.PANEL,
    processes.PANEL,
    health.PANEL,
    image.PANEL,
)
OVERVIEW: Final = overview.PANEL
_ALL_WANTS: Final = ("inspect", "in_force", "processes", "image", "sizes")


def describe(subject: Subject, width: int) -> list[Line]:
    """The overview and every panel under its heading; what is amiss with the sources said once."""
    noted = fit(reading.notes(subject, *_ALL_WANTS), width)
    out = list(noted)
    for panel in (OVERVIEW, *PANELS):
        rule = Span(" " + "─" * max(0, width - len(panel.title) - 2), "dim")
        out += [*([BLANK] if out else []), line(*heading(panel.title)[:1], rule)]
        body = [each for each in panel.render(subject, width) if each not in noted]
        out += body[1:] if body[:1] == [BLANK] else body
    return out
