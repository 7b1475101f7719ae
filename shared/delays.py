"""How long changes and messages took, one log line a name and minute: the alert `late` and the workbook read them.

`message delays` are those of one queue each, from queued to done. `change ages` are from end to end: from the notification of
Graph or the call of the CRM to the written snapshot. The first instant travels in the messages' properties, through every queue
that leads to numbers at once; what is computed in bulk (a first load, a back-fill, a new version of the settings) has none, since
it is late on purpose. A line for each message would cost more than the work itself.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct, field

from shared import telemetry

EVERY_SECONDS = 60.0
BEGUN = "begun"  # application property: source and first instant, as `mail|1790000000.250`
Source = Literal["crm", "mail", "calendar"]
_log = logging.getLogger(__name__)
_lock = threading.Lock()
_begun: ContextVar[str] = ContextVar("rapport_begun", default="")


class Collected(Struct):
    """Seconds by name, and since when each name is collected."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    since: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, seconds: float, now: float) -> list[float]:
        """Note one; gives all of the last minute when it is over, else none."""
        with _lock:
            found = self.seconds.setdefault(name, [])
            found.append(max(0.0, seconds))
            if now - self.since.setdefault(name, now) < EVERY_SECONDS:
                return []
            del self.seconds[name], self.since[name]
            return found


_waits, _ages = Collected(), Collected()


def percentile_95(seconds: list[float]) -> float:
    """The smallest value that 95 % of the values do not exceed.

    >>> percentile_95([float(n) for n in range(1, 101)])
    95.0
    >>> percentile_95([7.0])
    7.0
    """
    ordered = sorted(seconds)
    return ordered[-(-len(ordered) * 95 // 100) - 1]


def note(queue: str, enqueued: datetime | None, now: float | None = None) -> None:
    """Note that a message is done that was queued then; tells of the last minute when it is over. Unknown times are left out."""
    if enqueued is None:
        return
    now = time.time() if now is None else now
    if found := _waits.add(queue, now - enqueued.timestamp(), now):
        _log.info("message delays: %s p95 %.1f s, %d messages", queue, percentile_95(found), len(found))


def begin(source: Source, now: float) -> dict[str | bytes, Any]:
    """The property of a message about a change that we were told of at this instant.

    >>> begin("mail", 1_790_000_000.25)
    {'begun': 'mail|1790000000.250'}
    """
    return {BEGUN: f"{source}|{now:.3f}"}


@contextmanager
def continuing(properties: Mapping[Any, Any]) -> Iterator[None]:
    """Work off a message with these properties: what follows from it at once belongs to the same change."""
    token = _begun.set(telemetry.text_of(properties, BEGUN))
    try:
        yield
    finally:
        _begun.reset(token)


def carried() -> dict[str | bytes, Any]:
    """The property for messages that follow at once from the one in hand; empty where it is about no change."""
    return {BEGUN: _begun.get()} if _begun.get() else {}


def published(now: float | None = None) -> None:
    """Note that the change in hand is in the numbers now; tells of the last minute when it is over."""
    source, _, first = _begun.get().partition("|")
    try:
        begun = float(first)
    except ValueError:
        return
    now = time.time() if now is None else now
    if found := _ages.add(source, now - begun, now):
        _log.info("change ages: %s p95 %.1f s, %d changes", source, percentile_95(found), len(found))
