"""List views: what a row of "my open records by relationship" holds, and the orders in which rows can be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from shared.kpi.health import Grade, State, grade_of
from shared.kpi.rhythm import Alarm
from shared.kpi.trend import Trend


@dataclass(frozen=True)
class ListRow:
    """One open record in a list. Instants in seconds, hours as they are shown; None = cannot be said."""

    key: int
    name: str
    state: State
    score: float | None
    trend: Trend
    alarm: Alarm | None = None
    waiting_for_us: int = 0
    next_at: int | None = None
    last_at: int | None = None
    hours_ours: float | None = None
    hours_theirs: float | None = None
    updated_at: int | None = None


class Attention(IntEnum):
    """Why a record needs attention; the first that holds, the most pressing first."""

    PROBABLY_LOST = 0
    COOLING = 1
    POOR = 2
    DECLINING = 3
    WAITING_FOR_US = 4
    NONE = 5


def attention(row: ListRow) -> Attention:
    """The most pressing reason of a row."""
    tests = (
        (Attention.PROBABLY_LOST, row.alarm == Alarm.PROBABLY_LOST),
        (Attention.COOLING, row.alarm == Alarm.COOLING),
        (Attention.POOR, grade_of(row.state) == Grade.POOR),
        (Attention.DECLINING, row.trend == Trend.DECLINING),
        (Attention.WAITING_FOR_US, row.waiting_for_us > 0),
    )
    return next((reason for reason, holds in tests if holds), Attention.NONE)


def by_attention(rows: Iterable[ListRow]) -> list[ListRow]:
    """What needs attention first; for the same reason the newer contact first, then name, then key."""
    return sorted(rows, key=lambda row: (attention(row), *_tie(row)))


def by_column(rows: Iterable[ListRow], column: str, descending: bool = False) -> list[ListRow]:
    """Rows by a column of `COLUMNS`; a row that has no value stands last in both directions, so insufficient is never Poor.

    Equal values: newer contact, then name, then key. Raises `KeyError` for another column.
    """
    value = COLUMNS[column]
    keyed = [(value(row), row) for row in rows]
    known = sorted((pair for pair in keyed if pair[0] is not None), key=lambda pair: _tie(pair[1]))
    known.sort(key=lambda pair: pair[0], reverse=descending)  # stable: equal values keep the order of the ties
    return [row for _, row in known] + sorted((row for key, row in keyed if key is None), key=_tie)


Value = Callable[[ListRow], Any]  # a number or a text, alike within a column; None = no value

_TREND_ORDER = {Trend.DECLINING: 0.0, Trend.STEADY: 1.0, Trend.IMPROVING: 2.0}

COLUMNS: dict[str, Value] = {
    "name": lambda row: row.name.casefold(),
    "health": lambda row: row.score,
    "trend": lambda row: _TREND_ORDER.get(row.trend),
    "next": lambda row: row.next_at,
    "last": lambda row: row.last_at,
    "hours_ours": lambda row: row.hours_ours,
    "hours_theirs": lambda row: row.hours_theirs,
    "updated": lambda row: row.updated_at,
    "waiting_for_us": lambda row: row.waiting_for_us,
}


def _tie(row: ListRow) -> tuple[float, str, int]:
    return -row.last_at if row.last_at is not None else float("inf"), row.name.casefold(), row.key
