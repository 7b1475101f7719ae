"""Which people were in which interactions, each pair once: a person with two addresses in one mail counts once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.kpi.interactions import Bools, History, Indices, Keys


@dataclass(frozen=True)
class Pairs:
    """Interactions with people of one side; `alone` = nobody else of that side was in the interaction."""

    row: Indices  # index of the interaction in the history
    person: Keys
    alone: Bools


def pairs(history: History, chosen: Bools) -> Pairs:
    """The pairs among the marked participations (shape (m,)), by person, then interaction. None give empty arrays."""
    row, person = history.part_index[chosen], history.part_person[chosen]
    order = np.lexsort((row, person))
    row, person = row[order], person[order]
    new = np.ones(len(row), dtype=bool)
    new[1:] = (row[1:] != row[:-1]) | (person[1:] != person[:-1])
    row, person = row[new], person[new]
    return Pairs(row, person, np.bincount(row, minlength=1)[row] == 1)
