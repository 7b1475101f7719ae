"""The pool of deals as it is kept: rows of the table `similar`, one or more for each bucket of the rosters.

They are written anew from the rosters in every round. A row stands for itself: readers may find some newer than others. 100,000
deals take about 3 MB, so a process keeps the last pool that it read, and looks only at the rows' ETags while they stay the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import numpy as np

from shared import rosters, tables
from shared.deal_fields import is_comparable
from shared.deal_pool import Pool, joined, pack, pool_of, unpack
from shared.errors import FormatVersionError
from shared.rosters import Roster

TABLE = "similar"
PARTITION = "pool"
VERSION = 1
BUCKETS = 16


def rebuild(now: int) -> Pool:
    """Write the whole pool anew from the rosters. A crash leaves some buckets new and some old; all are pools."""
    pools = []
    for bucket, deals in _by_bucket():
        pool = pool_of(filter(is_comparable, deals))
        blobs = list(_blobs(pool))
        rows = [
            {
                "PartitionKey": PARTITION,
                "RowKey": f"{bucket}~{part:03d}",
                "v": VERSION,
                "builtAt": now,
                **tables.split(blob),
            }
            for part, blob in enumerate(blobs)
        ]
        stale = tables.query(TABLE, PARTITION, f"{bucket}~{len(rows):03d}", f"{bucket}~~", ["RowKey"])
        gone = [{"PartitionKey": PARTITION, "RowKey": row["RowKey"]} for row in stale]
        tables.transact(TABLE, [*(("upsert", row, None) for row in rows), *(("delete", row, None) for row in gone)])
        pools.append(pool)
    return joined(pools)


def _by_bucket() -> Iterator[tuple[str, list[Roster]]]:
    """The rosters of every bucket, one bucket after the other, the empty ones too."""
    left = dict.fromkeys(f"{number:x}" for number in range(BUCKETS))
    for bucket, deals in groupby(rosters.every("opportunity"), lambda roster: rosters.place(roster.record)[0][-1]):
        del left[bucket]
        yield bucket, list(deals)
    yield from ((bucket, []) for bucket in left)


def _blobs(pool: Pool) -> Iterator[bytes]:
    """The pool in as many blobs as the row limit asks for, each a pool by itself: readers may meet old and new ones."""
    blob = pack(pool)
    if len(blob) <= tables.ROW_BYTES or len(pool) == 1:
        yield blob
        return
    middle = len(pool) // 2
    for rows in (np.arange(middle), np.arange(middle, len(pool))):
        yield from _blobs(pool.take(rows))


_held: tuple[list[str], Pool, int] | None = None


def read() -> tuple[Pool, int] | None:
    """The stored pool and when its oldest row was built; None before it was ever built."""
    global _held
    etags = [row["etag"] for row in tables.query(TABLE, PARTITION, select=["RowKey"])]
    if not etags:
        return None
    held = _held
    if held is None or held[0] != etags:
        rows = list(tables.query(TABLE, PARTITION))
        if any(row["v"] != VERSION for row in rows):
            raise FormatVersionError(f"the pool of deals has another format than {VERSION}, which this app reads")
        pool = joined([unpack(tables.unsplit(row)) for row in rows])
        held = _held = [row["etag"] for row in rows], pool, min(row["builtAt"] for row in rows)
    return held[1], held[2]
