"""Documents: what panels produce. Lines of styled text, without any drawing.

A panel is a pure function from a subject to lines, so it is tested without a terminal, copied
and saved as plain text, and strung together by *describe*. Style names have one meaning each and
are turned into the theme's colours where lines are drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Style = Literal[
    "",  # plain text
    "dim",  # secondary, not reported
    "label",  # the name of a value
    "value",  # a value worth reading first
    "heading",
    "accent",
    "ok",
    "warning",
    "critical",
    "info",
    "stderr",
    "key",  # a key to press
    "code",  # a command to copy
    "added",
    "removed",
    "bar",
    "bar-warning",
    "bar-critical",
    "match",
]


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of raw text in one style. It is made safe when it is drawn, not before.

    ``copy`` is what copying this line yields instead of its text (a full command, a whole value).
    ``reveal`` names a masked secret that the reveal key may show.
    """

    text: str
    style: Style = ""
    copy: str = ""
    reveal: str = ""


Line = tuple[Span, ...]
Cell = str | Span | tuple[str, Style]
"""What a table's cell or a line's part may be given as."""


def line(*parts: Cell) -> Line:
    """A line from plain strings, ``(text, style)`` pairs and spans."""
    return tuple(
        part if isinstance(part, Span) else Span(part) if isinstance(part, str) else Span(*part)
        for part in parts
    )


BLANK: Line = ()


def heading(title: str, note: str = "") -> Line:
    """A section's title, with a remark in a quieter style."""
    return line((title, "heading"), ("  " + note if note else "", "dim"))


def field(label: str, *parts: Cell, width: int = 16) -> Line:
    """A ``label   value`` line; the label is padded to ``width`` columns."""
    return line((f"  {label:<{width}} ", "label"), *parts)


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    right: frozenset[int] = frozenset(),
    indent: int = 2,
    gap: int = 2,
) -> list[Line]:
    """Rows under a head, each column as wide as its widest cell, ``right`` ones right-aligned.

    The last column is left as long as it is; whoever draws wraps or crops it.
    """
    from contui.tui.safe import cell_len, clean

    cells = [[_span(cell) for cell in row] for row in rows]
    widths = [cell_len(title) for title in head]
    for row in cells:
        for index, span in enumerate(row):
            widths[index] = max(widths[index], cell_len(clean(span.text)))

    def laid(row: Sequence[Span]) -> Line:
        out: list[Span] = [Span(" " * indent)] if indent else []
        for index, span in enumerate(row):
            last = index == len(row) - 1
            pad = " " * (widths[index] - cell_len(clean(span.text)))
            if index in right:
                out += [Span(pad), span]
            else:
                out += [span] if last else [span, Span(pad)]
            if not last:
                out.append(Span(" " * gap))
        return tuple(out)

    top = laid([Span(title, "label") for title in head]) if any(head) else None
    return ([top] if top is not None else []) + [laid(row) for row in cells]


def _span(cell: Cell) -> Span:
    if isinstance(cell, Span):
        return cell
    return Span(cell) if isinstance(cell, str) else Span(*cell)


def plain(lines: Iterable[Line]) -> str:
    """The text of lines, for copying, saving and tests; control characters are removed."""
    from contui.tui.safe import clean

    return "\n".join(clean("".join(span.text for span in each)).rstrip() for each in lines)
