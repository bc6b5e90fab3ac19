from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contui.model.sample import NO_RATES, Rates, Sample, rates

OLD: dict[str, Any] = {
    "cpu_ns": 1_000_000_000, "periods": 100, "throttled_periods": 10,
    "net_rx": 1000, "net_tx": 2000, "block_read": 0, "block_write": 4096,
}  # fmt: skip
NEW: dict[str, Any] = {
    "cpu_ns": 4_000_000_000, "periods": 120, "throttled_periods": 15,
    "net_rx": 3000, "net_tx": 2000, "block_read": 512, "block_write": 8192,
}  # fmt: skip


def between(old: dict[str, Any], new: dict[str, Any], seconds: float = 2.0) -> Rates:
    return rates(Sample(100.0 + seconds, **new), Sample(100.0, **old))


def test_rates_are_per_second_and_cpu_in_cores() -> None:
    assert between(OLD, NEW) == Rates(1.5, 0.25, 1000.0, 0.0, 256.0, 2048.0)


@pytest.mark.parametrize(
    ("field", "rate"),
    [("cpu_ns", "cpu"), ("net_rx", "net_rx"), ("net_tx", "net_tx"),
     ("block_read", "block_read"), ("block_write", "block_write")],
)  # fmt: skip
@pytest.mark.parametrize("value", [None, -1])
def test_a_counter_that_is_missing_or_went_back_has_no_rate(
    field: str, rate: str, value: int | None
) -> None:
    found = between(OLD, {**NEW, field: value})
    assert getattr(found, rate) is None
    others = {"cpu", "net_rx", "net_tx", "block_read", "block_write"} - {rate}
    assert all(getattr(found, name) is not None for name in others)


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_no_time_between_two_samples_gives_no_rate(seconds: float) -> None:
    found = between(OLD, NEW, seconds)
    assert (found.cpu, found.net_rx, found.block_write) == (None, None, None)


def test_without_a_limit_nothing_is_throttled() -> None:
    same = {"periods": 0, "throttled_periods": 0}
    assert between(same, same).throttled == 0.0


def test_throttling_that_is_not_reported_is_unknown() -> None:
    assert between({}, {}).throttled is None
    assert between({}, {}) == NO_RATES


def test_throttling_counters_that_went_back_are_no_throttling() -> None:
    assert between(OLD, {**NEW, "periods": 5, "throttled_periods": 0}).throttled == 0.0


counters = st.none() | st.integers(0, 2**63)


@given(
    *[st.fixed_dictionaries(dict.fromkeys(OLD, counters))] * 2,
    st.floats(-10, 1e9, allow_nan=False),
)
def test_rates_are_never_negative(old: dict[str, Any], new: dict[str, Any], seconds: float) -> None:
    found = between(old, new, seconds)
    shown = (found.cpu, found.throttled, found.net_rx, found.net_tx, found.block_read)
    assert all(value is None or value >= 0 for value in shown)
