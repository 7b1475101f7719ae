"""The pipeline chart and the preview of grade limits: open records as bubbles, and how many would fall into each grade."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from shared.kpi.health import Grade, State, grade_of, state_of_score
from shared.kpi.parameters import Parameters
from shared.kpi.windows import local_date

SMALLEST = 0.1  # radius of the smallest bubble, as a part of the largest


class Column(StrEnum):
    """Where a bubble stands from left to right."""

    OVERDUE = "overdue"  # a lane left of 0
    DATED = "dated"  # at its days to close
    UNDATED = "undated"  # a lane at the right


class Row(StrEnum):
    """Where a bubble stands from bottom to top."""

    SCORED = "scored"  # at its score
    UNKNOWN = "unknown"  # a lane below the axis: nothing can be said, which is not a score of 0
    COMPUTING = "computing"  # the same lane, with a sign that the figure is on its way


@dataclass(frozen=True)
class OpenRecord:
    """What the chart needs of an open record. `revenue` in the organisation's currency, None = no amount."""

    key: int
    name: str
    state: State
    score: float | None
    closes: date | None
    revenue: float | None


@dataclass(frozen=True)
class Bubble:
    """One record on the chart.

    `days` to close is 0 today and negative when overdue, None when undated; `radius` is `SMALLEST` to 1, its square goes with
    revenue; `hollow` says "no amount".
    """

    key: int
    name: str
    column: Column
    row: Row
    days: int | None
    score: float | None
    grade: Grade
    revenue: float | None
    radius: float
    hollow: bool


def days_to_close(closes: date, as_of: int, zone: str) -> int:
    """Local date of closing less local date of `as_of`.

    >>> days_to_close(date(2026, 3, 16), 1_773_576_000, "Europe/Berlin")  # asked on 15 March
    1
    """
    return (closes - local_date(as_of, zone)).days


def bubbles(records: Sequence[OpenRecord], as_of: int, zone: str) -> list[Bubble]:
    """A bubble for each record, in the same order; none for none. No record is ever left out."""
    largest = max((amount for record in records if (amount := _amount(record)) is not None), default=0.0)
    return [_bubble(record, as_of, zone, largest) for record in records]


def _bubble(record: OpenRecord, as_of: int, zone: str, largest: float) -> Bubble:
    days = None if record.closes is None else days_to_close(record.closes, as_of, zone)
    amount = _amount(record)
    share = amount / largest if amount and largest else 0.0
    return Bubble(
        key=record.key,
        name=record.name,
        column=Column.UNDATED if days is None else Column.OVERDUE if days < 0 else Column.DATED,
        row=_row(record),
        days=days,
        score=record.score,
        grade=grade_of(record.state),
        revenue=amount,
        radius=max(SMALLEST, math.sqrt(share)),
        hollow=amount is None,
    )


def _row(record: OpenRecord) -> Row:
    if record.state == State.IN_PROGRESS:
        return Row.COMPUTING
    return Row.UNKNOWN if record.score is None else Row.SCORED


def _amount(record: OpenRecord) -> float | None:
    """The revenue; what is no finite number is no amount, and less than nothing is nothing."""
    if record.revenue is None or not math.isfinite(record.revenue):
        return None
    return max(0.0, record.revenue)


@dataclass(frozen=True)
class Preview:
    """Share of the records in each grade in percent, and the positions of those whose grade would change."""

    shares: dict[Grade, float] | None  # None without a record
    changed: tuple[int, ...]


def grades(scores: Sequence[float | None], parameters: Parameters) -> list[Grade]:
    """The grade of each score by the limits of `parameters`; None is insufficient."""
    return [Grade.INSUFFICIENT if score is None else grade_of(state_of_score(score, parameters)) for score in scores]


def preview(before: Sequence[Grade], after: Sequence[Grade]) -> Preview:
    """What a change of limits, weights or frequency does to these records, given the grades of each before and after."""
    changed = tuple(i for i, (old, new) in enumerate(zip(before, after, strict=True)) if old != new)
    return Preview(shares(after), changed)


def shares(of_records: Sequence[Grade]) -> dict[Grade, float] | None:
    """Percent of the records in each grade, to 0.1, so that they add up to 100.0; None without a record.

    The tenths that cutting leaves over go to the largest remainders, in the order of the grades where equal.

    >>> (shares([Grade.GOOD] * 2 + [Grade.POOR]) or {})[Grade.GOOD]
    66.7
    """
    n = len(of_records)
    if not n:
        return None
    exact = {grade: 1000 * of_records.count(grade) for grade in Grade}
    tenths = {grade: value // n for grade, value in exact.items()}
    by_remainder = sorted(Grade, key=lambda grade: -(exact[grade] % n))
    for grade in by_remainder[: 1000 - sum(tenths.values())]:
        tenths[grade] += 1
    return {grade: value / 10 for grade, value in tenths.items()}
