"""The relationship's own rhythm: its usual gap between days with contact, and how long the silence is beside it (kpis 8.6)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from shared.kpi.interactions import Floats, History, Indices
from shared.kpi.parameters import DAY, Parameters
from shared.kpi.profile import Profile, day_profile
from shared.kpi.rounding import rounded

DAYS_FOR_OWN_GAP = 4  # fewer days with contact say nothing about a rhythm of its own
SHORTEST_GAP_DAYS = 2.0  # daily contact is not "cooling" over a weekend


class Alarm(StrEnum):
    """Silence beside the usual gap; NONE = nothing to report."""

    NONE = "none"
    COOLING = "cooling"
    PROBABLY_LOST = "probably_lost"


@dataclass(frozen=True)
class Rhythm:
    """The usual gap and the silence of one relationship.

    `active_days` counts days of age with contact. `usual_gap_days` is None below 4 of them, `silence_days` and `ratio`
    (silence beside the gap, >= 0, lower is better) without interaction, `alarm` below 4 active days: it cannot be said.
    """

    active_days: int
    usual_gap_days: float | None
    silence_days: float | None
    ratio: float | None
    alarm: Alarm | None


def gap_days(number: Indices, youngest_day: Indices, oldest_day: Indices, frequency_days: int) -> Floats:
    """Usual gap from the number of active days and the youngest and the oldest of them; the frequency below 4 days."""
    mean = (oldest_day - youngest_day) / np.maximum(number - 1, 1)
    return np.where(number >= DAYS_FOR_OWN_GAP, mean, float(frequency_days))


def silence_ratio(silence_seconds: Indices, gap: Floats) -> Floats:
    """`r` of kpis 8.6: the age of the youngest interaction ÷ the usual gap, which counts as at least 2 days."""
    ratio: Floats = silence_seconds / (np.maximum(gap, SHORTEST_GAP_DAYS) * DAY)
    return ratio


def active_days(profile: Profile) -> tuple[Indices, Indices, Indices]:
    """Number of days with contact, the youngest and the oldest of them, each of shape (m,); -1 without contact."""
    active = profile.per_day > 0
    number = active.sum(axis=1)
    return number, np.where(number > 0, active.argmax(axis=1), -1), profile.oldest_day


def ratios(profile: Profile, frequency_days: int) -> Floats:
    """`r` at each instant, shape (m,); infinite without interaction."""
    number, youngest, oldest = active_days(profile)
    ratio = silence_ratio(profile.silence, gap_days(number, youngest, oldest, frequency_days))
    return np.where(number > 0, ratio, np.inf)


def rhythm(history: History, parameters: Parameters, as_of: int | None = None) -> Rhythm:
    """Usual gap, silence and alarm at `as_of` (default: the history's own)."""
    profile = day_profile(history, parameters, history.as_of if as_of is None else as_of)
    return rhythm_of(profile, parameters)


def rhythm_of(profile: Profile, parameters: Parameters) -> Rhythm:
    """The same from a profile, at its first instant."""
    number, youngest, oldest = (int(values[0]) for values in active_days(profile))
    if number == 0:
        return Rhythm(0, None, None, None, None)
    ratio = float(ratios(profile, parameters.frequency_days)[0])
    known = number >= DAYS_FOR_OWN_GAP
    return Rhythm(
        number,
        rounded((oldest - youngest) / (number - 1), 2) if known else None,
        rounded(int(profile.silence[0]) / DAY, 2),
        rounded(ratio, 2),
        _alarm(ratio, parameters) if known else None,
    )


def _alarm(ratio: float, parameters: Parameters) -> Alarm:
    if ratio >= parameters.lost_ratio:
        return Alarm.PROBABLY_LOST
    return Alarm.COOLING if ratio >= parameters.cooling_ratio else Alarm.NONE
