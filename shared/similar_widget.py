"""The widget of similar won deals, from what was found for a deal; and the figures by which deals are compared in it. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from msgspec import structs

from shared import widgets as w
from shared.insight_widgets import email_engagement
from shared.kpi.counts import count
from shared.kpi.interactions import Direction
from shared.kpi.response import answer_rate, spread
from shared.kpi.rounding import rounded
from shared.kpi.similar import LEAST_DEALS, LISTED, Average, mean_and_median
from shared.kpi.summary import Subjects
from shared.kpi.time_spent import hours
from shared.kpi.turns import asked_turns
from shared.kpi.windows import Window, within
from shared.moments import instant
from shared.similar_results import DAY, SimilarResult

if TYPE_CHECKING:
    from shared.snapshots import Computation

_FIGURES = tuple(field.name for field in structs.fields(w.DealFigures))
_DIGITS = {"response_rate": 4, "open_rate": 4}


def deal_figures(found: Computation, at: int | None = None) -> w.DealFigures:
    """The figures of a deal from its first interaction on, whatever the KPI window, to an instant up to that of `found`.

    No interaction gives zeros, and nulls for responses. Hours of response are the median of our side's.
    """
    found = _up_to(found, found.history.as_of if at is None else at)
    history = found.history
    counts, spent = count(history, found.window), hours(history, found.window, found.parameters)
    turns = asked_turns(history)
    theirs = turns.select(turns.by == Direction.IN)
    latency = spread((theirs.answered_at - theirs.asked_at)[theirs.answered])
    return w.DealFigures(
        activities=counts.ours + counts.theirs,
        emails=counts.emails_sent + counts.emails_received,
        meetings=counts.meetings_sent + counts.meetings_received,
        calls=counts.calls_made + counts.calls_received,
        meetings_initiated=counts.meetings_sent,
        our_hours=spent.ours,
        their_hours=spent.theirs,
        response_hours=latency.median if latency else None,
        response_rate=answer_rate(theirs, history.as_of)[1],
        open_rate=email_engagement(found).open_rate if len(found.entries.engagement_index) else None,
    )


def _up_to(found: Computation, at: int) -> Computation:
    """The computation as it would be at an earlier instant, for what `deal_figures` reads of it.

    What counts does not depend on the instant, but for what had not happened or was still going on. So a deal is included once,
    and its figures at any age follow from that; a test compares with including it anew.
    """
    window = Window(0, at)
    history = within(found.history, window)
    return replace(found, window=window, history=replace(history, as_of=at))


def similar_widget(found: Computation) -> w.SimilarWonOpportunities | None:
    """The widget of an opportunity, from the result that stands beside its computation; None for other records."""
    if found.subject.roster.type != "opportunity":
        return None
    result = found.similar
    return w.SimilarWonOpportunities(
        n=result.n if result else 0,
        too_few=result is not None and result.n < LEAST_DEALS,
        reason=None if result else "notFoundYet",
        averaged=len(result.deals) if result and result.n >= LEAST_DEALS else 0,
        deals=list(result.deals[:LISTED]) if result else [],
        this_deal=deal_figures(found),
        equal_age=_shown(_averages(result, "equal_age")),
        whole_life=_shown(_averages(result, "whole_life")),
        age_days=rounded(result.age / DAY, 1) if result and result.age is not None else None,
        found_at=instant(result.found_at) if result else None,
        weights=result.weights if result else {},
        averaged_deals=[deal.record for deal in result.deals] if result and result.n >= LEAST_DEALS else [],
        weights_version=result.weights_version if result else None,
    )


def similar_subjects(result: SimilarResult | None) -> tuple[Subjects | None, int]:
    """The means at equal age that sentences compare with, and the number of similar deals; (None, n) where they are too few."""
    averages = _averages(result, "equal_age")
    if result is None or averages is None:
        return None, result.n if result else 0
    means = {name: average.mean if average else None for name, average in averages.items()}
    return Subjects(
        meetings=means["meetings_initiated"],
        hours=means["our_hours"],
        open_rate=means["open_rate"],
        response_hours=means["response_hours"],
        response_rate=means["response_rate"],
    ), result.n


def _averages(result: SimilarResult | None, column: str) -> dict[str, Average | None] | None:
    """Mean and median of every figure over the nearest deals, at equal age or of the whole life; None of too few deals."""
    if result is None or result.n < LEAST_DEALS:
        return None
    figures = [row for deal in result.deals if (row := getattr(deal, column)) is not None]
    return {
        name: mean_and_median(np.array([getattr(row, name) for row in figures], dtype=np.float64)) for name in _FIGURES
    }


def _shown(averages: dict[str, Average | None] | None) -> w.DealAverages | None:
    if averages is None:
        return None
    return w.DealAverages(**{name: _rounded(name, average) for name, average in averages.items()})


def _rounded(name: str, average: Average | None) -> w.FigureAverage | None:
    digits = _DIGITS.get(name, 2)
    if average is None:
        return None
    return w.FigureAverage(n=average.n, mean=rounded(average.mean, digits), median=rounded(average.median, digits))
