"""Contact by day of age, at one instant or at many: the sums that health, trend and alarms are made of.

Everything in kpis 8 that looks at the past looks at whole days of age, except two figures: the decayed sum and the silence.
So the interactions are put into day bins once, counted back from `as_of`, and every instant that lies whole days earlier
reads the same bins from a later one on. A trend of 28 instants then costs little more than one score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from shared.kpi.interactions import Bools, Floats, History, Indices, Instants
from shared.kpi.parameters import DAY, Parameters, Weights

MEMORY_DAYS = 730  # older interactions are forgotten by health (kpis 8.1)


@dataclass(frozen=True)
class Profile:
    """The interactions of health at m instants; ages are seconds before each instant."""

    instants: Instants  # (m,)
    per_day: Indices  # (m, 730) number of interactions by whole days of age
    signs_per_day: Indices  # (m, 730) the same, signs from them only (kpis 2.5)
    decayed: Floats  # (m,) S of kpis 8.2
    silence: Indices  # (m,) age of the youngest in seconds; -1 = no interaction

    @property
    def count(self) -> Indices:
        """Number of interactions at each instant, shape (m,)."""
        number: Indices = self.per_day.sum(axis=1)
        return number

    @property
    def oldest_day(self) -> Indices:
        """Whole days of age of the oldest interaction, shape (m,); -1 = no interaction."""
        return _last_true(self.per_day > 0)


@dataclass(frozen=True)
class Weighed:
    """The interactions that health looks at up to one instant, as rows of the history, with their weights."""

    rows: Indices
    at: Instants
    end: Instants
    weight: Floats
    from_them: Bools

    def at_rows(self, kept: Bools) -> Weighed:
        """Only the rows that are marked."""
        return Weighed(self.rows[kept], self.at[kept], self.end[kept], self.weight[kept], self.from_them[kept])


def weigh(history: History, weights: Weights, as_of: int, days: int = MEMORY_DAYS) -> Weighed:
    """The interactions of kpis 8.1: weight above 0, over at `as_of`, and younger than `days`.

    Weights beyond their kinds' defaults are the organisation's own. No interaction gives empty arrays.
    """
    first, last = np.searchsorted(history.at, [as_of - days * DAY, as_of], side="right")
    table = np.array([weights.email, weights.meeting, weights.call, weights.task])
    weight = table[history.kind[first:last]]
    kept = (weight > 0) & (history.end[first:last] <= as_of)
    rows = np.arange(first, last)
    found = Weighed(rows, history.at[first:last], history.end[first:last], weight, history.from_them[first:last])
    return found if kept.all() else found.at_rows(kept)


def decay(ages: Indices, half_life_days: float) -> Floats:
    """`0.5^(age/half-life)` for ages in seconds.

    >>> decay(np.array([0, 60 * DAY]), 60.0).tolist()
    [1.0, 0.5]
    """
    worth: Floats = np.exp2(ages * (-1.0 / (half_life_days * DAY)))
    return worth


def day_profile(history: History, parameters: Parameters, as_of: int, days_back: Sequence[int] = (0,)) -> Profile:
    """The profile at `as_of` and at instants whole days before it, in the order of `days_back` (each >= 0).

    No interaction gives zeros, and a silence of -1.
    """
    offsets = np.asarray(days_back, dtype=np.int64)
    instants = as_of - offsets * DAY
    found = weigh(history, parameters.weights, as_of, MEMORY_DAYS + int(offsets.max()))
    held = _held_across(found, instants)
    plain = found.at_rows(~held) if held.any() else found
    profile = _plain_profile(plain, as_of, offsets, parameters.half_life_days)
    if held.any():
        _add_held(profile, found.at_rows(held), parameters.half_life_days)
    return profile


def _held_across(found: Weighed, instants: Instants) -> Bools:
    """Meetings that were going on at one of the instants: these count at the later instants only, so bins do not fit them."""
    held = np.zeros(len(found.at), dtype=bool)
    late = np.flatnonzero((found.end > found.at) & (found.end > instants.min()))
    ordered = np.sort(instants)
    held[late] = np.searchsorted(ordered, found.at[late]) != np.searchsorted(ordered, found.end[late])
    return held


def _plain_profile(plain: Weighed, as_of: int, offsets: Indices, half_life_days: float) -> Profile:
    length = MEMORY_DAYS + int(offsets.max())
    instants = as_of - offsets * DAY
    ages = as_of - plain.at
    day = ages // DAY
    per_day = np.bincount(day, minlength=length)
    signs = np.bincount(day[plain.from_them], minlength=length)
    sums = np.bincount(day, weights=plain.weight * decay(ages, half_life_days), minlength=length)
    decayed = sliding_window_view(sums, MEMORY_DAYS)[offsets].sum(axis=1) * np.exp2(offsets / half_life_days)
    return Profile(
        instants,
        sliding_window_view(per_day, MEMORY_DAYS)[offsets],
        sliding_window_view(signs, MEMORY_DAYS)[offsets],
        decayed,
        _silence(plain.at, instants),
    )


def _silence(at: Instants, instants: Instants) -> Indices:
    """Age of the youngest interaction at each instant; -1 where there is none within memory."""
    if not len(at):
        return np.full(len(instants), -1)
    youngest = np.searchsorted(at, instants, side="right") - 1
    ages = instants - at[np.maximum(youngest, 0)]
    return np.where((youngest >= 0) & (ages < MEMORY_DAYS * DAY), ages, -1)


def _add_held(profile: Profile, held: Weighed, half_life_days: float) -> None:
    """Add, instant by instant, the meetings that were going on at some other instant."""
    ages = profile.instants[:, None] - held.at
    counted = (held.end <= profile.instants[:, None]) & (ages < MEMORY_DAYS * DAY)
    step, column = np.nonzero(counted)
    age = ages[step, column]
    np.add.at(profile.per_day, (step, age // DAY), 1)
    np.add.at(profile.signs_per_day, (step, age // DAY), held.from_them[column].astype(np.int64))
    np.add.at(profile.decayed, step, held.weight[column] * decay(age, half_life_days))
    silence = profile.silence
    silence[silence < 0] = MEMORY_DAYS * DAY
    np.minimum.at(silence, step, age)
    silence[silence == MEMORY_DAYS * DAY] = -1


def _last_true(marks: Bools) -> Indices:
    """Index of the last True of each row; -1 where there is none."""
    last = marks.shape[1] - 1 - np.argmax(marks[:, ::-1], axis=1)
    return np.where(marks.any(axis=1), last, -1)
