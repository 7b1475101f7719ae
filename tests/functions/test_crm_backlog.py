"""Changes of the CRM that wait too long: widgets say that newer events are known, and up to when their figures are complete."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.functions.servicebus import ServiceBusMessage
from msgspec import json

from functions.crm_changes import crm_changes
from shared import crm_backlog, ingest, reading, tables
from shared.changes import parse_batch
from shared.moments import instant
from shared.reading import AsOfQuery
from shared.recompute import recompute
from tests.doubles.talk import organisation, row

pytestmark = pytest.mark.usefixtures("storage", "queues")


@pytest.fixture(autouse=True)
def _nothing_told() -> Iterator[None]:
    crm_backlog._told = 0.0
    yield
    crm_backlog._told = 0.0


def packed(*changes: dict[str, Any]) -> bytes:
    (body,) = ingest.packed(parse_batch(json.encode({"changes": list(changes)})))
    return body


def work_off(*changes: dict[str, Any], late: float) -> None:
    """Have the function take a message that was queued so many seconds ago."""
    message = ServiceBusMessage(
        body=packed(*changes), message_id=uuid.uuid4().hex, application_properties={}, user_properties={},
        enqueued_time_utc=datetime.fromtimestamp(time.time() - late, UTC),
    )  # fmt: skip
    crm_changes._function.get_user_function()(message)
    crm_backlog._held = None  # as 20 seconds later


def envelope(record: str = "contact:kim") -> dict[str, Any]:
    now = int(time.time())
    recompute(record, now)
    found: dict[str, Any] = json.decode(reading.all_widgets(record, AsOfQuery(), now).body)
    return found


def test_in_good_order_nothing_is_said_and_nothing_written() -> None:
    work_off(*organisation(), late=200)
    assert "stale" not in envelope()["flags"]
    assert tables.read(crm_backlog.TABLE, "feed", "crm") is None


def test_a_long_queue_is_said_with_every_widget_until_it_is_short_again() -> None:
    work_off(*organisation(), late=2_400)
    before = int(time.time()) - 2_400
    found = envelope()
    assert {"stale", "partial"} <= set(found["flags"])  # more than half an hour: not complete for the window either
    assert found["completeUpTo"] in {instant(before + second) for second in (-2, -1, 0)}
    one = json.decode(reading.one_widget("contact:kim", "health", AsOfQuery(), int(time.time())).body)
    assert "stale" in one["flags"]
    work_off(row("contact", "kim", jobTitle="Buyer"), late=3)
    found = envelope()
    assert {"stale", "partial"}.isdisjoint(found["flags"])


def test_what_nobody_says_again_is_over() -> None:
    work_off(*organisation(), late=900)
    told = time.time()
    assert crm_backlog.complete_until(told + 110) is not None
    assert crm_backlog.complete_until(told + 121) is None


def test_it_is_written_at_most_every_half_minute() -> None:
    def held() -> str:
        found = tables.read(crm_backlog.TABLE, "feed", "crm")
        assert found is not None
        return str(found["queued"])

    for now, queued in ((1_000, "100"), (1_029, "100"), (1_030, "130")):
        crm_backlog.note(datetime.fromtimestamp(now - 900, UTC), now)
        assert held() == queued
    crm_backlog.note(datetime.fromtimestamp(1_031, UTC), 1_032)
    assert held() == "0"
