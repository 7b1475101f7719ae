"""An update whose work a later snapshot has done already is not done again; one whose work may be missing is."""

from __future__ import annotations

import pytest

from shared import insights
from shared.insights import Held, Stored
from shared.list_rows import ListRow

RECORD = "account:a1"


@pytest.fixture
def snapshot(storage: object) -> None:
    """A snapshot begun at second 1,000 that holds until second 2,000."""
    stored = Stored(b"{}", "a1b2c3", 2_000, 1_000)
    assert insights.write_if(RECORD, stored, b"", ListRow(id="a1", revision=0), Held(), 1_000)


@pytest.mark.parametrize(
    ("announced", "included"),
    [(998.5, True), (999.0, True), (999.1, False), (1_000.5, False), (1e18, False)],
)
def test_a_snapshot_includes_what_was_announced_a_second_before_it_was_begun(
    snapshot: None, announced: float, included: bool
) -> None:
    assert insights.includes(RECORD, announced, now=1_500) is included


def test_a_snapshot_that_no_longer_holds_includes_nothing(snapshot: None) -> None:
    assert not insights.includes(RECORD, 500.0, now=2_000)


def test_a_record_without_a_snapshot_includes_nothing(storage: object) -> None:
    assert not insights.includes(RECORD, 500.0, now=1_500)


def test_a_snapshot_marked_as_failed_includes_nothing(snapshot: None) -> None:
    assert insights.change_list_row(RECORD, lambda row: row, 1_400)
    assert not insights.includes(RECORD, 500.0, now=1_500)
