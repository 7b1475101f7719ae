"""Vectors of kpis 4."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from shared.kpi.freshness import Source, freshness
from shared.kpi.parameters import Parameters
from shared.kpi.timeline import timeline
from shared.kpi.windows import Window, day_starts, kpi_window, local_date, local_days, midnight, within
from tests.doubles.histories import BERLIN, A, email, history, instant, meeting, person


@pytest.mark.parametrize(
    ("as_of", "zone", "days", "expected"),
    [
        pytest.param(A, "Europe/Berlin", None, "2024-12-31T23:00Z", id="4-1"),
        pytest.param("2025-12-31T23:30Z", "Europe/Berlin", None, "2024-12-31T23:00Z", id="4-2-Berlin"),
        pytest.param("2025-12-31T23:30Z", "UTC", None, "2024-01-01T00:00Z", id="4-2-UTC"),
        pytest.param(A, "Europe/Berlin", 90, "2025-12-15T23:00Z", id="4-3"),
        pytest.param(A, "Europe/Berlin", 1, "2026-03-14T23:00Z", id="today"),
    ],
)
def test_window_starts(as_of: str | int, zone: str, days: int | None, expected: str) -> None:
    window = kpi_window(instant(as_of), Parameters(reporting_zone=zone, window_days=days))
    assert window == Window(instant(expected), instant(as_of))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        pytest.param("2026-03-28T23:30Z", "2026-03-29", id="4-4-a"),
        pytest.param("2026-03-29T21:59Z", "2026-03-29", id="4-4-b"),
        pytest.param("2026-03-29T22:00Z", "2026-03-30", id="4-4-c"),
        pytest.param("2026-10-24T22:00Z", "2026-10-25", id="4-5-a"),
        pytest.param("2026-10-25T22:59Z", "2026-10-25", id="4-5-b"),
        pytest.param("2026-10-25T23:00Z", "2026-10-26", id="4-5-c"),
    ],
)
def test_mail_falls_on_local_date(at: str, expected: str) -> None:
    days = (date.fromisoformat(expected) - date(1970, 1, 1)).days
    assert local_days(np.array([instant(at)]), "Europe/Berlin").tolist() == [days]
    bars = timeline(
        history(email(at, "kim", ["anna"]), as_of=instant("2026-11-01T12:00Z")), Parameters("Europe/Berlin", None, 365)
    )
    assert dict(zip(bars.dates, bars.emails_received, strict=True))[expected] == 1
    assert sum(bars.emails_received) == 1


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 3, 15), 24)])
def test_length_of_days(day: date, hours: int) -> None:
    assert np.diff(day_starts(day, 1, "Europe/Berlin")).tolist() == [hours * 3600]


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/New_York", "Africa/Cairo", "Pacific/Apia", "Asia/Kathmandu", "UTC"]
)
def test_local_days_agree_with_the_calendar(zone: str) -> None:
    """Also where the clock jumps at midnight (Cairo) and where a date is missing (Apia, 30 December 2011)."""
    instants = np.arange(instant("2011-01-01T00:00Z"), instant("2026-12-31T00:00Z"), 7919 * 11)
    expected = [(local_date(at, zone) - date(1970, 1, 1)).days for at in instants.tolist()]
    assert local_days(instants, zone).tolist() == expected


def test_day_that_begins_with_a_jump_starts_at_the_jump() -> None:
    """In Cairo the clock went from 00:00 to 01:00 on 26 April 2024."""
    assert midnight(date(2024, 4, 26), "Africa/Cairo") == instant("2024-04-25T22:00Z")


def test_no_instants_have_no_days() -> None:
    assert local_days(np.empty(0, np.int64), "UTC").tolist() == []


def test_vector_4_6_timeline_dates() -> None:
    bars = timeline(history(), BERLIN)
    assert (bars.dates[0], bars.dates[-1], len(bars.dates)) == ("2026-01-15", "2026-03-15", 60)
    assert bars.calls_made == (0,) * 60


def test_vector_4_7_partial_from_the_start_of_coverage() -> None:
    start = instant("2025-03-15T00:00Z")
    found = freshness(A, kpi_window(A, BERLIN).start, Source(A), [Source(A, start)])
    assert (found.partial, found.complete_from) == (True, start)


def test_both_ends_of_a_window_are_within() -> None:
    items = [email(A - 10 + number, "kim", ["anna"], id=str(number)) for number in range(5)]
    found = history(*items)
    assert within(found, Window(A - 9, A - 7)).at.tolist() == [A - 9, A - 8, A - 7]


def test_meeting_that_ends_after_an_earlier_window_is_out() -> None:
    found = history(meeting(A - 7200, "anna", ["kim"], minutes=60), email(A - 7100, "kim", ["anna"]))
    assert within(found, Window(0, A - 3601)).at.tolist() == [A - 7100]
    assert within(found, Window(0, A - 3600)).at.tolist() == [A - 7200, A - 7100]


def test_participations_follow_their_interactions_into_a_window() -> None:
    items = [
        email(A - 50, "kim", ["anna"]),
        meeting(A - 7200, "ben", ["lee", "max"], minutes=60),
        email(A - 7000, "max", ["anna"]),
    ]
    found = history(*items, email(A - 9000, "kim", ["ben"]))
    for window, people in (Window(A - 8000, A), [3, 2, 2]), (Window(A - 8000, A - 3601), [2]):
        assert np.bincount(within(found, window).part_index).tolist() == people
    inside = within(found, Window(A - 8000, A - 3601))
    assert inside.part_person.tolist() == [person("max"), person("anna")]
