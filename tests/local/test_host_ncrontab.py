"""NCRONTAB schedules of the local host."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.host.ncrontab import Schedule


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "moment", "expected"),
    [
        ("*/15 * * * * *", "2026-03-01 10:00:00", "2026-03-01 10:00:15"),
        ("0 */5 * * * *", "2026-03-01 10:04:59", "2026-03-01 10:05:00"),
        ("0 */5 * * * *", "2026-03-01 10:05:00", "2026-03-01 10:10:00"),
        ("*/5 * * * *", "2026-03-01 23:58:30", "2026-03-02 00:00:00"),  # five fields: second 0
        ("0 0 9-17/4 * * *", "2026-03-01 09:00:00", "2026-03-01 13:00:00"),
        ("0 0 20/2 * * *", "2026-03-01 20:30:00", "2026-03-01 22:00:00"),  # from 20 to the end of the day
        ("0 0 17-9/4 * * *", "2026-03-01 00:00:00", "2026-03-01 09:00:00"),  # a turned range is turned back
        ("0 30 2 * * Mon,THU", "2026-03-03 00:00:00", "2026-03-05 02:30:00"),
        ("0 0 0 1 jan,decem *", "2026-03-01 00:00:00", "2026-12-01 00:00:00"),
        ("0 0 0 * * 0", "2026-03-02 00:00:00", "2026-03-08 00:00:00"),  # Sunday is 0
        ("0 0 0 13 * 5", "2026-03-01 00:00:00", "2026-03-13 00:00:00"),  # both must match
        ("0 0 0 13 * 5", "2026-03-13 00:00:00", "2026-11-13 00:00:00"),
        ("0 0 0 29 2 *", "2026-01-01 00:00:00", "2028-02-29 00:00:00"),
        ("0 0 0 29 2 Mon", "2026-01-01 00:00:00", "2044-02-29 00:00:00"),
        ("59 59 23 31 12 *", "2026-12-31 23:59:59", "2027-12-31 23:59:59"),
        ("01:30:00", "2026-03-01 10:00:00", "2026-03-01 11:30:00"),  # an interval
    ],
)
def test_next_occurrence(schedule: str, moment: str, expected: str) -> None:
    assert at(expected) == Schedule(schedule).next_after(at(moment))


@pytest.mark.parametrize(
    ("schedule", "reason"),
    [
        ("0 0 0 * * 7", "weekday 7 is not between 0 and 6"),
        ("60 0 0 * * *", "second 60"),
        ("0 0 0 0 * *", "day 0"),
        ("0 0 0 * foo *", "month 'foo' is not known"),
        ("0 0 0 ? * *", "cannot be read"),
        ("0 0 0 L * *", "day 'L' is not known"),
        ("0 0 0 30 2 *", "never fires"),
        ("* * * *", "six fields"),
        ("1 2 3 4 5 6 7", "six fields"),
        ("00:00:00", "longer than nothing"),
        ("", "six fields"),
    ],
)
def test_schedule_is_refused(schedule: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Schedule(schedule)


moments = st.integers(0, 8 * 366 * 86400).map(lambda seconds: at("2024-01-01") + timedelta(seconds=seconds))


@given(moments, st.integers(0, 59), st.integers(0, 59), st.integers(0, 23), st.integers(0, 6))
def test_next_occurrence_matches_all_fields_and_is_the_first(
    moment: datetime, second: int, minute: int, hour: int, weekday: int
) -> None:
    found = Schedule(f"{second} {minute} {hour} * * {weekday}").next_after(moment)
    assert (second, minute, hour, weekday) == (found.second, found.minute, found.hour, found.isoweekday() % 7)
    assert timedelta() < found - moment <= timedelta(days=7)


@given(moments)
def test_another_zone_gives_the_same_moment(moment: datetime) -> None:
    from zoneinfo import ZoneInfo

    schedule = Schedule("0 15 */3 * * *")
    assert schedule.next_after(moment) == schedule.next_after(moment.astimezone(ZoneInfo("America/New_York")))


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [("*/30 * * * * *", True), ("0 * * * * *", False), ("0,30 0 * * * *", True), ("00:00:59", True)],
)
def test_schedules_denser_than_a_minute_are_known(schedule: str, expected: bool) -> None:
    assert expected is Schedule(schedule).is_denser_than_a_minute(at("2026-03-01 10:00:00"))
