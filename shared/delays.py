"""How long messages took from being queued to being done: one log line a queue and minute, which the alert `late` reads.

A line for each message would cost more than the work itself.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime

EVERY_SECONDS = 60.0
_log = logging.getLogger(__name__)
_lock = threading.Lock()
_noted: dict[str, list[float]] = {}
_since: dict[str, float] = {}


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
    with _lock:
        waits = _noted.setdefault(queue, [])
        waits.append(max(0.0, now - enqueued.timestamp()))
        if now - _since.setdefault(queue, now) < EVERY_SECONDS:
            return
        del _noted[queue], _since[queue]
    _log.info("message delays: %s p95 %.1f s, %d messages", queue, percentile_95(waits), len(waits))
