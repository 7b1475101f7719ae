"""Does the score tell deals that will be won from deals that will be lost? Measured at an instant before each one closed."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from shared import rosters
from shared.kpi.health import health
from shared.kpi.interactions import Bools, Floats
from shared.kpi.parameters import DAY
from shared.kpi.ranking import area_under_roc
from shared.kpi.rounding import rounded
from shared.quality_shapes import DealQuality
from shared.recompute import computation
from shared.rosters import Roster
from shared.stamps import Stamps

DAYS_BEFORE = (30, 90)
FEWEST = 30  # won and lost deals each, below which an area says nothing
MOST = 300  # of each that are looked at
LONGEST_AGO_DAYS = 730
_Z95 = 1.959964


@dataclass(frozen=True)
class Measured:
    """One closed deal at an instant before its closing."""

    won: bool
    score: float
    decayed: float
    silence_days: float


def deal_quality(now: int, in_force: Stamps, until: float) -> list[DealQuality]:
    """A line for each number of days before closing; no deal is begun after the monotonic instant `until`."""
    won, lost = (_closed(status, now) for status in ("won", "lost"))
    return [_quality(days, won, lost, in_force, until) for days in DAYS_BEFORE]


def _closed(status: str, now: int) -> list[Roster]:
    """The deals closed in the last two years, in the order of a hash of their ids."""
    since = now - LONGEST_AGO_DAYS * DAY
    found = [
        roster
        for roster in rosters.every("opportunity")
        if roster.status == status and not roster.gone and not roster.merged_into
        and roster.closed_at is not None and since <= roster.closed_at <= now
    ]  # fmt: skip
    return sorted(found, key=lambda roster: blake2b(roster.record.encode(), digest_size=8).digest())


def _quality(days: int, won: Sequence[Roster], lost: Sequence[Roster], in_force: Stamps, until: float) -> DealQuality:
    old_enough = [
        [r for r in deals if r.created_at is None or r.created_at <= (r.closed_at or 0) - days * DAY]
        for deals in (won, lost)
    ]
    looked_at = [roster for deals in old_enough for roster in deals[:MOST]]
    found, skipped = [], sum(map(len, old_enough)) > len(looked_at)
    number = 0
    for roster in sorted(looked_at, key=lambda roster: blake2b(roster.record.encode(), digest_size=8).digest()):
        if time.monotonic() > until:
            skipped = True
            break
        number += 1
        found.append(_measured(roster, days, in_force))
    scored = [one for one in found if one is not None]
    return summary(days, scored, number - len(scored), skipped)


def _measured(roster: Roster, days: int, in_force: Stamps) -> Measured | None:
    """The deal's figures so many days before its closing; None where the score was insufficient."""
    found = computation(roster.record, (roster.closed_at or 0) - days * DAY, in_force)
    if found is None:
        return None
    computed = found[0]
    value = health(computed.history, computed.parameters)
    if value.score is None or value.rhythm.silence_days is None:
        return None
    return Measured(roster.status == "won", value.score, value.evidence.decayed, value.rhythm.silence_days)


def summary(days: int, measured: Sequence[Measured], insufficient: int, sampled: bool) -> DealQuality:
    """The areas of our score and of two plain rules, the decayed number and the recency, on the same deals.

    >>> summary(30, [], 2, False).reason
    'tooFew'
    """
    won = np.array([one.won for one in measured], dtype=bool)
    numbers = {"won": int(won.sum()), "lost": int((~won).sum())}
    enough = min(numbers.values()) >= FEWEST
    columns = {
        "rapport": [one.score for one in measured],
        "decay": [one.decayed for one in measured],
        "recency": [-one.silence_days for one in measured],
    }
    areas = {name: area(np.array(values), won) if enough else None for name, values in columns.items()}
    ours = areas["rapport"]
    low, high = (None, None) if ours is None else interval(ours, **numbers)
    return DealQuality(
        days_before=days, **numbers, insufficient=insufficient, sampled=sampled, auc=ours, low=low, high=high,
        auc_decay=areas["decay"], auc_recency=areas["recency"],
        better_baselines=[name for name, value in areas.items() if ours is not None and value is not None and value > ours],
        reason="" if enough else "tooFew",
    )  # fmt: skip


def area(values: Floats, won: Bools) -> float:
    """The area under the ROC curve to 4 decimals; both kinds must be there."""
    return rounded(area_under_roc(values, won), 4)


def interval(area: float, won: int, lost: int) -> tuple[float, float]:
    """A 95 % interval of an area, cut to 0 and 1 (Hanley and McNeil 1982).

    >>> interval(0.7, 50, 50)
    (0.5976, 0.8024)
    """
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (area * (1 - area) + (won - 1) * (q1 - area**2) + (lost - 1) * (q2 - area**2)) / (won * lost)
    reach = _Z95 * math.sqrt(max(variance, 0.0))
    return rounded(max(0.0, area - reach), 4), rounded(min(1.0, area + reach), 4)
