"""Waiting for conditions, never for seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

PATIENCE = 20.0
"""Only a test that fails waits this long."""


async def until(condition: Callable[[], object], what: str = "") -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"never happened: {what or condition}"
        await asyncio.sleep(0.002)


async def settled(rounds: int = 20) -> None:
    """Let everything that is ready run: for asserting that something did not happen."""
    for _ in range(rounds):
        await asyncio.sleep(0)
