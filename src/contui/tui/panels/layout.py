"""Laying lines out in a given width: cropping, wrapping, and words for shares."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from rich.cells import chop_cells, set_cell_size

from contui.model import units
from contui.tui.document import Line, Span, Style, line
from contui.tui.safe import cell_len, clean

_TOKENS: Final = re.compile(r"\s+|\S+")
NEAR: Final = 0.8
"""A level from this share of its limit on is worth a look,"""
FULL: Final = 0.95
"""and from this one on it is about to be hit."""


def crop(text: str, width: int) -> str:
    """Cleaned text of at most ``width`` cells, with an ellipsis where something is missing."""
    text = clean(text)
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(0, width - 1)).rstrip() + "…"


def crop_middle(text: str, width: int) -> str:
    """Like :func:`crop`, but keeps the end: paths differ there."""
    text = clean(text)
    if cell_len(text) <= width or width < 8:
        return crop(text, width)
    head = (width - 1) // 3
    tail = text[-(width - 1 - head) :]
    while cell_len(tail) > width - 1 - head:
        tail = tail[1:]
    return set_cell_size(text, head).rstrip() + "…" + tail


def cells(each: Sequence[Span]) -> int:
    """How many cells a line takes."""
    return sum(cell_len(clean(span.text)) for span in each)


def fit(lines: Iterable[Line], width: int) -> list[Line]:
    """Lines that all fit: longer ones flow on below their first value."""
    out: list[Line] = []
    for each in lines:
        out += [each] if cells(each) <= width else _under_value(each, width)
    return out


def _under_value(each: Line, width: int) -> list[Line]:
    first = clean(each[0].text)
    hang = cell_len(first) if len(each) > 1 else len(first) - len(first.lstrip())
    if hang > width // 2:
        hang = len(first) - len(first.lstrip())
    return flow(each, width, min(hang, max(0, width - 12)))


def flow(each: Line, width: int, hang: int) -> list[Line]:
    """Words of all spans in lines of ``width``, all but the first indented by ``hang`` cells."""
    lines: list[list[Span]] = [[]]
    used = 0

    def put(text: str, span: Span) -> None:
        lines[-1].append(Span(text, span.style, span.copy or span.text, span.reveal))

    for span in each:
        for token in _TOKENS.findall(clean(span.text)):
            size = cell_len(token)
            if used + size <= width:
                put(token, span)
                used += size
                continue
            pieces = [token] if size <= width - hang else chop_cells(token, width - hang)
            for piece in pieces:
                if piece.isspace():
                    continue
                lines.append([Span(" " * hang)])
                put(piece, span)
                used = hang + cell_len(piece)
    return [_joined(spans) for spans in lines if any(span.text.strip() for span in spans)]


def _joined(spans: list[Span]) -> Line:
    out: list[Span] = []
    for span in spans:
        last = out[-1] if out else None
        same = last is not None and (last.style, last.copy, last.reveal) == (
            span.style,
            span.copy,
            span.reveal,
        )
        if last is not None and same:
            out[-1] = Span(last.text + span.text, span.style, span.copy, span.reveal)
        else:
            out.append(span)
    return tuple(out)


def hang(rows: Iterable[Line], width: int) -> list[Line]:
    """Rows of a table that all fit: a last column that is too long goes on below itself."""
    out: list[Line] = []
    for each in rows:
        before = cells(each[:-1])
        if cells(each) > width and width - before >= 12:
            out += flow(each, width, before)
        elif cells(each) > width:
            out.append(_cropped(each, width))
        else:
            out.append(each)
    return out


def _cropped(each: Line, width: int) -> Line:
    out: list[Span] = []
    left = width
    for span in each:
        text = crop(span.text, left)
        out.append(Span(text, span.style, span.copy or span.text.strip(), span.reveal))
        left -= cell_len(text)
        if left <= 0 or text.endswith("…"):
            break
    return tuple(out)


def tone(share: float | None) -> Style:
    """The style of a level by its share of the limit: quiet until it is near."""
    if share is None or share < NEAR:
        return ""
    return "critical" if share >= FULL else "warning"


def share_of(used: float | None, limit: float | None) -> float | None:
    """Used as a share of the limit; ``None`` if either is not known or there is none."""
    return used / limit if used is not None and limit else None


def remark(text: str, style: Style = "dim", *, mark: str = " ") -> Line:
    """A sentence of its own, with a mark before it where something is wrong."""
    return line((f"  {mark} " if mark.strip() else "  ", style), (text, style))


def warning(text: str, style: Style = "warning") -> Line:
    """A sentence about something that is wrong."""
    return remark(text, style, mark="x" if style == "critical" else "!")


def mib(count: float | None, *, none: str = "none") -> str:
    """A limit in bytes; ``none`` where none is set."""
    return none if count is None else units.size(count)
