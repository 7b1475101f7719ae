"""The nightly sweep: whatever was missed or has aged is computed again."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from shared import acquaintance_rows, insights, record_updates, tables, telemetry

_log = logging.getLogger(__name__)


def sweep(now: int) -> int:
    """Announce every record whose snapshot is out of date or missing, and who knows whom of the rest; how many."""
    expired = {*insights.expired(now), *acquaintance_rows.expired(now)}
    missing = _records() - _computed()
    record_updates.announce(expired | missing, bulk=True)
    _log.info("nightly sweep", extra={"expired": len(expired), "missing": len(missing)})
    telemetry.count("rapport.swept", len(expired | missing))
    return len(expired | missing)


def _records() -> set[str]:
    return set(_names("records"))


def _computed() -> set[str]:
    return set(_names("insights"))


def _names(table: str) -> Iterator[str]:
    for row in tables.scan(table, ["PartitionKey", "RowKey"]):
        yield f"{row['PartitionKey'].partition('|')[0]}:{row['RowKey']}"
