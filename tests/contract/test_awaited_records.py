"""A record is in lists from when it is known: as being computed, and as failed where that goes wrong; its widgets say so too."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from shared import failures, ingest, insights, list_store, reading, recompute, settings_progress, tables
from shared.changes import parse_batch
from shared.errors import FormatVersionError
from shared.lists import health_rows
from shared.moments import instant
from shared.pipeline_chart import lanes
from shared.reading import AsOfQuery
from shared.widgets import RecordWidgets
from tests.doubles.tenants import AS_OF

pytestmark = pytest.mark.usefixtures("storage", "queues")

DAY = 86_400
DEAL = {"entity": "opportunity", "id": "o1", "version": 1, "operation": "upsert", "attributes": {"name": "Line 3"}}
WON = {**DEAL, "id": "o2", "attributes": {"name": "Won", "status": "won", "closedAt": "2026-11-01T00:00:00Z"}}
DELETED = {"entity": "opportunity", "id": "o1", "version": 2, "operation": "delete"}
UNREADABLE = {"PartitionKey": "opportunity:o1", "RowKey": "2026-01", "v": 1, "data0": b"\x63" * 40}  # a later format


def take_in(*changes: dict[str, Any]) -> None:
    ingest.take_in(parse_batch(msgspec.json.encode({"changes": changes})))


def listed() -> list[tuple[str, int, str]]:
    pack = list_store.read("opportunity")
    rows = health_rows("opportunity", pack.rows(range(len(pack))), AS_OF)
    return [(row.name, row.state, row.grade) for row in rows]


def state_by_id(id: str) -> int | None:
    row = insights.list_row(f"opportunity:{id}")
    return None if row is None else row.state


def widgets(now: int) -> tuple[RecordWidgets, str | None]:
    answer = reading.all_widgets("opportunity:o1", AsOfQuery(), now)
    return msgspec.json.decode(answer.body, type=RecordWidgets), answer.tag


def test_a_record_is_listed_as_being_computed_from_when_it_is_known() -> None:
    take_in(DEAL)
    assert listed() == [("Line 3", 5, "insufficient")]
    assert [(lane.row, lane.count) for lane in lanes(list_store.read("opportunity"), AS_OF, "UTC")] == [
        ("computing", 1)
    ]
    assert (state_by_id("o1"), state_by_id("o2")) == (5, None)
    assert not settings_progress.progress().finished
    recompute.recompute("opportunity:o1", AS_OF)
    take_in(DEAL)
    assert listed() == [("Line 3", 4, "insufficient")]
    assert settings_progress.progress().finished


def test_only_open_records_are_awaited_and_none_for_ever() -> None:
    take_in(DEAL, WON)
    assert listed() == [("Line 3", 5, "insufficient")]
    take_in(DELETED)
    assert recompute.recompute("opportunity:o1", AS_OF) is None
    assert listed() == []
    assert state_by_id("o1") is None


def test_what_is_awaited_survives_folding_and_gives_way_to_what_was_computed() -> None:
    take_in(DEAL)
    partition = next(key for key in list_store.partitions_of("opportunity") if [*tables.query("insights", key)])
    assert list_store.fold(partition)
    assert listed() == [("Line 3", 5, "insufficient")]
    recompute.recompute("opportunity:o1", AS_OF)
    assert listed() == [("Line 3", 4, "insufficient")]


def test_a_record_that_was_never_computed_is_listed_as_failed() -> None:
    take_in(DEAL)
    tables.upsert("activities", UNREADABLE)
    with pytest.raises(FormatVersionError):
        failures.recompute_or_note("opportunity:o1", AS_OF)
    assert listed() == [("Line 3", 6, "insufficient")]
    assert state_by_id("o1") == 6
    assert settings_progress.progress().failed == 1
    assert list(insights.expired(AS_OF)) == ["opportunity:o1"]  # the nightly sweep tries again
    with pytest.raises(FormatVersionError):
        widgets(AS_OF)  # nothing can be said of it

    tables.delete("activities", "opportunity:o1", "2026-01")
    failures.recompute_or_note("opportunity:o1", AS_OF + 2)
    assert listed() == [("Line 3", 4, "insufficient")]


def test_widgets_of_a_failed_record_are_its_last_ones_and_say_that_health_failed() -> None:
    take_in(DEAL)
    recompute.recompute("opportunity:o1", AS_OF)
    tables.upsert("activities", UNREADABLE)
    found, tag = widgets(AS_OF + DAY)
    health = found.widgets.health
    assert (health.state, health.trend, health.trend_name) == (6, 4, "failed")
    assert (health.score, health.score_int, health.grade) == (None, None, "insufficient")
    assert (found.computed_at, tag) == (instant(AS_OF), None)
    assert listed() == [("Line 3", 6, "insufficient")]

    tables.delete("activities", "opportunity:o1", "2026-01")
    found, tag = widgets(AS_OF + DAY)
    assert (found.widgets.health.state, found.computed_at) == (4, instant(AS_OF + DAY))
