"""What a terminal would show of a log line, and nothing that it would obey."""

from __future__ import annotations

import pytest

from contui.tui.safe import ansi


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("\x1b[2K 10% aaaa\r\x1b[2K 50%\r\x1b[2K100%", "100%"),
        ("\x1b[?25lspin\r\x1b[Kdone", "done"),
        ("\x1b[32mINFO\x1b[0m hello\r\x1b[31mERR\x1b[0m", "ERRO hello"),
        ("\x1b[?1049h\x1b[31mred\x1b[0m \r over", " over"),
        ("ab\b\bcd", "cd"),
        ("abcdef\rxyz\x1b[1K", "    ef"),
        ("10%\r20%\r", "20%"),
        ("\b\b\ra", "a"),
        ("\r", ""),
    ],
)
def test_a_progress_bar_shows_its_last_state(written: str, shown: str) -> None:
    assert "".join(text for text, _ in ansi(written)) == shown


def test_what_was_overwritten_keeps_the_colour_of_what_is_left() -> None:
    runs = ansi("\x1b[32mINFO\x1b[0m hello\r\x1b[31mERR\x1b[0m")
    assert [(text, style.color.number if style.color else None) for text, style in runs] == [
        ("ERR", 1),
        ("O", 2),
        (" hello", None),
    ]
