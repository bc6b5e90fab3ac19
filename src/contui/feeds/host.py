"""The host's own figures, where contui runs beside the engine."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from typing import Final

from contui.feeds.supervisor import Apply, Report
from contui.model.feed import FeedState
from contui.model.host import EngineInfo, HostSample
from contui.model.update import HostSampled

_INTERVAL: Final = 2.0


class Host:
    """CPU, memory and the disk of the engine's data every two seconds; quiet for remote engines."""

    def __init__(self, apply: Apply, info: Callable[[], EngineInfo | None]) -> None:
        self._apply = apply
        self._info = info

    async def run(self, report: Report) -> None:
        """Read until cancelled."""
        import psutil

        psutil.cpu_percent()
        while True:
            await asyncio.sleep(_INTERVAL)
            info = self._info()
            report(FeedState.LIVE)
            if info is None or not info.local:
                continue
            memory = psutil.virtual_memory()
            used, total = await asyncio.to_thread(_disk, info.root_dir)
            self._apply(
                HostSampled(
                    HostSample(
                        at=time.time(),
                        cpu=psutil.cpu_percent() / 100,
                        memory_used=memory.total - memory.available,
                        memory_total=memory.total,
                        disk_used=used,
                        disk_total=total,
                        load=os.getloadavg()[0],
                    )
                )
            )


def _disk(path: str) -> tuple[int | None, int | None]:
    """Used and total bytes of the file system, as df counts them: without root's reserve."""
    while path not in ("", "/"):
        try:
            info = os.statvfs(path)
        except PermissionError:
            path = path.rpartition("/")[0]
            continue
        except OSError:
            break
        used = (info.f_blocks - info.f_bfree) * info.f_frsize
        return used, used + info.f_bavail * info.f_frsize
    return None, None
