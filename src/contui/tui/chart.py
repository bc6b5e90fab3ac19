"""Charts of text: braille areas, sparklines and gauges. Pure functions of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_LEFT: Final = (0x40, 0x04, 0x02, 0x01)
"""Bits of the left dots of a braille cell from below (Unicode Standard, section 21.1)."""
_RIGHT: Final = (0x80, 0x20, 0x10, 0x08)
_BLOCKS: Final = "▁▂▃▄▅▆▇█"


def braille(values: Sequence[float | None], width: int, height: int, top: float) -> list[str]:
    """An area chart: ``height`` lines of ``width`` cells, each two values wide and four dots high.

    The newest value is the rightmost; what does not fit is left out. ``top`` is the value of the
    upper edge. A value shows at least its lowest dot, ``None`` nothing, so a gap is not a zero.
    """
    levels = [_level(value, top, height * 4) for value in values[-width * 2 :]]
    levels = [0] * (width * 2 - len(levels)) + levels
    lines = []
    for row in range(height - 1, -1, -1):
        cells = []
        for left, right in zip(levels[::2], levels[1::2], strict=True):
            bits = sum(_LEFT[: max(0, left - row * 4)]) + sum(_RIGHT[: max(0, right - row * 4)])
            cells.append(chr(0x2800 + bits) if bits else " ")
        lines.append("".join(cells))
    return lines


def sparkline(values: Sequence[float | None], width: int, top: float) -> str:
    """The last ``width`` values as blocks, newest at the right; a gap is a space."""
    levels = [_level(value, top, len(_BLOCKS)) for value in values[-width:]]
    return "".join(_BLOCKS[level - 1] if level else " " for level in levels).rjust(width)


def gauge(share: float | None, width: int) -> str:
    """``[####  ]``, ``width`` cells in all. Anything above nothing shows, and full means full."""
    if share is None:
        return "-".ljust(width)
    inner = max(1, width - 2)
    filled = min(inner, max(int(share * inner), 1 if share > 0 else 0))
    return f"[{'#' * filled:<{inner}}]"


def _level(value: float | None, top: float, steps: int) -> int:
    if value is None:
        return 0
    share = value / top if top > 0 else 0.0
    return min(steps, max(1, round(share * steps)))
