"""How strongly each colleague knows an external person or company (kpis 9): raw strength, 0-100, bars and evidence.

A sum of interactions that fades with age, is shared among the people on an interaction, and is worth more when contact goes
both ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shared.kpi.encounters import Encounters
from shared.kpi.interactions import Bools, Floats, Indices, Instants, Keys, Kind
from shared.kpi.parameters import DAY, Parameters
from shared.kpi.rounding import rounded

HALF_STRENGTH = 8.0  # the raw strength that is shown as 50
BARS = 6
WEEK = 7 * DAY


@dataclass(frozen=True)
class Acquaintance:
    """How one colleague knows the person or company, with the evidence.

    `strength` is 0-100 to one decimal (None in the basic mode), `bars` 1-6, higher is stronger; `raw` is what both come
    from. The numbers count interactions of the window, each once; `last_at` is the newest of them.
    """

    colleague: int
    raw: float
    strength: float | None
    bars: int
    two_way: bool
    emails_out: int
    emails_in: int
    meetings: int
    calls: int
    last_at: int


def strength_of(raw: float) -> float:
    """`100 (1 - 2^(-raw/8))` to one decimal: 0 for nothing, 50 at 8, never above 100.

    >>> strength_of(2.3694), strength_of(8.0), strength_of(1000.0)
    (18.6, 50.0, 100.0)
    """
    return rounded(100 * (1 - 2 ** (-raw / HALF_STRENGTH)), 1)


def bars_of(strength: float) -> int:
    """Six bars, each a sixth of 100, upper end included; whoever is listed has at least one.

    >>> [bars_of(strength) for strength in (0.0, 16.6, 16.7, 33.3, 33.4, 66.6, 66.7, 100.0)]
    [1, 1, 2, 2, 3, 4, 5, 6]
    """
    return max(1, -(-BARS * round(10 * strength) // 1000))


def bars_by_share(number: float, most: float) -> int:
    """Six bars in the basic mode: the share of the largest number among those who are listed.

    >>> [bars_by_share(number, 12) for number in (12, 11, 10, 2, 1)]
    [6, 6, 5, 1, 1]
    """
    return max(1, -(-BARS * int(number) // max(int(most), 1)))


def raw_strengths(met: Encounters, as_of: int, parameters: Parameters) -> tuple[Keys, Floats]:
    """Per colleague, by ascending key: `f · s · Σ w · k^-damping · 0.5^(age/half-life)` over the window ending at `as_of`.

    f is the two-way factor when an email went each way, a meeting was held or a call answered, else the one-way factor; a
    company's parts are summed before it. s = 1, or with a silence half-life 0.5^(age of the newest / that): busy weeks long
    ago then weigh less than the same contact kept up. A regularity below 1 is the power of each week's part of the sum: ten
    emails in one week then count less than one in each of ten. `met` reaches to `as_of` or later. No encounter gives empty
    arrays.
    """
    met = within_window(met, as_of, parameters)
    keys, code = np.unique(met.colleague, return_inverse=True)
    weights = parameters.strength_weights
    worth = np.array([weights.email, weights.meeting, weights.call])[met.kind]
    worth *= met.others**-parameters.strength_damping
    worth *= 0.5 ** ((as_of - met.at) / (DAY * parameters.strength_half_life_days))
    factor = np.where(_two_way(met, code, len(keys)), parameters.strength_two_way, parameters.strength_one_way)
    if parameters.strength_silence_half_life_days is not None:
        silence = as_of - _newest(met, code, len(keys))
        factor = factor * 0.5 ** (silence / (DAY * parameters.strength_silence_half_life_days))
    return keys, factor * _total(worth, code, met.at, len(keys), parameters.strength_regularity)


def _total(worth: Floats, code: Indices, at: Instants, size: int, regularity: float) -> Floats:
    """(size,) the sum of each colleague; weeks are those of the clock, so that a sum fades by one factor all the same."""
    if regularity == 1.0:
        return np.bincount(code, worth, size).astype(np.float64)
    order = np.lexsort((at, code))
    week, colleague = at[order] // WEEK, code[order]
    begins = np.flatnonzero(np.append(True, (week[1:] != week[:-1]) | (colleague[1:] != colleague[:-1]))[: len(at)])
    if not len(begins):
        return np.zeros(size)
    return np.bincount(colleague[begins], np.add.reduceat(worth[order], begins) ** regularity, size).astype(np.float64)


def acquaintances(met: Encounters, as_of: int, parameters: Parameters) -> list[Acquaintance]:
    """Everyone who met the person or company within the window, by ascending key."""
    keys, raw = raw_strengths(met, as_of, parameters)
    strengths = [strength_of(value) for value in raw.tolist()]
    return _with_evidence(within_window(met, as_of, parameters), keys, raw, strengths, [bars_of(s) for s in strengths])


def basic_acquaintances(met: Encounters, window_from: int, hidden: frozenset[int] = frozenset()) -> list[Acquaintance]:
    """The basic mode: `raw` is the number of emails and meetings from `window_from` on; no calls, no decay, no strength.

    Bars are the share of the largest number; `hidden` colleagues are left out before it is taken.
    """
    shown = ~np.isin(met.colleague, np.array(sorted(hidden), np.uint64))
    met = met.select((met.at >= window_from) & (met.kind != Kind.CALL) & shown)
    keys, code = np.unique(met.colleague, return_inverse=True)
    number = np.bincount(code[met.first], minlength=len(keys))
    bars = -(-BARS * number // number.max(initial=1))
    return _with_evidence(met, keys, number.astype(np.float64), [None] * len(keys), bars.tolist())


def within_window(met: Encounters, as_of: int, parameters: Parameters) -> Encounters:
    """The encounters of the last 365 days up to `as_of`, both ends included."""
    return met.select((met.at >= as_of - parameters.strength_window_days * DAY) & (met.at <= as_of))


def _with_evidence(
    met: Encounters, keys: Keys, raw: Floats, strengths: Sequence[float | None], bars: list[int]
) -> list[Acquaintance]:
    """Joins the figures of each colleague with the counts of the interactions behind them."""
    code = np.searchsorted(keys, met.colleague)

    def count(rows: Bools) -> list[int]:
        number: list[int] = np.bincount(code[rows & met.first], minlength=len(keys)).tolist()
        return number

    email = met.kind == Kind.EMAIL
    columns = zip(
        keys.tolist(),
        raw.tolist(),
        strengths,
        bars,
        _two_way(met, code, len(keys)).tolist(),
        count(email & met.ours),
        count(email & ~met.ours),
        count(met.kind == Kind.MEETING),
        count(met.kind == Kind.CALL),
        _newest(met, code, len(keys)).tolist(),
        strict=True,
    )
    return [Acquaintance(*column) for column in columns]


def _newest(met: Encounters, code: Indices, size: int) -> Instants:
    """(size,) the newest encounter of each colleague."""
    newest = np.full(size, np.iinfo(np.int64).min)
    np.maximum.at(newest, code, met.at)
    return newest


def _two_way(met: Encounters, code: Indices, size: int) -> Bools:
    """(size,) an email each way, or a held meeting, or an answered call."""
    email = met.kind == Kind.EMAIL
    sent, received, both = (
        np.bincount(code[rows], minlength=size) > 0 for rows in (email & met.ours, email & ~met.ours, met.answered)
    )
    return both | (sent & received)
