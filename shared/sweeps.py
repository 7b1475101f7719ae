"""The nightly sweep: whatever was missed or has aged is computed again, and tails are folded."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

from shared import access_log, acquaintance_rows, erasure, insights, partitions, record_updates, tables, telemetry

_log = logging.getLogger(__name__)


def sweep(now: int) -> int:
    """Announce every record whose snapshot is out of date or missing, and who knows whom of the rest; how many.

    Erasures of the last days are gone over once more, and the access log of more than 400 days ago is deleted.
    """
    erasure.repeat_young(now)
    access_log.expire(now)
    expired = {*insights.expired(now), *acquaintance_rows.expired(now)}
    missing = _records() - _computed()
    record_updates.announce(expired | missing, bulk=True)
    _log.info("nightly sweep: %d expired, %d missing", len(expired), len(missing))
    telemetry.count("rapport.swept", len(expired | missing))
    return len(expired | missing)


def fold_tails(seconds: float) -> int:
    """Fold tails of activity partitions for about so long; how many. Those that are left are the next night's."""
    ends, folded = time.monotonic() + seconds, 0
    for name in partitions.with_tail():
        if time.monotonic() > ends:
            break
        partitions.fold_tail(partitions.read(name))
        folded += 1
    _log.info("tails folded: %d", folded)
    return folded


def _records() -> set[str]:
    return set(_names("records"))


def _computed() -> set[str]:
    return set(_names("insights"))


def _names(table: str) -> Iterator[str]:
    for row in tables.scan(table, ["PartitionKey", "RowKey"]):
        yield f"{row['PartitionKey'].partition('|')[0]}:{row['RowKey']}"
