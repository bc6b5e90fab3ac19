"""The command or the compose file that would make a container again, from its inspect document.

What the image brings by itself and what the engine sets by default is left out. Secrets are
masked: the result is copied and pasted into tickets. Field names are those of the Docker Engine
API 1.41; flags those of the ``docker run`` reference, keys those of the Compose Specification.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from contui.model.secrets import mask, mask_args, mask_env

_SHM: Final = (64 << 20, 65_536_000)
"""What Docker and Podman give unasked."""
_TERM: Final = ("SIGTERM", "TERM", "15")
_DEFAULT_RUNTIMES: Final = ("", "runc", "crun", "oci", "io.containerd.runc.v2")
_SHARED: Final = ("", "default", "private", "shareable")
_COMPOSE: Final = ("com.docker.compose.", "io.podman.compose.")
_PLAIN: Final = re.compile(r"[A-Za-z_/][A-Za-z0-9_./+-]*")
"""What YAML reads as a string without quotes; words that mean something else are excluded."""
_WORDS: Final = frozenset({"yes", "no", "on", "off", "true", "false", "null", "y", "n"})

Document = Mapping[str, Any]


class _Facts:
    """The document and its image's, read with defaults."""

    def __init__(self, document: Document, image: Document | None) -> None:
        self.document = document
        self.config: Document = document.get("Config") or {}
        self.host: Document = document.get("HostConfig") or {}
        self.image: Document = (image or {}).get("Config") or {}

    @property
    def name(self) -> str:
        return str(self.document.get("Name") or "").lstrip("/")

    @property
    def reference(self) -> str:
        return str(self.config.get("Image") or self.document.get("Image") or "")

    def own(self, key: str) -> Any:
        """A value of Config that the image does not bring, else ``None``."""
        value = self.config.get(key)
        return None if value == self.image.get(key) else value

    def env(self) -> list[str]:
        inherited = set(self.image.get("Env") or ())
        return [mask_env(each) for each in self.config.get("Env") or () if each not in inherited]

    def labels(self) -> dict[str, str]:
        inherited = self.image.get("Labels") or {}
        return {
            name: mask(name, str(value))
            for name, value in sorted((self.config.get("Labels") or {}).items())
            if inherited.get(name) != value and not name.startswith(_COMPOSE)
        }

    @property
    def hostname(self) -> str:
        """A host name that was chosen: by default it is the id, or that of another namespace."""
        name = str(self.config.get("Hostname") or "")
        mode = str(self.host.get("NetworkMode") or "")
        given = mode == "host" or mode.startswith("container:")
        id = str(self.document.get("Id") or "")
        return "" if given or (id and name == id[:12]) else name

    def command(self) -> list[str]:
        if self.own("Cmd") is None and self.entrypoint() is None:
            return []
        return mask_args([str(each) for each in self.config.get("Cmd") or ()])

    def entrypoint(self) -> list[str] | None:
        """``None`` where the image's is used; empty where it was switched off."""
        own = _words(self.config.get("Entrypoint"))
        return None if own == _words(self.image.get("Entrypoint")) else mask_args(own)

    def restart(self) -> str:
        policy: Document = self.host.get("RestartPolicy") or {}
        name, maximum = str(policy.get("Name") or "no"), policy.get("MaximumRetryCount") or 0
        return f"{name}:{maximum}" if maximum else "" if name == "no" else name

    def ports(self) -> list[str]:
        out = []
        for inside, bindings in sorted((self.host.get("PortBindings") or {}).items()):
            port, _, protocol = str(inside).partition("/")
            suffix = f"/{protocol}" if protocol not in ("", "tcp") else ""
            unbound: Sequence[Document] = ({},)
            for each in bindings or unbound:
                address, public = each.get("HostIp") or "", each.get("HostPort") or ""
                address = f"[{address}]" if ":" in address else address
                outside = f"{address}:{public}:" if address else f"{public}:" if public else ""
                out.append(f"{outside}{port}{suffix}")
        return out

    def exposed(self) -> list[str]:
        published = set(self.host.get("PortBindings") or {})
        known = set(self.image.get("ExposedPorts") or {}) | published
        return sorted(set(self.config.get("ExposedPorts") or {}) - known)

    def mounts(self) -> list[str]:
        """Volumes and bind mounts as ``source:target[:options]``."""
        out = [str(each) for each in self.host.get("Binds") or ()]
        targets = {_target(each) for each in out}
        declared = set(self.image.get("Volumes") or {})
        for mount in self.document.get("Mounts") or ():
            target, kind = str(mount.get("Destination") or ""), mount.get("Type")
            if not target or target in targets or kind == "tmpfs":
                continue
            source = str(mount.get("Name") or mount.get("Source") or "")
            anonymous = kind == "volume" and re.fullmatch(r"[0-9a-f]{64}", source)
            if anonymous and target in declared:
                continue
            spec = target if anonymous else f"{source}:{target}"
            out.append(spec + ("" if mount.get("RW", True) else ":ro"))
        return out

    def tmpfs(self) -> list[str]:
        out = [
            f"{target}:{options}" if options else str(target)
            for target, options in (self.host.get("Tmpfs") or {}).items()
        ]
        for mount in self.host.get("Mounts") or ():
            if mount.get("Type") == "tmpfs":
                limit = (mount.get("TmpfsOptions") or {}).get("SizeBytes")
                out.append(f"{mount.get('Target')}" + (f":size={limit}" if limit else ""))
        return out

    def networks(self) -> list[tuple[str, list[str], str]]:
        """Name, aliases and fixed address of each network, the one it is created with first."""
        mode = str(self.host.get("NetworkMode") or "default")
        if mode in ("none", "host") or mode.startswith(("container:", "ns:", "slirp4netns")):
            return [(mode, [], "")]
        attached: Document = (self.document.get("NetworkSettings") or {}).get("Networks") or {}
        first = "bridge" if mode == "default" else mode
        names = sorted(attached, key=lambda name: (name != first, name)) or [first]
        out = []
        for name in names:
            endpoint: Document = attached.get(name) or {}
            given = {self.name, *self._ids(), str(self.config.get("Hostname") or "")}
            service = (self.config.get("Labels") or {}).get("com.docker.compose.service")
            aliases = [a for a in endpoint.get("Aliases") or () if a not in given | {service}]
            fixed = (endpoint.get("IPAMConfig") or {}).get("IPv4Address") or ""
            out.append((str(name), aliases, str(fixed)))
        return out

    def _ids(self) -> set[str]:
        id = str(self.document.get("Id") or "")
        return {id, id[:12]}

    def health(self) -> Document | None:
        return self.own("Healthcheck") or None

    def logging(self) -> tuple[str, dict[str, str]]:
        """Driver and options, masked; ``("", {})`` for json-file without options."""
        log: Document = self.host.get("LogConfig") or {}
        options = {str(k): mask(str(k), str(v)) for k, v in (log.get("Config") or {}).items()}
        driver = str(log.get("Type") or "")
        plain = driver in ("", "json-file", "k8s-file") and not options
        return ("", {}) if plain else (driver, options)

    def ulimits(self) -> dict[str, tuple[int, int]]:
        return {
            str(each.get("Name")).lower().removeprefix("rlimit_"): (
                int(each.get("Soft", -1)),
                int(each.get("Hard", -1)),
            )
            for each in self.host.get("Ulimits") or ()
        }

    def devices(self) -> list[str]:
        out = []
        for each in self.host.get("Devices") or ():
            outside, inside = each.get("PathOnHost") or "", each.get("PathInContainer") or ""
            mode = each.get("CgroupPermissions") or "rwm"
            spec = outside if inside == outside and mode == "rwm" else f"{outside}:{inside}"
            out.append(spec if mode == "rwm" else f"{spec}:{mode}")
        return out

    def gpus(self) -> str:
        for each in self.host.get("DeviceRequests") or ():
            if any("gpu" in group for group in each.get("Capabilities") or ()):
                ids = each.get("DeviceIDs")
                if ids:
                    # The flag takes CSV: a comma within a value needs quotes of its own.
                    devices = "device=" + ",".join(ids)
                    return f'"{devices}"' if len(ids) > 1 else devices
                return "all" if each.get("Count") == -1 else str(each.get("Count") or "all")
        return ""

    def shared(self, key: str) -> str:
        """A namespace mode that is not the default."""
        mode = str(self.host.get(key) or "")
        return "" if mode in _SHARED else mode

    def stop_signal(self) -> str:
        """Another signal than the image's or, where it has none, than TERM."""
        own = str(self.own("StopSignal") or "")
        return "" if own in _TERM and not self.image.get("StopSignal") else own

    def cpus(self) -> str:
        nano = self.host.get("NanoCpus") or 0
        return f"{nano / 1e9:g}" if nano else ""

    @property
    def swap(self) -> int:
        """Memory and swap together, where it is not the default of twice the memory."""
        both, memory = self.host.get("MemorySwap") or 0, self.host.get("Memory") or 0
        return 0 if both == 2 * memory else int(both)


def _words(value: object) -> list[str]:
    """An argument vector; Podman 4 and older write it as one string."""
    if isinstance(value, str):
        return value.split()
    return [str(each) for each in value] if isinstance(value, Sequence) else []


def _target(bind: str) -> str:
    parts = bind.split(":")
    return parts[1] if len(parts) > 1 else parts[0]


def _bytes(value: object) -> str:
    """Bytes in the largest unit that divides them: ``64m``."""
    number = int(value) if isinstance(value, int | float) else 0
    for unit, factor in (("g", 1 << 30), ("m", 1 << 20), ("k", 1 << 10)):
        if number and number % factor == 0:
            return f"{number // factor}{unit}"
    return str(number)


def _seconds(nanoseconds: object) -> str:
    number = nanoseconds if isinstance(nanoseconds, int) else 0
    return f"{number / 1e9:g}s"


# --- docker run

_SIZES: Final = (
    ("Memory", "--memory"),
    ("MemoryReservation", "--memory-reservation"),
)
_NUMBERS: Final = (
    ("CpuShares", "--cpu-shares"),
    ("PidsLimit", "--pids-limit"),
    ("BlkioWeight", "--blkio-weight"),
    ("OomScoreAdj", "--oom-score-adj"),
)
_QUOTA: Final = (("CpuPeriod", "--cpu-period"), ("CpuQuota", "--cpu-quota"))
_TEXTS: Final = (
    ("CpusetCpus", "--cpuset-cpus"),
    ("CpusetMems", "--cpuset-mems"),
    ("CgroupParent", "--cgroup-parent"),
    ("VolumeDriver", "--volume-driver"),
)
_SWITCHES: Final = (
    ("Privileged", "--privileged"),
    ("ReadonlyRootfs", "--read-only"),
    ("AutoRemove", "--rm"),
    ("PublishAllPorts", "--publish-all"),
    ("Init", "--init"),
    ("OomKillDisable", "--oom-kill-disable"),
)
_LISTS: Final = (
    ("CapAdd", "--cap-add"),
    ("CapDrop", "--cap-drop"),
    ("SecurityOpt", "--security-opt"),
    ("GroupAdd", "--group-add"),
    ("Dns", "--dns"),
    ("DnsSearch", "--dns-search"),
    ("DnsOptions", "--dns-option"),
    ("ExtraHosts", "--add-host"),
    ("VolumesFrom", "--volumes-from"),
    ("Links", "--link"),
    ("DeviceCgroupRules", "--device-cgroup-rule"),
)
_RATES: Final = (
    ("BlkioDeviceReadBps", "--device-read-bps"),
    ("BlkioDeviceWriteBps", "--device-write-bps"),
    ("BlkioDeviceReadIOps", "--device-read-iops"),
    ("BlkioDeviceWriteIOps", "--device-write-iops"),
)
_NAMESPACES: Final = (
    ("PidMode", "--pid"),
    ("IpcMode", "--ipc"),
    ("UTSMode", "--uts"),
    ("UsernsMode", "--userns"),
)


def docker_run(document: Document, image: Document | None = None) -> str:
    """A ``docker run`` command over several lines; further networks as commands after it.

    ``document`` and ``image`` are inspect documents of the container and of its image; without the
    latter, what the image brings is written out too.
    """
    facts = _Facts(document, image)
    entrypoint = facts.entrypoint()
    command = facts.command()
    # --entrypoint takes one word: what follows it comes before the command.
    command = [*(entrypoint or [])[1:], *command]
    options = list(_run_options(facts))
    if entrypoint is not None:
        options.append(["--entrypoint", entrypoint[0] if entrypoint else ""])
    rows = ["docker run --detach", *(shlex.join(each) for each in options)]
    rows.append(shlex.join([facts.reference, *command]))
    out = " \\\n  ".join(rows)
    for name, aliases, address in facts.networks()[1:]:
        extra = [*_repeated("--alias", aliases), *([["--ip", address]] if address else [])]
        flat = [word for each in extra for word in each]
        out += "\n" + shlex.join(["docker", "network", "connect", *flat, name, facts.name])
    return out


def _repeated(flag: str, values: Sequence[object]) -> list[list[str]]:
    return [[flag, str(value)] for value in values]


def _run_options(facts: _Facts) -> Iterator[list[str]]:
    host, config = facts.host, facts.config
    yield ["--name", facts.name]
    if facts.hostname:
        yield ["--hostname", facts.hostname]
    if config.get("Domainname"):
        yield ["--domainname", str(config["Domainname"])]
    if config.get("OpenStdin"):
        yield ["--interactive"]
    if config.get("Tty"):
        yield ["--tty"]
    if restart := facts.restart():
        yield ["--restart", restart]
    for key, flag in (("User", "--user"), ("WorkingDir", "--workdir")):
        if facts.own(key):
            yield [flag, str(config[key])]
    yield from _run_network(facts)
    yield from _repeated("--volume", facts.mounts())
    yield from _repeated("--tmpfs", facts.tmpfs())
    yield from _repeated("--env", facts.env())
    yield from _repeated("--label", [f"{k}={v}" for k, v in facts.labels().items()])
    yield from _run_limits(facts)
    for key, flag in _SWITCHES:
        if host.get(key):
            yield [flag]
    for key, flag in _LISTS:
        yield from _repeated(flag, host.get(key) or ())
    for key, flag in _NAMESPACES:
        if mode := facts.shared(key):
            yield [flag, mode]
    yield from _repeated("--device", facts.devices())
    if gpus := facts.gpus():
        yield ["--gpus", gpus]
    yield from _repeated("--sysctl", [f"{k}={v}" for k, v in (host.get("Sysctls") or {}).items()])
    if str(host.get("Runtime") or "") not in _DEFAULT_RUNTIMES:
        yield ["--runtime", str(host["Runtime"])]
    driver, options = facts.logging()
    if driver:
        yield ["--log-driver", driver]
    yield from _repeated("--log-opt", [f"{k}={v}" for k, v in options.items()])
    yield from _run_health(facts)
    if signal := facts.stop_signal():
        yield ["--stop-signal", signal]
    if config.get("StopTimeout") is not None:
        yield ["--stop-timeout", str(config["StopTimeout"])]


def _run_network(facts: _Facts) -> Iterator[list[str]]:
    name, aliases, address = facts.networks()[0]
    if name not in ("bridge", "podman"):
        yield ["--network", name]
        yield from _repeated("--network-alias", aliases)
        if address:
            yield ["--ip", address]
    yield from _repeated("--publish", facts.ports())
    yield from _repeated("--expose", facts.exposed())


def _run_limits(facts: _Facts) -> Iterator[list[str]]:
    host = facts.host
    for key, flag in _SIZES:
        if host.get(key):
            yield [flag, _bytes(host[key])]
    if facts.swap:
        yield ["--memory-swap", _bytes(facts.swap) if facts.swap > 0 else "-1"]
    swappiness = host.get("MemorySwappiness")
    if isinstance(swappiness, int) and swappiness >= 0:
        yield ["--memory-swappiness", str(swappiness)]
    # Podman reports --cpus as a quota too; engines refuse both at once.
    if facts.cpus():
        yield ["--cpus", facts.cpus()]
    for key, flag in _NUMBERS if facts.cpus() else (*_QUOTA, *_NUMBERS):
        if host.get(key):
            yield [flag, str(host[key])]
    for key, flag in _TEXTS:
        if host.get(key):
            yield [flag, str(host[key])]
    if (host.get("ShmSize") or _SHM[0]) not in _SHM:
        yield ["--shm-size", _bytes(host["ShmSize"])]
    for name, (soft, hard) in facts.ulimits().items():
        yield ["--ulimit", f"{name}={soft}" + (f":{hard}" if hard != soft else "")]
    for key, flag in _RATES:
        yield from _repeated(
            flag, [f"{e.get('Path')}:{e.get('Rate')}" for e in host.get(key) or ()]
        )


def _run_health(facts: _Facts) -> Iterator[list[str]]:
    health = facts.health()
    if health is None:
        return
    test = [str(each) for each in health.get("Test") or ()]
    if test[:1] == ["NONE"]:
        yield ["--no-healthcheck"]
        return
    if len(test) > 1:
        masked = mask_args(test[1:])
        # The flag always runs a shell: an exec-form test is quoted for it.
        yield ["--health-cmd", masked[0] if test[0] == "CMD-SHELL" else shlex.join(masked)]
    for key, flag in (
        ("Interval", "--health-interval"),
        ("Timeout", "--health-timeout"),
        ("StartPeriod", "--health-start-period"),
    ):
        if health.get(key):
            yield [flag, _seconds(health[key])]
    if health.get("Retries"):
        yield ["--health-retries", str(health["Retries"])]


# --- compose


def compose_service(document: Document, image: Document | None = None) -> str:
    """A compose file with this one service; networks and named volumes are external to it."""
    facts = _Facts(document, image)
    labels = facts.config.get("Labels") or {}
    service = str(labels.get("com.docker.compose.service") or facts.name)
    body = {key: value for key, value in _service(facts).items() if value not in (None, "", [], {})}
    out: dict[str, Any] = {"services": {service: body}}
    networks = [name for name, _, _ in facts.networks() if _attachable(name)]
    if networks:
        out["networks"] = {name: {"external": True} for name in networks}
    named = [each.split(":")[0] for each in facts.mounts() if ":" in each]
    volumes = [name for name in named if not name.startswith(("/", ".", "~"))]
    if volumes:
        out["volumes"] = {name: {"external": True} for name in dict.fromkeys(volumes)}
    return "\n".join(_yaml(out)) + "\n"


def _attachable(name: str) -> bool:
    return name not in ("bridge", "podman", "host", "none") and ":" not in name


def _service(facts: _Facts) -> dict[str, Any]:
    host, config = facts.host, facts.config
    driver, options = facts.logging()
    first = facts.networks()[0][0]
    mode = "" if _attachable(first) else "" if first in ("bridge", "podman") else first
    entrypoint = facts.entrypoint()
    return {
        "image": facts.reference,
        "container_name": facts.name,
        "hostname": facts.hostname,
        "domainname": config.get("Domainname"),
        "entrypoint": entrypoint,
        "command": facts.command(),
        "restart": facts.restart(),
        "user": facts.own("User"),
        "working_dir": facts.own("WorkingDir"),
        "stdin_open": config.get("OpenStdin") or None,
        "tty": config.get("Tty") or None,
        "network_mode": mode if mode else ("bridge" if first in ("bridge", "podman") else ""),
        "networks": {
            name: {
                key: value
                for key, value in (("aliases", aliases), ("ipv4_address", address))
                if value
            }
            or None
            for name, aliases, address in facts.networks()
            if _attachable(name)
        },
        "ports": facts.ports(),
        "expose": facts.exposed(),
        "volumes": facts.mounts(),
        "tmpfs": facts.tmpfs(),
        "environment": facts.env(),
        "labels": facts.labels(),
        **_compose_limits(facts),
        "privileged": host.get("Privileged") or None,
        "read_only": host.get("ReadonlyRootfs") or None,
        "init": host.get("Init") or None,
        "cap_add": list(host.get("CapAdd") or ()),
        "cap_drop": list(host.get("CapDrop") or ()),
        "security_opt": list(host.get("SecurityOpt") or ()),
        "group_add": list(host.get("GroupAdd") or ()),
        "devices": facts.devices(),
        "device_cgroup_rules": list(host.get("DeviceCgroupRules") or ()),
        "dns": list(host.get("Dns") or ()),
        "dns_search": list(host.get("DnsSearch") or ()),
        "dns_opt": list(host.get("DnsOptions") or ()),
        "extra_hosts": list(host.get("ExtraHosts") or ()),
        "pid": facts.shared("PidMode"),
        "ipc": facts.shared("IpcMode"),
        "uts": facts.shared("UTSMode"),
        "userns_mode": facts.shared("UsernsMode"),
        "cgroup_parent": host.get("CgroupParent"),
        "sysctls": dict(host.get("Sysctls") or {}),
        "runtime": ""
        if str(host.get("Runtime") or "") in _DEFAULT_RUNTIMES
        else str(host["Runtime"]),
        "logging": {"driver": driver, **({"options": options} if options else {})}
        if driver
        else None,
        "healthcheck": _compose_health(facts),
        "stop_signal": facts.stop_signal(),
        "stop_grace_period": f"{config['StopTimeout']}s"
        if config.get("StopTimeout") is not None
        else None,
    }


def _compose_limits(facts: _Facts) -> dict[str, Any]:
    host = facts.host
    quota = 0 if facts.cpus() else host.get("CpuQuota") or 0
    shm = host.get("ShmSize") or _SHM[0]
    swap = facts.swap
    return {
        "mem_limit": _bytes(host["Memory"]) if host.get("Memory") else None,
        "mem_reservation": _bytes(host["MemoryReservation"])
        if host.get("MemoryReservation")
        else None,
        "memswap_limit": None if not swap else _bytes(swap) if swap > 0 else -1,
        "cpus": float(facts.cpus()) if facts.cpus() else None,
        "cpu_shares": host.get("CpuShares") or None,
        "cpu_quota": quota or None,
        "cpu_period": host.get("CpuPeriod") or None if quota else None,
        "cpuset": host.get("CpusetCpus"),
        "pids_limit": host.get("PidsLimit") or None,
        "oom_score_adj": host.get("OomScoreAdj") or None,
        "oom_kill_disable": host.get("OomKillDisable") or None,
        "shm_size": _bytes(shm) if shm not in _SHM else None,
        "ulimits": {
            name: soft if soft == hard else {"soft": soft, "hard": hard}
            for name, (soft, hard) in facts.ulimits().items()
        },
    }


def _compose_health(facts: _Facts) -> dict[str, Any] | None:
    health = facts.health()
    if health is None:
        return None
    test = [str(each) for each in health.get("Test") or ()]
    if test[:1] == ["NONE"]:
        return {"disable": True}
    out: dict[str, Any] = {"test": [test[0], *mask_args(test[1:])]} if test else {}
    for key, name in (
        ("Interval", "interval"),
        ("Timeout", "timeout"),
        ("StartPeriod", "start_period"),
    ):
        if health.get(key):
            out[name] = _seconds(health[key])
    if health.get("Retries"):
        out["retries"] = health["Retries"]
    return out


def _scalar(value: object) -> str:
    if value is None:
        return "{}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    # Compose replaces $NAME: a dollar sign that is meant is doubled.
    return _string(str(value).replace("$", "$$"))


def _string(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(each if each.isprintable() else f"\\U{ord(each):08x}" for each in quoted)


def _yaml(value: object, indent: str = "") -> Iterator[str]:
    """Block style YAML; every string that could be read as something else is quoted as in JSON."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            if isinstance(each, Mapping | list) and each:
                yield f"{indent}{_string(str(key))}:"
                yield from _yaml(each, indent + "  ")
            elif isinstance(each, Mapping | list):
                yield f"{indent}{_string(str(key))}: {'{}' if isinstance(each, Mapping) else '[]'}"
            else:
                yield f"{indent}{_string(str(key))}: {_scalar(each)}"
    elif isinstance(value, list):
        for each in value:
            yield f"{indent}- {_scalar(each)}"
