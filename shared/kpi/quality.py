"""Does the score foretell that contact goes on? The tie-alive test, on anybody's mail (kpis 8.8).

At several dates every pair that is known by then is scored from its past; the truth is whether it writes again within the
horizon. Whatever can be fitted (frequency, half-life and points of our score, the half-life of the plain decayed sum) is
fitted on the earlier dates alone, whose truth was known before the first date that is reported.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.kpi.fitting import Sample, Scorer, described, fit, fit_pace, health_scorer
from shared.kpi.interactions import Floats, Indices
from shared.kpi.parameters import DAY, Parameters
from shared.kpi.ranking import area_under_roc, average_precision, brier, calibration_error, fit_logistic
from shared.kpi.rhythm import gap_days, silence_ratio
from shared.kpi.rounding import rounded
from shared.kpi.ties import Mails, Ties, ties_at

DECAY_HALF_LIVES = (7.0, 14.0, 30.0, 60.0, 90.0, 180.0)
MOST_DATES = 12
STEP_DAYS = 30
MARGIN_DAYS = 7
_WEEK = 7 * DAY
_BUSY_SHARE = 0.1


class TooShortError(ValueError):
    """The mail does not span enough time, or has too few pairs, for the test; nothing to retry."""


@dataclass(frozen=True)
class Result:
    """One score on the reported dates. AUC and average precision: higher is better; Brier and calibration: lower."""

    score: str
    auc: float
    average_precision: float
    brier: float
    calibration_error: float
    n: int
    fitted: dict[str, float]


@dataclass(frozen=True)
class Dates:
    """As-of instants to fit on, and later ones to report."""

    earlier: Indices
    reported: Indices

    @classmethod
    def of(cls, earlier: Indices, reported: Indices, horizon_days: int) -> Dates:
        """Distinct instants; of the earlier ones those whose horizon had passed at the first reported one."""
        known = np.unique(earlier)
        return cls(known[known + horizon_days * DAY <= reported.min()], np.unique(reported))

    @classmethod
    def halves(cls, instants: Indices, horizon_days: int) -> Dates:
        """The later half is reported."""
        ordered = np.unique(instants)
        half = len(ordered) // 2
        return cls.of(ordered[:half], ordered[half:], horizon_days)


def as_of_dates(mails: Mails, horizon_days: int) -> Dates:
    """As-of instants for mail of any length, in whole days after the start of its busy span.

    The last lies one horizon and a week before the end; the first at a third of the span, or one horizon before the last if
    that is earlier. Between them steps of 30 days, longer where that would be more than 12 dates. The later half is
    reported, and at least one horizon after the first date, so that there is something to fit on.

    The busy span runs from the first to the last week with at least a tenth of the mails of the median mail's week: a thin
    beginning or end does not count. Raises TooShortError when the first date would have less than 30 days of past.
    """
    start, end = _busy_span(mails)
    span = (end - start) // DAY
    last = span - horizon_days - MARGIN_DAYS
    first = min(span // 3, last - horizon_days)
    if first < STEP_DAYS:
        raise TooShortError(f"mail spans {span} days: too few for a horizon of {horizon_days} days")
    step = max(STEP_DAYS, -(-(last - first) // (MOST_DATES - 1)))
    days = np.append(np.arange(first, last - step // 2, step), last)
    from_day = max(int(days[len(days) // 2]), first + horizon_days)
    return Dates.of(start + days[days < from_day] * DAY, start + days[days >= from_day] * DAY, horizon_days)


def _busy_span(mails: Mails) -> tuple[int, int]:
    if not len(mails):
        raise TooShortError("no mail between two different people")
    start, end = int(mails.at[0]), int(mails.at[-1])
    week = (mails.at - start) // _WEEK
    per_week = np.bincount(week)
    busy = np.flatnonzero(per_week >= _BUSY_SHARE * np.median(per_week[week]))
    return start + int(busy[0]) * _WEEK, min(end, start + (int(busy[-1]) + 1) * _WEEK)


def evaluate(mails: Mails, horizon_days: int, dates: Dates | None = None) -> tuple[Result, ...]:
    """Our score and the baselines on the reported dates (default: by rule), ours first.

    Raises TooShortError when the earlier or the reported dates have no pair that goes on or none that ends.
    """
    chosen = as_of_dates(mails, horizon_days) if dates is None else dates
    known, tested = (
        Sample(tuple(ties_at(mails, int(instant), horizon_days) for instant in part))
        for part in (chosen.earlier, chosen.reported)
    )
    for part in (known, tested):
        if not part.ties or part.alive.all() or not part.alive.any():
            raise TooShortError("too few pairs of people: some dates have none that goes on, or none that ends")
    return tuple(_result(name, scorer, fitted, known, tested) for name, scorer, fitted in _scorers(known))


def _result(name: str, scorer: Scorer, fitted: dict[str, float], known: Sample, tested: Sample) -> Result:
    scores, alive = tested.scores(scorer), tested.alive
    chance = fit_logistic(known.scores(scorer), known.alive).probability(scores)
    return Result(
        name,
        rounded(area_under_roc(scores, alive), 4),
        rounded(average_precision(scores, alive), 4),
        rounded(brier(chance, alive), 4),
        rounded(calibration_error(chance, alive), 4),
        len(scores),
        fitted,
    )


def _scorers(known: Sample) -> list[tuple[str, Scorer, dict[str, float]]]:
    default = Parameters()
    paced = fit_pace(known, default)
    fitted = fit(known, default)
    half_life = max(DECAY_HALF_LIVES, key=lambda h: known.auc(lambda ties: ties.decayed(h)))
    return [
        ("rapport", health_scorer(fitted), described(fitted)),
        ("rapport_default_points", health_scorer(paced), described(paced)),
        ("rapport_default", health_scorer(default), described(default)),
        ("decay", lambda ties: ties.decayed(half_life), {"half_life_days": half_life}),
        ("decay60", lambda ties: ties.decayed(60.0), {}),
        ("active_days", lambda ties: ties.active_days.astype(np.float64), {}),
        ("recency", lambda ties: -ties.silence.astype(np.float64), {}),
        ("recency_and_number", _recency_and_number, {}),
        ("silence_by_gap", _silence_by_gap, {}),
    ]


def _recency_and_number(ties: Ties) -> Floats:
    """Half `exp(−age/30 d)`, half the mails of 90 days with 20 as enough: a common rule of thumb."""
    lately: Floats = np.bincount(ties.tie[ties.age < 90 * DAY], minlength=len(ties)).astype(np.float64)
    return 0.5 * np.exp(-ties.silence / (30 * DAY)) + 0.5 * np.minimum(1.0, lately / 20)


def _silence_by_gap(ties: Ties) -> Floats:
    gap = gap_days(ties.active_days, ties.youngest_day, ties.oldest_day, Parameters().frequency_days)
    return -silence_ratio(ties.silence, gap)
