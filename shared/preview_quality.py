"""How well the scores by two settings would have foretold the last thirty days: the AUC of each on the records of a preview."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from shared.kpi.health import health
from shared.kpi.interactions import History, Kind
from shared.kpi.parameters import DAY, Parameters
from shared.kpi.ranking import area_difference, area_under_roc
from shared.kpi.rounding import rounded
from shared.preview_shapes import Foretelling

HORIZON_DAYS = 30
FEWEST = 30  # records that had contact again, and records that had not, below which an area says nothing
_Z95 = 1.959964


@dataclass(frozen=True)
class Trial:
    """One record's scores thirty days ago, by both settings, and whether it had contact since."""

    before: float
    after: float
    alive: bool


def trial(before: History, after: History, old: Parameters, new: Parameters) -> Trial | None:
    """One record scored thirty days before its histories' instant by both settings; None where a score is missing or frozen.

    `before` and `after` are what it counts by the old and by the new settings.
    """
    past = before.as_of - HORIZON_DAYS * DAY
    found = health(before, old, past), health(after, new, past)
    if found[0].score is None or found[1].score is None or found[0].frozen:
        return None
    return Trial(found[0].score, found[1].score, _has_contact(before, past))


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
