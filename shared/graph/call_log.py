"""What goes over the wire to Graph, in log lines: every refusal by its status, and once a minute how many calls there were.

Alerts and the workbook read both (infra/alerts.json, infra/workbook.json). Whoever calls is counted: a worker, a probe, a timer.
"""

from __future__ import annotations

import logging
import threading
import time

from msgspec import Struct

EVERY_SECONDS = 60.0
BUSY = (429, 503, 504)
_log = logging.getLogger(__name__)
_lock = threading.Lock()


class Counts(Struct):
    """Calls since `since`; of these refused for load, and without any answer."""

    since: float
    calls: int = 0
    busy: int = 0
    unanswered: int = 0


_counts: list[Counts] = []  # none or one


def answered(now: float | None = None) -> None:
    """Note a call that succeeded."""
    _note(200, now)


def refused(status: int, code: str = "", now: float | None = None) -> None:
    """Note a call that was refused, or not answered (`status` 0), and say so."""
    _log.warning("Graph refused: %d %s", status, code or "-")
    _note(status, now)


def _note(status: int, now: float | None) -> None:
    now = time.monotonic() if now is None else now
    with _lock:
        if not _counts:
            _counts.append(Counts(now))
        held = _counts[0]
        held.calls += 1
        held.busy += status in BUSY
        held.unanswered += status == 0
        if now - held.since < EVERY_SECONDS:
            return
        _counts.clear()
    _log.info("Graph calls: %d calls, %d refused for load, %d unanswered", held.calls, held.busy, held.unanswered)
