"""Health of many pairs of people at once, from nothing but who wrote to whom and when (kpis 8.8).

The formulas are those of one record's health; only the sums are taken over all pairs together. The two ids of a pair are
"ours" (the smaller) and "theirs".
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from shared.kpi.contributions import expected_sum, period_fade, period_number, recency_value, volume_value
from shared.kpi.interactions import Bools, Floats, Indices, Instants
from shared.kpi.parameters import DAY, Parameters
from shared.kpi.profile import MEMORY_DAYS, decay
from shared.kpi.rhythm import gap_days, silence_ratio

ELIGIBLE_DAYS = 365
FEWEST_MAILS = 3
_WIDE = 1024  # more than the days or periods that memory holds


@dataclass(frozen=True)
class Mails:
    """Distinct mails between two different people, sorted by time; pairs are numbered from 0."""

    pair: Indices  # (n,)
    at: Instants  # (n,)
    from_them: Bools  # (n,) sent by the larger id of the pair

    def __len__(self) -> int:
        return len(self.at)


def mails_of(sender: Indices, recipient: Indices, at: Instants) -> Mails:
    """Mails from one row per mail and recipient; people are numbers. Repeated rows and mails to oneself are dropped."""
    rows = np.unique(np.stack([at, sender, recipient], axis=1), axis=0)
    rows = rows[rows[:, 1] != rows[:, 2]]
    people = np.sort(rows[:, 1:], axis=1)
    pair = np.unique(people, axis=0, return_inverse=True)[1].ravel()
    return Mails(pair, rows[:, 0], rows[:, 1] == people[:, 1])


@dataclass(frozen=True)
class Ties:
    """Pairs that are known at one instant (at least 3 mails, both ways, in 365 days), and their mails of 730 days."""

    tie: Indices  # (n,) which pair, from 0
    age: Indices  # (n,) seconds
    from_them: Bools  # (n,)
    alive: Bools  # (k,) whether the pair writes again within the horizon
    silence: Indices  # (k,) age of the youngest mail
    active_days: Indices  # (k,)
    youngest_day: Indices  # (k,)
    oldest_day: Indices  # (k,)
    _periods: dict[tuple[int, bool], Indices] = field(default_factory=dict, compare=False, repr=False)  # sorted once

    def __len__(self) -> int:
        return len(self.alive)

    def values(self, parameters: Parameters) -> Floats:
        """Value (0 to 1) of rhythm, their rhythm, volume and recency; shape (k, 4)."""
        fade, frequency = period_fade(parameters), parameters.frequency_days
        expected = expected_sum(period_number(self.oldest_day, frequency), fade)
        gap = gap_days(self.active_days, self.youngest_day, self.oldest_day, frequency)
        columns = (
            self._met(frequency, fade, theirs=False) / expected,
            self._met(frequency, fade, theirs=True) / expected,
            volume_value(self.decayed(parameters.half_life_days), expected),
            recency_value(silence_ratio(self.silence, gap)),
        )
        return np.stack(columns, axis=1)

    def decayed(self, half_life_days: float) -> Floats:
        """Decayed number of mails, S of kpis 8.2; shape (k,)."""
        total: Floats = np.bincount(self.tie, decay(self.age, half_life_days), len(self)).astype(np.float64)
        return total

    def _met(self, frequency_days: int, fade: float, theirs: bool) -> Floats:
        """Faded sum over each pair's distinct periods with a mail, or with one of theirs; shape (k,)."""
        met = self._periods.get((frequency_days, theirs))
        if met is None:
            chosen = self.from_them if theirs else np.ones(len(self.age), dtype=bool)
            met = np.unique(self.tie[chosen] * _WIDE + self.age[chosen] // (frequency_days * DAY))
            self._periods[frequency_days, theirs] = met
        powers = np.power(fade, np.arange(_WIDE, dtype=np.float64))
        faded: Floats = np.bincount(met // _WIDE, powers[met % _WIDE], len(self)).astype(np.float64)
        return faded


def ties_at(mails: Mails, as_of: int, horizon_days: int) -> Ties:
    """The pairs known at `as_of` with what happened in the `horizon_days` after it. No pair gives empty arrays."""
    number = int(mails.pair.max(initial=-1)) + 1
    code = _codes(mails, as_of, number)
    known = code[mails.pair] >= 0
    seen = known & (mails.at <= as_of) & (mails.at > as_of - MEMORY_DAYS * DAY)
    later = known & (mails.at > as_of) & (mails.at <= as_of + horizon_days * DAY)
    tie, age = code[mails.pair[seen]], as_of - mails.at[seen]
    size = int(code.max(initial=-1)) + 1
    days = np.unique(tie * _WIDE + age // DAY)
    return Ties(
        tie,
        age,
        mails.from_them[seen],
        np.bincount(code[mails.pair[later]], minlength=size) > 0,
        _least(tie, age, size),
        np.bincount(days // _WIDE, minlength=size),
        _least(days // _WIDE, days % _WIDE, size),
        -_least(days // _WIDE, -(days % _WIDE), size),
    )


def _codes(mails: Mails, as_of: int, number: int) -> Indices:
    """Numbers the known pairs; -1 = not known."""
    recent = (mails.at <= as_of) & (mails.at > as_of - ELIGIBLE_DAYS * DAY)
    total = np.bincount(mails.pair[recent], minlength=number)
    theirs = np.bincount(mails.pair[recent & mails.from_them], minlength=number)
    known = (total >= FEWEST_MAILS) & (theirs > 0) & (theirs < total)
    return np.where(known, np.cumsum(known) - 1, -1)


def _least(group: Indices, values: Indices, size: int) -> Indices:
    least = np.full(size, np.iinfo(np.int64).max)
    np.minimum.at(least, group, values)
    return least
