"""What we read from the kernel is what the engine reports, and what ``docker stats`` prints."""

from __future__ import annotations

import contextlib
import json
import re

import pytest

from contui.engines.docker.engine import DockerEngine
from contui.model.sample import Sample
from contui.session import Session
from lab.dockerd import Dockerd
from lab.live import complete, connected, reached, seen, session
from support.wait import until

pytestmark = pytest.mark.engine

IDLE = ("--", "sleep", "1000")
M = 1 << 20
UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 1 << 10, "MiB": M, "GiB": 1 << 30}


class Printed:
    """A quantity as docker prints it, with what its significant digits leave open."""

    def __init__(self, text: str, digits: int) -> None:
        found = re.fullmatch(r"([\d.]+)(\w+)", text)
        assert found, text
        self.text = text
        self.value = float(found[1]) * UNITS[found[2]]
        self.step = max(1, self.value / 2 / 10 ** (digits - 1))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, int | float) and abs(other - self.value) <= self.step

    def __repr__(self) -> str:
        return f"{self.text} ± {self.step:.0f}"


def docker_stats(engine: Dockerd, name: str) -> dict[str, str]:
    """The row of ``docker stats --no-stream``."""
    row = engine.docker("stats", "--no-stream", "--format", "{{json .}}", name)
    out: dict[str, str] = json.loads(row)
    return out


async def sampled(ours: DockerEngine, name: str) -> Sample:
    """A reading from the kernel."""
    sampler = ours.sampler(await seen(ours, name))
    assert sampler is not None
    with contextlib.closing(sampler):
        return sampler.sample()


async def reported(ours: DockerEngine, id: str) -> Sample:
    """The engine's next reading."""
    async with contextlib.aclosing(ours.stats(id)) as stream:
        return await anext(stream)


async def test_memory_is_the_working_set_of_docker_stats(engine: Dockerd) -> None:
    fill = (
        "dd if=/dev/zero of=/cache bs=1M count=24 conv=fsync;"
        "dd if=/dev/zero of=/dev/shm/held bs=1M count=12; echo done; sleep 1000"
    )
    id = engine.run("hog", "-m", "100m", "--shm-size", "20m", "--", "sh", "-c", fill)

    async def logs() -> str:
        return engine.docker("logs", "hog")

    async with connected(engine) as ours:
        await reached(logs, lambda said: "done" in said)

        async def three() -> tuple[Sample, Sample, list[Printed]]:
            sample, report = await sampled(ours, "hog"), await reported(ours, id)
            row = docker_stats(engine, "hog")["MemUsage"]
            return sample, report, [Printed(each, 4) for each in row.split(" / ")]

        def agree(now: tuple[Sample, Sample, list[Printed]]) -> bool:
            # The kernel brings its statistics up to date every other second only.
            sample, report, printed = now
            settled = sample.memory_cache == report.memory_cache and report.memory_cache
            told = sample.memory == report.memory and printed[0] == sample.memory
            return told and (settled or 0) >= 36 * M

        sample, report, printed = await reached(three, agree, "the same in all three")
    assert printed[1] == sample.memory_limit == 100 * M
    assert sample.memory_cache == report.memory_cache
    assert sample.memory_anon == report.memory_anon
    assert sample.memory_peak == report.memory_peak
    # Of the file cache only what is in use counts: 12 MB of shared memory, not 24 MB of file.
    assert sample.memory is not None and 12 * M <= sample.memory < 20 * M


async def test_cpu_is_that_of_the_engine(engine: Dockerd) -> None:
    id = engine.run("burner", "--cpus", "0.2", "--", "sh", "-c", "while :; do :; done")
    async with connected(engine) as ours:
        before = await sampled(ours, "burner")
        report = await reported(ours, id)
        after = await reached(
            lambda: sampled(ours, "burner"), lambda now: (now.cpu_ns or 0) > (before.cpu_ns or 0)
        )
    for name in ("cpu_ns", "periods", "throttled_periods", "throttled_ns"):
        first, between, last = (getattr(each, name) for each in (before, report, after))
        assert first <= between <= last, name
    assert before.at <= report.at <= after.at


async def test_a_quota_shows_as_the_share_that_docker_stats_prints(engine: Dockerd) -> None:
    id = engine.run("burner", "--cpus", "0.2", "--", "sh", "-c", "while :; do :; done")
    async with session(engine) as at:
        await complete(at, "burner")

        async def both() -> tuple[float, float]:
            theirs = float(docker_stats(engine, "burner")["CPUPerc"].rstrip("%")) / 100
            await until(lambda: at.store.rates(id).cpu is not None)
            return at.store.rates(id).cpu or 0.0, theirs

        def agree(pair: tuple[float, float]) -> bool:
            return all(abs(each - 0.2) < 0.03 for each in pair)

        await reached(both, agree, "20% in both")


async def test_network_traffic_is_counted_as_docker_stats_does(engine: Dockerd) -> None:
    serve = "dd if=/dev/zero of=/big bs=1M count=3; httpd -f -h /"
    id = engine.run("source", "--", "sh", "-c", serve)
    address = engine.inspect("source")["NetworkSettings"]["IPAddress"]
    get = (
        f"until printf 'GET /big HTTP/1.0\\r\\n\\r\\n' | nc {address} 80; do :; done >/file;"
        "wc -c /file"
    )
    engine.run("sink", "--", "sh", "-c", f"{get}; sleep 1000")

    async def logs() -> str:
        return engine.docker("logs", "sink")

    async with connected(engine) as ours:
        await reached(logs, lambda said: "/file" in said)

        async def three() -> tuple[Sample, Sample, list[Printed]]:
            row = docker_stats(engine, "source")["NetIO"]
            printed = [Printed(each, 3) for each in row.split(" / ")]
            return await sampled(ours, "source"), await reported(ours, id), printed

        def agree(now: tuple[Sample, Sample, list[Printed]]) -> bool:
            # Neighbour discovery goes on: a packet may come in between.
            sample, report, printed = now
            counted = (sample.net_rx, sample.net_tx)
            return counted == (report.net_rx, report.net_tx) == tuple(printed)

        sample, *_ = await reached(three, agree, "the same in all three")
        assert sample.net_tx is not None and sample.net_tx > 3 * M
        sink = await sampled(ours, "sink")
        assert sink.net_rx is not None and sink.net_rx > 3 * M


async def test_block_io_is_counted_as_docker_stats_does(engine: Dockerd) -> None:
    write = "dd if=/dev/zero of=/data/file bs=1M count=8 conv=fsync; echo done; sleep 1000"
    id = engine.run("writer", "-v", "/data", "--", "sh", "-c", write)

    async def logs() -> str:
        return engine.docker("logs", "writer")

    async with connected(engine) as ours:
        await reached(logs, lambda said: "done" in said)
        sample, report = await sampled(ours, "writer"), await reported(ours, id)
        row = docker_stats(engine, "writer")["BlockIO"]
    read, written = (Printed(each, 3) for each in row.split(" / "))
    assert (report.block_read, report.block_write) == (sample.block_read, sample.block_write)
    assert (read, written) == (sample.block_read, sample.block_write)


async def test_processes_are_counted_as_docker_stats_does(engine: Dockerd) -> None:
    id = engine.run("tree", "--pids-limit", "9", "--", "sh", "-c", "sleep 999 & sleep 999; true")
    async with connected(engine) as ours:
        sample = await reached(lambda: sampled(ours, "tree"), lambda now: now.pids == 3)
        report = await reported(ours, id)
    assert sample.pids_limit == report.pids_limit == 9
    assert report.pids == int(docker_stats(engine, "tree")["PIDs"]) == 3


async def test_the_host_s_traffic_is_not_the_container_s(engine: Dockerd) -> None:
    engine.run("naked", "--network", "host", *IDLE)
    async with connected(engine) as ours:
        sample = await sampled(ours, "naked")
    assert sample.net_rx is sample.net_tx is None


async def test_rates_go_on_over_a_restart(engine: Dockerd) -> None:
    id = engine.run("phoenix", "--", "sh", "-c", "while :; do :; done")

    def measured(at: Session) -> bool:
        rates = at.store.rates(id)
        return rates.cpu is not None and rates.cpu > 0

    async with session(engine) as at:
        await until(lambda: measured(at))
        pid = at.store.containers[id].detail.pid
        engine.docker("restart", "-t", "0", id)
        await until(lambda: at.store.containers[id].detail.pid not in (0, pid))
        at.store.series.pop(id, None)
        await until(lambda: measured(at))


async def test_what_stopped_has_no_rates(engine: Dockerd) -> None:
    id = engine.run("brief", "--", "sh", "-c", "while :; do :; done")
    async with session(engine) as at:
        await until(lambda: at.store.rates(id).cpu is not None)
        engine.docker("kill", id)
        await until(lambda: at.store.rates(id).cpu is None, "the rates are gone")
        assert at.store.containers[id].state == "exited"
