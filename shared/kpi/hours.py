"""Business hours: how much of a span of time fell into somebody's working hours, in their own zone (kpis 7.5).

A calendar becomes one table of working intervals in UTC with running sums. The working time of any number of spans is then
two searches in that table, whatever the spans' length; clock changes are in the table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from shared.kpi.interactions import Indices, Instants
from shared.kpi.parameters import DAY, OwnHours, Parameters, WorkingCalendar

_MINUTE = 60
_THURSDAY = 3  # 1970-01-01


def default_calendar(parameters: Parameters) -> WorkingCalendar:
    """The organisation's calendar; as long as nobody has set one, it is assumed, and in the reporting zone."""
    calendar = parameters.working_calendar
    return replace(calendar, zone=parameters.reporting_zone) if calendar.assumed else calendar


def calendar_of(own: OwnHours, parameters: Parameters) -> WorkingCalendar:
    """A person's calendar: what is known of it, field by field, the rest from the default one, which makes it assumed.

    >>> berlin = Parameters(reporting_zone="Europe/Berlin")
    >>> calendar_of(OwnHours(week=(((540, 1020),),) * 7), berlin).zone
    'Europe/Berlin'
    """
    default = default_calendar(parameters)
    return WorkingCalendar(
        zone=default.zone if own.zone is None else own.zone,
        week=default.week if own.week is None else own.week,
        days_off=default.days_off | own.days_off,
        assumed=own.zone is None or own.week is None,
    )


def working_seconds(calendar: WorkingCalendar, start: Instants, end: Instants) -> Indices:
    """Seconds of each span `[start, end)` that lie in working hours; shape (n,), 0 where `end` is not after `start`.

    The calendar's intervals of one weekday must not overlap. No spans give an empty array.

    >>> afternoon = np.array([1_772_467_200])  # Monday 2026-03-02 16:00 UTC; work is until 17:00, and from 08:00 on
    >>> working_seconds(WorkingCalendar(), afternoon, afternoon + 17 * 3600).tolist()
    [7200]
    """
    if not len(start):
        return np.zeros(0, dtype=np.int64)
    years = (
        np.array([start.min() - DAY, end.max() + DAY], dtype="datetime64[s]").astype("datetime64[Y]").astype(int) + 1970
    )
    table = _table(calendar, int(years[0]), int(years[1]))
    worked: Indices = np.maximum(table.worked_until(end) - table.worked_until(start), 0)
    return worked


@dataclass(frozen=True)
class _Table:
    """Working intervals in UTC, ascending, with the working time before each."""

    start: Instants
    length: Indices
    before: Indices

    def worked_until(self, instants: Instants) -> Indices:
        if not len(self.start):
            return np.zeros(len(instants), dtype=np.int64)
        i = np.maximum(np.searchsorted(self.start, instants, side="right") - 1, 0)
        worked: Indices = self.before[i] + np.clip(instants - self.start[i], 0, self.length[i])
        return worked


@lru_cache(maxsize=512)
def _table(calendar: WorkingCalendar, first_year: int, last_year: int) -> _Table:
    """All working intervals of whole local years, one more day on either side for zones far from UTC."""
    days = np.arange(_day(first_year) - 1, _day(last_year + 1) + 1)
    off = np.array(sorted(calendar.days_off), dtype="datetime64[D]").astype(np.int64)
    days = days[~np.isin(days, off)]
    weekday = (days + _THURSDAY) % 7
    local = [
        days[weekday == number][:, None] * DAY + np.array(intervals, dtype=np.int64).reshape(-1, 2).ravel() * _MINUTE
        for number, intervals in enumerate(calendar.week)
    ]
    pairs = np.concatenate([part.reshape(-1, 2) for part in local])
    bounds = _to_utc(pairs[np.argsort(pairs[:, 0])], calendar.zone, first_year - 1, last_year + 1)
    length = np.maximum(bounds[:, 1] - bounds[:, 0], 0)
    return _Table(bounds[:, 0], length, np.cumsum(length) - length)


def _day(year: int) -> int:
    return int(np.datetime64(f"{year:04d}-01-01", "D").astype(np.int64))


def _to_utc(local: Indices, zone: str, first_year: int, last_year: int) -> Instants:
    """Local clock readings as instants. A reading that a clock change skips or repeats is taken by the clock before it."""
    changes = [change for year in range(first_year, last_year + 1) for change in _clock_changes(zone, year)]
    at = np.array([instant for instant, _ in changes], dtype=np.int64)
    offset = np.array([_offset(zone, _day(first_year) * DAY), *(after for _, after in changes)], dtype=np.int64)
    turns = at + np.maximum(offset[:-1], offset[1:])
    return local - offset[np.searchsorted(turns, local, side="right")]


@lru_cache(maxsize=512)
def _clock_changes(zone: str, year: int) -> tuple[tuple[int, int], ...]:
    """The instants within a UTC year at which the zone's offset changes, with the offset from then on, in seconds."""
    days = [day * DAY for day in range(_day(year), _day(year + 1) + 1)]
    offsets = [_offset(zone, instant) for instant in days]
    changed = [i for i in range(1, len(days)) if offsets[i] != offsets[i - 1]]
    return tuple((_first_with(zone, days[i - 1], days[i], offsets[i]), offsets[i]) for i in changed)


def _first_with(zone: str, before: int, after: int, offset: int) -> int:
    """The first instant in `(before, after]` with this offset, found by halving."""
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (before, middle) if _offset(zone, middle) == offset else (middle, after)
    return after


def _offset(zone: str, instant: int) -> int:
    offset = datetime.fromtimestamp(instant, UTC).astimezone(ZoneInfo(zone)).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())
