"""Hide the last 90 days, rank the colleagues from what came before, and see who really was in contact.

For every external person and date, a ranking reads the encounters up to 90 days before the date; right is a colleague with a
direct encounter in the hidden 90 days. A case needs somebody to rank and somebody to find, else it is left out for every
ranking alike. All rankings read the same counted encounters, so mass mail helps none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from shared.kpi.encounters import Encounters, encounters
from shared.kpi.interactions import Floats, Interactions, Keys, Membership, RecordType
from shared.kpi.parameters import DAY, Parameters
from shared.kpi.strength import raw_strengths

HIDDEN = 90 * DAY
LEAST_HISTORY = 30 * DAY  # before what the first fitting date hides
DATES = 6  # in each half

# The first is kept where the fit cannot tell: the best, over 50 splits into colleagues and others each, of those that beat
# counts, recency and decay at once on the Enron and on the Radoslaw mail. Steady contact foretells contact better than busy
# weeks do, long silence ends it, and how many people a mail went to hardly matters.
_FIRST = Parameters(
    strength_window_days=760,
    strength_one_way=0.625,
    strength_damping=0.0,
    strength_half_life_days=90.0,
    strength_regularity=0.5,
    strength_silence_half_life_days=75.0,
)
GRID = [
    _FIRST,
    replace(_FIRST, strength_damping=0.5),
    replace(_FIRST, strength_damping=1.0),
    replace(_FIRST, strength_silence_half_life_days=None),
    *(
        replace(
            _FIRST, strength_regularity=r, strength_silence_half_life_days=silence, strength_half_life_days=half_life
        )
        for r, silence, half_life in product((0.5, 0.75, 1.0), (30.0, 50.0, 75.0, 120.0), (90.0, 180.0))
        if (r, silence, half_life) != (0.5, 75.0, 90.0)
    ),
]
STANDARD_ERRORS = 2.0

Ranking = Callable[[Encounters, int], tuple[Keys, Floats]]  # (encounters of pairs, instant) -> pairs and their values


@dataclass(frozen=True)
class Pairs:
    """Every encounter of ours with theirs. `met.colleague` is the pair: external position x `colleagues` + colleague's."""

    met: Encounters
    colleagues: int
    externals: int


@dataclass(frozen=True)
class Case:
    """Where the right colleagues stood in the ranking of one external person at one date."""

    hit_at_1: bool
    hit_at_5: bool
    reciprocal_rank: float


def pairs_of(interactions: Interactions, colleagues: Iterable[int]) -> Pairs:
    """The encounters between `colleagues` (keys) and everyone else, read once for all dates."""
    internal = np.array(sorted(colleagues), np.uint64)
    external = np.setdiff1d(interactions.part_person, internal)
    none = np.zeros(0, np.uint64)
    everyone = Membership(RecordType.ACCOUNT, 0, none, none, none, internal, none, external)
    as_of = int(interactions.at.max(initial=0))
    met = encounters(interactions, everyone, as_of, Parameters())
    pair = np.searchsorted(external, met.person) * len(internal) + np.searchsorted(internal, met.colleague)
    return Pairs(replace(met, colleague=pair.astype(np.uint64)), len(internal), len(external))


def dates_of(met: Encounters) -> tuple[list[int], list[int]]:
    """Dates to fit on and to test on: what a fitting date reads or hides lies in the earlier half of the log, what a test
    date hides in the later half.

    The log runs from the 0.5th to the 99.5th percentile of its encounters, so that a few stray mails do not stretch it.
    Raises `ValueError` when the log is shorter than 240 days.
    """
    start, end = (int(instant) for instant in np.quantile(met.at, [0.005, 0.995])) if len(met) else (0, 0)
    middle = (start + end) // 2
    if start + LEAST_HISTORY + HIDDEN > middle:
        raise ValueError("an evaluation needs 240 days of mail between colleagues and external people")
    fit = np.linspace(start + LEAST_HISTORY + HIDDEN, middle, DATES)
    test = np.linspace(middle + HIDDEN, end, DATES)
    return [int(date) for date in fit], [int(date) for date in test]


def by_strength(parameters: Parameters) -> Ranking:
    """Our ranking with these parameters."""
    return lambda met, instant: raw_strengths(met, instant, parameters)


def by_count(met: Encounters, instant: int) -> tuple[Keys, Floats]:
    """The number of mails."""
    return by_decay(met, instant, np.inf)


def by_recency(met: Encounters, instant: int) -> tuple[Keys, Floats]:
    """The newest mail."""
    met = met.select(met.at <= instant)
    pairs, code = np.unique(met.colleague, return_inverse=True)
    newest = np.zeros(len(pairs))
    np.maximum.at(newest, code, met.at)
    return pairs, newest


def by_decay(met: Encounters, instant: int, half_life_days: float = 60.0) -> tuple[Keys, Floats]:
    """Mails, each worth half after 60 days."""
    met = met.select(met.at <= instant)
    pairs, code = np.unique(met.colleague, return_inverse=True)
    return pairs, np.bincount(code, 0.5 ** ((instant - met.at) / (DAY * half_life_days)), len(pairs))


def cases(pairs: Pairs, ranking: Ranking, date: int) -> dict[int, Case]:
    """One case per external position that has one. Equal values: the smaller key first."""
    cut = date - HIDDEN
    past = pairs.met.at <= cut
    hidden = (pairs.met.at > cut) & (pairs.met.at <= date)
    known = np.unique(pairs.met.colleague[past]).astype(np.int64) // pairs.colleagues
    right = np.unique(pairs.met.colleague[hidden])
    ranked, value = ranking(pairs.met.select(past), cut)
    external = ranked.astype(np.int64) // pairs.colleagues
    order = np.lexsort((ranked, -value, external))
    ranked, external = ranked[order], external[order]
    place = np.arange(len(ranked)) - np.searchsorted(external, external)
    found = np.isin(ranked, right)
    best = np.full(pairs.externals, np.inf)
    np.minimum.at(best, external[found], place[found])
    asked = np.intersect1d(known, right.astype(np.int64) // pairs.colleagues)
    stood = zip(asked.tolist(), best[asked].tolist(), strict=True)
    return {each: Case(first < 1, first < 5, 1 / (1 + first)) for each, first in stood}


def fit(pairs: Pairs, dates: Sequence[int]) -> Parameters:
    """The parameters of `GRID` for these dates, by mean reciprocal rank, in favour of the first.

    The first is kept unless another is better by more than two standard errors of the difference, taken over external
    people, because the dates of one person are not independent; of several the one with the largest gain above that.
    (Breiman et al., Classification and Regression Trees, 1984, 3.4.3, keep the simplest tree within one for the same reason:
    the best of many is mostly luck.)
    """
    ranks = np.array([_mean_ranks(pairs, by_strength(parameters), dates) for parameters in GRID])
    ranks = ranks[:, ~np.isnan(ranks[0])]
    if ranks.shape[1] < 2:
        return GRID[0]
    gain = ranks - ranks[0]
    error = gain.std(axis=1, ddof=1) / np.sqrt(ranks.shape[1])
    certain = gain.mean(axis=1) - STANDARD_ERRORS * error  # of the first: 0
    return GRID[int(np.argmax(certain))]


def _mean_ranks(pairs: Pairs, ranking: Ranking, dates: Sequence[int]) -> Floats:
    """Per external position the mean reciprocal rank over the dates; NaN without a case."""
    total, number = np.zeros(pairs.externals), np.zeros(pairs.externals)
    for date in dates:
        for external, case in cases(pairs, ranking, date).items():
            total[external] += case.reciprocal_rank
            number[external] += 1
    return np.divide(total, number, out=np.full(pairs.externals, np.nan), where=number > 0)
