"""The Engine API's JSON as model values.

Field names are those of the Docker Engine API 1.41 to 1.47 reference. Every field is optional:
Podman omits or nulls many, API 1.52 drops some.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from contui.model.container import Container, Detail, Port, Probe
from contui.model.event import EngineEvent
from contui.model.host import EngineInfo
from contui.model.image import DiskUse, Image, Network, Volume
from contui.model.sample import Sample
from contui.model.units import parse_time

_HEALTH: Final = re.compile(r"\((healthy|unhealthy|health: starting)\)")
_UNLIMITED: Final = 1 << 62


def _names(entry: Mapping[str, Any]) -> str:
    """The container's own name: links add ``/other/alias`` ones."""
    names = [str(name) for name in entry.get("Names") or []]
    own = [name for name in names if name.count("/") <= 1] or names
    return own[0].lstrip("/") if own else str(entry.get("Id") or "")[:12]


def listed(entry: Mapping[str, Any]) -> Container:
    """An entry of ``GET /containers/json``."""
    status = str(entry.get("Status") or "")
    found = _HEALTH.search(status)
    networks = (entry.get("NetworkSettings") or {}).get("Networks") or {}
    return Container(
        id=str(entry.get("Id") or ""),
        name=_names(entry),
        image=str(entry.get("Image") or ""),
        image_id=str(entry.get("ImageID") or ""),
        command=str(entry.get("Command") or ""),
        created=float(entry.get("Created") or 0),
        state=str(entry.get("State") or "").lower() or "created",
        status=status,
        health=found[1].removeprefix("health: ") if found else "",
        ports=tuple(
            Port(
                private=int(port.get("PrivatePort") or 0),
                protocol=str(port.get("Type") or "tcp"),
                address=str(port.get("IP") or ""),
                public=int(port.get("PublicPort") or 0),
            )
            for port in entry.get("Ports") or []
        ),
        labels=dict(entry.get("Labels") or {}),
        networks=tuple(sorted(networks)),
        mounts=tuple(
            str(mount.get("Name") or mount.get("Source") or "")
            for mount in entry.get("Mounts") or []
        ),
    )


def inspected(base: Container, document: Mapping[str, Any]) -> Container:
    """A listed container completed by ``GET /containers/{id}/json``."""
    state: Mapping[str, Any] = document.get("State") or {}
    health: Mapping[str, Any] = state.get("Health") or {}
    word = str(health.get("Status") or "")
    return Container(
        id=base.id,
        name=str(document.get("Name") or base.name).lstrip("/"),
        image=base.image or str((document.get("Config") or {}).get("Image") or ""),
        image_id=str(document.get("Image") or base.image_id),
        command=base.command,
        created=parse_time(document.get("Created")) or base.created,
        state=str(state.get("Status") or base.state).lower(),
        status=base.status,
        health="" if word == "none" else word or base.health,
        ports=base.ports,
        labels=dict((document.get("Config") or {}).get("Labels") or base.labels),
        networks=tuple(
            sorted((document.get("NetworkSettings") or {}).get("Networks") or base.networks)
        ),
        mounts=base.mounts
        or tuple(
            str(mount.get("Name") or mount.get("Source") or "")
            for mount in document.get("Mounts") or []
        ),
        detail=_detail(document, state, health),
    )


def _detail(
    document: Mapping[str, Any], state: Mapping[str, Any], health: Mapping[str, Any]
) -> Detail:
    host: Mapping[str, Any] = document.get("HostConfig") or {}
    config: Mapping[str, Any] = document.get("Config") or {}
    policy: Mapping[str, Any] = host.get("RestartPolicy") or {}
    log: Mapping[str, Any] = host.get("LogConfig") or {}
    return Detail(
        pid=int(state.get("Pid") or 0),
        started_at=parse_time(state.get("StartedAt")),
        finished_at=parse_time(state.get("FinishedAt")),
        exit_code=int(state.get("ExitCode") or 0),
        oom_killed=bool(state.get("OOMKilled")),
        error=str(state.get("Error") or ""),
        restart_count=int(document.get("RestartCount") or 0),
        restart_policy=str(policy.get("Name") or "no"),
        restart_maximum=int(policy.get("MaximumRetryCount") or 0),
        memory_limit=int(host.get("Memory") or 0) or None,
        cpu_limit=_cores(host),
        pids_limit=_positive(host.get("PidsLimit")),
        tty=bool(config.get("Tty")),
        open_stdin=bool(config.get("OpenStdin")),
        log_driver=str(log.get("Type") or ""),
        log_path=str(document.get("LogPath") or ""),
        user=str(config.get("User") or ""),
        network_mode=str(host.get("NetworkMode") or ""),
        failing_streak=int(health.get("FailingStreak") or 0),
        probes=tuple(
            Probe(
                start=parse_time(entry.get("Start")),
                end=parse_time(entry.get("End")),
                exit_code=int(entry.get("ExitCode") or 0),
                output=str(entry.get("Output") or ""),
            )
            for entry in health.get("Log") or []
        ),
        privileged=bool(host.get("Privileged")),
    )


def _positive(value: object) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def _cores(host: Mapping[str, Any]) -> float | None:
    nano = host.get("NanoCpus") or 0
    if nano:
        return float(nano) / 1e9
    quota = host.get("CpuQuota") or 0
    return float(quota) / float(host.get("CpuPeriod") or 100_000) if quota > 0 else None


_PODMAN_ACTIONS: Final = {"died": "die", "remove": "destroy", "exec_died": "exec_die"}


def event(document: Mapping[str, Any]) -> EngineEvent:
    """A message of ``GET /events``; Podman's verbs are turned into Docker's."""
    actor: Mapping[str, Any] = document.get("Actor") or {}
    attributes = {str(k): str(v) for k, v in (actor.get("Attributes") or {}).items()}
    if "containerExitCode" in attributes:
        attributes.setdefault("exitCode", attributes["containerExitCode"])
    action = str(document.get("Action") or document.get("status") or "")
    if action == "health_status" and attributes.get("health_status"):
        action = f"health_status: {attributes['health_status']}"
    nano = int(document.get("timeNano") or 0) or int(document.get("time") or 0) * 1_000_000_000
    return EngineEvent(
        time_ns=nano,
        kind=str(document.get("Type") or "container"),
        action=_PODMAN_ACTIONS.get(action, action),
        id=str(actor.get("ID") or document.get("id") or ""),
        name=attributes.get("name", ""),
        attributes=attributes,
    )


def sample(document: Mapping[str, Any]) -> Sample | None:
    """A message of ``GET /containers/{id}/stats``; ``None`` for a container that does not run.

    Memory is usage minus inactive file cache: ``total_inactive_file`` on cgroup v1,
    ``inactive_file`` on v2 (docker/cli, calculateMemUsageUnixNoCache).
    """
    read = str(document.get("read") or "")
    if read.startswith("0001-"):
        return None
    cpu: Mapping[str, Any] = document.get("cpu_stats") or {}
    throttling: Mapping[str, Any] = cpu.get("throttling_data") or {}
    memory: Mapping[str, Any] = document.get("memory_stats") or {}
    detail: Mapping[str, Any] = memory.get("stats") or {}
    pids: Mapping[str, Any] = document.get("pids_stats") or {}
    networks = [each or {} for each in (document.get("networks") or {}).values()]
    usage = memory.get("usage")
    inactive = detail.get("total_inactive_file", detail.get("inactive_file")) or 0
    limit = memory.get("limit")
    read_bytes, written = _block(document)
    return Sample(
        at=parse_time(read),
        cpu_ns=(cpu.get("cpu_usage") or {}).get("total_usage"),
        throttled_ns=throttling.get("throttled_time"),
        periods=throttling.get("periods"),
        throttled_periods=throttling.get("throttled_periods"),
        memory=None if usage is None else usage - inactive if inactive < usage else usage,
        memory_cache=detail.get("total_cache", detail.get("file")),
        memory_anon=detail.get("total_rss", detail.get("anon")),
        memory_kernel=detail.get("kernel"),
        memory_limit=limit if limit and limit < _UNLIMITED else None,
        memory_peak=memory.get("max_usage"),
        pids=pids.get("current"),
        pids_limit=_bounded(pids.get("limit")),
        net_rx=sum(each.get("rx_bytes") or 0 for each in networks) if networks else None,
        net_tx=sum(each.get("tx_bytes") or 0 for each in networks) if networks else None,
        block_read=read_bytes,
        block_write=written,
    )


def podman_samples(document: Mapping[str, Any]) -> dict[str, Sample]:
    """A message of Podman's ``GET /libpod/containers/stats``: all running containers by id.

    ``SystemNano`` is the time of the reading; ``Network`` came with Podman 5, before it there were
    two sums (containers/podman, ``libpod/define/containerstate.go``, ContainerStats).
    """
    samples = {}
    for entry in document.get("Stats") or []:
        networks = [each or {} for each in (entry.get("Network") or {}).values()]
        limit = entry.get("MemLimit")
        samples[str(entry.get("ContainerID") or "")] = Sample(
            at=int(entry.get("SystemNano") or 0) / 1e9,
            cpu_ns=entry.get("CPUNano"),
            memory=entry.get("MemUsage"),
            memory_limit=limit if limit and limit < _UNLIMITED else None,
            pids=entry.get("PIDs"),
            net_rx=entry.get("NetInput", sum(each.get("RxBytes") or 0 for each in networks)),
            net_tx=entry.get("NetOutput", sum(each.get("TxBytes") or 0 for each in networks)),
            block_read=entry.get("BlockInput"),
            block_write=entry.get("BlockOutput"),
        )
    return samples


def _bounded(value: object) -> int | None:
    return value if isinstance(value, int) and 0 < value < _UNLIMITED else None


def _block(document: Mapping[str, Any]) -> tuple[int | None, int | None]:
    entries = (document.get("blkio_stats") or {}).get("io_service_bytes_recursive")
    if entries is None:
        return None, None
    total = {"read": 0, "write": 0}
    for entry in entries:
        operation = str(entry.get("op") or "").lower()
        if operation in total:
            total[operation] += int(entry.get("value") or 0)
    return total["read"], total["write"]


def info(document: Mapping[str, Any], api_version: str, *, podman: bool, local: bool) -> EngineInfo:
    """``GET /info``."""
    options = tuple(str(option) for option in document.get("SecurityOptions") or [])
    return EngineInfo(
        product="podman" if podman else "docker",
        version=str(document.get("ServerVersion") or ""),
        api_version=api_version,
        name=str(document.get("Name") or ""),
        os=str(document.get("OperatingSystem") or ""),
        kernel=str(document.get("KernelVersion") or ""),
        architecture=str(document.get("Architecture") or ""),
        cpus=int(document.get("NCPU") or 0),
        memory=int(document.get("MemTotal") or 0),
        root_dir=str(document.get("DockerRootDir") or ""),
        storage_driver=str(document.get("Driver") or ""),
        logging_driver=str(document.get("LoggingDriver") or ""),
        cgroup_driver=str(document.get("CgroupDriver") or ""),
        cgroup_version=str(document.get("CgroupVersion") or ""),
        runtimes=tuple(sorted(document.get("Runtimes") or {})),
        default_runtime=str(document.get("DefaultRuntime") or ""),
        security_options=options,
        warnings=tuple(str(warning) for warning in document.get("Warnings") or []),
        live_restore=bool(document.get("LiveRestoreEnabled")),
        rootless=any("rootless" in option for option in options),
        local=local,
    )


def image(entry: Mapping[str, Any]) -> Image:
    """An entry of ``GET /images/json`` or of disk use."""
    shared = entry.get("SharedSize")
    tags = tuple(str(tag) for tag in entry.get("RepoTags") or [] if tag != "<none>:<none>")
    digests = tuple(str(each) for each in entry.get("RepoDigests") or [])
    return Image(
        id=str(entry.get("Id") or ""),
        tags=tags,
        digests=digests,
        created=float(entry.get("Created") or 0),
        size=int(entry.get("Size") or 0),
        shared=shared if isinstance(shared, int) and shared >= 0 else None,
        labels=dict(entry.get("Labels") or {}),
    )


def volume(entry: Mapping[str, Any]) -> Volume:
    """An entry of ``GET /volumes`` or of disk use; only the latter has ``UsageData``."""
    usage: Mapping[str, Any] = entry.get("UsageData") or {}
    bytes_used, references = usage.get("Size"), usage.get("RefCount")
    return Volume(
        name=str(entry.get("Name") or ""),
        driver=str(entry.get("Driver") or ""),
        mountpoint=str(entry.get("Mountpoint") or ""),
        created=parse_time(entry.get("CreatedAt")),
        labels=dict(entry.get("Labels") or {}),
        size=bytes_used if isinstance(bytes_used, int) and bytes_used >= 0 else None,
        references=references if isinstance(references, int) and references >= 0 else None,
    )


def network(entry: Mapping[str, Any]) -> Network:
    """An entry of ``GET /networks``."""
    pools = (entry.get("IPAM") or {}).get("Config") or []
    return Network(
        id=str(entry.get("Id") or ""),
        name=str(entry.get("Name") or ""),
        driver=str(entry.get("Driver") or ""),
        scope=str(entry.get("Scope") or ""),
        internal=bool(entry.get("Internal")),
        subnets=tuple(str(pool.get("Subnet")) for pool in pools if pool.get("Subnet")),
        created=parse_time(entry.get("Created")),
        labels=dict(entry.get("Labels") or {}),
    )


def disk(document: Mapping[str, Any]) -> DiskUse:
    """``GET /system/df``: what each kind takes and what pruning it would give back."""
    images = tuple(image(entry) for entry in document.get("Images") or [])
    volumes = tuple(volume(entry) for entry in document.get("Volumes") or [])
    containers = document.get("Containers") or []
    cache = document.get("BuildCache") or []
    used = {str(entry.get("ImageID")) for entry in containers}
    layers = int(document.get("LayersSize") or 0)
    free_images = sum(each.size - (each.shared or 0) for each in images if each.id not in used)
    stopped = [each for each in containers if each.get("State") not in ("running", "paused")]
    unused = [each for each in volumes if each.references == 0]
    idle = [each for each in cache if not each.get("InUse") and not each.get("Shared")]
    rows = (
        ("images", len(images), len(used), layers, min(layers, free_images)),
        (
            "containers",
            len(containers),
            len(containers) - len(stopped),
            sum(int(each.get("SizeRw") or 0) for each in containers),
            sum(int(each.get("SizeRw") or 0) for each in stopped),
        ),
        (
            "volumes",
            len(volumes),
            len(volumes) - len(unused),
            sum(each.size or 0 for each in volumes),
            sum(each.size or 0 for each in unused),
        ),
        (
            "build cache",
            len(cache),
            sum(1 for each in cache if each.get("InUse")),
            sum(int(each.get("Size") or 0) for each in cache if not each.get("Shared")),
            sum(int(each.get("Size") or 0) for each in idle),
        ),
    )
    return DiskUse(rows=rows, images=images, volumes=volumes, layers=layers)
