"""Whose relationship it is: each interaction's worth, shared equally among those who took part, on either side (kpis 12)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.kpi.interactions import Bools, Floats, History, Instants, Keys
from shared.kpi.pairs import pairs
from shared.kpi.parameters import Parameters
from shared.kpi.profile import decay, weigh


@dataclass(frozen=True)
class Shares:
    """Amounts per person (keys ascending), not rounded; an amount is a decayed weight, at least 0.

    `last_at` is the instant of the person's latest interaction with an amount.
    """

    person: Keys
    amount: Floats
    last_at: Instants


def our_shares(history: History, parameters: Parameters) -> Shares:
    """How much of the relationship each colleague carries. Every one of ours who took part counts."""
    return _shares(history, parameters, history.part_internal)


def their_shares(history: History, parameters: Parameters) -> Shares:
    """How much of the relationship each external person of interest carries."""
    return _shares(history, parameters, ~history.part_internal & history.part_counts)


def _shares(history: History, parameters: Parameters, side: Bools) -> Shares:
    found = weigh(history, parameters.weights, history.as_of)
    worth = np.zeros(len(history))
    worth[found.rows] = decay(history.as_of - found.at, parameters.half_life_days) * found.weight
    taking_part = pairs(history, side & (worth > 0)[history.part_index])
    number = np.bincount(taking_part.row, minlength=1)
    person, which = np.unique(taking_part.person, return_inverse=True)
    last = np.searchsorted(taking_part.person, person, side="right") - 1  # pairs go by person, then time
    part = worth[taking_part.row] / number[taking_part.row]
    amount: Floats = np.bincount(which, weights=part, minlength=len(person)).astype(np.float64)  # of nobody: integers
    return Shares(person, amount, history.at[taking_part.row[last]])
