"""Containers as panels see them: documents in the shape that real engines answer with.

``docker`` follows Docker 20.10.24 and ``podman`` Podman 4.3.1's Docker API, field by field,
nulls, names and units included.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from contui.engines.docker.convert import inspected
from contui.model.container import Container, Detail, Port
from contui.model.event import EngineEvent
from contui.model.host import EngineInfo, Sizes
from contui.model.image import ImageDetail
from contui.model.linux import (
    Credentials,
    InForce,
    Interface,
    LimitInForce,
    Listener,
    MountInForce,
    Process,
    Ulimit,
)
from contui.model.resource import Resource
from contui.model.sample import Sample
from contui.tui.panels.subject import Subject

NOW = 1_764_000_000.0
ID = "8226e10b924134caf4e933009e36bd5ca525283f22be8ef021fc6d982ca713d8"
IMAGE_ID = "sha256:b0baa37f2483ed0185f220546f5a539af718d2c60d8e77af4c51921e65d6d3b7"
M = 1024 * 1024
DEFAULT_CAPS = 0xA80425FB
"""CapBnd of a container of Docker with default settings."""
CAPS = (DEFAULT_CAPS | 1 << 12) & ~(1 << 27)
"""The same with NET_ADMIN and without MKNOD."""
SECRETS = ("hunter2secret", "s3cr3t-label", "abcdef0123456789")

INFO = EngineInfo(
    product="docker",
    version="20.10.24",
    cpus=8,
    memory=32 * 1024 * M,
    architecture="x86_64",
    security_options=("name=apparmor", "name=seccomp,profile=default"),
    local=True,
)

_HOST: dict[str, Any] = {
    "Binds": ["/etc/hostname:/cfg:ro", "shopdata:/data"],
    "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "splunk-token": SECRETS[2]}},
    "NetworkMode": "shop_default",
    "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]},
    "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3},
    "VolumesFrom": None,
    "CapAdd": ["CAP_NET_ADMIN"],
    "CapDrop": ["CAP_MKNOD"],
    "CgroupnsMode": "host",
    "Dns": [],
    "DnsOptions": [],
    "DnsSearch": [],
    "ExtraHosts": None,
    "IpcMode": "private",
    "OomScoreAdj": 0,
    "PidMode": "",
    "Privileged": False,
    "ReadonlyRootfs": False,
    "SecurityOpt": None,
    "Tmpfs": {"/scratch": "size=16m"},
    "UTSMode": "",
    "UsernsMode": "",
    "ShmSize": 64 * M,
    "CpuShares": 0,
    "Memory": 512 * M,
    "NanoCpus": 500_000_000,
    "CgroupParent": "",
    "BlkioWeight": 0,
    "BlkioDeviceReadBps": [],
    "BlkioDeviceWriteBps": [{"Path": "/dev/sda", "Rate": 1048576}],
    "CpuPeriod": 0,
    "CpuQuota": 0,
    "CpusetCpus": "",
    "Devices": [],
    "DeviceCgroupRules": None,
    "DeviceRequests": None,
    "MemoryReservation": 0,
    "MemorySwap": 1024 * M,
    "MemorySwappiness": None,
    "OomKillDisable": False,
    "PidsLimit": 100,
    "Ulimits": [{"Name": "nofile", "Hard": 2048, "Soft": 1024}],
    "MaskedPaths": ["/proc/asound", "/proc/acpi", "/proc/kcore", "/sys/firmware"],
    "ReadonlyPaths": ["/proc/bus", "/proc/fs", "/proc/sys"],
}
_CONFIG: dict[str, Any] = {
    "Hostname": "8226e10b9241",
    "Domainname": "",
    "User": "",
    "ExposedPorts": {"80/tcp": {}, "9000/tcp": {}},
    "Tty": False,
    "OpenStdin": False,
    "Env": ["DB_PASSWORD=" + SECRETS[0], "LANG=C", "PATH=/bin:/sbin:/usr/bin:/usr/sbin"],
    "Cmd": ["httpd", "-f", "--password", SECRETS[0]],
    "Healthcheck": {
        "Test": ["CMD-SHELL", "curl -H 'Authorization: Bearer " + SECRETS[2] + "' localhost"],
        "Interval": 5_000_000_000,
        "Timeout": 2_000_000_000,
    },
    "Image": "shop/web:1.4",
    "Volumes": None,
    "WorkingDir": "/srv",
    "Entrypoint": None,
    "Labels": {
        "com.docker.compose.project": "shop",
        "com.docker.compose.service": "web",
        "deploy.token": SECRETS[1],
    },
}
_STATES: dict[str, dict[str, Any]] = {
    "running": {"Running": True, "Pid": 7923, "StartedAt": "2025-11-24T12:00:00.607481873Z"},
    "paused": {
        "Running": True,
        "Paused": True,
        "Pid": 7923,
        "StartedAt": "2025-11-24T12:00:00.607481873Z",
    },
    "created": {"StartedAt": "0001-01-01T00:00:00Z"},
    "exited": {
        "ExitCode": 137,
        "OOMKilled": True,
        "StartedAt": "2025-11-24T12:00:00Z",
        "FinishedAt": "2025-11-24T12:10:00Z",
    },
    "restarting": {
        "Restarting": True,
        "ExitCode": 1,
        "StartedAt": "2025-11-24T15:59:00Z",
        "FinishedAt": "2025-11-24T15:59:30Z",
    },
    "dead": {"Dead": True, "ExitCode": 255, "Error": "driver failed: password=" + SECRETS[0]},
}
STATES = tuple(_STATES)


def docker(state: str = "running", **host: Any) -> dict[str, Any]:
    """An inspect document of Docker 20.10; ``host`` replaces fields of HostConfig."""
    running = state in ("running", "paused")
    ports = {
        "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "::", "HostPort": "8080"}],
        "9000/tcp": None,
    }
    address = {
        "Gateway": "172.18.0.1",
        "IPAddress": "172.18.0.2",
        "IPPrefixLen": 16,
        "MacAddress": "02:42:ac:12:00:02",
    }
    return {
        "Id": ID,
        "Created": "2025-11-24T11:59:59.871531502Z",
        "Path": "httpd",
        "Args": ["-f", "--password", SECRETS[0]],
        "State": {
            "Status": state,
            "Running": False,
            "Paused": False,
            "Restarting": False,
            "OOMKilled": False,
            "Dead": False,
            "Pid": 0,
            "ExitCode": 0,
            "Error": "",
            "FinishedAt": "0001-01-01T00:00:00Z",
            "Health": _health(),
            **_STATES[state],
        },
        "Image": IMAGE_ID,
        "LogPath": f"/var/lib/docker/containers/{ID}/{ID}-json.log",
        "Name": "/shop-web-1",
        "RestartCount": 3 if state == "restarting" else 0,
        "Driver": "overlay2",
        "AppArmorProfile": "docker-default",
        "ProcessLabel": "",
        "HostConfig": {**copy.deepcopy(_HOST), **host},
        "GraphDriver": {"Name": "overlay2", "Data": {}},
        "Mounts": _mounts(),
        "Config": copy.deepcopy(_CONFIG),
        "NetworkSettings": {
            "Ports": ports if running else {},
            "Networks": {
                "shop_default": {
                    "Aliases": ["web", "8226e10b9241"],
                    "Gateway": "",
                    "IPAddress": "",
                    "IPPrefixLen": 0,
                    "GlobalIPv6Address": "",
                    "MacAddress": "",
                    **(address if running else {}),
                }
            },
        },
    }


def _health() -> dict[str, Any]:
    return {
        "Status": "unhealthy",
        "FailingStreak": 2,
        "Log": [
            {
                "Start": "2025-11-24T15:59:40.1Z",
                "End": "2025-11-24T15:59:40.3Z",
                "ExitCode": 0,
                "Output": "ok",
            },
            {
                "Start": "2025-11-24T15:59:45Z",
                "End": "2025-11-24T15:59:46.9Z",
                "ExitCode": 1,
                "Output": "curl: (7) Failed to connect\nto http://u:" + SECRETS[0] + "@localhost",
            },
            {
                "Start": "2025-11-24T15:59:50Z",
                "End": "2025-11-24T15:59:52Z",
                "ExitCode": -1,
                "Output": "Health check exceeded timeout (2s)",
            },
        ],
    }


def _mounts() -> list[dict[str, Any]]:
    return [
        {
            "Type": "bind",
            "Source": "/etc/hostname",
            "Destination": "/cfg",
            "Mode": "ro",
            "RW": False,
            "Propagation": "rprivate",
        },
        {
            "Type": "volume",
            "Name": "shopdata",
            "Source": "/var/lib/docker/volumes/shopdata/_data",
            "Destination": "/data",
            "Driver": "local",
            "Mode": "z",
            "RW": True,
            "Propagation": "",
        },
    ]


def podman(state: str = "running", **host: Any) -> dict[str, Any]:
    """An inspect document of Podman 4.3's Docker API: other names, nulls, zeros for unset."""
    document = docker(state)
    document["HostConfig"].update(
        {
            "LogConfig": {"Type": "json-file", "Config": None},
            "NetworkMode": "bridge",
            "CapAdd": ["NET_ADMIN"],
            "CapDrop": ["AUDIT_WRITE", "MKNOD", "NET_RAW"],
            "CgroupnsMode": "",
            "IpcMode": "shareable",
            "PidMode": "private",
            "UTSMode": "private",
            "SecurityOpt": [],
            "BlkioDeviceReadBps": None,
            "BlkioDeviceWriteBps": None,
            "CpuPeriod": 100000,
            "CpuQuota": 50000,
            "MemorySwappiness": -1,
            "PidsLimit": 0,
            "Ulimits": [{"Name": "RLIMIT_NOFILE", "Hard": 1048576, "Soft": 1048576}],
            "MaskedPaths": None,
            "ReadonlyPaths": None,
            "ShmSize": 65536000,
            **host,
        }
    )
    document["State"]["Health"] = {"Status": "", "FailingStreak": 0, "Log": None}
    document["Config"].update({"Healthcheck": None, "Entrypoint": [], "StopSignal": "15"})
    document["AppArmorProfile"] = ""
    return document


def container(document: Mapping[str, Any]) -> Container:
    """The container that the engine's adapter makes of a document."""
    base = Container(
        id=ID,
        name="shop-web-1",
        image="shop/web:1.4",
        command="httpd -f --password " + SECRETS[0],
        ports=(Port(80, "tcp", "0.0.0.0", 8080), Port(9000)),
    )
    return inspected(base, document)


CREDENTIALS = Credentials(
    uid=0,
    gid=0,
    groups=(0,),
    cap_effective=CAPS,
    cap_bounding=CAPS,
    cap_permitted=CAPS,
    cap_inheritable=0,
    cap_ambient=0,
    no_new_privileges=False,
    seccomp=2,
    lsm_label="docker-default (enforce)",
    uid_map=((0, 0, 4294967295),),
)


def in_force(**changes: Any) -> InForce:
    """What the kernel says of the container of :func:`docker`; ``changes`` replaces fields."""
    known = InForce(
        pid=7923,
        cgroup_version=2,
        credentials=CREDENTIALS,
        limits=(
            LimitInForce("memory", 512 * M, 412 * M, 500 * M, 2, "memory.max"),
            LimitInForce("memory_reservation", None, source="memory.low"),
            LimitInForce("swap", 512 * M, 0, None, None, "memory.swap.max"),
            LimitInForce("cpu", 0.5, 0.42, None, 1200, "cpu.max"),
            LimitInForce("cpu_weight", 100, source="cpu.weight"),
            LimitInForce("cpuset", "0-7", source="cpuset.cpus.effective"),
            LimitInForce("pids", 100, 97, 99, 0, "pids.max"),
        ),
        ulimits=(
            Ulimit("Max open files", 1024, 2048, "files", 37),
            Ulimit("Max processes", None, None, "processes", 4),
            Ulimit("Max core file size", 0, None, "bytes"),
            Ulimit("Max locked memory", 65536, 65536, "bytes"),
        ),
        oom_score_adj=0,
        namespaces={"pid": False, "net": False, "ipc": False, "uts": False, "cgroup": True},
        listeners=(
            Listener("tcp", "127.0.0.1", 80),
            Listener("tcp", "127.0.0.11", 40123),
            Listener("tcp6", "::", 9229),
        ),
        connections={"ESTABLISHED": 12, "CLOSE_WAIT": 70},
        interfaces=(Interface("eth0", 12 * M, 3 * M, 0, 1, 0, 4),),
        mounts=(
            MountInForce("/", "overlay", "overlay", "rw", False, total=98 << 30, free=12 << 30),
            MountInForce(
                "/data",
                "ext4",
                "/dev/sda1",
                "rw,relatime",
                False,
                "",
                98 << 30,
                1 << 30,
                6_500_000,
                6_100_000,
                1000,
                1000,
                0o755,
                False,
                "owned by 1000:1000, mode 0755",
            ),
            MountInForce("/dev/shm", "tmpfs", "shm", "rw", False, total=64 * M, free=60 * M),
        ),
    )
    return replace(known, **changes)


def processes() -> tuple[Process, ...]:
    """A small tree with a zombie and one that waits for the disk."""
    return (
        Process(
            7923, 7900, "root", "S", "tini -- httpd --password " + SECRETS[0], 0.0, M, 1, 5, 1024
        ),
        Process(7950, 7923, "www-data", "R", "httpd -f", 0.41, 80 * M, 8, 1000, 1024),
        Process(7961, 7950, "www-data", "D", "sync " + "x" * 300, 0.0, 2 * M, 1, 4, 1024),
        Process(7970, 7923, "root", "Z", "", 0.0, 0, 1, 0, 1024),
    )


def image() -> ImageDetail:
    """An image of three steps whose tag has moved."""
    return ImageDetail(
        inspect={
            "Id": IMAGE_ID,
            "RepoTags": ["shop/web:1.4"],
            "RepoDigests": ["shop/web@sha256:" + "ab" * 32],
            "Created": "2025-10-01T00:00:00Z",
            "Os": "linux",
            "Architecture": "amd64",
            "Size": 180 * M,
            "Config": {"Cmd": ["httpd"], "Env": ["API_KEY=" + SECRETS[0]], "ExposedPorts": None},
            "RootFS": {"Type": "layers", "Layers": ["sha256:1", "sha256:2"]},
        },
        history=(
            {
                "CreatedBy": '/bin/sh -c #(nop)  CMD ["httpd"]',
                "Created": 1_759_276_800,
                "Size": 0,
                "Tags": ["shop/web:1.4"],
            },
            {
                "CreatedBy": f"|1 NPM_TOKEN={SECRETS[0]} /bin/sh -c npm ci # buildkit",
                "Created": 1_759_276_790,
                "Size": 100 * M,
                "Tags": None,
            },
            {
                "CreatedBy": "/bin/sh -c #(nop) ADD file:f00 in / ",
                "Created": 1_757_000_000,
                "Size": 80 * M,
                "Tags": ["debian:12"],
            },
        ),
        newer="sha256:" + "cd" * 32,
    )


def samples(count: int = 120) -> tuple[Sample, ...]:
    """A session of a sample every two seconds, with a hole in it."""
    return tuple(
        Sample(
            at=NOW - (count - index) * 2.0,
            cpu_ns=index * 840_000_000,
            throttled_ns=index * 1_000_000,
            periods=index * 20,
            throttled_periods=index * 8,
            memory=(300 + index % 40) * M,
            memory_cache=90 * M,
            memory_anon=300 * M,
            memory_kernel=22 * M,
            memory_limit=512 * M,
            memory_peak=500 * M,
            swap=0,
            oom_kills=0,
            pids=97,
            pids_limit=100,
            net_rx=index * 3_000,
            net_tx=index * 9_000,
            block_read=0,
            block_write=index * 40_000,
            pressure_cpu=12.0,
            pressure_memory=0.0,
            pressure_io=None,
        )
        for index in range(count)
        if not 40 <= index < 60
    )


def events() -> tuple[EngineEvent, ...]:
    """Two runs, the first of which was killed."""

    def one(ago: float, action: str, inferred: bool = False, **attributes: str) -> EngineEvent:
        time_ns = int((NOW - ago) * 1_000_000_000)
        return EngineEvent(time_ns, "container", action, ID, "shop-web-1", attributes, inferred)

    return (
        one(300, "create"),
        one(299, "start"),
        one(120, "oom"),
        one(119, "die", exitCode="137"),
        one(110, "start", inferred=True),
        one(60, "exec_create: sh -c mysql --password=" + SECRETS[0]),
        one(20, "health_status: unhealthy"),
        one(5, "kill", signal="15"),
        EngineEvent(int(NOW * 1e9), "container", "die", "another", "other", {"exitCode": "1"}),
    )


REMOTE: Resource[InForce] = Resource(
    error="the engine runs on another machine: only it can see /proc", at=NOW
)
STOPPED: Resource[InForce] = Resource(error="it has no process: exited", at=NOW)


def subject(
    state: str = "running", document: dict[str, Any] | None = None, **changes: Any
) -> Subject:
    """A local container of Docker in a state, everything read; ``changes`` replaces fields."""
    document = docker(state) if document is None else document
    own = container(document)
    running = own.running
    other = Container(
        id="f" * 64,
        name="shop-db-1",
        state="running",
        networks=("shop_default",),
        detail=Detail(network_mode="shop_default"),
    )
    sidecar = Container(
        id="e" * 64, name="sidecar", state="exited", detail=Detail(network_mode=f"container:{ID}")
    )
    built = Subject(
        container=own,
        now=NOW,
        info=INFO,
        inspect=Resource(document, NOW),
        in_force=Resource(in_force(), NOW) if running else STOPPED,
        processes=Resource(processes(), NOW)
        if running
        else Resource(error="container is not running", at=NOW),
        image=Resource(image(), NOW),
        sizes=Resource(Sizes(3 * M, 183 * M, 12 * M, (("shopdata", 120 * M),)), NOW),
        samples=samples() if running else (),
        events=events(),
        containers={each.id: each for each in (own, other, sidecar)},
    )
    return replace(built, **changes)


def remote(state: str = "running") -> Subject:
    """The same behind a remote engine: nothing from the kernel, processes from ``top``."""
    from_top = tuple(replace(each, cpu=None, files=None, files_limit=None) for each in processes())
    return subject(
        state,
        info=replace(INFO, local=False),
        in_force=REMOTE,
        processes=Resource(from_top, NOW),
    )


def loading() -> Subject:
    """Just selected: only the list entry is known."""
    own = replace(container(docker()), detail=None)
    return Subject(container=own, now=NOW, info=INFO, containers={own.id: own})


def stale() -> Subject:
    """Everything was read eight seconds ago and cannot be read now."""
    full = subject()
    old: dict[str, Resource[Any]] = {
        kind: replace(getattr(full, kind), at=NOW - 8, error="no answer within 5 s")
        for kind in ("inspect", "in_force", "processes", "image", "sizes")
    }
    return replace(full, **old)  # type: ignore[arg-type]


def failed() -> Subject:
    """Nothing could be read."""
    broken: Resource[Any] = Resource(
        error="permission denied", hint="sudo usermod -aG docker", at=NOW
    )
    return replace(
        loading(), inspect=broken, in_force=broken, processes=broken, image=broken, sizes=broken
    )


def everything() -> dict[str, Subject]:
    """Subjects in every situation that a panel meets, by name."""
    return {
        **{f"docker {state}": subject(state) for state in STATES},
        **{f"podman {state}": subject(state, podman(state)) for state in STATES},
        "remote": remote(),
        "remote exited": remote("exited"),
        "loading": loading(),
        "stale": stale(),
        "failed": failed(),
        "bare": Subject(container=Container(id=ID, name="bare"), now=NOW),
        "empty document": subject(inspect=Resource({}, NOW)),
    }
