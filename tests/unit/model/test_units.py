from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contui.model import units

NOON = 1_763_985_600


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (None, "-"),
        (0, "0B"),
        (812, "812B"),
        (999, "999B"),
        (1000, "0.98K"),
        (1024, "1.00K"),
        (10239, "10.0K"),
        (64 << 20, "64.0M"),
        ((1 << 20) - 1, "1.00M"),
        (5 << 28, "1.25G"),
        (2000 << 50, "2000P"),
        (-2048, "-2.00K"),
    ],
)
def test_sizes_have_three_digits(number: int | None, shown: str) -> None:
    assert units.size(number) == shown


@given(st.floats(1000, 1e17))
def test_a_size_is_never_wider_than_five_characters(number: float) -> None:
    assert len(units.size(number)) <= 5


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "-"), (0.0, "0"), (0.4, "0"), (1536.0, "1.50K")]
)
def test_a_rate_that_is_quiet_is_not_one_that_is_unknown(value: float | None, shown: str) -> None:
    assert units.rate(value) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [(None, "-"), (0, "0%"), (0.034, "3.4%"), (0.0994, "9.9%"), (0.0996, "10%"), (4.2, "420%")],
)
def test_percentages(share: float | None, shown: str) -> None:
    assert units.percent(share) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "-"),
        (-3, "0s"),
        (59.9, "59s"),
        (60, "1m"),
        (250, "4m10s"),
        (600, "10m"),
        (3599, "59m"),
        (3660, "1h1m"),
        (7200, "2h"),
        (36060, "10h"),
        (172_799, "47h"),
        (172_800, "2d"),
        (14 * 86400, "2w"),
        (730 * 86400, "2y"),
    ],
)
def test_durations(seconds: float | None, shown: str) -> None:
    assert units.duration(seconds) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [(None, "-"), (0, "0"), (0.02, "0.02"), (0.001, "0"), (1.5, "1.5"), (10, "10"), (100, "100")],
)
def test_cores(number: float | None, shown: str) -> None:
    assert units.cores(number) == shown


def test_counts_have_their_thousands_apart() -> None:
    assert units.count(1234567) == "1,234,567"
    assert units.count(None) == "-"


@pytest.mark.parametrize(
    ("text", "seconds", "nanoseconds"),
    [
        ("2025-11-24T12:00:00Z", NOON, NOON * 10**9),
        ("2025-11-24T12:00:00.1Z", NOON + 0.1, NOON * 10**9 + 100_000_000),
        ("2025-11-24T12:00:00.607481873Z", NOON + 0.607481, NOON * 10**9 + 607_481_873),
        ("2025-11-24T13:00:00.5+01:00", NOON + 0.5, NOON * 10**9 + 500_000_000),
        ("2025-11-24T13:00:00+01:00", NOON, NOON * 10**9),
        ("0001-01-01T00:00:00Z", 0, 0),
        ("", 0, 0),
        ("yesterday", 0, 0),
        ("yesterday.12", 0, 0),
    ],
)
def test_times_of_engines(text: str, seconds: float, nanoseconds: int) -> None:
    assert units.parse_time(text) == pytest.approx(seconds, abs=1e-6)
    assert units.parse_time_ns(text) == nanoseconds


def test_no_time_is_never() -> None:
    assert units.parse_time(None) == 0
    assert units.moment(0) == "-"


@given(st.integers(0, 4_000_000_000 * 10**9))
def test_nanoseconds_survive_being_written_and_read(stamp: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=stamp // 10**9)
    text = f"{moment:%Y-%m-%dT%H:%M:%S}.{stamp % 10**9:09d}Z"
    assert units.parse_time_ns(text) == stamp


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "ended by itself"),
        (1, "failed"),
        (126, "cannot be executed"),
        (127, "not found"),
        (137, "SIGKILL"),
        (139, "segmentation fault"),
        (143, "asked to stop"),
        (152, "signal 24"),
        (200, "failed"),
    ],
)
def test_exit_codes_are_told_in_words(code: int, words: str) -> None:
    assert words in units.exit_words(code)


def test_utc_text_is_to_the_second() -> None:
    assert units.rfc3339(NOON + 0.9) == "2025-11-24T12:00:00Z"
