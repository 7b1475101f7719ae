"""How well the scores by two settings would have foretold the last thirty days: the AUC of each on the records of a preview."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from shared.kpi.health import health
from shared.kpi.inclusion import include
from shared.kpi.interactions import History, Kind
from shared.kpi.parameters import DAY, Parameters
from shared.kpi.ranking import area_difference, area_under_roc
from shared.kpi.rounding import rounded
from shared.preview_shapes import Foretelling

if TYPE_CHECKING:
    from shared.snapshots import Computation

HORIZON_DAYS = 30
FEWEST = 30  # records that had contact again, and records that had not, below which an area says nothing
_Z95 = 1.959964


@dataclass(frozen=True)
class Trial:
    """One record's scores thirty days ago, by both settings, and whether it had contact since."""

    before: float
    after: float
    alive: bool


def trial(found: Computation, new: Parameters) -> Trial | None:
    """Score the record thirty days before the computation's instant; None where a score was insufficient or it was closed."""
    past = found.history.as_of - HORIZON_DAYS * DAY
    scores = [_score(found, past, parameters) for parameters in (found.parameters, new)]
    if scores[0] is None or scores[1] is None:
        return None
    return Trial(scores[0], scores[1], _has_contact(found.history, past))


def _score(found: Computation, at: int, parameters: Parameters) -> float | None:
    history = include(found.entries.facts, found.subject.membership, at, parameters).history()
    return None if history.closed is not None else health(history, parameters).score


def _has_contact(history: History, since: int) -> bool:
    return bool(((history.at > since) & (history.kind != Kind.TASK)).any())


def foretelling(trials: Iterable[Trial]) -> Foretelling:
    """The areas under the ROC curve, and the 95 % interval of their difference (DeLong); nulls below 30 records of either kind.

    >>> foretelling([]).reason
    'tooFew'
    """
    tried = list(trials)
    before, after = (np.array([getattr(one, name) for one in tried], dtype=np.float64) for name in ("before", "after"))
    alive = np.array([one.alive for one in tried], dtype=bool)
    number, ended = int(alive.sum()), int((~alive).sum())
    if min(number, ended) < FEWEST:
        return Foretelling(horizon_days=HORIZON_DAYS, alive=number, ended=ended, reason="tooFew")
    change, error = area_difference(after, before, alive)
    return Foretelling(
        horizon_days=HORIZON_DAYS,
        alive=number,
        ended=ended,
        auc_before=rounded(area_under_roc(before, alive), 4),
        auc_after=rounded(area_under_roc(after, alive), 4),
        change=rounded(change, 4),
        low=rounded(change - _Z95 * error, 4),
        high=rounded(change + _Z95 * error, 4),
    )
