"""The relationship pipeline: open opportunities as bubbles, from the lists' own rows."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np

from shared import list_rights, list_store, organisation
from shared.auth import Caller
from shared.kpi.health import Grade, State
from shared.kpi.interactions import Indices
from shared.kpi.pipeline import Bubble, Column, OpenRecord, Row, bubbles
from shared.kpi.windows import local_date, local_days
from shared.list_packs import Pack
from shared.list_rows import ListRow
from shared.list_shapes import BubbleRow, Lane, ListQuery, Pipeline, PipelineQuery
from shared.lists import chosen
from shared.moments import instant

_DAY = 86_400


def pipeline(query: PipelineQuery, now: int, who: Caller) -> Pipeline:
    """The chart as of `now`, as this caller may see it: every open opportunity is counted that may be read, those of the largest
    revenue are drawn. Raises ForbiddenError for `me` without a person."""
    zone = organisation.in_force().reporting_time_zone
    owner, withheld = list_rights.owner_for(who, query.owner)
    every = chosen(list_store.read("opportunity"), ListQuery(owner=owner))
    found, unchecked = list_rights.readable_part(who, "opportunity", every)
    # The largest come first, so their radii are those of a chart of all.
    amount = np.nan_to_num(found.figure("amount"), nan=-1.0)
    largest = found.take(np.argsort(-amount, kind="stable")[: query.limit])
    if unchecked:
        largest = list_rights.readable(who, "opportunity", largest)
    rows = largest.rows(range(len(largest)))
    drawn = bubbles([_open_record(number, row, zone) for number, row in enumerate(rows)], now, zone)
    reason = withheld or unchecked
    return Pipeline(
        time_zone=zone,
        as_of=instant(now),
        total=None if unchecked else len(found),
        shown=len(drawn),
        lanes=None if reason else lanes(found, now, zone),
        reason=reason,
        bubbles=[_bubble(rows[bubble.key], bubble) for bubble in drawn],
    )


def lanes(found: Pack, now: int, zone: str) -> list[Lane]:
    """Number and revenue of all rows by their place on the chart and their grade: the same places that `bubbles` gives."""
    columns, heights, grades = list(Column), list(Row), list(Grade)
    state = found.figures["state"]
    dated = np.where(_days_to_close(found, now, zone) < 0, columns.index(Column.OVERDUE), columns.index(Column.DATED))
    column = np.where(np.isnan(found.figure("closes_at")), columns.index(Column.UNDATED), dated)
    unknown = np.where(np.isnan(found.figure("score")), heights.index(Row.UNKNOWN), heights.index(Row.SCORED))
    height = np.where(state == State.IN_PROGRESS, heights.index(Row.COMPUTING), unknown)
    code = (column * len(heights) + height) * len(grades) + np.minimum(state, len(grades) - 1)
    number = np.bincount(code)
    revenue = np.bincount(code, np.maximum(np.nan_to_num(found.figure("amount")), 0.0))
    return [
        Lane(
            column=str(columns[place // len(grades) // len(heights)]),
            row=str(heights[place // len(grades) % len(heights)]),
            grade=str(grades[place % len(grades)]),
            count=int(number[place]),
            revenue=round(float(revenue[place]), 2),
        )
        for place in np.flatnonzero(number).tolist()
    ]


def _days_to_close(found: Pack, now: int, zone: str) -> Indices:
    """Local date of closing less today's; anything where there is none."""
    closes = np.nan_to_num(found.figure("closes_at")).astype(np.int64)
    dates = np.where(closes % _DAY == 0, closes // _DAY, local_days(closes, zone))
    return dates - local_days(np.array([now]), zone)


def closing_date(closes_at: int | None, zone: str) -> date | None:
    """The date of closing. CRMs keep a date without time as midnight UTC, which is that date in every zone.

    >>> closing_date(0, "America/New_York")
    datetime.date(1970, 1, 1)
    """
    if closes_at is None:
        return None
    return datetime.fromtimestamp(closes_at, UTC).date() if closes_at % _DAY == 0 else local_date(closes_at, zone)


def _open_record(number: int, row: ListRow, zone: str) -> OpenRecord:
    return OpenRecord(number, row.name, State(row.state), row.score, closing_date(row.closes_at, zone), row.amount)


def _bubble(row: ListRow, bubble: Bubble) -> BubbleRow:
    return BubbleRow(
        record=f"opportunity:{row.id}",
        name=row.name,
        owner=row.owner,
        column=str(bubble.column),
        row=str(bubble.row),
        days=bubble.days,
        score=bubble.score,
        grade=str(bubble.grade),
        revenue=bubble.revenue,
        radius=round(bubble.radius, 4),
        hollow=bubble.hollow,
    )
