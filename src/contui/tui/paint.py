"""From documents to what Textual draws: the current theme's styles, and strips of safe text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.strip import Strip

from contui.tui.document import Line
from contui.tui.safe import cell_len, clean
from contui.tui.themes import rich_styles

_cache: dict[tuple[str, bool], Mapping[str, Style]] = {}


def styles(app: App[Any]) -> Mapping[str, Style]:
    """The rich style of each document style in the app's current theme."""
    theme = app.current_theme
    key = theme.name, app.no_color
    if key not in _cache:
        _cache[key] = rich_styles(theme, colour=not app.no_color)
    return _cache[key]


def strip(line: Line, palette: Mapping[str, Style], base: Style) -> Strip:
    """A document line as a strip of its natural length on the background of ``base``."""
    return Strip(
        [Segment(clean(span.text), base + palette.get(span.style, Style.null())) for span in line]
    )


def fitted(line: Line, width: int, palette: Mapping[str, Style], base: Style) -> list[Segment]:
    """A document line in exactly ``width`` cells; what does not fit ends in an ellipsis."""
    segments: list[Segment] = []
    left = width
    for index, span in enumerate(line):
        text = clean(span.text)[: 8 * left + 64]  # measuring a very long one costs
        style = base + palette.get(span.style, Style.null())
        size = cell_len(text)
        more = any(other.text for other in line[index + 1 :])
        if size < left or (size == left and not more):
            segments.append(Segment(text, style))
            left -= size
            continue
        segments.append(Segment(shortened(text, left, cut=True), style))
        left = 0
        break
    if left:
        segments.append(Segment(" " * left, base))
    return segments


def shortened(text: str, width: int, *, cut: bool = False) -> str:
    """``text`` in at most ``width`` cells (exactly, padded, if ``cut``), ending in an ellipsis when
    something is missing.
    """
    if not cut and cell_len(text) <= width:
        return text
    if width <= 0:
        return ""
    kept, used = [], 0
    for character in text:
        cells = cell_len(character)
        if used + cells > width - 1:
            break
        kept.append(character)
        used += cells
    return "".join(kept) + "…" + (" " * (width - 1 - used) if cut else "")
