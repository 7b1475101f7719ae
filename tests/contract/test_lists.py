"""Lists, single rows and the pipeline chart over stored rows."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared import insights, lists, pipeline_chart, publishing, rosters
from shared.auth import Caller
from shared.errors import InvalidInputError
from shared.insights import Stored
from shared.list_rows import ListRow
from shared.list_shapes import ListQuery, PipelineQuery
from shared.list_store import fold
from shared.organisation_settings import Alarms, OrganisationSettings
from shared.publishing import SettingsChange
from shared.rosters import Roster, place

pytestmark = pytest.mark.usefixtures("storage")

NOW = int(datetime(2026, 3, 15, 12, tzinfo=UTC).timestamp())
DAY = 86_400
APP = Caller(id="app", name="App", roles=frozenset(), tenant="t")  # asks on anybody's behalf


def midnight(days: int) -> int:
    return (NOW // DAY + days) * DAY


@pytest.fixture(autouse=True)
def deals(storage: object) -> None:
    rows = [
        ListRow(id="won", revision=0, name="Won", open=False, state=0, score=88.0, trend=5),
        ListRow(id="good", revision=0, name="Good", owner="user:u1", state=0, score=80.0, trend=0, last_at=NOW - DAY,
                next_at=NOW - 60, closes_at=midnight(0), amount=400.0, hours_ours=2.0),
        ListRow(id="fair", revision=0, name="Fair", owner="user:u2", state=1, score=47.5, trend=1, waiting=2,
                last_at=NOW - 15 * DAY, next_at=NOW + 60, closes_at=midnight(-1), amount=100.0),
        ListRow(id="poor", revision=0, name="Poor", owner="user:u1", state=2, score=12.0, trend=2, alarm=1,
                last_at=NOW - 40 * DAY, hours_ours=5.0),
        ListRow(id="new", revision=0, name="New", owner="user:u2", state=4, closes_at=midnight(30), amount=1.0),
    ]  # fmt: skip
    for row in rows:
        record = f"opportunity:{row.id}"
        insights.write_if(record, Stored(b"{}", "ffffffff", NOW), b"", row, insights.held(record), NOW)
    fold(place("opportunity:good")[0])


def ids(**query: object) -> list[str]:
    found = lists.health_list("opportunity", ListQuery(**query), NOW, APP)  # type: ignore[arg-type]
    return [row.record.partition(":")[2] for row in found.rows]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["poor", "fair", "good", "new"]),
        ({"sort": "health", "order": "desc"}, ["good", "fair", "poor", "new"]),
        ({"sort": "health"}, ["poor", "fair", "good", "new"]),
        ({"sort": "hoursOurs", "order": "desc"}, ["poor", "good", "fair", "new"]),
        ({"sort": "name"}, ["fair", "good", "new", "poor"]),
        ({"owner": "user:u1"}, ["poor", "good"]),
        ({"grade": ("insufficient", "good")}, ["good", "new"]),
        ({"trend": ("declining", "steady")}, ["poor", "fair"]),
        ({"owner": "user:u2", "grade": ("poor",)}, []),
    ],
)
def test_lists_hold_open_records_filtered_and_sorted(query: dict[str, object], expected: list[str]) -> None:
    assert ids(**query) == expected


def test_a_row_says_what_there_is_and_null_for_what_there_is_not() -> None:
    found = {row.name: row for row in lists.health_list("opportunity", ListQuery(), NOW, APP).rows}
    good, fair, poor, new = (found[name] for name in ("Good", "Fair", "Poor", "New"))
    assert (good.grade, good.state, good.trend_name, good.attention, good.idle) == (
        "good",
        0,
        "improving",
        "none",
        False,
    )
    assert (good.next_at, fair.next_at) == (
        None,
        "2026-03-15T12:01:00Z",
    )  # what was planned for a minute ago is no next
    assert (fair.score_int, fair.attention, fair.idle) == (48, "waiting_for_us", True)
    assert (poor.alarm, poor.attention) == ("cooling", "cooling")
    assert (new.grade, new.state, new.score, new.last_at, new.hours_ours, new.alarm) == (
        "insufficient",
        4,
        *(None,) * 4,
    )


def test_pages_follow_one_another_and_belong_to_their_list() -> None:
    first = lists.health_list("opportunity", ListQuery(limit=3), NOW, APP)
    assert (first.total, len(first.rows)) == (4, 3)
    assert first.grades == {"good": 1, "fair": 1, "poor": 1, "insufficient": 1}
    assert first.next_page is not None
    rest = lists.health_list("opportunity", ListQuery(limit=3, page=first.next_page), NOW, APP)
    assert ([row.name for row in rest.rows], rest.next_page) == (["New"], None)
    for kind, query in (
        ("lead", ListQuery(limit=3, page=first.next_page)),
        ("opportunity", ListQuery(limit=3, page=first.next_page, owner="user:u1")),
    ):
        with pytest.raises(InvalidInputError):
            lists.health_list(kind, query, NOW, APP)


def test_single_rows_come_in_the_order_asked_for_closed_ones_too() -> None:
    found = lists.batch("opportunity", ["won", "nobody", "good", "won"], NOW)
    assert [(row.name, row.trend_name) for row in found.rows] == [("Won", "notApplicable"), ("Good", "improving")]
    assert found.missing == ["nobody"]
    with pytest.raises(InvalidInputError):
        lists.batch("opportunity", ["no id"], NOW)
    with pytest.raises(InvalidInputError):
        lists.type_of("invoice")


def test_the_chart_has_a_place_for_every_open_deal() -> None:
    chart = pipeline_chart.pipeline(PipelineQuery(), NOW, APP)
    assert [(b.name, b.column, b.row, b.days, b.radius, b.hollow) for b in chart.bubbles] == [
        ("Good", "dated", "scored", 0, 1.0, False),
        ("Fair", "overdue", "scored", -1, 0.5, False),
        ("New", "dated", "unknown", 30, 0.1, False),
        ("Poor", "undated", "scored", None, 0.1, True),
    ]
    assert sum(lane.count for lane in chart.lanes) == chart.total == chart.shown == 4


def test_a_chart_of_the_largest_counts_the_rest() -> None:
    chart = pipeline_chart.pipeline(PipelineQuery(limit=1), NOW, APP)
    assert ([b.name for b in chart.bubbles], chart.total, chart.shown) == (["Good"], 4, 1)
    assert {(lane.column, lane.row, lane.grade): (lane.count, lane.revenue) for lane in chart.lanes} == {
        ("dated", "scored", "good"): (1, 400.0),
        ("overdue", "scored", "fair"): (1, 100.0),
        ("dated", "unknown", "insufficient"): (1, 1.0),
        ("undated", "scored", "poor"): (1, 0.0),
    }
    found = pipeline_chart.pipeline(PipelineQuery(owner="user:u2"), NOW, APP)
    assert ([b.name for b in found.bubbles], found.total, found.lanes) == (["Fair", "New"], 2, None)


def test_a_record_that_never_had_contact_is_idle_from_its_creation_on() -> None:
    ages = {"old": 15, "young": 13, "computing": 15, "closed": 15}
    for name, days in ages.items():
        assert rosters.write_if(Roster(record=f"lead:{name}", created_at=NOW - days * DAY), None)
    rows = [
        ListRow(id="old", revision=0, state=4),
        ListRow(id="young", revision=0, state=4),
        ListRow(id="computing", revision=0, state=5),
        ListRow(id="closed", revision=0, state=4, open=False),
        ListRow(id="untold", revision=0, state=4),
    ]
    assert [row.idle for row in lists.health_rows("lead", rows, NOW)] == [True, False, False, False, False]


def test_each_record_type_may_have_its_own_number_of_idle_days(queues: object) -> None:
    alarms = Alarms(idle_days=10, idle_days_of_type={"opportunity": 30})
    author = Caller(id="0f", name="Ada", roles=frozenset(), tenant="t")
    publishing.publish(SettingsChange(settings=OrganisationSettings(alarms=alarms)), 0, author)
    idle = {row.name: row.idle for row in lists.health_list("opportunity", ListQuery(), NOW, APP).rows}
    assert idle == {"Good": False, "Fair": False, "Poor": True, "New": False}
    rows = [ListRow(id="c", revision=0, last_at=NOW - 15 * DAY)]
    assert lists.health_rows("contact", rows, NOW)[0].idle
