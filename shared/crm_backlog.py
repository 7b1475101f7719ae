"""Whether changes of the CRM are known that are not in the numbers yet (product 2, flag `stale`; kpis 15, the CRM's watermark).

A worker that comes to a message later than five minutes after it was queued says so in one small row, at most every half minute;
in good order nothing is written. The row holds for two minutes: by then a worker has said it again, or the queue is empty.
"""

from __future__ import annotations

import time
from datetime import datetime

from shared import tables

TABLE = "directory"
STALE = "stale"
LATE_SECONDS = 300
_PARTITION, _ROW = "feed", "crm"
_AGAIN_SECONDS, _HOLDS_SECONDS, _KEPT_SECONDS = 30, 120, 20.0
_held: tuple[tuple[int, int], float] | None = None
_told = 0.0


def note(enqueued: datetime | None, now: float | None = None) -> None:
    """Note that a message of changes is done that was queued then. Unknown times are left out."""
    global _told
    now = time.time() if now is None else now
    if enqueued is None:
        return
    late = now - enqueued.timestamp() > LATE_SECONDS
    if (late and now - _told < _AGAIN_SECONDS) or not (late or _told):
        return
    row = {"PartitionKey": _PARTITION, "RowKey": _ROW, "v": 1, "at": str(int(now))}
    tables.upsert(TABLE, {**row, "queued": str(int(enqueued.timestamp()) if late else 0)})
    _told = now if late else 0.0


def complete_until(now: float | None = None) -> int | None:
    """Up to when the CRM's changes are in the numbers, where that is long ago; None in good order. Known 20 seconds late."""
    global _held
    now = time.time() if now is None else now
    if _held is None or _held[1] < time.monotonic():
        row = tables.read(TABLE, _PARTITION, _ROW)
        _held = (int(row["at"]), int(row["queued"])) if row else (0, 0), time.monotonic() + _KEPT_SECONDS
    at, queued = _held[0]
    return queued if queued and now - at < _HOLDS_SECONDS else None
