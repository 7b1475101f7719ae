"""Working off a message of changes: take it in, then say which records must be computed."""

from __future__ import annotations

from shared import ingest, record_updates
from shared.settings import settings


def work_off(body: bytes) -> None:
    """Bring everything in line with the changes of a message body; burst and bulk get the longer window."""
    changes = ingest.unpacked(body)
    records = ingest.take_in(changes)
    record_updates.announce(records, bulk=len(changes) >= settings().bulk_batch)
