from typing import Any

import pytest

from contui.model.container import Container, Detail, Probe
from contui.model.problem import NOTHING, Severity, problem, reason
from contui.model.sample import Sample

NOW = 1_764_000_000.0
M = 1 << 20


def container(state: str, health: str = "", status: str = "", **detail: Any) -> Container:
    return Container("a" * 64, "web", state=state, health=health, status=status,
                     detail=Detail(**detail))  # fmt: skip


def said(each: Container, **known: Any) -> tuple[Severity, str]:
    found = problem(each, NOW, **known)
    return found.severity, found.text


@pytest.mark.parametrize(
    "fine",
    [
        container("running"),
        container("running", health="healthy"),
        container("running", health="starting"),
        container("created"),
        container("exited", exit_code=0),
        container("running", restart_count=3, started_at=NOW - 3600),
        container("removing"),
        Container("a", "b", state="running"),
        Container("a", "b", state="exited", status="Exited (0) 3 hours ago"),
    ],
)
def test_what_is_well_has_no_sentence(fine: Container) -> None:
    assert problem(fine, NOW) == NOTHING


@pytest.mark.parametrize(
    ("code", "severity", "text"),
    [
        (1, Severity.CRITICAL, "exit 1: failed"),
        (2, Severity.CRITICAL, "exit 2: failed: wrong usage, or an error of its own"),
        (126, Severity.CRITICAL, "exit 126: the command cannot be executed"),
        (127, Severity.CRITICAL, "exit 127: the command, or a library of it, was not found"),
        (134, Severity.CRITICAL, "exit 134: SIGABRT, aborted itself"),
        (137, Severity.CRITICAL, "exit 137: SIGKILL, killed"),
        (139, Severity.CRITICAL, "exit 139: SIGSEGV, segmentation fault"),
        (143, Severity.LOW, "exit 143: SIGTERM, asked to stop"),
        (130, Severity.LOW, "exit 130: SIGINT, interrupted, as by ctrl+c"),
    ],
)
def test_an_exit_is_told_in_words(code: int, severity: Severity, text: str) -> None:
    assert said(container("exited", exit_code=code)) == (severity, text)


def test_before_it_was_inspected_the_status_tells_the_exit_code() -> None:
    each = Container("a", "b", state="exited", status="Exited (139) 2 minutes ago")
    assert said(each) == (Severity.WARNING, "exit 139: SIGSEGV, segmentation fault")


@pytest.mark.parametrize(
    ("detail", "text"),
    [
        ({"memory_limit": 64 * M}, "OOM-killed at its 64.0M limit"),
        ({}, "OOM-killed"),
    ],
)
def test_a_container_killed_for_its_memory_says_so(detail: dict[str, Any], text: str) -> None:
    each = container("exited", exit_code=137, oom_killed=True, **detail)
    assert said(each) == (Severity.CRITICAL, text)


def test_an_exit_after_a_child_was_killed_for_memory_names_both() -> None:
    each = container("exited", exit_code=1, oom_killed=True)
    assert said(each)[1] == "exit 1: failed, after the kernel killed a process of it"


@pytest.mark.parametrize(
    ("code", "asked", "text"),
    [
        (143, "15", "stopped by hand (SIGTERM)"),
        (130, "2", "stopped by hand (SIGINT)"),
        (131, "3", "stopped by hand (SIGQUIT)"),
        (137, "9", "stopped by hand (SIGKILL)"),
        (137, "15", "stopped by hand, had to be killed (SIGKILL)"),
    ],
)
def test_what_was_stopped_by_hand_is_no_fault(code: int, asked: str, text: str) -> None:
    assert said(container("exited", exit_code=code), asked=asked) == (Severity.LOW, text)


@pytest.mark.parametrize("code", [1, 134, 139])
def test_a_crash_while_it_is_stopped_is_a_fault(code: int) -> None:
    assert said(container("exited", exit_code=code), asked="15")[0] == Severity.CRITICAL


@pytest.mark.parametrize(
    ("detail", "text"),
    [
        ({"restart_count": 1}, "exit 1: failed, restarted once"),
        ({"restart_count": 2}, "exit 1: failed, restarted twice"),
        ({"restart_count": 5}, "exit 1: failed, restarted 5 times"),
        ({"restart_count": 3, "restart_policy": "on-failure"},
         "exit 1: failed, given up after 3 restarts"),
    ],
)  # fmt: skip
def test_an_exit_tells_of_the_restarts_before(detail: dict[str, Any], text: str) -> None:
    assert said(container("exited", exit_code=1, **detail)) == (Severity.CRITICAL, text)


@pytest.mark.parametrize(
    ("detail", "text"),
    [
        ({"exit_code": 1, "restart_count": 9}, "exit 1: failed, restarted 9 times"),
        ({"exit_code": 0, "restart_count": 2}, "exit 0: ended by itself, restarted twice"),
        ({"exit_code": 137, "oom_killed": True, "memory_limit": 64 * M, "restart_count": 4},
         "OOM-killed at its 64.0M limit, restarted 4 times"),
        ({"exit_code": 127, "error": "OCI runtime create failed: exec: no", "restart_count": 1},
         "exec: no, restarted once"),
    ],
)  # fmt: skip
def test_a_restart_loop_names_its_cause(detail: dict[str, Any], text: str) -> None:
    assert said(container("restarting", **detail)) == (Severity.CRITICAL, text)


def test_a_restart_loop_is_told_before_it_was_inspected() -> None:
    each = Container("a", "b", state="restarting")
    assert said(each) == (Severity.CRITICAL, "restarting over and over")


def test_a_recent_restart_is_news() -> None:
    each = container("running", restart_count=2, started_at=NOW - 70)
    assert said(each) == (Severity.WARNING, "restarted twice, last 1m10s ago")


def test_a_recent_restart_for_memory_is_critical() -> None:
    each = container("running", restart_count=3, started_at=NOW - 5, oom_killed=True,
                     memory_limit=64 * M)  # fmt: skip
    text = "OOM-killed at its 64.0M limit, restarted 3 times, last 5s ago"
    assert said(each) == (Severity.CRITICAL, text)


def test_a_process_killed_inside_a_running_container_is_a_warning() -> None:
    sample = Sample(NOW, oom_kills=2, memory_limit=64 * M)
    text = "the kernel killed a process of it twice at its 64.0M limit"
    assert said(container("running"), sample=sample) == (Severity.WARNING, text)


def probe(output: str, code: int = 1) -> Probe:
    return Probe(NOW - 2, NOW - 1, code, output)


@pytest.mark.parametrize(
    ("probes", "streak", "text"),
    [
        ((probe("fine", 0), probe("curl: (7) connection refused\n")), 3,
         "health check: curl: (7) connection refused (3 in a row)"),
        ((probe("  % Total\n100 12\n  not ready  \n\n"),), 1, "health check: not ready"),
        ((probe("", 2),), 1, "health check: exit 2, it said nothing"),
        ((), 0, "unhealthy"),
    ],
)  # fmt: skip
def test_unhealthy_is_told_by_what_the_last_probe_printed(
    probes: tuple[Probe, ...], streak: int, text: str
) -> None:
    each = container("running", health="unhealthy", probes=probes, failing_streak=streak)
    assert said(each) == (Severity.CRITICAL, text)


@pytest.mark.parametrize("state", ["created", "exited"])
def test_a_start_that_failed_is_told_without_the_runtimes_prefixes(state: str) -> None:
    error = (
        "failed to create task for container: failed to create shim task: OCI runtime create "
        'failed: runc create failed: unable to start container process: exec: "nope": executable '
        "file not found in $PATH: unknown"
    )
    text = 'cannot start: exec: "nope": executable file not found in $PATH'
    assert said(container(state, exit_code=127, error=error)) == (Severity.CRITICAL, text)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("driver failed programming external connectivity on endpoint web (0a1b2c): Bind for "
         "0.0.0.0:80 failed: port is already allocated",
         "Bind for 0.0.0.0:80 failed: port is already allocated"),
        ("OCI runtime create failed: container_linux.go:380: starting container process caused: "
         "process_linux.go:545: container init caused: rootfs: unknown",
         "container init caused: rootfs"),
        ("network shop_default not found", "network shop_default not found"),
        ("unknown", "unknown"),
        ("runc run failed: ", "runc run failed:"),
    ],
)  # fmt: skip
def test_reasons(error: str, text: str) -> None:
    assert reason(error) == text


def test_a_sentence_shows_no_secret() -> None:
    error = "cannot mount: password=hunter2 refused"
    output = "curl: http://app:hunter2@localhost/ not found"
    failed = container("created", error=error)
    sick = container("running", health="unhealthy", probes=(probe(output),))
    looping = container("restarting", error=error)
    assert not [each for each in (failed, sick, looping) if "hunter2" in problem(each, NOW).text]


def test_what_is_dead_or_paused_says_so() -> None:
    assert said(container("dead"))[0] == Severity.CRITICAL
    assert said(container("paused")) == (Severity.LOW, "paused")
