"""Everything that comes from a container is hostile: the one place that makes text safe to draw.

Terminals obey C0 and C1 control characters and escape sequences wherever they appear, bidirectional
controls reorder a whole line (CVE-2021-42574), and Textual's widgets parse ``str`` as markup. So
text is drawn only as :class:`~rich.segment.Segment` or :class:`~textual.content.Content` made of
cleaned strings, never as markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from rich.cells import cell_len as cell_len
from rich.color import Color
from rich.style import Style
from textual.content import Content

MAX_LINE: Final = 256 * 1024
"""Longer lines are cut: no terminal shows them, and each further cell costs."""

_ESCAPE: Final = re.compile(
    r"\x1b(?:"
    r"\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS, SOS, PM, APC up to their end
    r"|[ -/]*[0-~]"  # two-character and charset sequences
    r")?"
    r"|\x9b[0-?]*[ -/]*[@-~]"  # C1 CSI
    r"|[\x90\x98\x9d-\x9f][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # C1 DCS, SOS, OSC, PM, APC
)
_SGR: Final = re.compile(r"\x1b\[([0-9;:]*)m")
_ERASE: Final = re.compile(r"\x1b\[([012]?)K")
_MOVES: Final = re.compile(r"(\r|\x08|\x1b\[[012]?K)")
_DROPPED: Final = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f"  # C0 without tab, DEL, C1
    "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # unseen, bidi
    "\U000e0000-\U000e007f"  # tags
    "\ud800-\udfff]"  # surrogates: not encodable
)
_SUSPECT: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff]"
)


def clean(text: str) -> str:
    """One line of plain text: no control character, no escape sequence, no bidi mark, tabs as
    four spaces, line breaks as ``⏎``, at most :data:`MAX_LINE` characters.
    """
    if len(text) > MAX_LINE:
        text = text[:MAX_LINE] + "…"
    if not _SUSPECT.search(text):
        return text
    text = _ESCAPE.sub("", text)
    text = text.replace("\r\n", "\n").replace("\n", "⏎").replace("\t", "    ")
    return _DROPPED.sub("", text)


def content(text: str, style: str = "") -> Content:
    """Cleaned text, line breaks kept, as content that no markup parser looks at."""
    joined = "\n".join(clean(each) for each in text.split("\n"))
    return Content.styled(joined, style) if style else Content(joined)


_BASIC: Final = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")


def _apply(codes: list[int], style: Style) -> Style:
    """One SGR sequence onto a style (ECMA-48 section 8.3.117 and xterm's 256 and RGB colours)."""
    index = 0
    while index < len(codes):
        code = codes[index]
        index += 1
        if code == 0:
            style = Style.null()
        elif code in (1, 2, 3, 4, 7, 9):
            name = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse", 9: "strike"}
            style += Style.parse(name[code])
        elif code == 22:
            style += Style(bold=False, dim=False)
        elif code in (23, 24, 27, 29):
            off = {23: "italic", 24: "underline", 27: "reverse", 29: "strike"}
            style += Style.parse("not " + off[code])
        elif 30 <= code <= 37 or 90 <= code <= 97:
            style += Style(color=Color.from_ansi(code - 30 if code < 90 else code - 82))
        elif 40 <= code <= 47 or 100 <= code <= 107:
            style += Style(bgcolor=Color.from_ansi(code - 40 if code < 100 else code - 92))
        elif code == 39:
            style += Style(color=Color.default())
        elif code == 49:
            style += Style(bgcolor=Color.default())
        elif code in (38, 48) and index < len(codes):
            colour, index = _extended(codes, index)
            if colour is not None:
                style += Style(color=colour) if code == 38 else Style(bgcolor=colour)
    return style


def _extended(codes: list[int], index: int) -> tuple[Color | None, int]:
    kind = codes[index]
    if kind == 5 and index + 1 < len(codes):
        number = codes[index + 1]
        return (Color.from_ansi(number) if number < 256 else None), index + 2
    if kind == 2 and index + 3 < len(codes):
        red, green, blue = (min(255, value) for value in codes[index + 1 : index + 4])
        return Color.from_rgb(red, green, blue), index + 4
    return None, index + 1


def ansi(text: str) -> list[tuple[str, Style]]:
    """A log line as runs of cleaned text and the style its SGR sequences ask for.

    Colours and weights are kept; every other control sequence is removed. Carriage returns
    overwrite.
    """
    if len(text) > MAX_LINE:
        text = text[:MAX_LINE] + "…"
    if "\r" in text or "\b" in text:
        return _overwritten(text)
    runs = [(shown, style) for part, style in _styled(text) if (shown := clean(part))]
    return runs or [("", Style.null())]


def _styled(text: str) -> Iterator[tuple[str, Style]]:
    """The pieces between SGR sequences, not cleaned, with the style that each has."""
    style, position = Style.null(), 0
    for found in _SGR.finditer(text):
        yield text[position : found.start()], style
        codes = [int(code or 0) for code in re.split("[;:]", found[1]) if len(code) < 5]
        style = _apply(codes or [0], style)
        position = found.end()
    yield text[position:], style


def _overwritten(text: str) -> list[tuple[str, Style]]:
    """What a terminal shows in the end: carriage returns and backspaces move, CSI K erases.

    Progress bars write their line anew this way (ECMA-48 sections 8.3.5, 8.3.15 and 8.3.41).
    """
    cells: list[tuple[str, Style]] = []
    column = 0
    for part, style in _styled(text):
        for token in _MOVES.split(part):
            if token == "\r":
                column = 0
            elif token == "\b":
                column = max(0, column - 1)
            elif erased := _ERASE.fullmatch(token):
                blank = (" ", Style.null())
                if erased[1] in ("", "0"):
                    del cells[column:]
                else:
                    stop = column + 1 if erased[1] == "1" else len(cells)
                    cells[:stop] = [blank] * min(stop, len(cells))
            else:
                for character in clean(token):
                    cells += [(" ", Style.null())] * (column - len(cells))
                    cells[column : column + 1] = [(character, style)]
                    column += 1
    while cells and cells[-1] == (" ", Style.null()):
        cells.pop()
    runs: list[tuple[str, Style]] = []
    for style, group in groupby(cells, key=lambda cell: cell[1]):
        runs.append(("".join(character for character, _ in group), style))
    return runs or [("", Style.null())]
