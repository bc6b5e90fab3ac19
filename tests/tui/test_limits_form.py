"""What is typed into the form for limits, as options of an update."""

from __future__ import annotations

from typing import Any

import pytest

from contui.tui.acting import limit_options

M = 1 << 20


@pytest.mark.parametrize(
    ("host", "swap"),
    [
        ({}, 512 * M),
        ({"Memory": 64 * M, "MemorySwap": 128 * M}, 512 * M),
        ({"Memory": 64 * M, "MemorySwap": 64 * M}, 256 * M),
        ({"Memory": 64 * M, "MemorySwap": 96 * M}, 288 * M),
        ({"Memory": 64 * M, "MemorySwap": -1}, -1),
    ],
    ids=["no limit so far", "docker's default", "no swap", "some swap", "any swap"],
)
def test_another_memory_limit_leaves_the_swap_as_it_was(host: dict[str, Any], swap: int) -> None:
    assert limit_options({"memory": "256m"}, host) == {"memory": 256 * M, "memory_swap": swap}


def test_swap_that_was_typed_is_taken() -> None:
    typed = {"memory": "256m", "memory_swap": "256m"}
    assert limit_options(typed, {"MemorySwap": -1}) == {"memory": 256 * M, "memory_swap": 256 * M}


@pytest.mark.parametrize(
    "typed",
    [{"memory": "much"}, {"cpus": "two"}, {"pids": "1.5"}, {"restart": "sometimes"}],
    ids=str,
)
def test_what_makes_no_sense_is_told(typed: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"much|two|1\.5|sometimes"):
        limit_options(typed)
