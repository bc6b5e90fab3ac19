"""Pictures of the console at fixed sizes; ``pytest tests/snapshots --update-snapshots`` takes new
ones after a wanted change.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

from contui.config.settings import Settings, UiSettings
from contui.model.container import Container
from contui.model.resource import Resource
from contui.model.update import Sampled
from support import subjects
from support.scripted import Scripted, line
from tui.harness import Console, console, fleet, listed

HERE = Path(__file__).parent
_LOCK = (HERE.parents[1] / "requirements-dev.lock").read_text()
_LOCKED = re.search(r"^textual==(\S+)", _LOCK, re.MULTILINE)
pytestmark = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11) or _LOCKED is None or version("textual") != _LOCKED[1],
    reason="pictures are compared on Python 3.11 with the locked Textual only",
)


class Idle:
    """A feed without figures of its own: those of the picture are given."""

    def __init__(self, *_: object) -> None: ...

    async def run(self, report: object) -> None:
        await asyncio.Event().wait()


def engine() -> Scripted:
    """Everything that is read of the web server; the others are only listed."""
    subject = subjects.subject()
    web = subject.container
    others = [
        replace(each, detail=replace(each.detail, started_at=subjects.NOW - 3 * 3600))
        for each in fleet()
        if each.detail is not None and each.name != "shop-web-1"
    ]
    made = Scripted([web, *others], replace(subjects.INFO, name="host-1"))
    made.documents[web.id] = subjects.docker()
    for kind in ("in_force", "processes", "image", "sizes"):
        resource: Resource[object] = getattr(subject, kind)
        made.resources[kind, web.id] = resource.value
    first = int((subjects.NOW - 60) * 1e9)
    made.lines[web.id] = [
        line(f"GET /item/{index} 200 {index * 7 % 50}ms", first + index * 10**9)
        for index in range(50)
    ]
    return made


async def steady(app: Console, web: Container) -> None:
    """The web server selected, its figures there, its log read."""
    await listed(app)
    session = app.app.session
    for sample in subjects.samples():
        session.store.apply(Sampled({web.id: sample}, "cgroup"))
    await app.select(web.name)
    await app.shows("live", "339M")


Shot = Callable[[Console], Awaitable[None]]


async def nothing(app: Console) -> None:
    if app.view.pane is not None and app.view.pane.display and app.pane.region:
        await app.shows("GET /item/49")


def panel(name: str, shown: str) -> Shot:
    async def shot(app: Console) -> None:
        await app.view.action_panel(name)
        await app.shows(shown)

    return shot


async def helped(app: Console) -> None:
    await app.press("question_mark")
    await app.shows("Help")


async def asked(app: Console) -> None:
    await app.press("D")
    await app.shows("Remove shop-web-1?", "3.00M in its writable layer", "docker rm")


SHOTS: dict[str, tuple[tuple[int, int], str, Shot]] = {
    "list-160x45": ((160, 45), "contui-dark", nothing),
    "list-80x24": ((80, 24), "contui-dark", nothing),
    "list-210x50": ((210, 50), "contui-dark", nothing),
    "limits-160x45": ((160, 45), "contui-dark", panel("limits", "1,200")),
    "security-160x45": ((160, 45), "contui-dark", panel("security", "/proc/7923")),
    "help-120x40": ((120, 40), "contui-dark", helped),
    "remove-120x40": ((120, 40), "contui-dark", asked),
    "light-160x45": ((160, 45), "contui-light", panel("stats", "throttled")),
}


def words(picture: str) -> list[str]:
    """The text of a picture: a difference in it is told best by itself."""
    return re.findall(r"<text [^>]*>([^<]*)</text>", picture)


@pytest.fixture
def _frozen_clock() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        patch.setattr("time.time", lambda: subjects.NOW)
        yield
    time.tzset()


@pytest.mark.usefixtures("_frozen_clock")
@pytest.mark.parametrize("name", SHOTS)
async def test_the_screen_looks_as_it_did(
    name: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    size, theme, shot = SHOTS[name]
    for feed in ("Stats", "Host"):
        monkeypatch.setattr(f"contui.session.{feed}", Idle)
    made = engine()
    settings = Settings(ui=UiSettings(theme=theme))
    async with console(monkeypatch, made, size, settings=settings) as app:
        await steady(app, made.present[subjects.ID])
        await shot(app)
        await app.pilot.pause()
        taken = app.app.export_screenshot(title="contui", simplify=True)
    kept = HERE / f"{name}.svg"
    if request.config.getoption("--update-snapshots"):
        kept.write_text(taken)
    (tmp_path / kept.name).write_text(taken)
    assert kept.exists(), "there is no picture yet: --update-snapshots takes it"
    assert words(taken) == words(kept.read_text())
    assert taken == kept.read_text(), f"it looks different: compare {tmp_path / kept.name}"


def test_no_picture_is_left_over() -> None:
    assert {each.stem for each in HERE.glob("*.svg")} == set(SHOTS)
