"""The other views: compose projects, images, volumes, networks, events, system."""

from __future__ import annotations

from contui.tui.screens.base import View


def make_view(name: str) -> View:
    """A new view by its name."""
    if name == "events":
        from contui.tui.screens.events import EventsView

        return EventsView()
    if name == "system":
        from contui.tui.screens.system import SystemView

        return SystemView()
    from contui.tui.screens.kinds import KINDS
    from contui.tui.screens.objects import ObjectsView

    return ObjectsView(KINDS[name])
