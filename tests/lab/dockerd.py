"""A private dockerd: it shares nothing with an engine of the host but the kernel."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_DIES_WITH_US = ("setpriv", "--pdeathsig", "TERM")
"""A test run that is killed leaves no engine behind."""
_SBIN = os.pathsep.join((os.environ["PATH"], "/usr/sbin", "/sbin"))


def lacking() -> str:
    """Why no engine can be started here; ``""`` when one can."""
    if os.geteuid() != 0:
        return "only root can start an engine"
    for name in ("dockerd", "docker", "busybox", "unshare"):
        if shutil.which(name, path=_SBIN) is None:
            return f"{name} is not installed: run `make test`"
    return ""


class Dockerd:
    """One daemon. ``start`` it, then talk to it at ``url`` or with :meth:`docker`."""

    def __init__(self) -> None:
        # A short path: that of a socket is limited to 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="contui-lab-", dir="/var/tmp"))
        self.socket = self.folder / "docker.sock"
        self.url = f"unix://{self.socket}"
        self._process: subprocess.Popen[bytes] | None = None
        self._network: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, or start it again; returns when it answers."""
        if self._network is None:
            # The namespace outlives the daemon: containers keep their network over a restart.
            self._network = subprocess.Popen(
                [*_DIES_WITH_US, "unshare", "--net", "sleep", "infinity"]
            )
            self._await(lambda: self._separated(self._network), "a network namespace")
            self._inside("ip", "link", "set", "lo", "up")
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *_DIES_WITH_US,
                    *("nsenter", f"--net=/proc/{self._network.pid}/ns/net"),
                    *("dockerd", "--data-root", str(self.folder / "data")),
                    *("--exec-root", str(self.folder / "exec"), "-p", str(self.folder / "pid")),
                    *("-H", self.url, "--live-restore"),
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "PATH": _SBIN},
            )
        self._await(self.answers, "dockerd")

    @staticmethod
    def _separated(process: subprocess.Popen[bytes] | None) -> bool:
        assert process is not None
        own = os.readlink("/proc/self/ns/net")
        return os.readlink(f"/proc/{process.pid}/ns/net") != own

    def _inside(self, *words: str) -> None:
        assert self._network is not None
        subprocess.run(
            ["nsenter", f"--net=/proc/{self._network.pid}/ns/net", *words],
            check=True,
            env={**os.environ, "PATH": _SBIN},
        )

    def _await(self, ready: Any, what: str, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > end:
                log = self.folder / "log"
                tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
                raise RuntimeError(f"{what} did not come up\n{tail}")
            time.sleep(0.05)

    def answers(self) -> bool:
        """Whether it answers."""
        return (
            subprocess.run(
                ["docker", "-H", self.url, "version"], capture_output=True, timeout=30
            ).returncode
            == 0
        )

    @property
    def pid(self) -> int:
        """Of the daemon itself."""
        return int((self.folder / "pid").read_text())

    def send(self, number: signal.Signals) -> None:
        """Send the daemon a signal, such as SIGSTOP and SIGCONT."""
        os.kill(self.pid, number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End the daemon; its containers go on (live restore)."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            os.kill(self.pid, number)
        process.wait(timeout=60)
        (self.folder / "pid").unlink(missing_ok=True)
        if number == signal.SIGKILL:
            # Its containerd dies with it. Until somebody has reaped that, the next daemon would
            # take it for alive.
            (self.folder / "exec/containerd/containerd.pid").unlink(missing_ok=True)

    def close(self) -> None:
        """Remove its containers, end it, and delete what it kept."""
        with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
            self.remove_all()
        self.stop()
        if self._network is not None:
            self._network.kill()
            self._network.wait()
        with Path("/proc/self/mountinfo").open() as mounts:
            inside = [row.split()[4] for row in mounts if str(self.folder) in row]
        for target in sorted(inside, reverse=True):
            subprocess.run(["umount", "-l", target], capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- work with it

    def docker(self, *words: str, check: bool = True, input: bytes | None = None) -> str:
        """Run the docker command against it; what it prints."""
        done = subprocess.run(
            ["docker", "-H", self.url, *words], input=input, capture_output=True, timeout=120
        )
        if check and done.returncode:
            raise AssertionError(f"docker {' '.join(words)}: {done.stderr.decode()}")
        return done.stdout.decode().strip()

    def run(self, name: str, *words: str, image: str = "busybox") -> str:
        """``docker run -d --name NAME OPTIONS... -- COMMAND...``; returns the id.

        Everything up to ``--`` are options, what follows is the command.
        """
        cut = words.index("--") if "--" in words else len(words)
        return self.docker("run", "-d", "--name", name, *words[:cut], image, *words[cut + 1 :])

    def inspect(self, name: str) -> dict[str, Any]:
        """The inspect document of a container."""
        document: dict[str, Any] = json.loads(self.docker("inspect", name))[0]
        return document

    def remove_all(self) -> None:
        """Remove every container, and the networks and volumes made for them."""
        # One by one: removed together, Docker 20.10 can deadlock over their network endpoints.
        for id in self.docker("ps", "-aq").split():
            self.docker("rm", "-fv", id)
        self.docker("network", "prune", "-f")
        self.docker("volume", "prune", "-f")

    def make_image(self, tag: str = "busybox:latest", *changes: str) -> None:
        """Import a file system with nothing but the host's static busybox."""
        busybox = shutil.which("busybox", path=_SBIN)
        assert busybox is not None
        data = Path(busybox).read_bytes()
        applets = subprocess.run([busybox, "--list"], capture_output=True, text=True).stdout
        with io.BytesIO() as packed:
            with tarfile.open(fileobj=packed, mode="w") as tar:
                for folder in ("bin", "dev", "etc", "proc", "root", "sys", "tmp", "var"):
                    entry = tarfile.TarInfo(folder)
                    entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
                    tar.addfile(entry)
                entry = tarfile.TarInfo("bin/busybox")
                entry.size, entry.mode = len(data), 0o755
                tar.addfile(entry, io.BytesIO(data))
                passwd = b"root:x:0:0:root:/root:/bin/sh\nwww:x:1000:1000::/tmp:/bin/sh\n"
                entry = tarfile.TarInfo("etc/passwd")
                entry.size, entry.mode = len(passwd), 0o644
                tar.addfile(entry, io.BytesIO(passwd))
                for applet in applets.split():
                    entry = tarfile.TarInfo(f"bin/{applet}")
                    entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
                    if applet != "busybox":
                        tar.addfile(entry)
            packed.seek(0)
            options = [word for change in ("ENV PATH=/bin", 'CMD ["sh"]', *changes)
                       for word in ("-c", change)]  # fmt: skip
            self.docker("import", *options, "-", tag, input=packed.getvalue())


@contextlib.contextmanager
def private() -> Iterator[Dockerd]:
    """A running daemon with a busybox image, gone at the end."""
    daemon = Dockerd()
    try:
        daemon.start()
        daemon.make_image()
        yield daemon
    finally:
        daemon.close()
