"""The ledger counts what the widgets count: an interaction older than the window has that for a reason."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import json

from shared import ingest, recompute
from shared.changes import parse_batch
from shared.ledger import ledger
from shared.ledger_query import LedgerQuery

pytestmark = pytest.mark.usefixtures("storage", "queues")

NOW = int(datetime(2026, 3, 15, 12, tzinfo=UTC).timestamp())  # the window begins with 2025


def row(entity: str, id: str, **attributes: Any) -> dict[str, Any]:
    return {"entity": entity, "id": id, "version": 1, "operation": "upsert", "attributes": attributes}


def mail(id: str, at: str) -> dict[str, Any]:
    people = {"from": {"address": "anna@us.example"}, "to": [{"address": "kim@cust.example"}]}
    return row("email", id, **people, sentAt=at, status="sent")


def test_what_is_older_than_the_window_is_not_counted_and_says_so() -> None:
    contact = row("contact", "kim", emails=["kim@cust.example"])
    mails = [mail("m1", "2024-06-01T10:00:00Z"), mail("m2", "2026-03-02T10:00:00Z")]
    for record in ingest.take_in(parse_batch(json.encode({"changes": [contact, *mails]}))):
        recompute.recompute(record, NOW)
    found = ledger("contact:kim", LedgerQuery(), NOW)
    assert (found.total, found.counted, found.reasons) == (2, 1, {"participants": 1, "outside_window": 1})
    old = found.activities[1]
    assert (old.counted, old.reason, old.in_window) == (False, "outside_window", False)
    stored = recompute.current("contact:kim", NOW)
    assert stored is not None
    assert json.decode(stored.body)["widgets"]["volumes"]["emailsSent"] == found.counted
    assert ledger("contact:kim", LedgerQuery(counted=True), NOW).total == 1
    assert ledger("contact:kim", LedgerQuery(reason="outside_window"), NOW).total == 1
