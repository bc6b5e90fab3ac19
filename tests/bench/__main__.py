"""``make bench``: the measures that contui promises, printed as a Markdown table.

Ratios are against the docker command in the same run; figures are medians unless they say p95.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.program import Program, cpu_seconds, resident
from lab.dockerd import Dockerd, lacking, private

_CONTUI = str(Path(sys.executable).with_name("contui"))
_DOWN, _UP = "j", "k"
_CURSOR = b"48;2;42;52;70m"
"""The cursor's row in the default theme: the sign that a key has been answered."""


class Table:
    """Rows of the result."""

    def __init__(self) -> None:
        print(
            "| measure | contui | reference | ratio | target |\n| --- | ---: | ---: | ---: | ---: |"
        )

    def row(self, name: str, own: str, other: str = "", ratio: float | None = None,
            target: str = "") -> None:  # fmt: skip
        """One measure."""
        shown = "" if ratio is None else f"{ratio:.2f}"
        print(f"| {name} | {own} | {other} | {shown} | {target} |", flush=True)


def environment(daemon: Dockerd) -> dict[str, str]:
    """Of the programs under test: nothing of the developer's."""
    own = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    return own | {"DOCKER_HOST": daemon.url, "HOME": str(daemon.folder), "LANG": "C.UTF-8"}


def start_containers(daemon: Dockerd, count: int) -> None:
    """``count`` idle containers, four at a time."""
    with ThreadPoolExecutor(4) as pool:
        list(
            pool.map(lambda n: daemon.run(f"bench-{n:03d}", "--", "sleep", "100000"), range(count))
        )


def first_row(daemon: Dockerd, table: Table, count: int, rounds: int) -> None:
    """From the start of the process to the first container on the screen, side by side."""
    env = environment(daemon)
    listing, painted, live = [], [], []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        subprocess.run(["docker", "ps"], env=env, stdout=subprocess.DEVNULL, check=True)
        listing.append(time.perf_counter() - begun)
        program = Program([_CONTUI], env)
        program.until(b"bench-000")
        painted.append(time.perf_counter() - program.started)
        program.until(b"MEM / LIMIT")
        program.until(b"bench-000")
        live.append(time.perf_counter() - program.started)
        program.close()
    reference = statistics.median(listing[1:])
    for name, values, target in (
        ("first row", painted[1:], "<= 9"),
        ("the whole console", live[1:], ""),
    ):
        own = statistics.median(values)
        table.row(f"{name}, {count} containers", f"{own * 1000:.0f} ms",
                  f"docker ps {reference * 1000:.0f} ms", own / reference, target)  # fmt: skip


def _answers(program: Program, keys: int) -> list[float]:
    """Seconds from each key to the cursor on its row."""
    took = []
    for n in range(keys):
        program.drain(0.15)
        down = n % 40 < 20
        program.send(_DOWN if down else _UP)
        took.append(program.until(_CURSOR, 5.0))
    return took


def _p95(values: list[float]) -> float:
    return sorted(values)[max(0, round(len(values) * 0.95) - 1)]


def keys(daemon: Dockerd, table: Table, count: int) -> None:
    """From a key to the screen, with all containers updating and with the daemon stopped."""
    program = Program([_CONTUI], environment(daemon))
    program.until(b"live")
    program.drain(5)
    took = _answers(program, 120)
    table.row(f"key to screen, {count} containers, p95", f"{_p95(took) * 1000:.0f} ms",
              f"median {statistics.median(took) * 1000:.0f} ms", None, "<= 50 ms")  # fmt: skip
    daemon.send(signal.SIGSTOP)
    try:
        program.drain(6)
        took = _answers(program, 60)
        table.row("the same, daemon stopped by SIGSTOP", f"{_p95(took) * 1000:.0f} ms",
                  f"median {statistics.median(took) * 1000:.0f} ms", None, "<= 50 ms")  # fmt: skip
    finally:
        daemon.send(signal.SIGCONT)
    program.close()


def _family(pid: int) -> list[int]:
    """A process and all below it: dockerd, its containerd and the shims."""
    found = [pid]
    for each in found:
        tasks = Path(f"/proc/{each}/task")
        for task in tasks.iterdir() if tasks.exists() else ():
            found += map(int, (task / "children").read_text().split())
    return found


def _engine_cpu(daemon: Dockerd) -> float:
    pids = [p for p in _family(daemon.pid) if Path(f"/proc/{p}").exists()]
    return sum(cpu_seconds(p) for p in pids if b"dockerd" in _name(p) or b"containerd" in _name(p))


def _name(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]


def _watched(daemon: Dockerd, argv: list[str], seconds: float) -> tuple[float, float, float, int]:
    """CPU of a program and of the engine (cores), bytes a second, resident bytes."""
    program = Program(argv, environment(daemon))
    program.drain(6)
    own, engine, written = cpu_seconds(program.pid), _engine_cpu(daemon), program.written
    program.drain(seconds)
    result = (
        (cpu_seconds(program.pid) - own) / seconds,
        (_engine_cpu(daemon) - engine) / seconds,
        (program.written - written) / seconds,
        resident(program.pid),
    )
    program.close()
    return result


def idle(daemon: Dockerd, table: Table, count: int, seconds: float) -> None:
    """What watching idle containers costs, against ``docker stats``."""
    begun = _engine_cpu(daemon)
    time.sleep(seconds)
    quiet = (_engine_cpu(daemon) - begun) / seconds
    own = _watched(daemon, [_CONTUI], seconds)
    other = _watched(daemon, ["docker", "stats"], seconds)
    ours, theirs = own[0] + max(0.0, own[1] - quiet), other[0] + max(0.0, other[1] - quiet)
    table.row(f"CPU with the engine's, {count} idle", f"{own[0]:.1%} + {own[1] - quiet:.1%}",
              f"docker stats {other[0]:.1%} + {other[1] - quiet:.1%}", ours / theirs,
              "<= 0.15")  # fmt: skip
    table.row(f"terminal bytes a second, {count} idle", f"{own[2] / 1000:.1f} kB",
              f"docker stats {other[2] / 1000:.1f} kB", own[2] / other[2], "<= 0.1")  # fmt: skip
    table.row(f"resident memory, {count} idle", f"{own[3] / (1 << 20):.0f} MB",
              f"docker stats {other[3] / (1 << 20):.0f} MB", None, "<= 75 MB")  # fmt: skip


def main() -> int:
    """Run them all. 1 where no engine can be started."""
    options = argparse.ArgumentParser(prog="bench", description=__doc__)
    options.add_argument("--containers", type=int, default=100)
    options.add_argument("--rounds", type=int, default=11)
    options.add_argument("--seconds", type=float, default=20.0)
    chosen = options.parse_args()
    if why := lacking():
        print(f"bench: {why}", file=sys.stderr)
        return 1
    with private() as daemon:
        start_containers(daemon, chosen.containers)
        table = Table()
        first_row(daemon, table, chosen.containers, chosen.rounds)
        keys(daemon, table, chosen.containers)
        idle(daemon, table, chosen.containers, chosen.seconds)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
