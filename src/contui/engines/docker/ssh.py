"""ssh:// endpoints: the remote socket forwarded by the system's ssh.

The system's ssh keeps the user's configuration, agent, jump hosts and known hosts. The remote
side gets no environment: only what its own login gives it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from contui.model.errors import EngineUnavailable

_DEADLINE: Final = 20.0
_KEPT: Final = ("PATH", "HOME", "USER", "LOGNAME", "SSH_AUTH_SOCK", "LANG", "XDG_RUNTIME_DIR")


class Tunnel:
    """One ``ssh -N -L`` process and the private folder with its socket."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._process: asyncio.subprocess.Process | None = None
        self._folder = ""

    def command(self, local: str) -> list[str]:
        """The ssh command line that forwards the remote engine's socket to ``local``."""
        url = self._url
        remote = url.path if url.path not in ("", "/") else "/var/run/docker.sock"
        words = ["ssh", "-N", "-T", "-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes"]
        words += ["-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=15"]
        if url.port:
            words += ["-p", str(url.port)]
        if url.username:
            words += ["-l", url.username]
        return [*words, "-L", f"{local}:{remote}", "--", url.hostname or ""]

    async def open(self) -> str:
        """Start ssh; the path of the local socket once it accepts.

        Raises EngineUnavailable with ssh's own words.
        """
        if shutil.which("ssh") is None:
            raise EngineUnavailable("ssh is not installed", hint="install openssh-client")
        self._folder = tempfile.mkdtemp(prefix="contui-")
        local = str(Path(self._folder, "engine.sock"))
        self._process = await asyncio.create_subprocess_exec(
            *self.command(local),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env={name: os.environ[name] for name in _KEPT if name in os.environ},
        )
        try:
            async with asyncio.timeout(_DEADLINE):
                while not os.path.exists(local):
                    if self._process.returncode is not None:
                        raise await self._failure(self._process)
                    await asyncio.sleep(0.02)
        except TimeoutError:
            await self.close()
            raise EngineUnavailable(f"ssh to {self._url.hostname} does not come up") from None
        return local

    async def _failure(self, process: asyncio.subprocess.Process) -> EngineUnavailable:
        words = (await process.stderr.read()).decode("utf-8", "replace") if process.stderr else ""
        last = words.strip().splitlines()[-1:] or ["ssh ended"]
        await self.close()
        return EngineUnavailable(
            f"ssh {self._url.hostname}: {last[0]}", hint=f"ssh {self._url.hostname} true"
        )

    async def close(self) -> None:
        """End ssh and remove the folder."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = ""
