"""How fast and how often each side answers the other, and which mails wait for us (kpis 7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from shared.kpi.hours import default_calendar, working_seconds
from shared.kpi.interactions import Bools, Direction, History, Indices, Instants, Keys
from shared.kpi.parameters import DAY, HOUR, Parameters, WorkingCalendar
from shared.kpi.rounding import rounded
from shared.kpi.turns import LONGEST_LATENCY, AskedTurns, asked_turns
from shared.kpi.windows import Window

LOW_SAMPLE = 5
ANSWERABLE_AFTER = 14 * DAY  # an open turn counts against the rate from then on


@dataclass(frozen=True)
class Spread:
    """Mean, median and 90th percentile (nearest rank) of latencies, in hours with two decimals; lower is faster."""

    mean: float
    median: float
    p90: float


@dataclass(frozen=True)
class SideResponse:
    """One side's answers to the other's asked turns of the window.

    `hours` and `business_hours` are None when nothing was answered (`n` = 0), `rate` (0 to 1) when nothing was answerable.
    `low_sample`: fewer than 5 answers. `assumed_hours`: some answer was measured by the default calendar.
    """

    n: int
    hours: Spread | None
    business_hours: Spread | None
    low_sample: bool
    assumed_hours: bool
    answerable: int
    rate: float | None


@dataclass(frozen=True)
class Waiting:
    """Their asked turns of the last 30 days without an answer. With none, the oldest is None."""

    count: int
    oldest_at: int | None
    oldest_key: bytes | None
    oldest_business_hours: float | None  # since it was asked, by the record owner's calendar
    assumed_hours: bool


@dataclass(frozen=True)
class Response:
    """Response figures of both sides. `by_us.n` is also the number of our replies, `by_them.n` of theirs."""

    by_us: SideResponse
    by_them: SideResponse
    waiting_for_us: Waiting


def response(
    history: History,
    parameters: Parameters,
    window: Window,
    calendars: Mapping[int, WorkingCalendar] | None = None,
    owner: int = 0,
) -> Response:
    """Response of both sides in the window, and what waits for us (window or not).

    `calendars` gives people's own working hours by person key; everybody else has the default one, which is flagged.
    `owner` is the record owner's person key. No mail gives n = 0, None and an empty waiting list.
    """
    own = calendars or {}
    turns = asked_turns(history)
    known = turns.select((turns.asked_at >= window.start) & (turns.asked_at <= window.end))
    return Response(
        _side(known.select(known.by == Direction.IN), history.as_of, parameters, own),
        _side(known.select(known.by == Direction.OUT), history.as_of, parameters, own),
        _waiting(turns, history.as_of, parameters, own, owner),
    )


def _side(
    turns: AskedTurns, as_of: int, parameters: Parameters, calendars: Mapping[int, WorkingCalendar]
) -> SideResponse:
    answers = turns.select(turns.answered)
    n = len(answers)
    answerable, rate = answer_rate(turns, as_of)
    business, assumed = business_seconds(answers.asked_at, answers.answered_at, answers.answerer, parameters, calendars)
    return SideResponse(
        n,
        spread(answers.answered_at - answers.asked_at),
        spread(business),
        n < LOW_SAMPLE,
        bool(assumed.any()),
        answerable,
        rate,
    )


def answer_rate(turns: AskedTurns, as_of: int) -> tuple[int, float | None]:
    """How many asked turns are answerable (answered, or open for 14 days or more), and the share answered; None of none."""
    answerable = int((turns.answered | (as_of - turns.asked_at >= ANSWERABLE_AFTER)).sum())
    return answerable, rounded(int(turns.answered.sum()) / answerable, 4) if answerable else None


def spread(seconds: Indices) -> Spread | None:
    """Mean, median and p90 of latencies in seconds, as hours; None of no latencies.

    >>> spread(np.array([1, 2, 3, 4, 100]) * HOUR)
    Spread(mean=22.0, median=3.0, p90=100.0)
    """
    n = len(seconds)
    if n == 0:
        return None
    ordered = np.sort(seconds)
    median = (int(ordered[(n - 1) // 2]) + int(ordered[n // 2])) / 2
    rank = (9 * n + 9) // 10  # the nearest rank, ⌈0.9·n⌉, without floating point
    return Spread(*(rounded(x / HOUR, 2) for x in (int(ordered.sum()) / n, median, int(ordered[rank - 1]))))


def business_seconds(
    start: Instants, end: Instants, person: Keys, parameters: Parameters, calendars: Mapping[int, WorkingCalendar]
) -> tuple[Indices, Bools]:
    """Working seconds of each span by its person's calendar, and whether the default one had to be assumed; both (n,)."""
    default = default_calendar(parameters)
    seconds, assumed = np.zeros(len(start), dtype=np.int64), np.zeros(len(start), dtype=bool)
    own = np.array(sorted(calendars), dtype=np.uint64)
    which = np.where(np.isin(person, own), person, np.uint64(0))
    for key in np.unique(which):
        rows = which == key
        calendar = calendars.get(int(key), default)
        seconds[rows] = working_seconds(calendar, start[rows], end[rows])
        assumed[rows] = calendar.assumed
    return seconds, assumed


def _waiting(
    turns: AskedTurns, as_of: int, parameters: Parameters, calendars: Mapping[int, WorkingCalendar], owner: int
) -> Waiting:
    calendar = calendars.get(owner, default_calendar(parameters))
    waits = (turns.by == Direction.IN) & ~turns.answered & (as_of - turns.asked_at <= LONGEST_LATENCY)
    rows = np.flatnonzero(waits)
    if not len(rows):
        return Waiting(0, None, None, None, calendar.assumed)
    oldest = rows[np.lexsort((turns.key[rows], turns.asked_at[rows]))[0]]
    asked_at = int(turns.asked_at[oldest])
    worked = working_seconds(calendar, np.array([asked_at]), np.array([as_of]))
    return Waiting(len(rows), asked_at, bytes(turns.key[oldest]), rounded(int(worked[0]) / HOUR, 2), calendar.assumed)
