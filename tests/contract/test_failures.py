"""A record that cannot be computed says so in lists and progress, keeps its last snapshot, and recovers."""

from __future__ import annotations

import msgspec
import pytest

from shared import failures, ingest, insights, lists, recompute, settings_progress, tables
from shared.auth import Caller
from shared.changes import parse_batch
from shared.errors import FormatVersionError
from shared.list_shapes import ListQuery
from tests.doubles.tenants import AS_OF

pytestmark = pytest.mark.usefixtures("storage", "queues")

DEAL = {"entity": "opportunity", "id": "o1", "version": 1, "operation": "upsert", "attributes": {"name": "Line 3"}}
CALLER = Caller(id="app", name="App", roles=frozenset(), tenant="t")
UNREADABLE = {"PartitionKey": "opportunity:o1", "RowKey": "2026-01", "v": 1, "data0": b"\x63" * 40}  # a later format


def test_a_failed_record_is_listed_as_failed_until_it_is_computed() -> None:
    ingest.take_in(parse_batch(msgspec.json.encode({"changes": [DEAL]})))
    recompute.recompute("opportunity:o1", AS_OF)
    before = insights.read("opportunity:o1")
    assert before is not None

    tables.upsert("activities", UNREADABLE)
    with pytest.raises(FormatVersionError):
        failures.recompute_or_note("opportunity:o1", AS_OF + 1)
    (row,) = lists.health_list("opportunity", ListQuery(), AS_OF, CALLER).rows
    assert (row.state, row.trend, row.trend_name, row.score, row.grade) == (6, 4, "failed", None, "insufficient")
    assert settings_progress.progress().failed == 1
    after = insights.read("opportunity:o1")
    assert after is not None
    assert (after.body, after.valid_until) == (before.body, 0)

    tables.delete("activities", "opportunity:o1", "2026-01")
    failures.recompute_or_note("opportunity:o1", AS_OF + 2)
    assert [row.state for row in lists.health_list("opportunity", ListQuery(), AS_OF, CALLER).rows] == [4]
    assert settings_progress.progress().failed == 0
