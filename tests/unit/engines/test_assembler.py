from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contui.engines.docker.logs import MAX_LINE, Assembler
from contui.model.log import LogLine, Std

STAMP = "2025-11-24T12:00:00.607481873Z"
TIME = 1_763_985_600_607_481_873
PART = 16 * 1024


def frame(payload: bytes, std: Std = Std.OUT) -> bytes:
    return bytes([std, 0, 0, 0]) + len(payload).to_bytes(4, "big") + payload


def stamped(number: int) -> tuple[bytes, int]:
    """A time stamp as Docker writes it, zeros at its end included, and its nanoseconds."""
    return f"2025-11-24T12:00:00.{number:09d}Z ".encode(), 1_763_985_600 * 10**9 + number


def read(data: bytes, *, tty: bool, cuts: Iterable[int] = ()) -> list[LogLine]:
    """The lines of a stream that arrives in pieces."""
    assembler = Assembler(tty=tty)
    lines: list[LogLine] = []
    start = 0
    for cut in sorted({min(cut, len(data)) for cut in cuts}):
        lines += assembler.feed(data[start:cut])
        start = cut
    return [*lines, *assembler.feed(data[start:]), *assembler.end()]


def test_frames_become_lines_of_their_stream() -> None:
    data = frame(f"{STAMP} hello\n".encode()) + frame(f"{STAMP} oops\n".encode(), Std.ERR)
    assert read(data, tty=False) == [
        LogLine(TIME, Std.OUT, "hello"),
        LogLine(TIME, Std.ERR, "oops"),
    ]


def test_a_terminal_has_one_stream_and_its_carriage_returns_go() -> None:
    data = f"{STAMP} hello\r\n{STAMP} 50%\r100%\r\n".encode()
    assert read(data, tty=True) == [
        LogLine(TIME, Std.OUT, "hello"),
        LogLine(TIME, Std.OUT, "50%\r100%"),
    ]


@pytest.mark.parametrize("tty", [True, False])
def test_a_line_is_given_as_soon_as_it_is_complete(tty: bool) -> None:
    assembler = Assembler(tty=tty)
    row = f"{STAMP} a\n".encode()
    assert [line.text for line in assembler.feed(row if tty else frame(row))] == ["a"]
    assert assembler.end() == []


@pytest.mark.parametrize("tty", [True, False])
def test_what_the_log_ends_with_is_a_line(tty: bool) -> None:
    row = f"{STAMP} no line feed".encode()
    assert read(row if tty else frame(row), tty=tty) == [LogLine(TIME, Std.OUT, "no line feed")]


@pytest.mark.parametrize("tty", [True, False])
@pytest.mark.parametrize("text", ["", " ", "  indented", f"{STAMP} twice"])
def test_the_text_after_the_stamp_is_kept_as_it_is(tty: bool, text: str) -> None:
    row = f"{STAMP} {text}\n".encode()
    assert read(row if tty else frame(row), tty=tty) == [LogLine(TIME, Std.OUT, text)]


@pytest.mark.parametrize("tty", [True, False])
def test_a_line_without_a_stamp_has_no_time(tty: bool) -> None:
    row = b"Error grabbing logs: unexpected EOF\n"
    assert read(row if tty else frame(row), tty=tty) == [
        LogLine(0, Std.OUT, "Error grabbing logs: unexpected EOF")
    ]


@pytest.mark.parametrize(
    ("stamp", "time_ns"),
    [
        ("2025-11-24T12:00:00Z", 1_763_985_600_000_000_000),
        ("2025-11-24T12:00:00.5Z", 1_763_985_600_500_000_000),
        ("2025-11-24T13:00:00.607481873+01:00", TIME),
    ],
)
@pytest.mark.parametrize("tty", [True, False])
def test_stamps_are_read_to_the_nanosecond(stamp: str, time_ns: int, tty: bool) -> None:
    row = f"{stamp} x\n".encode()
    assert read(row if tty else frame(row), tty=tty) == [LogLine(time_ns, Std.OUT, "x")]


def test_a_stamp_within_a_line_that_has_none_is_text() -> None:
    text = "x" * PART + f"{STAMP} y"
    assert read(f"{text}\n".encode(), tty=True) == [LogLine(0, Std.OUT, text)]


def test_invalid_utf8_is_replaced_not_refused() -> None:
    data = frame(f"{STAMP} ".encode() + b"caf\xe9 \xff\xfe\n")
    assert read(data, tty=False) == [LogLine(TIME, Std.OUT, "caf\ufffd \ufffd\ufffd")]


def test_a_character_that_spans_two_parts_is_whole() -> None:
    text = "x" * (PART - 1) + "é" + "y" * 10
    data = text.encode()
    first, second = data[:PART], data[PART:]
    row = STAMP.encode() + b" "
    framed = frame(row + first) + frame(row + second + b"\n")
    assert read(framed, tty=False) == [LogLine(TIME, Std.OUT, text)]
    assert read(row + first + row + second + b"\n", tty=True) == [LogLine(TIME, Std.OUT, text)]


def test_parts_of_two_streams_do_not_mix() -> None:
    row = STAMP.encode() + b" "
    data = (
        frame(row + b"out" * 10)
        + frame(row + b"err" * 10, Std.ERR)
        + frame(row + b"!\n", Std.ERR)
        + frame(row + b"!\n")
    )
    assert read(data, tty=False) == [
        LogLine(TIME, Std.ERR, "err" * 10 + "!"),
        LogLine(TIME, Std.OUT, "out" * 10 + "!"),
    ]


def test_a_joined_line_has_the_time_of_its_first_part() -> None:
    (first, time_ns), (later, _) = stamped(5), stamped(900)
    data = frame(first + b"a" * PART) + frame(later + b"b\n") + frame(later + b"c\n")
    found = read(data, tty=False)
    assert [line.time_ns for line in found] == [time_ns, time_ns + 895]
    assert found[0].text == "a" * PART + "b"


@pytest.mark.parametrize("tty", [True, False])
@pytest.mark.parametrize(
    ("size", "cut"), [(MAX_LINE, False), (MAX_LINE + 1, True), (3 << 20, True)]
)
def test_a_line_over_a_mebibyte_is_cut_with_an_ellipsis(tty: bool, size: int, cut: bool) -> None:
    row = STAMP.encode() + b" "
    parts = [row + b"x" * min(PART, size - start) for start in range(0, size, PART)]
    parts[-1] += b"\n"
    after = f"{STAMP} next\n".encode()
    data = b"".join([*parts, after] if tty else map(frame, [*parts, after]))
    found = read(data, tty=tty, cuts=range(0, len(data), 50_000))
    assert [line.text for line in found] == ["x" * min(size, MAX_LINE) + "…" * cut, "next"]


def test_a_line_without_end_takes_bounded_memory() -> None:
    for tty in (True, False):
        assembler = Assembler(tty=tty)
        row = STAMP.encode() + b" " + b"x" * PART
        for _ in range(400):
            assert assembler.feed(row if tty else frame(row)) == []
        held = len(assembler._buffer) + sum(each.size for each in assembler._pending.values())
        assert held < 2 * MAX_LINE


texts = st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), max_size=40)
long_texts = st.integers(1, 3 * PART).map(lambda size: "x" * size)
entries = st.lists(
    st.tuples(st.sampled_from(Std), st.integers(0, 10**9 - 1), texts | long_texts), max_size=12
)
cuts = st.lists(st.integers(0, 60_000), max_size=12)


@given(entries, cuts)
def test_any_chunking_of_frames_gives_the_same_lines(
    lines: list[tuple[Std, int, str]], places: list[int]
) -> None:
    data, wanted = b"", []
    for std, number, text in lines:
        stamp, time_ns = stamped(number)
        raw = text.encode()
        parts = [raw[start : start + PART] for start in range(0, len(raw), PART)] or [b""]
        parts[-1] += b"\n"
        data += b"".join(frame(stamp + part, std) for part in parts)
        wanted.append(LogLine(time_ns, std, text))
    assert read(data, tty=False, cuts=places) == wanted


@given(entries, cuts)
def test_any_chunking_of_a_terminal_gives_the_same_lines(
    lines: list[tuple[Std, int, str]], places: list[int]
) -> None:
    data, wanted = b"", []
    for _, number, text in lines:
        stamp, time_ns = stamped(number)
        raw = text.encode()
        parts = [raw[start : start + PART] for start in range(0, len(raw), PART)] or [b""]
        data += b"".join(stamp + part for part in parts) + b"\r\n"
        wanted.append(LogLine(time_ns, Std.OUT, text))
    assert read(data, tty=True, cuts=places) == wanted


@given(st.binary(max_size=300), st.booleans())
def test_no_bytes_break_it(data: bytes, tty: bool) -> None:
    lines = read(data, tty=tty, cuts=range(0, 300, 7))
    assert all("\n" not in line.text for line in lines)
