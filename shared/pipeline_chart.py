"""The relationship pipeline: open opportunities as bubbles, from the lists' own rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, date, datetime

import numpy as np

from shared import list_store, organisation
from shared.kpi.health import State
from shared.kpi.pipeline import Bubble, OpenRecord, bubbles
from shared.kpi.windows import local_date
from shared.list_rows import ListRow
from shared.list_shapes import BubbleRow, Lane, ListQuery, Pipeline, PipelineQuery
from shared.lists import chosen
from shared.moments import instant

_DAY = 86_400


def pipeline(query: PipelineQuery, now: int) -> Pipeline:
    """The chart as of `now`: every open opportunity is counted, those of the largest revenue are drawn."""
    zone = organisation.in_force().reporting_time_zone
    found = chosen(list_store.read("opportunity"), ListQuery(owner=query.owner))
    # The largest come first, so their radii are those of a chart of all.
    largest = np.lexsort((found.figures["revision"], -np.nan_to_num(found.figure("amount"), nan=-1.0)))
    rows = found.rows(largest.tolist())
    drawn = bubbles([_open_record(number, row, zone) for number, row in enumerate(rows)], now, zone)
    shown = drawn[: query.limit]
    return Pipeline(
        time_zone=zone,
        as_of=instant(now),
        total=len(found),
        shown=len(shown),
        lanes=_lanes(drawn),
        bubbles=[_bubble(rows[bubble.key], bubble) for bubble in shown],
    )


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


def _lanes(drawn: list[Bubble]) -> list[Lane]:
    number: Counter[tuple[str, str, str]] = Counter()
    revenue: dict[tuple[str, str, str], float] = defaultdict(float)
    for bubble in drawn:
        place = str(bubble.column), str(bubble.row), str(bubble.grade)
        number[place] += 1
        revenue[place] += bubble.revenue or 0.0
    return [
        Lane(column=place[0], row=place[1], grade=place[2], count=number[place], revenue=round(revenue[place], 2))
        for place in sorted(number)
    ]


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
