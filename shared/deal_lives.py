"""Figures of other deals at past instants, each deal read once for a whole batch."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np

from shared import exchange, organisation, partitions, rosters
from shared.deal_fields import is_comparable
from shared.directory import directory
from shared.rosters import Roster
from shared.similar_widget import deal_figures
from shared.snapshots import Computation, compute
from shared.stamps import Stamps
from shared.subjects import subject_of
from shared.widgets import DealFigures

_REMEMBERED = 500_000  # interactions, about 100 MB; deals that resemble each other share most of their neighbours


class DealLife:
    """A won deal as it is stored now; tells its figures at any instant up to its closing."""

    def __init__(self, roster: Roster, closed_at: int, found: Computation) -> None:
        self.roster, self.closed_at, self._found = roster, closed_at, found
        self._known: dict[int, DealFigures] = {}

    def __len__(self) -> int:
        return len(self._found.entries)

    def at(self, instant: int) -> DealFigures:
        """The figures at an instant: what happened later does not exist for them."""
        if instant not in self._known:
            self._known[instant] = deal_figures(self._found, instant)
        return self._known[instant]


class DealLives:
    """Won deals read from storage, each once while it is among those last asked for. For one batch of work.

    Whether Exchange may be seen is read once: a result is found at the batch's beginning, so it does not outlive a change.
    """

    def __init__(self, in_force: Stamps) -> None:
        self._in_force = in_force
        self._kept: OrderedDict[str, DealLife | None] = OrderedDict()
        self._size = 0
        self._visible: bool | None = None

    def life(self, record: str) -> DealLife | None:
        """The deal; None when there is no such record (any more), or it is not won."""
        if record not in self._kept:
            self._kept[record] = life = self._read(record)
            self._size += len(life) if life is not None else 0
            while self._size > _REMEMBERED and len(self._kept) > 1:
                _, oldest = self._kept.popitem(last=False)
                self._size -= len(oldest) if oldest is not None else 0
        self._kept.move_to_end(record)
        return self._kept[record]

    def _read(self, record: str) -> DealLife | None:
        roster = rosters.read(record)
        if roster is None or not is_comparable(roster) or roster.status != "won" or roster.closed_at is None:
            return None
        if self._visible is None:
            self._visible = exchange.is_visible()
        entries, _ = exchange.shown(partitions.read(record, with_ids=False).live, self._visible)
        subject = subject_of(roster, [], directory(self._in_force.people), np.unique(entries.facts.part_person))
        parameters = organisation.parameters_for(self._in_force.parameters, roster)
        found = compute(subject, entries, roster.closed_at, parameters, lambda keys: {})
        return DealLife(roster, roster.closed_at, found)
