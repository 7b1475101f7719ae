"""Questions about addresses and domains: such a target has no record whose right could decide, so each is counted and logged.

A caller has so many a UTC day. The log says who asked, when, and for which key; a key tells nothing without the app's secret.
"""

from __future__ import annotations

import time
import uuid

from shared import tables
from shared.errors import TooManyRequestsError, UnavailableError

TABLE = "lookups"
MOST_A_DAY = 200
KEPT_DAYS = 400
_DAY = 86_400
_COUNT = "count"
_TRIES = 8


def count(caller: str, target: str, now: int) -> int:
    """Count and log one question; how many the caller has asked today. Raises TooManyRequestsError above the limit."""
    partition = f"{caller}|{time.strftime('%Y-%m-%d', time.gmtime(now))}"
    for _ in range(_TRIES):
        row = tables.read(TABLE, partition, _COUNT)
        asked = (row["asked"] if row else 0) + 1
        if asked > MOST_A_DAY:
            raise TooManyRequestsError(
                f"Up to {MOST_A_DAY} addresses and domains a day can be looked up.", retry_after=_DAY - now % _DAY
            )
        counter = {"PartitionKey": partition, "RowKey": _COUNT, "v": 1, "asked": asked}
        entry = {"PartitionKey": partition, "RowKey": f"{now:012d}|{uuid.uuid4().hex}", "v": 1, "target": target}
        if tables.transact(TABLE, [("write", counter, row["etag"] if row else None), ("write", entry, None)]):
            return asked
    raise UnavailableError("Too many questions at once.")


def expire(now: int) -> int:
    """Delete the questions of more than 400 days ago, with the counts of their days; how many."""
    before = now - KEPT_DAYS * _DAY
    old = list(tables.scan(TABLE, ["PartitionKey", "RowKey"], f"RowKey lt '{before:012d}'"))
    for row in old:
        tables.delete(TABLE, row["PartitionKey"], row["RowKey"])
    last = time.strftime("%Y-%m-%d", time.gmtime(before))
    for partition in {row["PartitionKey"] for row in old}:
        if partition.rpartition("|")[2] < last:
            tables.delete(TABLE, partition, _COUNT)
    return len(old)
