import pytest
from hypothesis import given
from hypothesis import strategies as st

from contui.model.log import Gap, LogLine, Std
from contui.store.logs import Entry, LogBuffer


def lines(*texts: str, time_ns: int = 1) -> list[Entry]:
    return [LogLine(time_ns, Std.OUT, text) for text in texts]


def texts(entries: list[Entry]) -> list[str]:
    return [each.text if isinstance(each, LogLine) else f"gap {each.lines}" for each in entries]


def test_a_new_buffer_is_empty() -> None:
    buffer = LogBuffer()
    assert (len(buffer), buffer.first, buffer.end, buffer.dropped) == (0, 0, 0, 0)
    assert buffer.since(0) == []
    assert buffer.last_time_ns == 0


def test_the_oldest_lines_go_when_there_are_too_many() -> None:
    buffer = LogBuffer(max_lines=3)
    buffer.extend(lines("a", "b"))
    buffer.extend(lines("c", "d", "e"))
    assert texts(buffer.since(0)) == ["c", "d", "e"]
    assert (buffer.first, buffer.end, buffer.dropped) == (2, 5, 2)


def test_long_lines_go_when_they_take_too_much_room() -> None:
    buffer = LogBuffer(max_lines=100, max_chars=10)
    buffer.extend(lines("x" * 6, "y" * 6))
    assert texts(buffer.since(0)) == ["y" * 6]
    buffer.extend(lines("z" * 50))
    assert len(buffer) == 0
    buffer.extend(lines("short"))
    assert texts(buffer.since(0)) == ["short"]
    assert buffer.end == 4


def test_since_gives_what_is_new() -> None:
    buffer = LogBuffer(max_lines=50)
    buffer.extend(lines(*map(str, range(100))))
    assert texts(buffer.since(97)) == ["97", "98", "99"]
    assert texts(buffer.since(0)) == [str(number) for number in range(50, 100)]
    assert buffer.since(100) == []
    assert buffer.since(1000) == []


def test_clearing_starts_a_new_generation_with_numbers_from_zero() -> None:
    buffer = LogBuffer(max_lines=1)
    buffer.extend(lines("a", "b"))
    buffer.clear()
    assert (len(buffer), buffer.first, buffer.dropped, buffer.generation) == (0, 0, 0, 1)
    buffer.extend(lines("c"))
    assert texts(buffer.since(0)) == ["c"]


def test_the_last_time_is_that_of_the_newest_line_that_has_one() -> None:
    buffer = LogBuffer()
    buffer.extend([*lines("a", time_ns=5), *lines("b", time_ns=0), Gap(3, "lost")])
    assert buffer.last_time_ns == 5


@given(
    st.integers(1, 12),
    st.integers(1, 40),
    st.lists(st.lists(st.integers(0, 15) | st.none(), max_size=8), max_size=12),
    st.integers(0, 60),
)
def test_a_buffer_keeps_the_newest_entries_within_its_bounds(
    max_lines: int, max_chars: int, batches: list[list[int | None]], number: int
) -> None:
    buffer = LogBuffer(max_lines, max_chars)
    everything: list[Entry] = []
    for batch in batches:
        entries: list[Entry] = [
            Gap(1, "lost") if length is None else LogLine(1, Std.OUT, "x" * length)
            for length in batch
        ]
        buffer.extend(entries)
        everything += entries
    kept = buffer.since(0)
    assert kept == everything[buffer.first :]
    assert buffer.end == len(everything)
    assert buffer.dropped == buffer.first
    assert len(kept) <= max_lines
    assert sum(map(len, texts([each for each in kept if isinstance(each, LogLine)]))) <= max_chars
    assert buffer.since(number) == everything[max(number, buffer.first) :]


@pytest.mark.parametrize("count", [1, 10, 99, 100])
def test_a_short_tail_of_a_long_log_is_in_order(count: int) -> None:
    buffer = LogBuffer()
    buffer.extend(lines(*map(str, range(100))))
    assert texts(buffer.since(100 - count)) == [str(n) for n in range(100 - count, 100)]
