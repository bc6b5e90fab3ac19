import pytest

from contui.model.capabilities import (
    ALL,
    CAPABILITIES,
    DEFAULT,
    RISKS,
    asked,
    capability,
    decode,
)

DEFAULT_MASK = 0xA80425FB
"""CapBnd of a container that Docker started without options."""


def numbers(*names: str) -> frozenset[int]:
    return frozenset(each.number for each in CAPABILITIES if each.name in names)


@pytest.mark.parametrize(
    ("number", "name"),
    [(0, "CHOWN"), (12, "NET_ADMIN"), (21, "SYS_ADMIN"), (27, "MKNOD"), (37, "AUDIT_READ"),
     (38, "PERFMON"), (39, "BPF"), (40, "CHECKPOINT_RESTORE")],
)  # fmt: skip
def test_numbers_are_the_kernels(number: int, name: str) -> None:
    assert capability(number).name == name
    assert capability(number).number == number


def test_the_default_set_is_what_docker_gives() -> None:
    assert decode(DEFAULT_MASK) == DEFAULT


def test_every_capability_has_a_meaning_and_a_known_risk() -> None:
    assert all(each.meaning and each.risk in RISKS for each in CAPABILITIES)
    assert len({each.name for each in CAPABILITIES}) == 41


def test_one_newer_than_the_table_is_shown_by_its_number() -> None:
    assert capability(41).name == "number 41"
    assert decode(1 << 63 | 1) == {0, 63}


@pytest.mark.parametrize(
    ("add", "drop", "privileged", "wanted"),
    [
        ([], [], False, DEFAULT),
        (["CAP_NET_ADMIN"], [], False, DEFAULT | numbers("NET_ADMIN")),
        (["net_admin"], [], False, DEFAULT | numbers("NET_ADMIN")),
        ([], ["CAP_MKNOD"], False, DEFAULT - numbers("MKNOD")),
        (["CHOWN"], ["ALL"], False, numbers("CHOWN")),
        ([], ["all"], False, frozenset()),
        (["ALL"], ["SYS_ADMIN"], False, ALL - numbers("SYS_ADMIN")),
        (["ALL"], [], False, ALL),
        ([], ["ALL"], True, ALL),
        (["NO_SUCH"], ["NEITHER"], False, DEFAULT),
        (["MKNOD"], ["MKNOD"], False, DEFAULT),
    ],
)
def test_what_a_configuration_asks_for(
    add: list[str], drop: list[str], privileged: bool, wanted: frozenset[int]
) -> None:
    assert asked(add, drop, privileged=privileged) == wanted
