"""Cover risk: how much of a relationship hangs on one person, and what is left when a colleague goes (kpis 12)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from shared.kpi.changes import only
from shared.kpi.health import Health, health
from shared.kpi.interactions import History
from shared.kpi.pairs import pairs
from shared.kpi.parameters import DAY, Parameters
from shared.kpi.rounding import rounded
from shared.kpi.shares import Shares, our_shares, their_shares

HANDOVER_DAYS = 365


@dataclass(frozen=True)
class Share:
    """A person's part of one side of the relationship, 0 to 1 with four decimals."""

    person: int
    share: float


@dataclass(frozen=True)
class Concentration:
    """The shares of one side, largest first, and how many people they amount to. Ties: the later met first, then by name
    (case-folded), then by key.

    Without interaction there are no shares, `largest` and `effective_number` are None, and nothing hangs on one person.
    `effective_number` is 1 ÷ Σ share²: 1 when one person carries all, n when n people carry the same.
    """

    shares: tuple[Share, ...]
    largest: float | None
    effective_number: float | None
    single_threaded: bool


@dataclass(frozen=True)
class Cover:
    """Both sides' concentration."""

    ours: Concentration
    theirs: Concentration


@dataclass(frozen=True)
class Departure:
    """The record if one colleague leaves: health now and then, and whom nobody else knows."""

    person: int
    now: Health
    then: Health
    handover: tuple[int, ...]  # external person keys, ascending


def cover(history: History, parameters: Parameters, names: Mapping[int, str] | None = None) -> Cover:
    """How the decayed worth of the interactions of health is spread over our people and over theirs.

    `names` maps person keys to display names, for the order of equal shares.
    """
    sides = (our_shares(history, parameters), their_shares(history, parameters))
    return Cover(*(concentration(side, parameters.single_thread_share, names or {}) for side in sides))


def concentration(side: Shares, limit: float, names: Mapping[int, str]) -> Concentration:
    """Concentration of amounts; a largest share of at least `limit` (0 to 1) is single-threaded."""
    total = float(side.amount.sum())
    if total == 0.0:
        return Concentration((), None, None, single_threaded=False)
    share = np.round(side.amount / total, 9)
    shown = [rounded(each, 4) for each in share.tolist()]
    ranks = zip((-share).tolist(), (-side.last_at).tolist(), side.person.tolist(), shown, strict=True)
    rows = sorted((part, last, names.get(person, "").casefold(), person, value) for part, last, person, value in ranks)
    listed = tuple(Share(person, value) for *_, person, value in rows)
    effective = rounded(1.0 / float(((side.amount / total) ** 2).sum()), 2)
    largest = float(share.max())
    return Concentration(listed, rounded(largest, 4), effective, largest >= limit)


def departure(history: History, parameters: Parameters, person: int, created: int | None = None) -> Departure:
    """What is left when our `person` leaves: interactions in which nobody else of ours took part are gone.

    `created` is the record's creation, as for `health`.
    """
    ours = pairs(history, history.part_internal)
    kept = np.ones(len(history), dtype=bool)
    kept[ours.row[(ours.person == person) & ours.alone]] = False
    now, then = (health(each, parameters, created=created) for each in (history, only(history, kept)))
    return Departure(person, now, then, handover(history, person))


def handover(history: History, person: int) -> tuple[int, ...]:
    """External people, of interest or not, whose every interaction of the last 365 days had our `person` alone of ours."""
    recent = (history.at > history.as_of - HANDOVER_DAYS * DAY)[history.part_index]
    ours = pairs(history, history.part_internal & recent)
    known_alone = np.zeros(len(history), dtype=bool)
    known_alone[ours.row[(ours.person == person) & ours.alone]] = True
    theirs = pairs(history, ~history.part_internal & recent)
    others = np.unique(theirs.person[~known_alone[theirs.row]])
    return tuple(np.setdiff1d(theirs.person, others).tolist())
