import json
import re
import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contui.model.reconstruct import compose_service, docker_run
from contui.model.secrets import MASK
from support import subjects

M = 1 << 20
IMAGE = {
    "Config": {
        "Env": ["PATH=/bin:/sbin", "LANG=C"],
        "Cmd": ["httpd", "-f"],
        "Entrypoint": ["/entry.sh"],
        "Labels": {"maintainer": "someone"},
        "ExposedPorts": {"80/tcp": {}},
        "Volumes": {"/var/cache": {}},
        "WorkingDir": "/srv",
        "User": "www",
        "StopSignal": "SIGQUIT",
        "Healthcheck": {"Test": ["CMD-SHELL", "curl localhost"], "Interval": 5_000_000_000},
    }
}
ID = "8226e10b9241" + "0" * 52


def made(
    config: dict[str, Any] | None = None, host: dict[str, Any] | None = None, **document: Any
) -> dict[str, Any]:
    """An inspect document of a container of IMAGE, without anything of its own but ``config``..."""
    return {
        "Id": ID,
        "Name": "/web",
        "Config": {
            "Hostname": ID[:12],
            "Image": "shop/web:1.4",
            **IMAGE["Config"],
            **(config or {}),
        },
        "HostConfig": {
            "NetworkMode": "default",
            "ShmSize": 64 * M,
            "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
            "LogConfig": {"Type": "json-file", "Config": {}},
            "IpcMode": "private",
            "Runtime": "runc",
            **(host or {}),
        },
        "NetworkSettings": {"Networks": {"bridge": {}}},
        "Mounts": [],
        **document,
    }


def words(document: dict[str, Any], image: dict[str, Any] | None = IMAGE) -> list[str]:
    """The words of the ``docker run`` command that a shell would pass on."""
    return shlex.split(docker_run(document, image).replace("\\\n", ""))


def yaml(text: str) -> Any:
    """Reads the YAML that is written: block maps and lists, JSON strings and plain scalars."""
    rows = [(len(row) - len(row.lstrip()), row.strip()) for row in text.splitlines() if row]
    value, left = _block(rows)
    assert not left, f"not read: {left}"
    return value


def _block(rows: list[tuple[int, str]]) -> tuple[Any, list[tuple[int, str]]]:
    indent = rows[0][0]
    if rows[0][1].startswith("- "):
        items = []
        while rows and rows[0][0] == indent and rows[0][1].startswith("- "):
            items.append(_plain(rows.pop(0)[1][2:]))
        return items, rows
    out: dict[str, Any] = {}
    while rows and rows[0][0] == indent:
        found = re.fullmatch(r'("(?:\\.|[^"\\])*"|[^":\s][^:]*):(?: (.+))?', rows.pop(0)[1])
        assert found, "not a row of a map"
        key = _plain(found[1])
        assert key not in out, f"twice: {key}"
        if found[2]:
            out[key] = _plain(found[2])
        else:
            out[key], rows = _block(rows)
    return out, rows


def _plain(text: str) -> Any:
    if text[0] in '"{[' or text in ("true", "false") or re.fullmatch(r"-?\d+(\.\d+)?", text):
        return json.loads(text)
    assert re.fullmatch(r"[A-Za-z_/][\w./+-]*", text, re.ASCII), f"needs quotes: {text}"
    assert text.lower() not in ("yes", "no", "on", "off", "null", "y", "n", "true", "false")
    return text


def service(document: dict[str, Any], image: dict[str, Any] | None = IMAGE) -> dict[str, Any]:
    (body,) = yaml(compose_service(document, image))["services"].values()
    assert isinstance(body, dict)
    return body


def test_what_the_image_and_the_engine_bring_is_left_out() -> None:
    assert words(made()) == ["docker", "run", "--detach", "--name", "web", "shop/web:1.4"]
    assert yaml(compose_service(made(), IMAGE)) == {
        "services": {
            "web": {
                "image": "shop/web:1.4",
                "container_name": "web",
                "network_mode": "bridge",
            }
        }
    }


def test_without_the_image_everything_is_written_out() -> None:
    found = words(made(), None)
    assert [found[found.index(flag) + 1] for flag in ("--user", "--workdir", "--entrypoint")] == [
        "www", "/srv", "/entry.sh",
    ]  # fmt: skip
    assert found[-3:] == ["shop/web:1.4", "httpd", "-f"]


HOST_FLAGS: list[tuple[dict[str, Any], list[str], dict[str, Any]]] = [
    ({"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3}},
     ["--restart", "on-failure:3"], {"restart": "on-failure:3"}),
    ({"RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0}},
     ["--restart", "unless-stopped"], {"restart": "unless-stopped"}),
    ({"PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}},
     ["--publish", "8080:80"], {"ports": ["8080:80"]}),
    ({"PortBindings": {"53/udp": [{"HostIp": "127.0.0.1", "HostPort": "5353"}]}},
     ["--publish", "127.0.0.1:5353:53/udp"], {"ports": ["127.0.0.1:5353:53/udp"]}),
    ({"PortBindings": {"80/tcp": [{"HostIp": "::1", "HostPort": "8080"}]}},
     ["--publish", "[::1]:8080:80"], {"ports": ["[::1]:8080:80"]}),
    ({"PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]}},
     ["--publish", "127.0.0.1::80"], {"ports": ["127.0.0.1::80"]}),
    ({"PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": ""}]}},
     ["--publish", "80"], {"ports": ["80"]}),
    ({"PortBindings": {"80/tcp": None}}, ["--publish", "80"], {"ports": ["80"]}),
    ({"Binds": ["/etc/hosts:/cfg:ro", "data:/data"]},
     ["--volume", "/etc/hosts:/cfg:ro", "--volume", "data:/data"],
     {"volumes": ["/etc/hosts:/cfg:ro", "data:/data"]}),
    ({"Tmpfs": {"/scratch": "size=16m", "/run": ""}},
     ["--tmpfs", "/scratch:size=16m", "--tmpfs", "/run"], {"tmpfs": ["/scratch:size=16m", "/run"]}),
    ({"Mounts": [{"Type": "tmpfs", "Target": "/t", "TmpfsOptions": {"SizeBytes": 1024}}]},
     ["--tmpfs", "/t:size=1024"], {"tmpfs": ["/t:size=1024"]}),
    ({"Memory": 512 * M, "MemorySwap": 1024 * M}, ["--memory", "512m"], {"mem_limit": "512m"}),
    ({"Memory": 1 << 30, "MemorySwap": 1 << 30}, ["--memory", "1g", "--memory-swap", "1g"],
     {"mem_limit": "1g", "memswap_limit": "1g"}),
    ({"Memory": 1000, "MemorySwap": -1}, ["--memory", "1000", "--memory-swap", "-1"],
     {"mem_limit": "1000", "memswap_limit": -1}),
    ({"MemoryReservation": 3 << 10}, ["--memory-reservation", "3k"], {"mem_reservation": "3k"}),
    ({"NanoCpus": 1_500_000_000}, ["--cpus", "1.5"], {"cpus": 1.5}),
    ({"NanoCpus": 500_000_000, "CpuQuota": 50000, "CpuPeriod": 100000}, ["--cpus", "0.5"],
     {"cpus": 0.5}),
    ({"CpuQuota": 50000, "CpuPeriod": 100000}, ["--cpu-period", "100000", "--cpu-quota", "50000"],
     {"cpu_quota": 50000, "cpu_period": 100000}),
    ({"CpuShares": 512, "CpusetCpus": "0-3"}, ["--cpu-shares", "512", "--cpuset-cpus", "0-3"],
     {"cpu_shares": 512, "cpuset": "0-3"}),
    ({"PidsLimit": 100, "OomScoreAdj": -500}, ["--pids-limit", "100", "--oom-score-adj", "-500"],
     {"pids_limit": 100, "oom_score_adj": -500}),
    ({"ShmSize": 256 * M}, ["--shm-size", "256m"], {"shm_size": "256m"}),
    ({"ShmSize": 65_536_000}, [], {}),
    ({"Ulimits": [{"Name": "nofile", "Soft": 1024, "Hard": 2048},
                  {"Name": "RLIMIT_CORE", "Soft": 0, "Hard": 0}]},
     ["--ulimit", "nofile=1024:2048", "--ulimit", "core=0"],
     {"ulimits": {"nofile": {"soft": 1024, "hard": 2048}, "core": 0}}),
    ({"Privileged": True, "ReadonlyRootfs": True, "Init": True},
     ["--privileged", "--read-only", "--init"],
     {"privileged": True, "read_only": True, "init": True}),
    ({"CapAdd": ["NET_ADMIN"], "CapDrop": ["ALL"]}, ["--cap-add", "NET_ADMIN", "--cap-drop", "ALL"],
     {"cap_add": ["NET_ADMIN"], "cap_drop": ["ALL"]}),
    ({"SecurityOpt": ["no-new-privileges", "seccomp=unconfined"]},
     ["--security-opt", "no-new-privileges", "--security-opt", "seccomp=unconfined"],
     {"security_opt": ["no-new-privileges", "seccomp=unconfined"]}),
    ({"Dns": ["1.1.1.1"], "DnsSearch": ["lan"], "DnsOptions": ["ndots:2"]},
     ["--dns", "1.1.1.1", "--dns-search", "lan", "--dns-option", "ndots:2"],
     {"dns": ["1.1.1.1"], "dns_search": ["lan"], "dns_opt": ["ndots:2"]}),
    ({"ExtraHosts": ["db:10.0.0.2"], "GroupAdd": ["999"]},
     ["--group-add", "999", "--add-host", "db:10.0.0.2"],
     {"extra_hosts": ["db:10.0.0.2"], "group_add": ["999"]}),
    ({"PidMode": "host", "IpcMode": "host", "UTSMode": "host", "UsernsMode": "host"},
     ["--pid", "host", "--ipc", "host", "--uts", "host", "--userns", "host"],
     {"pid": "host", "ipc": "host", "uts": "host", "userns_mode": "host"}),
    ({"Devices": [
        {"PathOnHost": "/dev/kvm", "PathInContainer": "/dev/kvm", "CgroupPermissions": "rwm"},
        {"PathOnHost": "/dev/sda", "PathInContainer": "/dev/xvda", "CgroupPermissions": "r"},
        {"PathOnHost": "/dev/fuse", "PathInContainer": "/dev/fuse", "CgroupPermissions": "rw"}]},
     ["--device", "/dev/kvm", "--device", "/dev/sda:/dev/xvda:r",
      "--device", "/dev/fuse:/dev/fuse:rw"],
     {"devices": ["/dev/kvm", "/dev/sda:/dev/xvda:r", "/dev/fuse:/dev/fuse:rw"]}),
    ({"DeviceRequests": [{"Count": -1, "Capabilities": [["gpu"]]}]}, ["--gpus", "all"], {}),
    ({"DeviceRequests": [{"DeviceIDs": ["0", "2"], "Capabilities": [["gpu"]]}]},
     ["--gpus", '"device=0,2"'], {}),
    ({"Sysctls": {"net.core.somaxconn": "1024"}}, ["--sysctl", "net.core.somaxconn=1024"],
     {"sysctls": {"net.core.somaxconn": "1024"}}),
    ({"Runtime": "runsc"}, ["--runtime", "runsc"], {"runtime": "runsc"}),
    ({"LogConfig": {"Type": "json-file", "Config": {"max-size": "10m"}}},
     ["--log-driver", "json-file", "--log-opt", "max-size=10m"],
     {"logging": {"driver": "json-file", "options": {"max-size": "10m"}}}),
    ({"LogConfig": {"Type": "none", "Config": None}}, ["--log-driver", "none"],
     {"logging": {"driver": "none"}}),
    ({"BlkioDeviceReadBps": [{"Path": "/dev/sda", "Rate": 1048576}]},
     ["--device-read-bps", "/dev/sda:1048576"], {}),
    ({"MemorySwappiness": 0}, ["--memory-swappiness", "0"], {}),
    ({"MemorySwappiness": -1}, [], {}),
    ({"AutoRemove": True}, ["--rm"], {}),
    ({"CgroupParent": "/batch"}, ["--cgroup-parent", "/batch"], {"cgroup_parent": "/batch"}),
]  # fmt: skip


@pytest.mark.parametrize(("host", "flags", "keys"), HOST_FLAGS)
def test_a_setting_of_the_host_comes_back_as_it_was_given(
    host: dict[str, Any], flags: list[str], keys: dict[str, Any]
) -> None:
    assert words(made(host=host))[5:-1] == flags
    body = service(made(host=host))
    for known in ("image", "container_name", "network_mode"):
        del body[known]
    assert body == keys


CONFIG_FLAGS: list[tuple[dict[str, Any], list[str], dict[str, Any]]] = [
    ({"Hostname": "front", "Domainname": "shop.lan"},
     ["--hostname", "front", "--domainname", "shop.lan"],
     {"hostname": "front", "domainname": "shop.lan"}),
    ({"OpenStdin": True, "Tty": True}, ["--interactive", "--tty"],
     {"stdin_open": True, "tty": True}),
    ({"User": "1000:1000"}, ["--user", "1000:1000"], {"user": "1000:1000"}),
    ({"WorkingDir": "/tmp"}, ["--workdir", "/tmp"], {"working_dir": "/tmp"}),
    ({"Env": ["PATH=/bin:/sbin", "LANG=C", "MODE=a b"]}, ["--env", "MODE=a b"],
     {"environment": ["MODE=a b"]}),
    ({"Env": ["LANG=de_DE"]}, ["--env", "LANG=de_DE"], {"environment": ["LANG=de_DE"]}),
    ({"Labels": {"maintainer": "someone", "tier": "front"}}, ["--label", "tier=front"],
     {"labels": {"tier": "front"}}),
    ({"ExposedPorts": {"80/tcp": {}, "9000/tcp": {}}}, ["--expose", "9000/tcp"],
     {"expose": ["9000/tcp"]}),
    ({"Healthcheck": {"Test": ["NONE"]}}, ["--no-healthcheck"], {"healthcheck": {"disable": True}}),
    ({"Healthcheck": {"Test": ["CMD", "pg_isready", "-U", "a b"], "Interval": 1_500_000_000,
                      "Timeout": 2_000_000_000, "StartPeriod": 60_000_000_000, "Retries": 5}},
     ["--health-cmd", "pg_isready -U 'a b'", "--health-interval", "1.5s", "--health-timeout", "2s",
      "--health-start-period", "60s", "--health-retries", "5"],
     {"healthcheck": {"test": ["CMD", "pg_isready", "-U", "a b"], "interval": "1.5s",
                      "timeout": "2s", "start_period": "60s", "retries": 5}}),
    ({"Healthcheck": {"Test": ["CMD-SHELL", "curl -f localhost || exit 1"]}},
     ["--health-cmd", "curl -f localhost || exit 1"],
     {"healthcheck": {"test": ["CMD-SHELL", "curl -f localhost || exit 1"]}}),
    ({"StopSignal": "SIGTERM", "StopTimeout": 0},
     ["--stop-signal", "SIGTERM", "--stop-timeout", "0"],
     {"stop_signal": "SIGTERM", "stop_grace_period": "0s"}),
]  # fmt: skip


@pytest.mark.parametrize(("config", "flags", "keys"), CONFIG_FLAGS)
def test_a_setting_of_the_container_comes_back_as_it_was_given(
    config: dict[str, Any], flags: list[str], keys: dict[str, Any]
) -> None:
    assert words(made(config))[5:-1] == flags
    body = service(made(config))
    for known in ("image", "container_name", "network_mode"):
        del body[known]
    assert body == keys


@pytest.mark.parametrize(
    ("config", "flags", "command"),
    [
        ({"Cmd": ["sh", "-c", "echo $HOME"]}, [], ["sh", "-c", "echo $HOME"]),
        ({"Entrypoint": None, "Cmd": ["sh"]}, ["--entrypoint", ""], ["sh"]),
        ({"Entrypoint": ["tini", "--", "run"], "Cmd": None}, ["--entrypoint", "tini"],
         ["--", "run"]),
        ({"Entrypoint": ["/other"], "Cmd": ["httpd", "-f"]}, ["--entrypoint", "/other"],
         ["httpd", "-f"]),
        ({"Entrypoint": "/entry.sh"}, [], []),
    ],
)  # fmt: skip
def test_the_command_starts_what_the_container_runs(
    config: dict[str, Any], flags: list[str], command: list[str]
) -> None:
    found = words(made(config))
    split = found.index("shop/web:1.4")
    assert (found[5:split], found[split + 1 :]) == (flags, command)


def test_an_empty_entrypoint_of_podman_is_none() -> None:
    plain = {"Config": {**IMAGE["Config"], "Entrypoint": None}}
    assert words(made({"Entrypoint": []}), plain)[-1] == "shop/web:1.4"


def test_termination_as_the_stop_signal_goes_without_saying() -> None:
    plain = {"Config": {**IMAGE["Config"], "StopSignal": ""}}
    assert words(made({"StopSignal": "15"}), plain)[-1] == "shop/web:1.4"
    assert "stop_signal" not in service(made({"StopSignal": "15"}), plain)


def test_volumes_are_those_of_the_mounts_that_are_no_binds() -> None:
    anonymous = "ab" * 32
    mounts = [
        {"Type": "volume", "Name": "data", "Destination": "/data", "RW": True},
        {"Type": "bind", "Source": "/srv/cfg", "Destination": "/cfg", "RW": False},
        {"Type": "volume", "Name": anonymous, "Destination": "/var/cache", "RW": True},
        {"Type": "volume", "Name": anonymous, "Destination": "/scratch", "RW": True},
        {"Type": "tmpfs", "Destination": "/run"},
    ]
    document = made(host={"Binds": ["data:/data"]}, Mounts=mounts)
    wanted = ["data:/data", "/srv/cfg:/cfg:ro", "/scratch"]
    assert service(document)["volumes"] == wanted
    assert words(document)[5:-1] == [word for each in wanted for word in ("--volume", each)]
    assert yaml(compose_service(document, IMAGE))["volumes"] == {"data": {"external": True}}


def test_further_networks_are_connected_afterwards() -> None:
    document = made(
        host={"NetworkMode": "shop"},
        NetworkSettings={
            "Networks": {
                "back": {"Aliases": [ID[:12]], "IPAMConfig": {"IPv4Address": "10.0.0.9"}},
                "shop": {"Aliases": ["www", ID[:12]], "IPAMConfig": None},
            }
        },
    )
    run, connect = docker_run(document, IMAGE).replace("\\\n", "").split("\n")
    assert shlex.split(run)[5:-1] == ["--network", "shop", "--network-alias", "www"]
    assert connect == "docker network connect --ip 10.0.0.9 back web"
    found = yaml(compose_service(document, IMAGE))
    assert found["services"]["web"]["networks"] == {
        "shop": {"aliases": ["www"]},
        "back": {"ipv4_address": "10.0.0.9"},
    }
    assert found["networks"] == {"shop": {"external": True}, "back": {"external": True}}


@pytest.mark.parametrize("mode", ["host", "none", f"container:{ID}"])
def test_a_borrowed_network_is_named(mode: str) -> None:
    document = made({"Hostname": "the-host"}, {"NetworkMode": mode})
    hostname = [] if mode != "none" else ["--hostname", "the-host"]
    assert words(document)[5:-1] == [*hostname, "--network", mode]
    assert service(document)["network_mode"] == mode


def test_what_compose_made_is_named_by_its_service_without_its_labels() -> None:
    labels = {"com.docker.compose.project": "shop", "com.docker.compose.service": "front"}
    document = made({"Labels": {**IMAGE["Config"]["Labels"], **labels}})
    assert list(yaml(compose_service(document, IMAGE))["services"]) == ["front"]
    assert "compose" not in docker_run(document, IMAGE)


@pytest.mark.parametrize("document", [subjects.docker(), subjects.podman()])
@pytest.mark.parametrize("write", [docker_run, compose_service])
def test_no_secret_is_written(document: dict[str, Any], write: Any) -> None:
    for image in (subjects.image().inspect, None):
        text = write(document, image)
        assert not [secret for secret in subjects.SECRETS if secret in text]
        assert MASK in text


@pytest.mark.parametrize("document", [subjects.docker(), subjects.podman(), {}, {"Config": None}])
def test_documents_of_real_engines_can_be_read_back(document: dict[str, Any]) -> None:
    assert yaml(compose_service(document))["services"]
    assert words(document, None)[:3] == ["docker", "run", "--detach"]


def test_a_dollar_is_doubled_for_compose_and_quoted_for_the_shell() -> None:
    document = made({"Cmd": ["sh", "-c", "echo $HOME ${X}"], "Env": ["PRICE=$5"]})
    body = service(document)
    assert body["command"][2] == "echo $$HOME $${X}"
    assert body["environment"] == ["PRICE=$$5"]
    assert words(document)[-1] == "echo $HOME ${X}"


def test_a_dollar_in_a_key_stays_single() -> None:
    assert service(made({"Labels": {"a$b": "c$d"}}))["labels"] == {"a$b": "c$$d"}


@pytest.mark.parametrize(
    "value",
    ["yes", "No", "on", "null", "~", "1", "1.5", ".5", ".nan", "0x1f", "1e3", "2025-01-01", "22:22",
     "-", "...", "---", "a: b", "a #b", " a", "a ", "", "{}", "[x]", "*x", "&x", "!x", "%x", "@x",
     "'x'", '"x"', "a\nb", "a\tb", "é", "😀", "=", "<<"],
)  # fmt: skip
def test_yaml_reads_every_string_as_that_string(value: str) -> None:
    text = compose_service(made({"Labels": {"x": value, value or "empty": "y"}}), IMAGE)
    (row,) = [row.strip() for row in text.splitlines() if row.strip().startswith("x: ")]
    assert row == f"x: {json.dumps(value, ensure_ascii=False)}"
    assert service(made({"Labels": {value or "empty": "y"}}))["labels"] == {value or "empty": "y"}


@pytest.mark.parametrize("character", ["\x7f", "\x85", "\u2028", "\ufeff"])
def test_what_yaml_does_not_allow_is_escaped(character: str) -> None:
    text = compose_service(made({"Labels": {"x": f"a{character}b"}}), IMAGE)
    assert f'x: "a\\U{ord(character):08x}b"' in text


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8), max_size=4))
def test_any_command_survives_the_shell(command: list[str]) -> None:
    found = words(made({"Cmd": ["run", *command]}))
    masked = [each for each in found if MASK in each]
    assert masked or found[found.index("shop/web:1.4") + 1 :] == ["run", *command]
