"""Makes screenshots/*.svg from a real engine with real containers in it (`make screenshots`)."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(_ROOT / "tests"))

from contui.config.settings import Settings  # noqa: E402
from contui.model.endpoint import Endpoint  # noqa: E402
from contui.session import Session  # noqa: E402
from contui.tui.app import ContuiApp  # noqa: E402
from lab.dockerd import Dockerd, private  # noqa: E402

_LOGS = """
n=0
while :; do
  n=$((n+1))
  printf '\\033[32mINFO\\033[0m  GET /orders/%d 200 %dms\\n' $((n*17%991)) $((n*7%40+3))
  [ $((n%7)) = 0 ] && printf '\\033[33mWARN\\033[0m  slow query: 812 ms, table orders\\n' >&2
  [ $((n%19)) = 0 ] && printf '\\033[31mERROR\\033[0m upstream db: connection refused\\n' >&2
  sleep 0.2
done
"""


def _label(service: str, *depends: str) -> list[str]:
    labels = ["com.docker.compose.project=shop", f"com.docker.compose.service={service}"]
    if depends:
        needs = ",".join(f"{each}:service_started:false" for each in depends)
        labels.append(f"com.docker.compose.depends_on={needs}")
    return [word for label in labels for word in ("--label", label)]


def stage(daemon: Dockerd) -> None:
    """A small shop, some of it broken."""
    for tag in ("shop/api:2.3.1", "shop/web:1.8.0", "postgres:16", "redis:7"):
        daemon.docker("tag", "busybox", tag)
    daemon.docker("network", "create", "shop_default")
    net = ["--network", "shop_default"]
    run = daemon.run
    run("shop-db-1", *net, *_label("db"), "-m", "24m", "--memory-swap", "24m", "--restart",
        "always", "-v", "shop_data:/data", "--", "sh", "-c",
        "sleep 1; echo loading index 3/7; tail /dev/zero", image="postgres:16")  # fmt: skip
    run("shop-api-1", *net, *_label("api", "db"), "-m", "128m", "--cpus", "0.5", "-p", "8080:80",
        "-e", "DB_PASSWORD=hunter2", "--cap-add", "NET_ADMIN", "--health-cmd",
        "echo 'connection refused: db:5432'; exit 1", "--health-interval", "1s",
        "--health-retries", "3", "--", "sh", "-c", _LOGS, image="shop/api:2.3.1")  # fmt: skip
    run("shop-web-1", *net, *_label("web", "api"), "-p", "80:8080", "--pids-limit", "100",
        "--", "sh", "-c", "httpd -p 127.0.0.1:8080 -h /; while :; do echo ok; sleep 1; done",
        image="shop/web:1.8.0")  # fmt: skip
    run("shop-cache-1", *net, *_label("cache"), "-m", "64m", "--", "sh", "-c",
        "dd if=/dev/zero of=/dev/shm/x bs=1M count=51 2>/dev/null; sleep 9999",
        image="redis:7")  # fmt: skip
    run("shop-worker-1", *net, *_label("worker", "db"), "--cpus", "0.25", "--", "sh", "-c",
        "while :; do :; done", image="shop/api:2.3.1")  # fmt: skip
    run("migrate", "--", "true", image="shop/api:2.3.1")
    run("report", "--", "sh", "-c", "exit 127", image="shop/api:2.3.1")
    run("backup", "--", "sleep", "9999")
    daemon.docker("pause", "backup")


async def picture(
    daemon: Dockerd,
    name: str,
    keys: Sequence[str],
    *,
    size: tuple[int, int] = (160, 42),
    theme: str = "contui-dark",
    seconds: float = 1.5,
) -> None:
    """One picture: the console on the daemon after these keys."""
    session = Session(Endpoint(daemon.url, name="web-3", origin="screenshot"))
    app = ContuiApp(session, Settings())
    app.theme = theme
    async with app.run_test(size=size, notifications=False) as pilot:
        await until(lambda: len(session.store.series) >= 4 and session.store.host is not None)
        await asyncio.sleep(4)
        await pilot.press(*keys)
        await asyncio.sleep(seconds)
        await pilot.pause()
        svg = app.export_screenshot(title="contui", simplify=True)
    (_ROOT / "screenshots" / f"{name}.svg").write_text(svg + "\n")
    print(name)


async def until(ready: Callable[[], bool]) -> None:
    """Wait for a condition, half a minute at most."""
    async with asyncio.timeout(30):
        while not ready():
            await asyncio.sleep(0.1)


async def main() -> None:
    """All of them."""
    api = ["slash", *"shop-api", "enter"]
    with private() as daemon:
        stage(daemon)
        await asyncio.sleep(20)
        await picture(daemon, "list", ["down"], seconds=3)
        await picture(daemon, "logs", [*api, "l", "T"], seconds=3)
        await picture(daemon, "stats", ["slash", *"worker", "enter", "s"], seconds=30)
        await picture(daemon, "limits", ["slash", *"cache", "enter", "l", *["]"] * 4], seconds=3)
        await picture(daemon, "security", [*api, "l", *["]"] * 5], seconds=3)
        await picture(daemon, "network", ["slash", *"web-1", "enter", "l", *["]"] * 7], seconds=3)
        await picture(daemon, "remove", [*api, "D"], seconds=3)
        await picture(daemon, "light", ["down", "d"], size=(210, 50), theme="contui-light")
        await picture(daemon, "small", [], size=(80, 24))


if __name__ == "__main__":
    asyncio.run(main())
