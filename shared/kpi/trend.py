"""Whether a score rises or falls: a month's difference, read at fourteen daily steps, with hysteresis (kpis 8.5).

No state is stored: the whole walk is done again from the interactions each time, so the answer does not depend on how often
somebody looked.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import numpy as np

from shared.kpi.contributions import contributions
from shared.kpi.health import is_older_than_two_years, is_sufficient
from shared.kpi.interactions import History
from shared.kpi.parameters import Parameters

STEPS = 14
SPAN_DAYS = 28
ENTER = 5.0  # points, on two steps in a row
LEAVE = 2.0


class Trend(IntEnum):
    """Direction of the score, with the choice values of Dynamics 365."""

    IMPROVING = 0
    STEADY = 1
    DECLINING = 2
    NOT_ENOUGH = 3
    FAILED = 4  # the computation failed: set by whoever keeps the snapshot
    NOT_APPLICABLE = 5  # the record is closed


def trend(history: History, parameters: Parameters, as_of: int | None = None, created: int | None = None) -> Trend:
    """Trend at `as_of` (default: the history's own). A closed record has none; too little contact gives NOT_ENOUGH.

    `created` is needed by the two-year rule only.
    """
    instant = history.as_of if as_of is None else as_of
    if history.closed is not None and history.closed <= instant:
        return Trend.NOT_APPLICABLE
    if parameters.two_year_rule and is_older_than_two_years(created, instant):
        return Trend.NOT_ENOUGH
    return trend_of(differences(history, parameters, instant))


def differences(history: History, parameters: Parameters, as_of: int) -> tuple[float | None, ...]:
    """`score(t) − score(t − 28 d)` at the 14 daily steps that end at `as_of`, oldest first; None = insufficient at either."""
    back = range(STEPS - 1, -1, -1)
    parts = contributions(history, parameters, as_of, [*back, *(step + SPAN_DAYS for step in back)])
    scores, enough = parts.scores, is_sufficient(parts)
    delta = np.round(scores[:STEPS] - scores[STEPS:], 9)
    known = enough[:STEPS] & enough[STEPS:]
    return tuple(float(value) if ok else None for value, ok in zip(delta, known, strict=True))


def trend_of(deltas: Sequence[float | None]) -> Trend:
    """The trend after walking through the differences, oldest first.

    Two steps in a row of at least 5 points enter a direction, less than 2 leave it; None resets to steady and parts a pair.

    >>> trend_of([0.0] * 12 + [5.0, 5.0])
    <Trend.IMPROVING: 0>
    >>> trend_of([6.0] * 10 + [3.0, 1.0, 3.0, 3.0])
    <Trend.STEADY: 1>
    """
    state, before = Trend.STEADY, None
    for delta in deltas:
        state = Trend.STEADY if delta is None else _step(state, before, delta)
        before = delta
    return Trend.NOT_ENOUGH if not deltas or deltas[-1] is None else state


def _step(state: Trend, before: float | None, delta: float) -> Trend:
    if before is not None and min(before, delta) >= ENTER:
        return Trend.IMPROVING
    if before is not None and max(before, delta) <= -ENTER:
        return Trend.DECLINING
    left = (state is Trend.IMPROVING and delta < LEAVE) or (state is Trend.DECLINING and delta > -LEAVE)
    return Trend.STEADY if left else state
