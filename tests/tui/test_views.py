"""Compose projects, images, volumes, networks, events and the engine itself."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from contui.model.errors import EngineError
from contui.model.image import DiskUse, Image, ImageDetail, Network, Volume
from support.scripted import INFO, Scripted, happened
from tui.harness import Console, console, fleet, listed

ANONYMOUS = "ab" * 32
USED = "cd" * 32


@pytest.fixture
def engine() -> Scripted:
    own = [
        replace(each, image_id="sha256:" + "1" * 64) if each.name == "cache" else each
        for each in fleet()
    ]
    own = [replace(each, mounts=(USED,)) if each.name == "frozen" else each for each in own]
    made = Scripted(own)
    images = (
        Image("sha256:" + "1" * 64, ("redis:7", "redis:latest"), ("redis@sha256:9",), 1.7e9, 100),
        Image("sha256:" + "2" * 64, ("old:1",), (), 1.6e9, 300 << 20),
        Image("sha256:" + "3" * 64, (), (), 1.6e9, 50 << 20),
    )
    volumes = (
        Volume("shopdata", "local", "/var/lib/docker/volumes/shopdata", 1.7e9, size=9 << 20),
        Volume("spare", "nfs"),
        Volume(ANONYMOUS, "local", size=3 << 20, references=0),
        Volume(USED, "local", references=1),
    )
    networks = (
        Network("n1", "shop_default", "bridge", "local", False, ("172.18.0.0/16",)),
        Network("n2", "unused_net", "bridge", "local", True),
        Network("n3", "bridge", "bridge", "local"),
    )
    made.resources |= {
        ("images", ""): images,
        ("volumes", ""): volumes,
        ("networks", ""): networks,
        ("info", ""): replace(INFO, warnings=("WARNING: No swap limit support",)),
        ("disk", ""): DiskUse(
            (("images", 3, 1, 400 << 20, 350 << 20), ("build cache", 9, 0, 5 << 30, 5 << 30)),
            images,
            volumes,
        ),
        ("network", "n1"): {
            "Containers": {"x": {"Name": "shop-web-1", "IPv4Address": "172.18.0.2/16"}}
        },
        ("image_detail", "sha256:" + "1" * 64): ImageDetail({"Id": "1", "Config": {"Cmd": ["r"]}}),
    }
    return made


async def opened(app: Console, key: str, *texts: str) -> None:
    await listed(app)
    await app.press(key)
    await app.shows(*texts)


async def test_projects_show_how_much_of_them_is_up_and_what_needs_what(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await opened(app, "2", "SERVICES", "shop")
        assert "2/3" in app.row(" shop ")
        await app.shows("needs db, api")
        await app.press("D")
        await app.says("compose projects cannot be removed here")
        await app.press("X")
        await app.says("compose projects cannot be pruned")
        await app.press("escape")
        assert len(app.app.screen_stack) == 1


async def test_images_tell_who_uses_them_and_open_their_document(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await opened(app, "3", "redis", "old", "<none>")
        assert "1 up" in app.row("redis")
        assert "unused" in app.row("old")
        await app.press("G")
        await app.shows("redis@sha256:9", "used by", "● cache")
        await app.press("i")
        await app.shows('"Cmd"')
        await app.press("escape")
        await app.shows("used by")
        await app.press("slash")
        await app.type("unused")
        await app.press("enter")
        await app.hides("redis")
        await app.press("escape")
        await app.shows("redis")


async def test_an_image_is_removed_after_saying_who_uses_it(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await opened(app, "3", "redis")
        await app.press("G", "D")
        await app.shows("Remove redis:7?", "used by cache", "docker image rm redis:7")
        await app.press("n")
        assert not engine.acts
        await app.press("D")
        await app.shows("Remove redis:7?")
        await app.press("y")
        await app.says("redis:7 removed")
        assert (engine.acts[0].verb, engine.acts[0].kind) == ("remove", "image")


async def test_pruning_shows_what_goes_and_takes_only_that(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await opened(app, "3", "redis")
        await app.press("X")
        await app.shows("Remove 333333333333?", "up to 50.0M comes back")
        assert "old" not in app.text.split("Remove")[1].split("docker")[0]
        await app.press("y")
        await app.until(lambda: engine.acts)
        assert [each.id for each in engine.acts] == ["sha256:" + "3" * 64]
        engine.acts.clear()
        await app.press("4")
        await app.shows("shopdata")
        await app.press("X")
        await app.shows("docker volume rm")
        await app.press("y")
        await app.until(lambda: engine.acts)
        assert [each.id for each in engine.acts] == [ANONYMOUS], "a named or used one goes too"
        engine.acts.clear()
        await app.press("5")
        await app.shows("unused_net")
        await app.press("X")
        await app.shows("Remove unused_net?")
        await app.press("y")
        await app.until(lambda: engine.acts)
        assert [each.name for each in engine.acts] == ["unused_net"]


async def test_volumes_tell_size_users_and_what_removing_loses(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await opened(app, "4", "shopdata", "9.00M")
        assert "shop-web-1" in app.row("shopdata")
        await app.until(lambda: app.row("abababababab"))
        app.app.screen.table.select("shopdata")  # type: ignore[attr-defined]
        await app.press("D")
        await app.shows("Remove shopdata?", "used by shop-web-1", "lost for ever: the data in it")
        await app.press("escape")
        await app.press("space", "space", "D")
        await app.shows("Remove 2 of them?")


async def test_networks_tell_members_and_addresses(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await opened(app, "5", "shop_default", "172.18.0.0/16", "internal")
        app.app.screen.table.select("n1")  # type: ignore[attr-defined]
        await app.shows("172.18.0.2/16", "members")


async def test_a_list_sorts_by_key_and_by_click(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await opened(app, "3", "redis")
        rows = app.app.screen.table.rows  # type: ignore[attr-defined]
        first = list(rows)
        await app.press("O")
        await app.until(lambda: app.app.screen.table.rows == first[::-1])  # type: ignore[attr-defined]
        head = app.text.split("\n")[1]
        await app.pilot.click("#objects", offset=(head.index("SIZE"), 0))
        await app.until(lambda: "SIZE▾" in app.text)
        assert "2" * 64 in app.app.screen.table.rows[0]  # type: ignore[attr-defined]
        await app.press("o")
        await app.shows("OWN▾")


@pytest.mark.parametrize("key", ["3", "4", "5", "9"])
async def test_a_view_that_cannot_be_read_says_why(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted, key: str
) -> None:
    for kind in ("images", "volumes", "networks", "disk"):
        engine.errors[f"fetch:{kind}"] = EngineError("no space left on device")
    async with console(monkeypatch, engine) as app:
        await opened(app, key, "no space left on device")


async def test_events_arrive_stay_at_the_newest_and_are_filtered(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    web = next(iter(engine.present.values()))
    engine.history.append(happened(web, "start", time.time_ns() - 10**9))
    async with console(monkeypatch, engine) as app:
        await opened(app, "6", "start", "shop-web-1")
        engine.emit(happened(web, "die", exitCode="137"), happened(web, "kill", signal="9"))
        await app.shows("exit 137: SIGKILL", "signal 9")
        await app.press("slash")
        await app.type("die")
        await app.press("enter")
        await app.hides("signal 9")
        await app.shows("exit 137")
        await app.press("slash")
        await app.type("nothing of that")
        await app.shows("no event passes the filter nothing of that")
        await app.press("escape")
        await app.shows("signal 9")
        await app.press("slash")
        await app.type("/[/")
        await app.press("enter")
        await app.says("not a regular expression")
        await app.press("escape")
        engine.emit(*(happened(web, "exec_start", exitCode=str(i)) for i in range(60)))
        engine.emit(happened(web, "oom"))
        await app.shows("oom")


async def test_our_own_actions_are_on_the_timeline(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await listed(app)
        await app.select("batch")
        await app.press("S")
        await app.says("batch started")
        await app.press("6")
        await app.shows("contui", "docker start batch")


async def test_the_engine_s_page_tells_disk_daemon_and_feeds(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine, (120, 60)) as app:
        await opened(app, "9", "RECLAIMABLE", "350M", "No swap limit support", "feed engine")
        await app.shows("unix:///scripted.sock", "chosen by test")
        await app.press("slash")
        await app.type("runtimes")
        await app.press("enter", "c")
        assert app.app.clipboard.startswith("runtimes")


@pytest.mark.parametrize(
    ("typed", "title", "preview", "verb"),
    [
        ("stopped", "Remove all stopped containers?", "shop-db-1", ("prune", "container")),
        ("dangling", "Remove all dangling images?", "333333333333", ("prune", "image")),
        ("cache", "Remove all build cache?", "the next builds are slower", ("prune", "builder")),
        ("anonymous", "Remove all unused anonymous volumes?", "abab", ("remove", "volume")),
    ],
)
async def test_the_engine_s_prune_previews_and_asks(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted,
    typed: str, title: str, preview: str, verb: tuple[str, str],
) -> None:  # fmt: skip
    async with console(monkeypatch, engine) as app:
        await opened(app, "9", "RECLAIMABLE", "350M")
        await app.press("X")
        await app.shows("Prune", "up to 5.00G")
        await app.type(typed)
        await app.press("enter")
        await app.shows(title, preview)
        assert not engine.acts
        await app.press("y")
        await app.until(lambda: engine.acts)
        assert {(each.verb, each.kind) for each in engine.acts} == {verb}
        if verb[1] == "volume":
            assert [each.id for each in engine.acts] == [ANONYMOUS]


async def test_views_let_their_resources_go(
    monkeypatch: pytest.MonkeyPatch, engine: Scripted
) -> None:
    async with console(monkeypatch, engine) as app:
        await opened(app, "3", "redis")
        wanted = app.app.session._wanted
        assert ("images", "") in wanted
        await app.press("4")
        await app.until(lambda: ("volumes", "") in wanted and ("images", "") not in wanted)
        await app.press("1")
        await app.until(lambda: ("volumes", "") not in wanted)
