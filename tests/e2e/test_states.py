"""Containers in every state: the store knows it, and the verdict says what is wrong."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import pytest

from contui.model.container import Container, Port
from contui.model.problem import Problem, Severity, problem
from contui.session import Session
from lab.dockerd import Dockerd
from lab.live import complete, named, session
from support.wait import until

pytestmark = pytest.mark.engine

QUICK = ("--health-interval", "1s", "--health-retries", "1")


@pytest.fixture(scope="module")
def zoo(daemon: Dockerd) -> Iterator[Dockerd]:
    """One container of every kind."""
    idle = ("--", "sleep", "1000")
    polite = ("--", "sh", "-c", "trap 'exit 143' TERM; echo ready; while :; do sleep 0.1; done")
    daemon.run("running", *idle)
    daemon.run("done", "--", "true")
    daemon.run("failed", "--", "sh", "-c", "exit 3")
    daemon.docker("create", "--name", "created", "busybox")
    daemon.docker("run", "-d", "--name", "no-command", "busybox", "nosuch", check=False)
    daemon.run("paused", *idle)
    daemon.docker("pause", "paused")
    daemon.run("looping", "--restart", "always", "--", "sh", "-c", "exit 4")
    daemon.run("given-up", "--restart", "on-failure:2", "--", "sh", "-c", "exit 5")
    daemon.run("hog", "-m", "16m", "--memory-swap", "16m", "--", "tail", "/dev/zero")
    # Docker loses the mark when it hears of the end before it hears of the kill.
    while daemon.docker("wait", "hog") and not daemon.inspect("hog")["State"]["OOMKilled"]:
        daemon.docker("start", "hog")
    daemon.run("hog-inside", "-m", "16m", "--memory-swap", "16m",
               "--", "sh", "-c", "tail /dev/zero; sleep 1000")  # fmt: skip
    daemon.run("healthy", *QUICK, "--health-cmd", "true", *idle)
    daemon.run("unhealthy", *QUICK, "--health-cmd", "echo refused on :80; exit 1", *idle)
    daemon.run("starting", "--health-interval", "1h", "--health-cmd", "true", *idle)
    daemon.run("ports", "-p", "127.0.0.1:18080:80", "-p", "18053:53/udp", "--expose", "9", *idle)
    daemon.run("stopped", *polite)
    daemon.run("stubborn", *idle)
    daemon.run("killed", *idle)
    # The kernel spares the first process of a container a signal that it sends itself.
    daemon.run("crashed", "--", "sh", "-c", "sh -c 'kill -SEGV $$'; exit $?")
    # Stopping too early would end it before its trap is set.
    while "ready" not in daemon.docker("logs", "stopped"):
        time.sleep(0.05)
    daemon.docker("stop", "stopped")
    daemon.docker("stop", "-t", "0", "stubborn")
    daemon.docker("kill", "killed")
    yield daemon
    daemon.remove_all()


def verdict(at: Session, container: Container) -> Problem:
    """What the list shows."""
    series = at.store.series.get(container.id)
    sample = series.last if series is not None else None
    asked = at.store.asked.get(container.id, "")
    return problem(container, time.time(), sample=sample, asked=asked)


@pytest.mark.parametrize(
    ("name", "state", "code", "severity", "text"),
    [
        ("running", "running", 0, Severity.NONE, ""),
        ("done", "exited", 0, Severity.NONE, ""),
        ("failed", "exited", 3, Severity.CRITICAL, "exit 3: failed"),
        ("created", "created", 0, Severity.NONE, ""),
        (
            "no-command", "created", 127, Severity.CRITICAL,
            'cannot start: exec: "nosuch": executable file not found in $PATH',
        ),
        ("paused", "paused", 0, Severity.LOW, "paused"),
        (
            "given-up", "exited", 5, Severity.CRITICAL,
            "exit 5: failed, given up after 2 restarts",
        ),
        (
            "hog", "exited", 137, Severity.CRITICAL,
            "OOM-killed at its 16.0M limit",
        ),
        (
            "hog-inside", "running", 0, Severity.WARNING,
            "the kernel killed a process of it once at its 16.0M limit",
        ),
        ("stopped", "exited", 143, Severity.LOW, "stopped by hand (SIGTERM)"),
        (
            "stubborn", "exited", 137, Severity.LOW,
            "stopped by hand, had to be killed (SIGKILL)",
        ),
        ("killed", "exited", 137, Severity.LOW, "stopped by hand (SIGKILL)"),
        ("crashed", "exited", 139, Severity.CRITICAL, "exit 139: SIGSEGV, segmentation fault"),
    ],
)  # fmt: skip
async def test_the_verdict_says_what_became_of_it(
    zoo: Dockerd, name: str, state: str, code: int, severity: Severity, text: str
) -> None:
    async with session(zoo) as at:

        def settled() -> bool:
            found = named(at, name)
            return (
                found is not None
                and found.detail is not None
                and (found.state, found.detail.exit_code) == (state, code)
                and verdict(at, found) == Problem(severity, text)
            )

        with contextlib.suppress(AssertionError):
            await until(settled)
        found = await complete(at, name)
        assert found.detail is not None
        assert (found.state, found.detail.exit_code) == (state, code)
        assert verdict(at, found) == Problem(severity, text)


async def test_a_restart_loop_is_counted_and_named(zoo: Dockerd) -> None:
    async with session(zoo) as at:
        container = await complete(at, "looping")

        def between() -> bool:
            now = at.store.containers[container.id]
            return now.state == "restarting" and now.detail is not None and now.detail.exit_code > 0

        await until(between, "it waits for its next start")
        now = at.store.containers[container.id]
        assert now.detail is not None and now.detail.restart_count >= 1
        assert now.detail.restart_policy == "always"
        said = verdict(at, now)
        assert said.severity is Severity.CRITICAL
        assert said.text.startswith("exit 4: failed, restarted ")


async def test_memory_killed_containers_are_marked(zoo: Dockerd) -> None:
    async with session(zoo) as at:
        marks = {}
        for name in ("hog", "failed", "killed"):
            detail = (await complete(at, name)).detail
            assert detail is not None
            marks[name] = detail.oom_killed
        assert marks == {"hog": True, "failed": False, "killed": False}


@pytest.mark.parametrize("health", ["healthy", "unhealthy", "starting", ""])
async def test_health_is_that_of_the_engine(zoo: Dockerd, health: str) -> None:
    name = health or "running"
    async with session(zoo) as at:
        await until(lambda: (found := named(at, name)) and found.health == health, name)
        assert (await complete(at, name)).health == health


async def test_a_failing_health_check_is_quoted(zoo: Dockerd) -> None:
    async with session(zoo) as at:
        container = await complete(at, "unhealthy")

        def quoted() -> bool:
            said = verdict(at, at.store.containers[container.id])
            return said.severity is Severity.CRITICAL and said.text.startswith(
                "health check: refused on :80"
            )

        await until(quoted, "the probe's output is in the verdict")
        detail = at.store.containers[container.id].detail
        assert detail is not None and detail.failing_streak >= 1
        assert detail.probes[-1].exit_code == 1
        assert detail.probes[-1].end >= detail.probes[-1].start > container.created - 1


async def test_published_and_exposed_ports_are_told_apart(zoo: Dockerd) -> None:
    async with session(zoo) as at:
        ports = set((await complete(at, "ports")).ports)
        assert Port(80, "tcp", "127.0.0.1", 18080) in ports
        assert Port(53, "udp", "0.0.0.0", 18053) in ports
        assert Port(9, "tcp", "", 0) in ports


async def test_the_list_is_that_of_docker_ps(zoo: Dockerd) -> None:
    theirs = set(zoo.docker("ps", "-aq", "--no-trunc").split())
    async with session(zoo) as at:
        await until(lambda: at.store.listed)
        assert set(at.store.containers) == theirs
        assert all(each.image == "busybox" for each in at.store.containers.values())
