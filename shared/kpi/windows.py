"""KPI window, local days and day buckets (kpis 4). Days are local dates of a zone: 23, 24 or 25 hours long."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from shared.kpi.interactions import History, Indices, Instants
from shared.kpi.parameters import Parameters

_EPOCH_DAY = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Window:
    """From `start` to `end`, both within: an interaction is in when start <= at <= end, a meeting also ended by `end`."""

    start: int
    end: int


def local_date(instant: int, zone: str) -> date:
    """The date that a calendar in `zone` shows at this instant."""
    return datetime.fromtimestamp(instant, UTC).astimezone(ZoneInfo(zone)).date()


def midnight(day: date, zone: str) -> int:
    """The first instant of a local date. Where the clock jumps over midnight, the instant of the jump."""
    return round(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp())


def kpi_window(as_of: int, parameters: Parameters) -> Window:
    """From 1 January of the previous calendar year, or of `window_days` local dates ending today, to `as_of`.

    >>> kpi_window(1773576000, Parameters(reporting_zone="Europe/Berlin"))  # 15 March 2026
    Window(start=1735686000, end=1773576000)
    """
    zone, today = parameters.reporting_zone, local_date(as_of, parameters.reporting_zone)
    if parameters.window_days is None:
        return Window(midnight(date(today.year - 1, 1, 1), zone), as_of)
    return Window(midnight(today - timedelta(days=parameters.window_days - 1), zone), as_of)


@lru_cache(maxsize=1024)
def _year_starts(year: int, zone: str) -> Instants:
    """First instants of all local dates of a year."""
    first = date(year, 1, 1)
    days = [first + timedelta(days=number) for number in range((date(year + 1, 1, 1) - first).days)]
    return np.array([midnight(day, zone) for day in days], dtype=np.int64)


def day_starts(first: date, number: int, zone: str) -> Instants:
    """First instants of `number` local dates from `first` on, and of the one after them: shape (number + 1,)."""
    after = first + timedelta(days=number)
    years = np.concatenate([_year_starts(year, zone) for year in range(first.year, after.year + 1)])
    offset = first.timetuple().tm_yday - 1
    return years[offset : offset + number + 1]


def local_days(instants: Instants, zone: str) -> Indices:
    """Local dates as days since 1970-01-01, shape as given; empty for none.

    >>> local_days(np.array([1774740600, 1774821599, 1774821600]), "Europe/Berlin").tolist()  # 29, 29, 30 March 2026
    [20541, 20541, 20542]
    """
    if not len(instants):
        return np.empty(0, dtype=np.int64)
    first, last = local_date(int(instants.min()), zone), local_date(int(instants.max()), zone)
    starts = day_starts(first, (last - first).days, zone)
    return np.searchsorted(starts, instants, side="right") - 1 + (first.toordinal() - _EPOCH_DAY)


def within(history: History, window: Window) -> History:
    """The part of a History that lies in the window; empty when nothing does. Mostly views, nothing is copied.

    A window that ends before the History's `as_of` leaves out meetings that went on at its end. A History never changes, so
    the part last asked for is kept on it: the figures of a record ask for the same window one after the other.
    """
    kept: tuple[Window, History] | None = history.__dict__.get("_within")
    if kept is None or kept[0] != window:
        kept = (window, _within(history, window))
        history.__dict__["_within"] = kept
    return kept[1]


def _within(history: History, window: Window) -> History:
    start, end = int(history.at.searchsorted(window.start)), int(history.at.searchsorted(window.end, side="right"))
    rows: slice | Indices = slice(start, end)
    if window.end < history.as_of:
        rows = start + np.flatnonzero(history.end[start:end] <= window.end)
    parts, index = _parts(history, rows)
    columns = {name: getattr(history, name)[rows] for name in _OF_INTERACTIONS}
    columns |= {name: getattr(history, name)[parts] for name in _OF_PARTICIPATIONS}
    return replace(history, **columns, part_index=index)


_OF_INTERACTIONS = (
    *("key", "at", "end", "kind", "direction", "reason"),
    *("flags", "minutes", "conversation", "from_them"),
)
_OF_PARTICIPATIONS = ("part_person", "part_role", "part_internal", "part_counts")


def _parts(history: History, rows: slice | Indices) -> tuple[slice | Indices, Indices]:
    """The participations of these interactions, and to which of them each belongs."""
    if isinstance(rows, slice):
        start, end = (int(history.part_index.searchsorted(row)) for row in (rows.start, rows.stop))
        index = history.part_index[start:end]
        return slice(start, end), index - rows.start if rows.start else index
    position = np.full(len(history), -1)
    position[rows] = np.arange(len(rows))
    index = position.take(history.part_index)
    parts = np.flatnonzero(index >= 0)
    return parts, index[parts]
