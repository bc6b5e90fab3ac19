"""Documents as Docker 20.10 (cgroup v1 and v2), newer ones and Podman 4 answer with."""

import copy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contui.engines.docker import convert
from contui.model.container import Container, Port, Probe
from contui.model.image import Network, Volume
from contui.model.sample import Sample
from contui.model.units import parse_time
from support import subjects

M = 1 << 20
ID = subjects.ID
LISTED: dict[str, Any] = {
    "Id": ID,
    "Names": ["/db/alias", "/shop-web-1"],
    "Image": "shop/web:1.4",
    "ImageID": subjects.IMAGE_ID,
    "Command": "httpd -f",
    "Created": 1763985599,
    "Ports": [
        {"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
        {"IP": "::", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
        {"PrivatePort": 53, "Type": "udp"},
    ],
    "Labels": {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"},
    "State": "running",
    "Status": "Up 3 minutes (healthy)",
    "HostConfig": {"NetworkMode": "shop_default"},
    "NetworkSettings": {"Networks": {"shop_default": {}, "back": {}}},
    "Mounts": [
        {"Type": "volume", "Name": "shopdata", "Source": "/var/lib/docker/volumes/shopdata/_data"},
        {"Type": "bind", "Source": "/etc/hostname"},
    ],
}


def test_a_listed_container() -> None:
    found = convert.listed(LISTED)
    assert found == Container(
        id=ID,
        name="shop-web-1",
        image="shop/web:1.4",
        image_id=subjects.IMAGE_ID,
        command="httpd -f",
        created=1763985599.0,
        state="running",
        status="Up 3 minutes (healthy)",
        health="healthy",
        ports=(Port(80, "tcp", "0.0.0.0", 8080), Port(80, "tcp", "::", 8080), Port(53, "udp")),
        labels=LISTED["Labels"],
        networks=("back", "shop_default"),
        mounts=("shopdata", "/etc/hostname"),
    )
    assert (found.project, found.service) == ("shop", "web")


@pytest.mark.parametrize(
    ("status", "health"),
    [
        ("Up 3 minutes (healthy)", "healthy"),
        ("Up 3 minutes (unhealthy)", "unhealthy"),
        ("Up 2 seconds (health: starting)", "starting"),
        ("Up 3 minutes (Paused)", ""),
        ("Exited (0) 3 minutes ago", ""),
        ("", ""),
    ],
)
def test_health_is_read_from_the_status_of_the_list(status: str, health: str) -> None:
    assert convert.listed({**LISTED, "Status": status}).health == health


@pytest.mark.parametrize("name", [["/web"], ["web"], ["/a/b", "/web"]])
def test_the_name_is_the_containers_own(name: list[str]) -> None:
    assert convert.listed({**LISTED, "Names": name}).name == "web"


def test_a_container_that_only_has_links_or_no_name_is_still_named() -> None:
    assert convert.listed({**LISTED, "Names": ["/a/b"]}).name == "a/b"
    assert convert.listed({**LISTED, "Names": None}).name == ID[:12]


@pytest.mark.parametrize("absent", [{}, dict.fromkeys(LISTED)])
def test_a_list_entry_may_lack_or_null_everything(absent: dict[str, Any]) -> None:
    assert convert.listed(absent) == Container("", "", state="created")


def test_an_inspected_container_of_docker() -> None:
    document = subjects.docker()
    found = convert.inspected(convert.listed(LISTED), document)
    assert (found.name, found.state, found.health) == ("shop-web-1", "running", "unhealthy")
    assert found.created == pytest.approx(parse_time("2025-11-24T11:59:59.871531Z"))
    assert found.ports == convert.listed(LISTED).ports
    detail = found.detail
    assert detail is not None
    assert (detail.pid, detail.exit_code, detail.oom_killed) == (7923, 0, False)
    assert (detail.memory_limit, detail.cpu_limit, detail.pids_limit) == (512 * M, 0.5, 100)
    assert (detail.restart_policy, detail.restart_maximum) == ("on-failure", 3)
    assert (detail.log_driver, detail.network_mode) == ("json-file", "shop_default")
    assert detail.finished_at == 0
    assert detail.failing_streak == 2
    assert [probe.exit_code for probe in detail.probes] == [0, 1, -1]
    assert detail.probes[2] == Probe(
        parse_time("2025-11-24T15:59:50Z"),
        parse_time("2025-11-24T15:59:52Z"),
        -1,
        "Health check exceeded timeout (2s)",
    )


def test_an_inspected_container_of_podman() -> None:
    detail = convert.inspected(convert.listed(LISTED), subjects.podman()).detail
    assert detail is not None
    assert (detail.cpu_limit, detail.pids_limit, detail.probes) == (0.5, None, ())


@pytest.mark.parametrize(
    ("state", "code", "oom", "restarts"),
    [("exited", 137, True, 0), ("restarting", 1, False, 3), ("dead", 255, False, 0)],
)
def test_how_it_ended(state: str, code: int, oom: bool, restarts: int) -> None:
    found = convert.inspected(convert.listed(LISTED), subjects.docker(state))
    assert found.state == state
    assert found.detail is not None
    assert (found.detail.exit_code, found.detail.oom_killed) == (code, oom)
    assert found.detail.restart_count == restarts


@pytest.mark.parametrize(
    ("host", "cores"),
    [
        ({"NanoCpus": 1_500_000_000}, 1.5),
        ({"NanoCpus": 0, "CpuQuota": 50000, "CpuPeriod": 100000}, 0.5),
        ({"NanoCpus": 0, "CpuQuota": 50000, "CpuPeriod": 0}, 0.5),
        ({"NanoCpus": 0, "CpuQuota": -1, "CpuPeriod": 100000}, None),
        ({"NanoCpus": None, "CpuQuota": None}, None),
    ],
)
def test_the_cpu_limit_is_in_cores(host: dict[str, Any], cores: float | None) -> None:
    found = convert.inspected(convert.listed(LISTED), subjects.docker(**host))
    assert found.detail is not None
    assert found.detail.cpu_limit == cores


@pytest.mark.parametrize("limit", [0, -1, None])
def test_unlimited_pids_are_no_limit(limit: int | None) -> None:
    found = convert.inspected(convert.listed(LISTED), subjects.docker(PidsLimit=limit))
    assert found.detail is not None
    assert found.detail.pids_limit is None


@pytest.mark.parametrize(
    "document",
    [{}, {"State": None, "Config": None, "HostConfig": None, "NetworkSettings": None,
          "Mounts": None, "Name": None, "Created": None}],
)  # fmt: skip
def test_an_empty_inspect_document_keeps_what_the_list_told(document: dict[str, Any]) -> None:
    base = convert.listed(LISTED)
    found = convert.inspected(base, document)
    assert found.detail is not None
    assert replace(found, detail=None) == base


def test_a_health_check_that_is_switched_off_is_none() -> None:
    document = subjects.docker()
    document["State"]["Health"] = {"Status": "none"}
    assert convert.inspected(convert.listed({**LISTED, "Status": "Up"}), document).health == ""


# --- events


def test_an_event_of_docker() -> None:
    found = convert.event(
        {
            "status": "die",
            "id": ID,
            "Type": "container",
            "Action": "die",
            "Actor": {"ID": ID, "Attributes": {"exitCode": "137", "name": "web", "image": "app"}},
            "time": 1763985600,
            "timeNano": 1763985600607481873,
        }
    )
    assert (found.kind, found.action, found.id, found.name) == ("container", "die", ID, "web")
    assert found.time_ns == 1763985600607481873
    assert found.attributes["exitCode"] == "137"
    assert not found.inferred


@pytest.mark.parametrize(
    ("verb", "action"),
    [("died", "die"), ("remove", "destroy"), ("exec_died", "exec_die"), ("start", "start")],
)
def test_verbs_of_podman_are_dockers(verb: str, action: str) -> None:
    attributes = {"containerExitCode": "3", "name": "web"}
    found = convert.event(
        {"Type": "container", "status": verb, "Actor": {"ID": ID, "Attributes": attributes}}
    )
    assert found.action == action
    assert found.attributes["exitCode"] == "3"


def test_podmans_health_is_part_of_the_verb_as_dockers() -> None:
    attributes = {"health_status": "unhealthy", "name": "web"}
    document = {"Action": "health_status", "Actor": {"ID": ID, "Attributes": attributes}}
    assert convert.event(document).action == "health_status: unhealthy"


def test_an_event_with_seconds_only() -> None:
    assert convert.event({"time": 5, "Action": "pull", "Type": "image"}).time_ns == 5 * 10**9


@pytest.mark.parametrize("document", [{}, {"Actor": None}, {"Actor": {"Attributes": None}}])
def test_an_event_may_lack_everything(document: dict[str, Any]) -> None:
    assert convert.event(document).action == ""


# --- stats

V1: dict[str, Any] = {
    "read": "2025-11-24T12:00:00.5Z",
    "preread": "0001-01-01T00:00:00Z",
    "pids_stats": {"current": 7, "limit": 100},
    "blkio_stats": {
        "io_service_bytes_recursive": [
            {"major": 8, "minor": 0, "op": "Read", "value": 100},
            {"major": 8, "minor": 0, "op": "Write", "value": 200},
            {"major": 8, "minor": 0, "op": "Sync", "value": 300},
            {"major": 8, "minor": 0, "op": "Total", "value": 300},
            {"major": 8, "minor": 16, "op": "Read", "value": 5},
        ],
        "io_queue_recursive": [],
    },
    "cpu_stats": {
        "cpu_usage": {"total_usage": 9_000_000, "percpu_usage": [9_000_000]},
        "throttling_data": {"periods": 10, "throttled_periods": 4, "throttled_time": 77},
    },
    "memory_stats": {
        "usage": 100 * M,
        "max_usage": 120 * M,
        "limit": 512 * M,
        "stats": {
            "total_inactive_file": 30 * M, "inactive_file": 1, "total_cache": 40 * M,
            "total_rss": 55 * M, "cache": 2,
        },
    },
    "networks": {
        "eth0": {"rx_bytes": 10, "tx_bytes": 20},
        "eth1": {"rx_bytes": 1, "tx_bytes": 2},
    },
}  # fmt: skip
V2: dict[str, Any] = {
    **V1,
    "pids_stats": {"current": 7, "limit": 18446744073709551615},
    "blkio_stats": {
        "io_service_bytes_recursive": [
            {"major": 8, "minor": 0, "op": "read", "value": 100},
            {"major": 8, "minor": 0, "op": "write", "value": 200},
        ],
        "io_queue_recursive": None,
    },
    "memory_stats": {
        "usage": 100 * M,
        "limit": 512 * M,
        "stats": {"inactive_file": 30 * M, "file": 40 * M, "anon": 55 * M, "kernel": 3 * M},
    },
}


def test_stats_of_cgroup_v1() -> None:
    found = convert.sample(V1)
    assert found is not None
    assert found.at == parse_time("2025-11-24T12:00:00.5Z")
    assert (found.cpu_ns, found.throttled_ns) == (9_000_000, 77)
    assert (found.periods, found.throttled_periods) == (10, 4)
    assert (found.memory, found.memory_limit, found.memory_peak) == (70 * M, 512 * M, 120 * M)
    assert (found.memory_cache, found.memory_anon, found.memory_kernel) == (40 * M, 55 * M, None)
    assert (found.pids, found.pids_limit) == (7, 100)
    assert (found.net_rx, found.net_tx) == (11, 22)
    assert (found.block_read, found.block_write) == (105, 200)


def test_stats_of_cgroup_v2() -> None:
    found = convert.sample(V2)
    assert found is not None
    assert (found.memory, found.memory_peak) == (70 * M, None)
    assert (found.memory_cache, found.memory_anon, found.memory_kernel) == (40 * M, 55 * M, 3 * M)
    assert found.pids_limit is None
    assert (found.block_read, found.block_write) == (100, 200)


@pytest.mark.parametrize(
    ("usage", "inactive", "memory"),
    [(100, 30, 70), (100, 0, 100), (100, 100, 100), (100, 150, 100), (0, 0, 0)],
)
def test_memory_is_usage_less_inactive_cache_unless_that_is_more(
    usage: int, inactive: int, memory: int
) -> None:
    stats = {"usage": usage, "stats": {"inactive_file": inactive}}
    found = convert.sample({**V2, "memory_stats": stats})
    assert found is not None
    assert found.memory == memory


def test_what_podman_does_not_report_is_unknown_not_zero() -> None:
    found = convert.sample(
        {
            "read": "2025-11-24T12:00:00Z",
            "cpu_stats": {"cpu_usage": {"total_usage": 5}, "throttling_data": None},
            "memory_stats": {"usage": 10 * M, "max_usage": None, "limit": 9223372036854771712},
            "blkio_stats": {"io_service_bytes_recursive": None},
            "networks": None,
            "pids_stats": {},
        }
    )
    assert found is not None
    assert (found.cpu_ns, found.memory) == (5, 10 * M)
    unknown = ("periods", "memory_limit", "memory_peak", "net_rx", "net_tx", "block_read", "pids")
    assert {name: getattr(found, name) for name in unknown} == dict.fromkeys(unknown)


def test_a_container_that_does_not_run_has_no_sample() -> None:
    assert convert.sample({"read": "0001-01-01T00:00:00Z", "memory_stats": {}}) is None


# --- engine, images, volumes, networks, disk


def test_the_engine_says_what_it_is() -> None:
    found = convert.info(
        {
            "ServerVersion": "20.10.24",
            "Name": "host",
            "NCPU": 8,
            "MemTotal": 32 << 30,
            "DockerRootDir": "/var/lib/docker",
            "CgroupVersion": "2",
            "Runtimes": {"runc": {}, "io.containerd.runc.v2": {}},
            "SecurityOptions": ["name=seccomp,profile=default", "name=rootless"],
            "Warnings": ["WARNING: No swap limit support"],
            "LiveRestoreEnabled": True,
        },
        "1.41",
        podman=False,
        local=True,
    )
    assert (found.product, found.version, found.api_version) == ("docker", "20.10.24", "1.41")
    assert (found.cpus, found.memory, found.rootless) == (8, 32 << 30, True)
    assert found.live_restore
    assert found.runtimes == ("io.containerd.runc.v2", "runc")
    assert found.warnings == ("WARNING: No swap limit support",)


def test_podman_may_say_nothing() -> None:
    document = {"Warnings": None, "SecurityOptions": None, "Runtimes": None, "NCPU": None}
    found = convert.info(document, "1.41", podman=True, local=False)
    assert (found.product, found.cpus, found.rootless, found.warnings) == ("podman", 0, False, ())


@pytest.mark.parametrize(
    ("tags", "dangling"),
    [(["app:1", "app:latest"], False), (["<none>:<none>"], True), (None, True), ([], True)],
)
def test_an_image_without_tags_is_dangling(tags: list[str] | None, dangling: bool) -> None:
    found = convert.image({"Id": "sha256:1", "RepoTags": tags, "Size": 5, "SharedSize": -1})
    assert found.dangling is dangling
    assert found.shared is None


def test_volumes_have_sizes_only_where_they_were_measured() -> None:
    bare = {"Name": "data", "Driver": "local", "CreatedAt": "2025-11-24T12:00:00Z", "Labels": None}
    found = convert.volume(bare)
    assert found == Volume("data", "local", "", parse_time("2025-11-24T12:00:00Z"))
    measured = convert.volume({**bare, "UsageData": {"Size": 7, "RefCount": 0}})
    assert (measured.size, measured.references) == (7, 0)
    unknown = convert.volume({**bare, "UsageData": {"Size": -1, "RefCount": -1}})
    assert (unknown.size, unknown.references) == (None, None)


@pytest.mark.parametrize("pools", [None, [], [{"Subnet": "172.18.0.0/16"}, {"Gateway": "x"}]])
def test_networks(pools: list[dict[str, str]] | None) -> None:
    found = convert.network(
        {"Id": "n1", "Name": "shop", "Driver": "bridge", "IPAM": {"Config": pools}, "Labels": None}
    )
    assert found == Network("n1", "shop", "bridge", subnets=("172.18.0.0/16",) if pools else ())
    assert convert.network({"IPAM": None}).subnets == ()


def test_disk_use_tells_what_pruning_would_give_back() -> None:
    found = convert.disk(
        {
            "LayersSize": 1000,
            "Images": [
                {"Id": "used", "Size": 600, "SharedSize": 100, "RepoTags": ["a:1"]},
                {"Id": "idle", "Size": 500, "SharedSize": 100, "RepoTags": None},
            ],
            "Containers": [
                {"Id": "c1", "ImageID": "used", "State": "running", "SizeRw": 10},
                {"Id": "c2", "ImageID": "used", "State": "exited", "SizeRw": 20},
                {"Id": "c3", "ImageID": "used", "State": "paused"},
            ],
            "Volumes": [
                {"Name": "v1", "UsageData": {"Size": 70, "RefCount": 1}},
                {"Name": "v2", "UsageData": {"Size": 30, "RefCount": 0}},
                {"Name": "v3", "UsageData": None},
            ],
            "BuildCache": [
                {"Size": 8, "InUse": True, "Shared": False},
                {"Size": 5, "InUse": False, "Shared": False},
                {"Size": 99, "InUse": False, "Shared": True},
            ],
        }
    )
    assert found.rows == (
        ("images", 2, 1, 1000, 400),
        ("containers", 3, 2, 30, 20),
        ("volumes", 3, 2, 100, 30),
        ("build cache", 3, 1, 13, 5),
    )


@pytest.mark.parametrize(
    "document", [{}, dict.fromkeys(("Images", "Containers", "Volumes", "BuildCache", "LayersSize"))]
)
def test_disk_use_may_lack_everything(document: dict[str, Any]) -> None:
    assert [row[1:] for row in convert.disk(document).rows] == [(0, 0, 0, 0)] * 4


def paths(document: Any, prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The path of every key of a document."""
    out = []
    for key, value in document.items():
        out.append((*prefix, key))
        if isinstance(value, dict):
            out += paths(value, (*prefix, key))
    return out


@given(st.data(), st.booleans())
def test_any_field_may_be_missing_or_null(data: st.DataObject, null: bool) -> None:
    convertible: list[tuple[dict[str, Any], Any]] = [
        (LISTED, convert.listed),
        (subjects.docker(), lambda each: convert.inspected(convert.listed(LISTED), each)),
        (subjects.podman(), lambda each: convert.inspected(convert.listed(LISTED), each)),
        (V1, convert.sample),
        (V2, convert.sample),
    ]
    document, function = data.draw(st.sampled_from(convertible))
    document = copy.deepcopy(document)
    path = data.draw(st.sampled_from(paths(document)))
    where = document
    for key in path[:-1]:
        where = where[key]
    if null:
        where[path[-1]] = None
    else:
        del where[path[-1]]
    function(document)


@pytest.mark.parametrize(
    "network",
    [
        {"Network": {"eth0": {"RxBytes": 7, "TxBytes": 5}, "eth1": {"RxBytes": 1, "TxBytes": 1}}},
        {"NetInput": 8, "NetOutput": 6},
    ],
    ids=["podman 5", "podman 4"],
)
def test_podman_s_message_tells_of_all_containers(network: dict[str, Any]) -> None:
    entry = {
        "ContainerID": "abc",
        "CPUNano": 1_618_434_562,
        "SystemNano": 1_795_575_631_500_000_000,
        "MemUsage": 57344,
        "MemLimit": 1 << 63,
        "PIDs": 1,
        "BlockInput": 0,
        "BlockOutput": 3,
        **network,
    }
    assert convert.podman_samples({"Error": None, "Stats": [entry]}) == {
        "abc": Sample(
            at=1_795_575_631.5,
            cpu_ns=1_618_434_562,
            memory=57344,
            pids=1,
            net_rx=8,
            net_tx=6,
            block_read=0,
            block_write=3,
        )
    }
    assert convert.podman_samples({"Error": "x", "Stats": None}) == {}
