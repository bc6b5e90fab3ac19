"""What the console says when there is no engine to show."""

from __future__ import annotations

import time

from contui.model.feed import FeedState
from contui.model.units import duration
from contui.session import Session
from contui.tui.document import BLANK, Line, Span, heading, line


def trouble(session: Session) -> list[Line]:
    """Why there is nothing to show and what mends it; empty when there is something.

    Once containers have been listed they stay on the screen, marked as old; the status line then
    tells that the connection is lost.
    """
    store = session.store
    status = store.feeds.get("engine")
    if store.listed or status is None:
        return []
    if status.state not in (FeedState.RETRYING, FeedState.STALLED, FeedState.FAILED):
        return []
    endpoint = session.endpoint
    lines = [
        heading("No container engine answers"),
        BLANK,
        line(("tried     ", "label"), endpoint.url),
        line(("chosen by ", "label"), endpoint.origin or "default"),
        line(("answer    ", "label"), (status.reason, "critical")),
    ]
    if status.hint:
        lines.append(line(("mend it   ", "label"), Span(status.hint, "code", copy=status.hint)))
    lines += [BLANK]
    if status.retry_at:
        left = max(0.0, status.retry_at - time.time())
        lines.append(line((f"Trying again in {duration(left)}, by itself.", "dim")))
    lines += [
        line(("contui doctor", "code"), ("  tells everything that was looked at", "dim")),
        line(("contui -c NAME", "code"), ("  or  ", "dim"), ("contui -H unix:///path", "code"),
             ("  goes elsewhere; here ", "dim"), (":context", "key")),
    ]  # fmt: skip
    return lines
