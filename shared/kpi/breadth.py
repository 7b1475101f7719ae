"""How many people of the other side gave a sign themselves lately: the breadth of health on accounts and opportunities."""

from __future__ import annotations

import numpy as np

from shared.kpi.interactions import Floats, History, Indices, Keys, Kind, Role
from shared.kpi.pairs import Pairs, pairs
from shared.kpi.parameters import DAY, Parameters
from shared.kpi.profile import weigh

SIGN_DAYS = 90  # a sign counts towards breadth while it is younger than this (kpis 8.2)
ENOUGH_PEOPLE = 3  # full points from here on


def signs(history: History, parameters: Parameters, as_of: int, days: int = SIGN_DAYS) -> Pairs:
    """Who gave a sign in the `days` before `as_of`, each pair of interaction and person once.

    A mail is a sign of its sender only; a meeting or a call of every external person of interest who takes part in it.
    """
    found = weigh(history, parameters.weights, as_of, days)
    usable = np.zeros(len(history), dtype=bool)
    usable[found.rows[found.from_them]] = True
    index = history.part_index
    theirs = history.part_counts & ~history.part_internal & usable[index]
    own = (history.kind[index] != Kind.EMAIL) | (history.part_role == Role.FROM)
    return pairs(history, theirs & own)


def signers(history: History, parameters: Parameters, as_of: int, days_back: Indices) -> Indices:
    """B of kpis 8.2 at instants whole days before `as_of`, in the order of `days_back` (at most 63 instants).

    Each sign counts at a run of instants, held as bits of one number; a person's bits are the union of their signs' bits.
    """
    found = signs(history, parameters, as_of, SIGN_DAYS + int(days_back.max()))
    steps = np.argsort(-days_back)
    instants = as_of - days_back[steps] * DAY
    bits = _runs(history.at[found.row], history.end[found.row], instants)
    if not len(bits):
        return np.zeros(len(instants), dtype=np.int64)
    united = np.bitwise_or.reduceat(bits, np.flatnonzero(np.r_[True, found.person[1:] != found.person[:-1]]))
    number = np.empty(len(instants), dtype=np.int64)
    number[steps] = ((united[:, None] >> np.arange(len(instants), dtype=np.uint64)) & np.uint64(1)).sum(axis=0)
    return number


def _runs(at: Indices, end: Indices, instants: Indices) -> Keys:
    """Bit i = the sign is over, and younger than 90 days, at the i-th of the ascending instants."""
    first = np.searchsorted(instants, end, side="left").astype(np.uint64)
    behind = np.searchsorted(instants, at + SIGN_DAYS * DAY, side="left").astype(np.uint64)
    one = np.uint64(1)
    return (one << np.maximum(behind, first)) - (one << first)


def names(history: History, parameters: Parameters, as_of: int) -> tuple[int, ...]:
    """The people behind B at `as_of`, ascending keys."""
    return tuple(int(person) for person in np.unique(signs(history, parameters, as_of).person))


def breadth_value(number: Indices) -> Floats:
    """`min(1, (B − 1)/2)`, and 0 for nobody."""
    return np.clip((number - 1) / (ENOUGH_PEOPLE - 1), 0.0, 1.0)
