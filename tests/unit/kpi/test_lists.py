"""List orders, the pipeline chart and the preview of grade limits: vectors 14-1 to 14-4 and the edges."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kpi.health import Grade, State
from shared.kpi.lists import COLUMNS, Attention, ListRow, attention, by_attention, by_column
from shared.kpi.parameters import Parameters
from shared.kpi.pipeline import SMALLEST, Column, OpenRecord, Row, bubbles, days_to_close, grades, preview, shares
from shared.kpi.rhythm import Alarm
from shared.kpi.trend import Trend

A = 1_773_576_000  # 2026-03-15T12:00:00Z
BERLIN = "Europe/Berlin"
GOOD, FAIR, POOR, INSUFFICIENT = Grade


def open_record(key: int = 1, **others) -> OpenRecord:
    values = {"state": State.GOOD, "score": 80.0, "closes": date(2026, 3, 20), "revenue": 100.0} | others
    return OpenRecord(key, f"deal {key}", **values)


def bubble(**others):
    return bubbles([open_record(**others)], A, BERLIN)[0]


def row(key: int = 1, name: str = "deal", **others) -> ListRow:
    return ListRow(key, name, **{"state": State.GOOD, "score": 80.0, "trend": Trend.STEADY} | others)


def test_shares_add_up_14_1():
    records = [GOOD] * 3 + [FAIR] * 2 + [POOR, INSUFFICIENT]
    assert shares(records) == {GOOD: 42.8, FAIR: 28.6, POOR: 14.3, INSUFFICIENT: 14.3}


def test_no_record_has_no_shares():
    assert shares([]) is None


@given(st.lists(st.sampled_from(Grade), min_size=1, max_size=300))
def test_shares_always_add_up_to_100_and_stay_within_a_tenth(records):
    found = shares(records)
    assert sum(round(10 * share) for share in found.values()) == 1000
    assert all(abs(found[grade] - 100 * records.count(grade) / len(records)) < 0.1 for grade in Grade)


def test_changed_limits_move_grades_14_2():
    before, after = Parameters(), Parameters(good_from=50)
    scores = [54.8, 49.4, 49.5, 39.0, None]
    assert grades(scores, before) == [FAIR, FAIR, FAIR, POOR, INSUFFICIENT]
    assert grades(scores, after) == [GOOD, FAIR, GOOD, POOR, INSUFFICIENT]
    found = preview(grades(scores, before), grades(scores, after))
    assert found.changed == (0, 2)
    assert found.shares == {GOOD: 40.0, FAIR: 20.0, POOR: 20.0, INSUFFICIENT: 20.0}


@pytest.mark.parametrize(
    ("closes", "column", "days"),
    [
        (date(2026, 3, 15), Column.DATED, 0),
        (date(2026, 3, 14), Column.OVERDUE, -1),
        (None, Column.UNDATED, None),
        (date(2026, 4, 1), Column.DATED, 17),
    ],
)
def test_columns_of_the_chart_14_3(closes, column, days):
    assert (bubble(closes=closes).column, bubble(closes=closes).days) == (column, days)


def test_days_to_close_are_local_dates():
    late = A + 11 * 3600 + 1800  # 23:30 UTC, already 16 March in Berlin
    assert [days_to_close(date(2026, 3, 16), late, zone) for zone in ("UTC", BERLIN)] == [1, 0]


def test_no_revenue_is_hollow_and_smallest_14_4():
    assert (bubble(revenue=None).hollow, bubble(revenue=None).radius) == (True, SMALLEST)
    assert bubble(revenue=float("nan")).hollow
    assert (bubble(revenue=0.0).hollow, bubble(revenue=0.0).radius) == (False, SMALLEST)
    assert bubble(revenue=-5.0).radius == SMALLEST


def test_insufficient_has_its_own_lane_14_4():
    found = bubble(state=State.NOT_ENOUGH, score=None)
    assert (found.row, found.score, found.grade) == (Row.UNKNOWN, None, INSUFFICIENT)
    assert bubble(state=State.IN_PROGRESS, score=None).row == Row.COMPUTING
    assert bubble(state=State.POOR, score=0.0).row == Row.SCORED


def test_the_area_of_a_bubble_goes_with_revenue():
    found = bubbles([open_record(1, revenue=100.0), open_record(2, revenue=400.0)], A, BERLIN)
    assert [each.radius for each in found] == [0.5, 1.0]


def test_no_record_is_left_out_of_the_chart():
    records = [
        open_record(key, closes=closes, state=state, score=80.0 if state == State.GOOD else None, revenue=revenue)
        for key, (closes, state, revenue) in enumerate(
            (closes, state, revenue)
            for closes in (None, date(2020, 1, 1), date(2027, 1, 1))
            for state in (State.GOOD, State.FAILED, State.NO_CLOSED_ACTIVITIES)
            for revenue in (None, 1.0)
        )
    ]
    assert [each.key for each in bubbles(records, A, BERLIN)] == list(range(18))
    assert bubbles([], A, BERLIN) == []


ROWS = {
    Attention.PROBABLY_LOST: row(1, alarm=Alarm.PROBABLY_LOST, waiting_for_us=3),
    Attention.COOLING: row(2, alarm=Alarm.COOLING, state=State.POOR, score=10.0),
    Attention.POOR: row(3, state=State.POOR, score=39.0, trend=Trend.DECLINING),
    Attention.DECLINING: row(4, trend=Trend.DECLINING, waiting_for_us=1),
    Attention.WAITING_FOR_US: row(5, waiting_for_us=1, alarm=Alarm.NONE),
    Attention.NONE: row(6, state=State.NOT_ENOUGH, score=None),
}


@pytest.mark.parametrize("reason", Attention)
def test_the_most_pressing_reason_counts(reason):
    assert attention(ROWS[reason]) == reason


def test_rows_that_need_attention_come_first():
    assert by_attention(reversed(ROWS.values())) == list(ROWS.values())


def test_ties_go_to_the_newer_contact_then_the_name_then_the_key():
    rows = [row(4, "b", last_at=5), row(3, "B", last_at=5), row(2, "a", last_at=5), row(1, "z"), row(5, "z", last_at=9)]
    expected = [5, 2, 3, 4, 1]
    assert [each.key for each in by_attention(rows)] == expected
    assert [each.key for each in by_column(rows, "health")] == expected
    assert [each.key for each in by_column(rows, "health", descending=True)] == expected


def test_insufficient_is_last_in_both_directions():
    rows = [row(1, score=None, state=State.NOT_ENOUGH), row(2, score=0.0, state=State.POOR), row(3, score=90.0)]
    assert [each.key for each in by_column(rows, "health")] == [2, 3, 1]
    assert [each.key for each in by_column(rows, "health", descending=True)] == [3, 2, 1]


def test_trend_sorts_from_declining_to_improving():
    trends = [Trend.NOT_ENOUGH, Trend.IMPROVING, Trend.STEADY, Trend.DECLINING]
    found = by_column([row(key, trend=trend) for key, trend in enumerate(trends)], "trend")
    assert [each.trend for each in found] == [Trend.DECLINING, Trend.STEADY, Trend.IMPROVING, Trend.NOT_ENOUGH]


@pytest.mark.parametrize("column", sorted(COLUMNS))
def test_every_column_sorts_rows_with_and_without_values(column):
    full = row(1, "b", next_at=2, last_at=2, hours_ours=2.0, hours_theirs=2.0, updated_at=2, waiting_for_us=2)
    less = row(2, "a", next_at=1, last_at=1, hours_ours=1.0, hours_theirs=1.0, updated_at=1, waiting_for_us=1)
    less = replace(less, score=10.0, state=State.POOR, trend=Trend.DECLINING)
    assert by_column([full, less], column) == [less, full]
    assert by_column([less, full], column, descending=True) == [full, less]


def test_an_unknown_column_is_refused():
    with pytest.raises(KeyError):
        by_column([], "colour")
