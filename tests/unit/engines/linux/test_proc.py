import os
import socket
import stat
import struct
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from contui.engines.linux import proc
from contui.model.linux import Credentials, Interface, Listener, Ulimit

ID = "8226e10b924134caf4e933009e36bd5ca525283f22be8ef021fc6d982ca713d8"
PID = 4242
DAC_OVERRIDE = 1 << 1

STATUS = """\
Name:\thttpd
Umask:\t0022
State:\tS (sleeping)
Uid:\t0\t{uid}\t0\t0
Gid:\t0\t{gid}\t0\t0
Groups:\t27 999
CapInh:\t0000000000000000
CapPrm:\t00000000a80425fb
CapEff:\t{effective:016x}
CapBnd:\t00000000a80425fb
CapAmb:\t0000000000000000
NoNewPrivs:\t1
Seccomp:\t2
"""
LIMITS = """\
Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max core file size        0                    unlimited            bytes     
Max processes             96365                96365                processes 
Max open files            1024                 2048                 files     
Max nice priority         0                    0                    
"""  # noqa: W291
HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid inode\n"


def address(host: str, port: int) -> str:
    """An address as the kernel prints it, on a machine of this byte order."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    data = socket.inet_pton(family, host)
    words = struct.unpack(f"={len(data) // 4}I", data)
    return "".join(f"{word:08X}" for word in words) + f":{port:04X}"


def row(host: str, port: int, state: int, uid: int = 0) -> str:
    remote = address("::" if ":" in host else "0.0.0.0", 0)
    return (
        f"   0: {address(host, port)} {remote} {state:02X} 00000000:00000000 00:00000000 00000000"
        f"  {uid:4d}        0 12345 1 0000000000000000 100 0 0 10 0\n"
    )


def stat_row(
    pid: int, name: str = "httpd", state: str = "S", parent: int = 1, **figures: int
) -> str:
    known = {"utime": 0, "stime": 0, "threads": 1, "started": 100, "rss": 10, **figures}
    return (
        f"{pid} ({name}) {state} {parent} 1 1 0 -1 0 0 0 0 0 {known['utime']} {known['stime']}"
        f" 0 0 20 0 {known['threads']} 0 {known['started']} 1000 {known['rss']} 0 0\n"
    )


@pytest.fixture
def container(machine: Any, tmp_path: Path) -> Any:
    """A container on cgroup v2 whose first process has everything in /proc."""
    machine.v2()
    add(machine, PID)
    add(machine, PID + 1, parent=PID)
    machine.write(machine.proc / "stat", "cpu  1 2 3\nbtime 1763985600\n")
    machine.root = tmp_path / "rootfs"
    machine.root.mkdir()
    (machine.proc / str(PID) / "root").symlink_to(machine.root)
    for pid, same in ((1, "host"), (PID, "own")):
        folder = machine.proc / str(pid) / "ns"
        folder.mkdir(parents=True)
        for name in ("pid", "net", "ipc", "uts", "mnt", "cgroup", "user"):
            number = 1 if same == "host" or name in ("net", "user") else 2
            (folder / name).symlink_to(f"{name}:[{number}]")
    return machine


def add(machine: Any, pid: int, parent: int = 1, name: str = "httpd", **figures: int) -> None:
    own = machine.proc / str(pid)
    (own / "fd").mkdir(parents=True, exist_ok=True)
    machine.fill(
        own,
        {
            "cgroup": f"0::/system.slice/docker-{ID}.scope\n",
            "stat": stat_row(pid, name, parent=parent, **figures),
            "status": STATUS.format(uid=0, gid=0, effective=0xA80425FB),
            "cmdline": "httpd\0-f\0a b\0",
            "limits": LIMITS,
            "oom_score_adj": "-500\n",
            "uid_map": "         0          0 4294967295\n",
            "attr/current": "docker-default (enforce)\n",
            "net/tcp": HEADER,
            "mountinfo": "",
        },
    )


def read(machine: Any) -> Any:
    return proc.in_force(PID, ID, machine.proc)


def test_everything_of_a_container_is_read(container: Any) -> None:
    for name in "0123":
        (container.proc / str(PID + 1) / "fd" / name).touch()
    found = read(container)
    assert (found.pid, found.cgroup_version, found.oom_score_adj) == (PID, 2, -500)
    assert {limit.key for limit in found.limits} >= {"memory", "swap", "cpu", "pids"}
    assert found.credentials == Credentials(
        uid=0, gid=0, groups=(27, 999), cap_effective=0xA80425FB, cap_bounding=0xA80425FB,
        cap_permitted=0xA80425FB, cap_inheritable=0, cap_ambient=0, no_new_privileges=True,
        seccomp=2, lsm_label="docker-default (enforce)", uid_map=((0, 0, 4294967295),),
    )  # fmt: skip
    assert found.ulimits == (
        Ulimit("Max cpu time", None, None, "seconds"),
        Ulimit("Max core file size", 0, None, "bytes"),
        Ulimit("Max processes", 96365, 96365, "processes"),
        Ulimit("Max open files", 1024, 2048, "files", used=4),
        Ulimit("Max nice priority", 0, 0, ""),
    )
    assert found.namespaces == {
        "pid": False, "net": True, "ipc": False, "uts": False, "mnt": False, "cgroup": False,
        "user": True,
    }  # fmt: skip
    assert found.interfaces == (
        Interface("eth0", 1000, 2000, 1, 3, 2, 4),
        Interface("eth1", 5, 6, 0, 0, 0, 0),
    )
    assert found.missing == {}


def test_the_ids_are_the_effective_ones(container: Any) -> None:
    status = STATUS.format(uid=101, gid=102, effective=0)
    container.write(container.proc / f"{PID}/status", status)
    found = read(container).credentials
    assert (found.uid, found.gid, found.cap_effective) == (101, 102, 0)


def test_a_process_that_has_ended_is_an_error(container: Any) -> None:
    for name in ("ns", "fd"):
        for file in (container.proc / f"{PID}/{name}").iterdir():
            file.unlink()
    container.end()
    with pytest.raises(ProcessLookupError):
        read(container)


def test_one_that_ends_while_it_is_read_is_an_error(container: Any) -> None:
    (container.proc / f"{PID}/status").unlink()
    with pytest.raises(ProcessLookupError):
        read(container)


def test_a_cgroup_elsewhere_is_named_as_missing(container: Any) -> None:
    container.write(container.proc / f"{PID}/cgroup", "0::/user.slice\n")
    found = read(container)
    assert found.limits == ()
    assert found.missing == {"limits": "its cgroup is not one of this machine"}
    assert found.credentials is not None


def refuse(monkeypatch: pytest.MonkeyPatch, name: str, *ends: str) -> None:
    """Let a function of os refuse paths with these ends, as for another user's process."""
    real: Callable[..., Any] = getattr(os, name)

    def refusing(path: Any, *arguments: Any, **options: Any) -> Any:
        if str(path).endswith(ends):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, name, refusing)


def test_what_another_users_process_hides_is_named_and_the_rest_is_read(
    container: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, "listdir", "/fd")
    refuse(monkeypatch, "readlink", "/ns/pid")
    refuse(monkeypatch, "statvfs", "/root/")
    container.write(container.proc / f"{PID}/mountinfo", "1 0 0:1 / / rw - ext4 /dev/sda rw\n")
    found = read(container)
    assert set(found.missing) == {"open files", "namespaces", "free space"}
    assert all("needs root" in reason for reason in found.missing.values())
    assert found.credentials is not None
    assert next(each.used for each in found.ulimits if each.name == "Max open files") is None
    assert found.mounts[0].free is None


# --- sockets


def sockets(container: Any, **tables: str) -> Any:
    for name, rows in tables.items():
        container.write(container.proc / f"{PID}/net/{name}", HEADER + rows)
    return read(container)


def test_listeners_of_both_families_are_decoded(container: Any) -> None:
    found = sockets(
        container,
        tcp=row("127.0.0.1", 80, 10) + row("0.0.0.0", 5432, 10, uid=999),
        tcp6=row("::", 8080, 10) + row("::1", 9229, 10) + row("::ffff:10.1.2.3", 70, 10)
        + row("fe80::1:2:3:4", 443, 10),
        udp=row("127.0.0.11", 40123, 7),
        udp6=row("::", 5353, 7),
    )  # fmt: skip
    assert found.listeners == (
        Listener("tcp", "127.0.0.1", 80),
        Listener("tcp", "0.0.0.0", 5432, 999),
        Listener("tcp6", "::", 8080),
        Listener("tcp6", "::1", 9229),
        Listener("tcp6", "::ffff:10.1.2.3", 70),
        Listener("tcp6", "fe80::1:2:3:4", 443),
        Listener("udp", "127.0.0.11", 40123),
        Listener("udp6", "::", 5353),
    )
    assert found.connections == {}


def test_the_kernels_own_spelling_on_a_little_endian_machine() -> None:
    if struct.pack("=H", 1) != b"\1\0":
        pytest.fail("written for little-endian machines")
    assert proc._address("0100007F") == "127.0.0.1"
    assert proc._address("00000000000000000000000001000000") == "::1"
    assert proc._address("0000000000000000FFFF00000302010A") == "::ffff:10.1.2.3"


def test_connections_are_counted_by_their_state(container: Any) -> None:
    found = sockets(
        container,
        tcp=row("10.0.0.2", 80, 1) * 3 + row("10.0.0.2", 80, 8) * 2 + row("10.0.0.2", 80, 6),
        tcp6=row("::1", 80, 1) + row("::1", 80, 12) + row("::1", 80, 3) + row("::1", 80, 99),
        udp=row("10.0.0.2", 53, 1),
    )
    assert found.connections == {"ESTABLISHED": 4, "CLOSE_WAIT": 2, "TIME_WAIT": 1, "SYN_RECV": 2}
    assert found.listeners == ()


def test_one_that_listens_twice_on_an_address_is_told_once(container: Any) -> None:
    found = sockets(container, tcp=row("0.0.0.0", 80, 10) * 4)
    assert found.listeners == (Listener("tcp", "0.0.0.0", 80),)


def test_without_ipv6_there_is_still_ipv4(container: Any) -> None:
    found = sockets(container, tcp=row("0.0.0.0", 80, 10))
    assert found.listeners == (Listener("tcp", "0.0.0.0", 80),)
    assert "sockets" not in found.missing


# --- mounts


def mounts(container: Any, *rows: str) -> dict[str, Any]:
    container.write(container.proc / f"{PID}/mountinfo", "".join(f"{each}\n" for each in rows))
    return {mount.target: mount for mount in read(container).mounts}


def test_mounts_have_their_room_and_their_owner(container: Any) -> None:
    (container.root / "my data").mkdir()
    (container.root / "my data").chmod(0o750)
    found = mounts(
        container,
        "100 99 0:50 / / rw,relatime master:7 - overlay overlay rw,lowerdir=/x",
        r"101 100 8:1 /vol /my\040data rw,nosuid shared:12 master:1 - ext4 /dev/disk\040one rw",
        "102 100 0:51 / /proc rw - proc proc rw",
        "103 100 0:52 / /sys/fs/cgroup ro - cgroup2 cgroup rw",
    )
    assert list(found) == ["/", "/my data"]
    data = found["/my data"]
    room = os.statvfs(container.root)
    assert (data.filesystem, data.source, data.options) == ("ext4", "/dev/disk one", "rw,nosuid")
    assert (data.total, data.inodes) == (room.f_blocks * room.f_frsize, room.f_files or None)
    assert (data.owner, data.group, data.mode) == (os.getuid(), os.getgid(), 0o750)
    assert (data.propagation, found["/"].propagation) == ("shared", "master")
    assert data.free is not None
    assert not data.read_only


@pytest.mark.parametrize(("options", "options_of_all"), [("ro,nosuid", "rw"), ("rw", "ro")])
def test_a_read_only_mount_cannot_be_written(
    container: Any, options: str, options_of_all: str
) -> None:
    found = mounts(container, f"1 0 8:1 / / {options} - ext4 /dev/sda {options_of_all}")["/"]
    assert found.read_only
    assert (found.writable, found.why) == (False, "mounted read-only")


@pytest.mark.parametrize("filesystem", ["nfs4", "cifs", "fuse.sshfs", "9p", "ceph"])
def test_a_server_that_may_be_gone_is_not_asked(
    container: Any, filesystem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "statvfs", lambda path: pytest.fail(f"asked {path}"))
    found = mounts(container, f"1 0 0:9 / /srv rw - {filesystem} host:/x rw")["/srv"]
    assert (found.total, found.writable) == (None, None)
    assert "not asked" in found.why


def test_a_mount_that_cannot_be_found_has_no_figures(container: Any) -> None:
    found = mounts(container, "1 0 8:1 / /not-there rw - ext4 /dev/sda rw")["/not-there"]
    assert (found.total, found.owner, found.writable) == (None, None, None)


def test_a_row_that_cannot_be_read_spoils_no_other(container: Any) -> None:
    found = mounts(container, "nonsense", "", "1 0 8:1 / / rw - ext4 /dev/sda rw")
    assert list(found) == ["/"]


def entry(mode: int, uid: int = 1000, gid: int = 1000, kind: int = stat.S_IFDIR) -> Any:
    return SimpleNamespace(st_mode=kind | mode, st_uid=uid, st_gid=gid)


def runs_as(uid: int, gid: int, groups: tuple[int, ...] = (), caps: int = 0, **more: Any) -> Any:
    return Credentials(uid, gid, groups, caps, caps, caps, 0, 0, False, 0, **more)


@pytest.mark.parametrize(
    ("where", "who", "writable", "why"),
    [
        (entry(0o700), runs_as(1000, 1), True, "owner may write"),
        (entry(0o500), runs_as(1000, 1), False, "owner may not write"),
        (entry(0o577), runs_as(1000, 1), False, "owner may not write"),
        (entry(0o270), runs_as(5, 1000), True, "group may write"),
        (entry(0o707), runs_as(5, 1000), False, "group may not write"),
        (entry(0o270), runs_as(5, 5, groups=(7, 1000)), True, "group may write"),
        (entry(0o707), runs_as(5, 5), True, "others may write"),
        (entry(0o775), runs_as(5, 5), False, "others may not write"),
        (entry(0o772), runs_as(5, 5), False, "others may not write"),
        (entry(0o772, kind=stat.S_IFREG), runs_as(5, 5), True, "others may write"),
        (entry(0o755, 1000), runs_as(0, 0), False, "it runs as 0:0, others may not write"),
        (entry(0o000), runs_as(0, 0, caps=DAC_OVERRIDE), True, "CAP_DAC_OVERRIDE"),
        (entry(0o000, 1000),
         runs_as(100000, 100000, caps=DAC_OVERRIDE, uid_map=((0, 100000, 65536),)),
         False, "others may not write"),
        (entry(0o000, 100500),
         runs_as(100000, 100000, caps=DAC_OVERRIDE, uid_map=((0, 100000, 65536),)),
         True, "CAP_DAC_OVERRIDE"),
    ],
)  # fmt: skip
def test_who_may_write(where: Any, who: Credentials, writable: bool, why: str) -> None:
    found, reason = proc.may_write(where, who, acl=False)
    assert found is writable
    assert why in reason


def test_an_access_control_list_leaves_it_open_but_not_for_the_almighty() -> None:
    assert proc.may_write(entry(0o700), runs_as(1000, 1), acl=True)[0] is None
    almighty = runs_as(0, 0, caps=DAC_OVERRIDE)
    assert proc.may_write(entry(0o700), almighty, acl=True)[0] is True


# --- processes


def table(machine: Any) -> proc.ProcessTable:
    return proc.ProcessTable(PID, ID, machine.proc)


def test_processes_of_the_container_by_pid(container: Any) -> None:
    (container.proc / f"{PID}/fd/0").touch()
    first, second = table(container).read()
    assert (first.pid, first.parent, first.state) == (PID, 1, "S")
    assert first.command == "httpd -f a b"
    assert (first.threads, first.files, first.files_limit) == (1, 1, 1024)
    assert first.memory == 10 * os.sysconf("SC_PAGE_SIZE")
    assert first.started_at == 1763985600 + 100 / os.sysconf("SC_CLK_TCK")
    assert (second.pid, second.parent) == (PID + 1, PID)


def test_cpu_is_what_was_used_since_the_reading_before(
    container: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([10.0, 12.0, 13.0])
    monkeypatch.setattr(proc.time, "monotonic", lambda: next(clock))
    processes = table(container)
    assert [each.cpu for each in processes.read()] == [None, None]
    ticks = os.sysconf("SC_CLK_TCK")
    add(container, PID, utime=2 * ticks, stime=ticks)
    assert [each.cpu for each in processes.read()] == [1.5, 0.0]
    add(container, PID, utime=0, started=999)
    assert processes.read()[0].cpu is None


@pytest.mark.parametrize("name", ["a) R (b", "two words", "line\nfeed", ")", "("])
def test_any_name_can_be_read(container: Any, name: str) -> None:
    add(container, PID, name=name, threads=3)
    container.write(container.proc / f"{PID}/cmdline", "")
    first = table(container).read()[0]
    assert (first.command, first.state, first.threads) == (f"[{name}]", "S", 3)


def test_a_command_line_that_is_no_utf8_is_shown(container: Any) -> None:
    (container.proc / f"{PID}/cmdline").write_bytes(b"caf\xe9\0-x\0")
    assert table(container).read()[0].command == "caf\ufffd -x"


def test_a_process_that_ends_meanwhile_is_left_out(container: Any) -> None:
    (container.proc / f"{PID + 1}/stat").unlink()
    assert [each.pid for each in table(container).read()] == [PID]


def test_when_the_first_process_has_ended_it_is_an_error(container: Any) -> None:
    processes = table(container)
    (container.proc / f"{PID}/cgroup").unlink()
    with pytest.raises(ProcessLookupError):
        processes.read()


def test_open_files_of_another_user_are_unknown(
    container: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, "listdir", "/fd")
    first = table(container).read()[0]
    assert (first.files, first.files_limit) == (None, 1024)


def test_users_are_those_of_the_containers_own_passwd(container: Any) -> None:
    container.write(
        container.root / "etc/passwd",
        "root:x:0:0::/:/bin/sh\n# odd\nwww:x:33:33\nalias:x:33:33\nbad:x:y\n",
    )
    status = container.proc / f"{PID + 1}/status"
    container.write(status, STATUS.format(uid=33, gid=33, effective=0))
    assert [each.user for each in table(container).read()] == ["root", "www"]


def test_in_a_user_namespace_the_uid_inside_is_named(container: Any) -> None:
    container.write(container.root / "etc/passwd", "www:x:33:33\n")
    own = container.proc / str(PID)
    container.write(own / "status", STATUS.format(uid=100033, gid=100033, effective=0))
    container.write(own / "uid_map", "0 100000 65536\n")
    assert table(container).read()[0].user == "www"
    container.write(own / "status", STATUS.format(uid=100099, gid=0, effective=0))
    assert table(container).read()[0].user == "99"


@pytest.mark.parametrize("link", ["etc/passwd", "etc"])
def test_a_link_out_of_the_container_is_not_followed(
    container: Any, tmp_path: Path, link: str
) -> None:
    outside = container.write(tmp_path / "host/passwd", "hostroot:x:0:0::/:\n")
    place = container.root / link
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(outside if link == "etc/passwd" else outside.parent)
    assert table(container).read()[0].user == "0"


@pytest.mark.parametrize("waiting", [b"", b"piped:x:0:0\n"])
def test_a_pipe_in_place_of_passwd_is_not_read(container: Any, waiting: bytes) -> None:
    pipe = container.root / "etc/passwd"
    pipe.parent.mkdir()
    os.mkfifo(pipe)
    writer = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    os.write(writer, waiting)
    user = table(container).read()[0].user
    os.close(writer)
    assert user == "0"


def test_reading_leaves_no_file_open(container: Any) -> None:
    container.write(container.root / "etc/passwd", "root:x:0:0::/:\n")
    before = len(os.listdir("/proc/self/fd"))
    table(container).read()
    read(container)
    assert len(os.listdir("/proc/self/fd")) == before
