"""Figures about our own staff, withheld where they would be about few of them (the group floor).

A record's own totals describe a relationship and stay. By the organisation's choice (`strict_own_side`) our side's response and
hours come under the floor as well.
"""

from __future__ import annotations

import numpy as np

from shared.kpi.interactions import Direction, History
from shared.kpi.turns import asked_turns
from shared.kpi.windows import Window, within

FEWEST_PEOPLE = 5


def is_withheld(number: int) -> bool:
    """Whether a figure about so many of our people is about too few; nobody is nobody, so 0 is not.

    >>> [is_withheld(number) for number in (0, 1, 4, 5)]
    [False, True, True, False]
    """
    return 0 < number < FEWEST_PEOPLE


def people_behind_hours(history: History, window: Window) -> int:
    """How many of our people took part in the window's counted interactions."""
    inside = within(history, window)
    return len(np.unique(inside.part_person[inside.part_internal]))


def people_behind_answers(history: History, window: Window) -> int:
    """How many of our people wrote the answers to what the other side asked in the window.

    Where nothing is answered it is who might have: everybody of `people_behind_hours`.
    """
    turns = asked_turns(history)
    asked = turns.select((turns.by == Direction.IN) & (turns.asked_at >= window.start) & (turns.asked_at <= window.end))
    if asked.answered.any():
        return len(np.unique(asked.answerer[asked.answered]))
    return people_behind_hours(history, window) if len(asked) else 0
