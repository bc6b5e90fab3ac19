"""Panels are pure functions of a subject: every one in every situation, and what each promises."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

from contui.model.event import EngineEvent
from contui.model.linux import LimitInForce, Listener
from contui.model.resource import Resource
from contui.tui.document import Line, Span, plain
from contui.tui.panels import OVERVIEW, PANELS, describe
from contui.tui.panels.subject import Panel, Subject
from contui.tui.safe import cell_len, clean
from support import subjects

WIDTHS = (40, 80, 120, 200)
ALL = (OVERVIEW, *PANELS, Panel("describe", "Describe", (), describe))
BY_ID = {panel.id: panel for panel in ALL}
SITUATIONS = subjects.everything()


def text(id: str, subject: Subject, width: int = 120) -> str:
    return plain(BY_ID[id].render(subject, width))


def row(id: str, subject: Subject, part: str, width: int = 120) -> str:
    """The first line of a panel that holds ``part``."""
    return next((each for each in text(id, subject, width).split("\n") if part in each), "")


def spans(lines: list[Line]) -> Iterator[Span]:
    for each in lines:
        yield from each


def style_of(id: str, subject: Subject, part: str, width: int = 120) -> str:
    found = next(s for s in spans(BY_ID[id].render(subject, width)) if part in s.text)
    return found.style


# --- all of them, everywhere


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("panel", ALL, ids=lambda panel: panel.id)
def test_it_says_something_that_fits_and_keeps_secrets(panel: Panel, situation: str) -> None:
    for width in WIDTHS:
        lines = panel.render(SITUATIONS[situation], width)
        assert plain(lines).strip(), f"nothing is said at {width}"
        for each in lines:
            wide = sum(cell_len(clean(span.text)) for span in each)
            assert wide <= width, f"{wide} of {width}: {plain([each])}"
        shown = "\n".join([plain(lines), *(span.copy for span in spans(lines))])
        for secret in subjects.SECRETS:
            assert secret not in shown, f"{secret} is shown or copied at {width}"


@pytest.mark.parametrize("panel", ALL, ids=lambda panel: panel.id)
def test_each_masked_value_is_shown_once_it_is_asked_for_and_no_other(panel: Panel) -> None:
    hidden = panel.render(subjects.subject(), 200)
    names = {span.reveal for span in spans(hidden) if span.reveal}
    for name in names:
        lines = panel.render(subjects.subject(revealed=frozenset({name})), 200)
        for span in spans(lines):
            bare = any(secret in span.text + span.copy for secret in subjects.SECRETS)
            assert not bare or span.reveal == name
        assert any(span.reveal == name and "••" not in span.text for span in spans(lines)), name
    if panel.id in ("overview", "health", "processes", "image"):
        assert names, "there is a secret here, and no key to see it"


@pytest.mark.parametrize("panel", ALL, ids=lambda panel: panel.id)
def test_what_is_read_says_so_until_it_is_there(panel: Panel) -> None:
    said = text(panel.id, SITUATIONS["loading"])
    if panel.wants or panel.id in ("stats", "describe"):
        assert "reading..." in said
    assert text(panel.id, SITUATIONS["bare"])


@pytest.mark.parametrize("panel", [p for p in ALL if p.wants], ids=lambda panel: panel.id)
def test_a_failure_is_named_with_its_reason_and_hint(panel: Panel) -> None:
    said = text(panel.id, SITUATIONS["failed"])
    assert "permission denied" in said
    assert "sudo usermod -aG docker" in said


@pytest.mark.parametrize("panel", [p for p in ALL if p.wants], ids=lambda panel: panel.id)
def test_old_figures_say_how_old_they_are_and_why(panel: Panel) -> None:
    said = text(panel.id, SITUATIONS["stale"])
    assert "8s ago" in said
    assert "no answer within 5 s" in said
    assert text(panel.id, subjects.subject()).split("\n")[-1] in said, "the figures are gone"


@pytest.mark.parametrize("id", ["limits", "security", "network", "describe"])
def test_a_remote_engine_is_the_reason_why_the_kernel_is_not_read(id: str) -> None:
    assert "the engine runs on another machine" in text(id, subjects.remote())


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("exited", "not running (exited)"),
        ("created", "never started"),
        ("restarting", "waiting to be restarted"),
        ("dead", "not running (dead)"),
    ],
)
def test_what_does_not_run_says_why_there_are_no_figures(state: str, words: str) -> None:
    for id in ("stats", "limits", "processes", "health"):
        assert words in text(id, subjects.subject(state)), id


def test_a_paused_container_says_that_it_is_frozen() -> None:
    for id in ("stats", "processes"):
        assert "It is paused" in text(id, subjects.subject("paused")), id
    assert "it is paused: nothing is probed now" in text("health", subjects.subject("paused"))


def test_describe_has_every_panel_and_says_once_what_is_amiss() -> None:
    said = text("describe", subjects.stale())
    for panel in (OVERVIEW, *PANELS):
        assert f"\n{panel.title} ─" in said
    assert said.count("configuration as of") == 1


# --- overview


def test_the_overview_tells_how_it_ended() -> None:
    said = text("overview", subjects.subject("exited"))
    assert "137  SIGKILL, killed" in said
    assert "the kernel killed a process of it: memory limit" in said
    assert "on-failure:3" in said
    assert "never" in row("overview", subjects.subject("created"), "started")


# --- limits


def test_each_limit_has_configured_in_force_used_peak_headroom_and_hits() -> None:
    subject = subjects.subject()
    head = row("limits", subject, "CONFIGURED").split()
    expected = "LIMIT CONFIGURED IN FORCE USED PEAK HEADROOM HIT CHANGE WITH"
    assert " ".join(head) == expected
    memory = row("limits", subject, "  memory ").split()
    assert memory[:4] == ["memory", "512M", "512M", "412M"]
    assert memory[-4:] == ["500M", "100M", "2", "--memory=SIZE"]
    pids = row("limits", subject, "  pids ").split()
    assert (pids[1:4], pids[-4:-1]) == (["100", "100", "97"], ["99", "3", "0"])
    assert row("limits", subject, "  cpus ").split()[-2:] == ["1,200", "--cpus=CORES"]
    assert "1024:2048" in row("limits", subject, "ulimit nofile")
    assert row("limits", subject, "oom score adj").split()[3:5] == ["0", "0"]


def test_a_limit_that_is_near_or_was_hit_is_said_in_a_sentence() -> None:
    said = text("limits", subjects.subject())
    assert "x pids: 97% of the limit is used" in said
    assert "The kernel killed a process of it 2 times" in said
    assert "Its CPU quota was used up 1,200 times" in said
    assert style_of("limits", subjects.subject(), "pids: 97%") == "critical"


def test_a_limit_in_force_that_is_not_the_configured_one_is_called_out() -> None:
    other = LimitInForce("memory", 256 * subjects.M, 200 * subjects.M, source="memory.max")
    known = subjects.in_force(limits=(other,))
    subject = subjects.subject(in_force=Resource(known, subjects.NOW))
    words = "memory: configured is 512M, but 256M is in force (memory.max)"
    assert words in text("limits", subject)


def test_what_is_not_reported_is_a_dash_and_never_none_or_zero() -> None:
    for part in ("  memory ", "  pids ", "  cpus "):
        cells = row("limits", SITUATIONS["loading"], part).split()[1:-1]
        assert set(cells) == {"-"}, cells
    said = text("stats", SITUATIONS["loading"])
    assert "none" not in said, "a limit is denied before it is known"


def test_no_memory_limit_names_what_bounds_it() -> None:
    free = subjects.subject(document=subjects.docker(Memory=0, MemorySwap=0))
    known = replace(free.in_force.value, limits=())  # type: ignore[type-var]
    subject = replace(free, in_force=Resource(known, subjects.NOW))
    assert "it can use up the whole memory of the host of 32.0G" in text("limits", subject)


def test_the_command_that_changes_a_limit_is_there_to_copy() -> None:
    copies = [span.copy for span in spans(BY_ID["limits"].render(subjects.subject(), 120))]
    expected = "docker update --memory SIZE --memory-swap SIZE shop-web-1"
    assert expected in copies
    podman = subjects.subject(
        document=subjects.podman(), info=replace(subjects.INFO, product="podman")
    )
    assert any(
        span.copy.startswith("podman update") for span in spans(BY_ID["limits"].render(podman, 120))
    )


# --- security


def test_an_extra_capability_is_named_with_its_risk_and_meaning() -> None:
    subject = subjects.subject()
    assert row("security", subject, "NET_ADMIN ").split()[:2] == ["NET_ADMIN", "high"]
    assert "firewall" in row("security", subject, "NET_ADMIN ")
    assert "1 more than Docker's default 14" in text("security", subject)
    assert "MKNOD  of Docker's default set" in row("security", subject, "given up")
    assert style_of("security", subject, "NET_ADMIN") == "warning"


def test_the_source_of_what_is_in_force_is_named() -> None:
    assert "/proc/7923/status" in row("security", subjects.subject(), "Kernel capabilities")
    remote = row("security", subjects.remote(), "Kernel capabilities")
    assert "HostConfig (engine is remote)" in remote
    stopped = row("security", subjects.subject("exited"), "Isolation")
    assert "HostConfig (not running)" in stopped


def test_a_capability_in_force_that_nobody_asked_for_is_called_out() -> None:
    more = replace(subjects.CREDENTIALS, cap_bounding=subjects.CAPS | 1 << 21)
    known = subjects.in_force(credentials=more)
    subject = subjects.subject(in_force=Resource(known, subjects.NOW))
    assert "SYS_ADMIN: in force all the same" in text("security", subject)


def test_privileged_and_the_host_s_namespaces_are_critical() -> None:
    document = subjects.docker(Privileged=True, PidMode="host", NetworkMode="host")
    subject = subjects.subject(document=document)
    assert "root in it is root on the host" in row("security", subject, "  privileged ")
    assert "sees and can signal every process" in row("security", subject, "pid namespace")
    assert "--privileged" in text("security", subject)
    assert "--pid host" in text("security", subject)


def test_an_engine_s_socket_inside_is_root_on_the_host() -> None:
    document = subjects.docker()
    socket = "/var/run/docker.sock"
    document["Mounts"] += [
        {"Type": "bind", "Source": socket, "Destination": socket, "Mode": "ro", "RW": False}
    ]
    subject = subjects.subject(document=document)
    assert socket in row("security", subject, "engine socket")
    assert ":ro does not help" in text("security", subject)
    assert "read-only does not help" in text("mounts", subject)


def test_hardening_offers_only_options_that_change_something() -> None:
    assert "--cap-drop ALL" in text("security", subjects.subject())
    hard = subjects.docker(
        CapAdd=None, CapDrop=["ALL"], ReadonlyRootfs=True, SecurityOpt=["no-new-privileges"]
    )
    hard["Config"]["User"] = "10001"
    tight = replace(
        subjects.CREDENTIALS, uid=10001, cap_effective=0, cap_bounding=0, no_new_privileges=True
    )
    known = subjects.in_force(credentials=tight)
    subject = subjects.subject(document=hard, in_force=Resource(known, subjects.NOW))
    assert "Nothing obvious is left to take away" in text("security", subject)


# --- network


def listening(*listeners: Listener) -> Subject:
    known = subjects.in_force(listeners=listeners)
    return subjects.subject(in_force=Resource(known, subjects.NOW))


def test_a_published_port_that_only_loopback_answers_is_called_out() -> None:
    words = "listens on 127.0.0.1 only: nobody outside the container reaches it"
    assert words in row("network", subjects.subject(), "80/tcp")
    assert style_of("network", subjects.subject(), words) == "critical"


def test_a_published_port_without_a_listener_is_called_out_with_what_is_open() -> None:
    found = row("network", listening(Listener("tcp", "0.0.0.0", 3000)), "80/tcp")
    assert "nothing listens; open is 3000" in found
    assert style_of("network", listening(), "nothing listens") == "critical"


def test_a_published_port_that_is_answered_is_quiet() -> None:
    subject = listening(Listener("tcp", "0.0.0.0", 80))
    assert "listens on 0.0.0.0" in row("network", subject, "80/tcp")
    assert style_of("network", subject, "listens on 0.0.0.0") == "ok"


def test_a_container_that_has_just_started_has_no_missing_listener_yet() -> None:
    subject = replace(listening(), now=1_763_985_605.0)
    assert "nothing listens yet" in row("network", subject, "80/tcp")


def test_the_engine_s_own_name_server_is_no_open_port() -> None:
    assert "40123" not in text("network", subjects.subject())
    assert "*:9229/tcp" in row("network", subjects.subject(), "also listening")


def test_the_network_tells_addresses_errors_stuck_connections_and_neighbours() -> None:
    subject = subjects.subject()
    assert "172.18.0.2/16" in row("network", subject, "shop_default")
    assert row("network", subject, "eth0").split()[-2:] == ["1", "4"]
    assert style_of("network", subject, "70 close_wait") == "warning"
    assert "shop-db-1" in row("network", subject, "on shop_default")
    assert "sidecar (exited)" in row("network", subject, "inside with it")


def test_a_shared_network_that_is_gone_is_said() -> None:
    subject = subjects.subject(document=subjects.docker(NetworkMode="container:" + "e" * 64))
    said = text("network", subject)
    assert "uses the network of container sidecar" in said
    assert "sidecar does not run: this one has no network either" in said
    host = subjects.subject(document=subjects.docker(NetworkMode="host"))
    assert "every port it opens is open on the host" in text("network", host)


# --- mounts


def test_a_mount_that_cannot_be_written_says_why() -> None:
    said = text("mounts", subjects.subject())
    assert "it cannot write: owned by 1000:1000, mode 0755" in said
    assert style_of("mounts", subjects.subject(), "it cannot write") == "warning"


def test_mounts_tell_room_size_and_the_container_s_own_files() -> None:
    said = text("mounts", subjects.subject())
    assert "1.00G free of 98.0G (1.0%)" in said
    assert style_of("mounts", subjects.subject(), "1.00G free") == "critical"
    assert "holds 120M" in said
    assert "3.00M" in row("mounts", subjects.subject(), "writable layer")
    assert "12.0M" in row("mounts", subjects.subject(), "log file")
    assert "size=16m" in said, "the tmpfs is missing"


def test_a_writable_host_path_says_what_it_can_change() -> None:
    document = subjects.docker()
    document["Mounts"] = [{"Type": "bind", "Source": "/etc", "Destination": "/host", "RW": True}]
    subject = subjects.subject(document=document)
    assert "it can change accounts, keys and services of the host" in text("mounts", subject)
    assert style_of("mounts", subject, "it can change accounts") == "critical"


def test_no_mount_at_all_means_that_everything_is_lost() -> None:
    document = {**subjects.docker(Tmpfs=None), "Mounts": []}
    said = text("mounts", subjects.subject(document=document))
    assert "everything it writes is lost when it is removed" in said


# --- processes


def test_processes_are_a_tree_with_zombies_and_those_that_wait_for_the_disk() -> None:
    subject = subjects.subject()
    assert "├ httpd -f" in row("processes", subject, "7950")
    assert "│ └ sync" in row("processes", subject, "7961")
    assert "Z zombie" in row("processes", subject, "7970")
    assert "D! uninterruptible" in row("processes", subject, "7961")
    assert "4 processes, 11 threads" in text("processes", subject)
    assert "1 zombie, 1 waits for io" in text("processes", subject)


def test_open_files_are_held_against_their_limit() -> None:
    assert "1000/1024" in row("processes", subjects.subject(), "7950")
    assert style_of("processes", subjects.subject(), "1000/1024") == "critical"


def test_processes_of_a_remote_engine_say_what_is_missing() -> None:
    assert "no CPU and no open files" in text("processes", subjects.remote())


def test_processes_that_are_their_own_ancestors_are_still_all_listed() -> None:
    first, second, *_ = subjects.processes()
    looped = (replace(first, parent=second.pid), second)
    subject = subjects.subject(processes=Resource(looped, subjects.NOW))
    assert row("processes", subject, "7923")
    assert row("processes", subject, "7950")


# --- health


def test_health_shows_every_kept_output_newest_first_with_duration_and_code() -> None:
    said = text("health", subjects.subject())
    at = [
        said.index(part)
        for part in ("Health check exceeded timeout (2s)", "curl: (7) Failed to connect", "ok")
    ]
    assert at == sorted(at)
    assert "exit -1, not finished in time" in said
    assert "slowest 2.0s of 2s allowed" in said
    assert "failed 2 times in a row; 3 in a row make it unhealthy" in said
    assert "interval 5s   timeout 2s" in said


def test_no_health_check_says_how_to_define_one() -> None:
    document = subjects.podman()
    said = text("health", subjects.subject(document=document))
    assert "No health check is defined" in said
    assert "--health-cmd 'curl -fsS http://127.0.0.1:80/ || exit 1'" in said


def test_nothing_is_said_of_probes_before_they_are_read() -> None:
    assert "not been probed" not in text("health", SITUATIONS["loading"])


# --- events


def test_events_are_a_timeline_in_words_newest_first() -> None:
    said = text("events", subjects.subject())
    words = (
        "sent SIGTERM",
        "health check: unhealthy",
        "command prepared: sh -c mysql",
        "started  concluded from the list, not reported",
        "ended: exit 137, SIGKILL, killed  after running 3m",
        "out of memory: the kernel killed a process of it",
        "created",
    )
    at = [said.index(each) for each in words]
    assert at == sorted(at)
    assert "+2m59s" in said, "the pause between two events is missing"


def test_events_of_other_containers_are_left_out() -> None:
    assert "exit 1," not in text("events", subjects.subject())


def test_several_ends_are_counted() -> None:
    def died(ago: float) -> EngineEvent:
        time_ns = int((subjects.NOW - ago) * 1e9)
        return EngineEvent(
            time_ns, "container", "die", subjects.ID, "shop-web-1", {"exitCode": "1"}
        )

    subject = subjects.subject(events=[died(each) for each in (240, 120, 1)])
    assert "It ended 3 times in 3m59s" in text("events", subject)


def test_without_events_the_document_s_own_times_are_told() -> None:
    said = text("events", subjects.subject("exited", events=()))
    assert "remembers no event of it" in said
    assert "ended: exit 137, SIGKILL, killed" in said


# --- image


def test_a_moved_tag_is_called_out() -> None:
    said = text("image", subjects.subject())
    assert "The tag now points at another image, cdcdcdcdcdcd: this one is outdated" in said
    same = replace(subjects.image(), newer="")
    subject = subjects.subject(image=Resource(same, subjects.NOW))
    assert "outdated" not in text("image", subject)


def test_the_image_has_its_digest_base_and_layers_as_the_dockerfile_had_them() -> None:
    said = text("image", subjects.subject())
    assert "shop/web@sha256:" + "ab" * 32 in said
    assert "debian:12" in row("image", subjects.subject(), "  base ")
    assert "RUN npm ci" in row("image", subjects.subject(), "100M")
    assert 'CMD ["httpd"]' in said


def test_an_image_for_another_processor_is_said() -> None:
    subject = subjects.subject(info=replace(subjects.INFO, architecture="aarch64"))
    assert "the host is arm64: it is emulated" in row("image", subject, "platform")


# --- stats


def test_stats_measure_against_its_own_limit_and_the_host() -> None:
    find = partial(row, "stats", subjects.subject())
    assert "84% of its limit of 0.5" in find("  cpu  ")
    assert "5.2% of the host's 8 cores" in find("  cpu  ")
    assert "40% of periods" in find("throttled  ")
    assert "66% of its limit of 512M" in find("  memory  ")
    assert "97 of 100" in find("  pids  ")
    assert "anonymous 300M" in find("anonymous")
    assert "io -" in find("pressure")


def test_the_first_sample_has_levels_and_says_that_rates_need_another() -> None:
    said = text("stats", subjects.subject(samples=subjects.samples()[:1]))
    assert "Rates and charts need a second sample" in said
    assert "66%" not in said


def test_a_hole_in_the_session_is_a_hole_in_the_chart() -> None:
    lines = BY_ID["stats"].render(subjects.subject(), 80)
    charts = [plain([each]) for each in lines if any("⣿" in span.text for span in each)]
    assert any("⣿ " in each.strip() and " ⣿" in each for each in charts)
