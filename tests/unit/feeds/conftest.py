"""A store that a feed under test fills, and the feed's supervisor."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from contui.feeds import supervisor as module
from contui.feeds.supervisor import Supervisor
from contui.model.update import Update
from contui.store.store import Store


class Seen:
    """A store, and everything that was applied to it."""

    def __init__(self) -> None:
        self.store = Store()
        self.updates: list[Update] = []

    def __call__(self, update: Update) -> None:
        self.updates.append(update)
        self.store.apply(update)

    def state(self, feed: str) -> str:
        """The state of a feed, ``""`` if it has none."""
        status = self.store.feeds.get(feed)
        return status.state.value if status is not None else ""

    def reason(self, feed: str) -> str:
        """The reason that a feed gives for its state."""
        status = self.store.feeds.get(feed)
        return status.reason if status is not None else ""


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
async def supervisor(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Supervisor]:
    """A supervisor whose feeds are tried again at once."""
    monkeypatch.setattr(module, "_FIRST", 0.01)
    monkeypatch.setattr(module, "_LONGEST", 0.01)
    started = Supervisor(seen)
    yield started
    await started.close()
