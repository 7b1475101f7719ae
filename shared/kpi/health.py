"""Relationship health: a score of named contributions, its grade, and the evidence behind each part (kpis 8)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from shared.kpi.breadth import names
from shared.kpi.contributions import NAMES, Contributions, contributions, has_breadth
from shared.kpi.influence import Influence, influences
from shared.kpi.interactions import Bools, History
from shared.kpi.parameters import DAY, Parameters
from shared.kpi.rhythm import Rhythm, rhythm_of
from shared.kpi.rounding import rounded
from shared.kpi.tenths import tenths

FEWEST_INTERACTIONS = 3
FEWEST_DAYS = 14
TWO_YEARS_DAYS = 730


class State(IntEnum):
    """State of the score, with the choice values of Dynamics 365. Only the first three carry a score."""

    GOOD = 0
    FAIR = 1
    POOR = 2
    NOT_ENOUGH = 3
    NO_CLOSED_ACTIVITIES = 4
    IN_PROGRESS = 5  # never computed yet: set by whoever keeps the snapshot
    FAILED = 6  # the computation failed: likewise
    OLDER_THAN_TWO_YEARS = 7


class Grade(StrEnum):
    """What a person reads first."""

    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"
    INSUFFICIENT = "insufficient"


@dataclass(frozen=True)
class Contribution:
    """One part of the score: `score` of at most `points`, `value` = their quotient before rounding (0 to 1)."""

    name: str
    points: float
    value: float
    score: float


@dataclass(frozen=True)
class Evidence:
    """What the contributions were made of.

    Periods are `frequency_days` long; of the last `periods` (N), contact met `periods_met`, signs from them
    `periods_met_by_them`. `decayed` is S, `expected` is D. `signers` are the people behind breadth (empty where the record
    has none). `influences` are the up to five interactions without which the score would be lowest.
    """

    interactions: int
    signs_from_them: int
    frequency_days: int
    periods: int
    periods_met: int
    periods_met_by_them: int
    decayed: float
    expected: float
    signers: tuple[int, ...]
    influences: tuple[Influence, ...]


@dataclass(frozen=True)
class Health:
    """Health of one record at `as_of`. `score` and `score_int` are None, and `contributions` empty, when insufficient."""

    as_of: int
    state: State
    grade: Grade
    score: float | None  # 0 to 100, one decimal
    score_int: int | None  # the integer for the CRM and for the grade
    contributions: tuple[Contribution, ...]  # scores add up to `score` exactly
    evidence: Evidence
    rhythm: Rhythm
    frozen: bool  # the record is closed: everything is of its closing


def health(history: History, parameters: Parameters, as_of: int | None = None, created: int | None = None) -> Health:
    """Health at `as_of` (default: the history's own; never later), or at closing where the record is closed by then.

    `created` is needed by the two-year rule only. No interaction gives NO_CLOSED_ACTIVITIES, fewer than three or none older
    than 14 days NOT_ENOUGH; both have no score. An instant after the history's own raises ValueError.
    """
    wanted = history.as_of if as_of is None else as_of
    if wanted > history.as_of:
        raise ValueError("health of an instant after the history's own: include the interactions at that instant first")
    frozen = history.closed is not None and history.closed <= wanted
    instant = history.closed if frozen and history.closed is not None else wanted
    parts = contributions(history, parameters, instant)
    total, shown = tenths((parts.values[0] * parts.points).tolist())
    state = _state(parts, total, parameters, None if frozen else created)
    scored = state <= State.POOR
    return Health(
        instant,
        state,
        grade_of(state),
        total if scored else None,
        score_int(total) if scored else None,
        _contributions(parts, shown) if scored else (),
        _evidence(history, parameters, parts, instant),
        rhythm_of(parts.profile, parameters),
        frozen,
    )


def is_sufficient(parts: Contributions) -> Bools:
    """Whether each instant has at least three interactions, the oldest at least 14 days old; shape (m,)."""
    enough: Bools = (parts.profile.count >= FEWEST_INTERACTIONS) & (parts.profile.oldest_day >= FEWEST_DAYS)
    return enough


def score_int(score: float) -> int:
    """`⌊score + 0.5⌋` of a score with one decimal.

    >>> score_int(59.5), score_int(59.4)
    (60, 59)
    """
    return (round(score * 10) + 5) // 10


def state_of_score(score: float, parameters: Parameters) -> State:
    """Good, Fair or Poor by the organisation's limits, which are applied to the whole number."""
    whole = score_int(score)
    if whole >= parameters.good_from:
        return State.GOOD
    return State.FAIR if whole >= parameters.fair_from else State.POOR


def grade_of(state: State) -> Grade:
    """The grade that goes with a state.

    >>> grade_of(State.FAIR), grade_of(State.NO_CLOSED_ACTIVITIES)
    (<Grade.FAIR: 'fair'>, <Grade.INSUFFICIENT: 'insufficient'>)
    """
    grades = (Grade.GOOD, Grade.FAIR, Grade.POOR)
    return grades[state] if state <= State.POOR else Grade.INSUFFICIENT


def is_older_than_two_years(created: int | None, as_of: int) -> bool:
    """Whether a record was created more than 730 days before `as_of`; an unknown creation is not."""
    return created is not None and as_of - created > TWO_YEARS_DAYS * DAY


def _state(parts: Contributions, total: float, parameters: Parameters, created: int | None) -> State:
    if parameters.two_year_rule and is_older_than_two_years(created, int(parts.profile.instants[0])):
        return State.OLDER_THAN_TWO_YEARS
    if parts.profile.count[0] == 0:
        return State.NO_CLOSED_ACTIVITIES
    if not is_sufficient(parts)[0]:
        return State.NOT_ENOUGH
    return state_of_score(total, parameters)


def _contributions(parts: Contributions, shown: tuple[float, ...]) -> tuple[Contribution, ...]:
    rows = zip(NAMES, parts.points.tolist(), parts.values[0].tolist(), shown, strict=False)
    return tuple(Contribution(name, points, rounded(value, 9), score) for name, points, value, score in rows)


def _evidence(history: History, parameters: Parameters, parts: Contributions, instant: int) -> Evidence:
    profile = parts.profile
    return Evidence(
        interactions=int(profile.count[0]),
        signs_from_them=int(profile.signs_per_day[0].sum()),
        frequency_days=parameters.frequency_days,
        periods=int(parts.periods[0]),
        periods_met=int(parts.met[0].sum()),
        periods_met_by_them=int(parts.met_by_them[0].sum()),
        decayed=rounded(float(profile.decayed[0]), 2),
        expected=rounded(float(parts.expected[0]), 2),
        signers=names(history, parameters, instant) if has_breadth(history) else (),
        influences=influences(history, parameters, parts),
    )
