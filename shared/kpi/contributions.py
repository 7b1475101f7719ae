"""The contributions to health: what each is worth between 0 and 1, at one instant or at many (kpis 8.2)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shared.kpi.breadth import breadth_value, signers
from shared.kpi.interactions import Bools, Floats, History, Indices, RecordType
from shared.kpi.parameters import Parameters, Points
from shared.kpi.profile import MEMORY_DAYS, Profile, day_profile
from shared.kpi.rhythm import ratios

FEWEST_PERIODS = 12  # a young relationship is measured against this many expected periods
NAMES = ("rhythm", "theirRhythm", "volume", "recency", "breadth")
_WITH_BREADTH = (RecordType.ACCOUNT, RecordType.OPPORTUNITY)


@dataclass(frozen=True)
class Contributions:
    """Values and their making at m instants; `values` has 4 columns, or 5 where the record has breadth, in order of NAMES."""

    values: Floats  # (m, 4 or 5), each 0 to 1
    points: Floats  # (4 or 5,)
    periods: Indices  # (m,) N
    expected: Floats  # (m,) D
    met: Bools  # (m, k) periods with contact, youngest first
    met_by_them: Bools  # (m, k) periods with a sign from them
    profile: Profile

    @property
    def scores(self) -> Floats:
        """Score at each instant, unrounded, 0 to 100; shape (m,). State and sufficiency are not looked at."""
        scores: Floats = (self.values * self.points).sum(axis=1)
        return scores


def has_breadth(history: History) -> bool:
    """Whether the record's health counts how many people give signs: accounts and opportunities."""
    return history.type in _WITH_BREADTH


def points_of(history: History, parameters: Parameters) -> Floats:
    """The points of each contribution of this record's type, in order of NAMES."""
    points = parameters.points_with_breadth if has_breadth(history) else parameters.points
    return point_array(points)[: 5 if has_breadth(history) else 4]


def point_array(points: Points) -> Floats:
    """Points in order of NAMES."""
    return np.array([points.rhythm, points.their_rhythm, points.volume, points.recency, points.breadth])


def contributions(
    history: History, parameters: Parameters, as_of: int, days_back: Sequence[int] = (0,)
) -> Contributions:
    """The contributions at `as_of` and at instants whole days before it. No interaction gives values of 0."""
    profile = day_profile(history, parameters, as_of, days_back)
    met = by_period(profile.per_day, parameters.frequency_days)
    theirs = by_period(profile.signs_per_day, parameters.frequency_days)
    fade = period_fade(parameters)
    periods = period_number(profile.oldest_day, parameters.frequency_days)
    expected = expected_sum(periods, fade)
    powers = np.power(fade, np.arange(met.shape[1], dtype=np.float64))
    columns = [
        (met * powers).sum(axis=1) / expected,
        (theirs * powers).sum(axis=1) / expected,
        volume_value(profile.decayed, expected),
        recency_value(ratios(profile, parameters.frequency_days)),
    ]
    if has_breadth(history):
        columns.append(breadth_value(signers(history, parameters, as_of, np.asarray(days_back))))
    values = np.clip(np.stack(columns, axis=1), 0.0, 1.0)  # a full sum may exceed D by the last bit
    return Contributions(values, points_of(history, parameters), periods, expected, met, theirs, profile)


def by_period(per_day: Indices, frequency_days: int) -> Bools:
    """Whether each period of `frequency_days` days has anything, youngest first; shape (m, ⌈730/T⌉)."""
    number = -(-MEMORY_DAYS // frequency_days)
    padded = np.zeros((len(per_day), number * frequency_days), dtype=bool)
    padded[:, :MEMORY_DAYS] = per_day > 0
    met: Bools = np.any(padded.reshape(len(per_day), number, frequency_days), axis=2)
    return met


def period_fade(parameters: Parameters) -> float:
    """`q = 0.5^(T/h)`: what a period is worth beside the one after it."""
    return math.exp2(-parameters.frequency_days / parameters.half_life_days)


def period_number(oldest_day: Indices, frequency_days: int) -> Indices:
    """`N = max(12, oldest period + 1)`; 12 without interaction (oldest day -1)."""
    return np.maximum(FEWEST_PERIODS, oldest_day // frequency_days + 1)


def expected_sum(periods: Indices, fade: float) -> Floats:
    """`D = (1 − q^N)/(1 − q)`: the sum of a relationship that met every period."""
    return (1.0 - np.power(fade, periods.astype(np.float64))) / (1.0 - fade)


def volume_value(decayed: Floats, expected: Floats) -> Floats:
    """`1 − 0.25^(S/D)`: 0.5 at half the expected amount, 0.75 at the expected, 0.94 at double."""
    return 1.0 - np.exp2(-2.0 * decayed / expected)


def recency_value(ratio: Floats) -> Floats:
    """1 up to twice the usual gap, 0 from eight times on, `1 − log2(r/2)/2` between."""
    return 1.0 - np.log2(np.clip(ratio, 2.0, 8.0) / 2.0) / 2.0
