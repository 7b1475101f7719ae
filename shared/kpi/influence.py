"""The interactions that hold a score up: those without which it would be lowest.

Taking one interaction away changes few things: its weight leaves the decayed sum; if it was alone in its period or day, that
period or day is lost; if it was the youngest or the oldest, the silence or the number of periods changes; if it was a
person's only sign, breadth loses that person. Each of these is written down for all interactions at once, so the answer is
exact and costs about as much as the score itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.kpi.breadth import breadth_value, signs
from shared.kpi.contributions import (
    FEWEST_PERIODS,
    Contributions,
    expected_sum,
    has_breadth,
    period_fade,
    recency_value,
    volume_value,
)
from shared.kpi.interactions import Bools, Floats, History, Indices
from shared.kpi.parameters import DAY, Parameters
from shared.kpi.profile import Weighed, decay, weigh
from shared.kpi.rhythm import gap_days, silence_ratio
from shared.kpi.rounding import rounded

SHOWN = 5


@dataclass(frozen=True)
class Influence:
    """One interaction and by how many points the score would be lower without it."""

    key: bytes
    at: int
    points: float  # > 0, one decimal


def influences(
    history: History, parameters: Parameters, parts: Contributions, most: int = SHOWN
) -> tuple[Influence, ...]:
    """The interactions whose removal lowers the score most, strongest first (equal ones: newer first, then key).

    `parts` are the contributions of the same history; their first instant counts. Points are by the formula alone: that
    fewer than three interactions have no score is not looked at. Interactions whose removal would not lower the score are
    left out; no interaction gives nothing.
    """
    found = weigh(history, parameters.weights, int(parts.profile.instants[0]))
    if not len(found.rows):
        return ()
    drops = score_drops(history, parameters, parts, found).round(9)
    least = np.partition(drops, -most)[-most] if len(drops) > most else drops.min()
    candidates = np.flatnonzero((drops >= least) & (drops > 0))
    keys, at = history.key[found.rows[candidates]], found.at[candidates]
    order = np.lexsort((keys, -at, -drops[candidates]))[:most]
    return tuple(Influence(bytes(keys[i]), int(at[i]), rounded(float(drops[candidates[i]]), 1)) for i in order)


def score_drops(history: History, parameters: Parameters, parts: Contributions, found: Weighed) -> Floats:
    """For each interaction of health: the score minus the score without it, in points; negative where it would rise."""
    left = _values_without(history, parameters, parts, found)
    drops = np.zeros(len(found.rows))
    for points, whole, without in zip(parts.points, parts.values[0], left, strict=True):
        drops += points * (whole - np.clip(without, 0.0, 1.0))
    return drops


def _values_without(history: History, parameters: Parameters, parts: Contributions, found: Weighed) -> list[Floats]:
    """Each contribution's value when the i-th interaction is taken away, for every i."""
    as_of = int(parts.profile.instants[0])
    ages = as_of - found.at
    day = ages // DAY
    period = day // parameters.frequency_days
    powers = np.power(period_fade(parameters), np.arange(parts.met.shape[1], dtype=np.float64))
    expected = _expected_without(period, parameters)
    weight = decay(ages, parameters.half_life_days) * found.weight
    every = np.ones(len(day), dtype=bool)
    values = [
        _met_without(period, powers, every) / expected,
        _met_without(period, powers, found.from_them) / expected,
        volume_value(np.maximum(parts.profile.decayed[0] - weight, 0.0), expected),
        recency_value(_ratio_without(ages, day, parameters.frequency_days)),
    ]
    if has_breadth(history):
        values.append(_breadth_without(history, parameters, as_of, found))
    return values


def _expected_without(period: Indices, parameters: Parameters) -> Floats:
    """D without each row in turn; rows are sorted, so only the first, the oldest, can shorten the past."""
    periods = np.maximum(FEWEST_PERIODS, period[[1, 0]] + 1) if len(period) > 1 else np.array([FEWEST_PERIODS] * 2)
    without_oldest, otherwise = expected_sum(periods, period_fade(parameters))
    expected = np.full(len(period), otherwise)
    expected[0] = without_oldest
    return expected


def _met_without(period: Indices, powers: Floats, marked: Bools) -> Floats:
    """Faded sum over the distinct periods of the marked rows, without each row in turn."""
    number = np.bincount(period[marked], minlength=len(powers))
    total = float(powers[number > 0].sum())
    lost = marked & (number == 1)[period]
    left: Floats = np.maximum(total - powers[period] * lost, 0.0)
    return left


def _extreme_without(group: Indices, number: Indices, largest: bool) -> Indices:
    """The largest (smallest) group that is left without each row in turn; -1 when nothing is left."""
    distinct = np.flatnonzero(number)
    distinct = distinct[::-1] if largest else distinct
    second = distinct[1] if len(distinct) > 1 else -1
    return np.where((number == 1)[group] & (group == distinct[0]), second, distinct[0])


def _ratio_without(ages: Indices, day: Indices, frequency_days: int) -> Floats:
    """`r` of kpis 8.6 without each row in turn; infinite when nothing is left. Rows are sorted, oldest first."""
    if len(ages) == 1:
        return np.array([np.inf])
    silence = np.full(len(ages), ages[-1])
    silence[-1] = ages[-2]
    number = np.bincount(day)
    days = np.count_nonzero(number) - (number == 1)[day]
    youngest, oldest = (_extreme_without(day, number, largest) for largest in (False, True))
    return silence_ratio(silence, gap_days(days, youngest, oldest, frequency_days))


def _breadth_without(history: History, parameters: Parameters, as_of: int, found: Weighed) -> Floats:
    given = signs(history, parameters, as_of)
    person, number = np.unique(given.person, return_counts=True)
    only = number[np.searchsorted(person, given.person)] == 1
    lost = np.bincount(given.row[only], minlength=len(history))[found.rows]
    return breadth_value(len(person) - lost)
