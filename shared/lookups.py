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
