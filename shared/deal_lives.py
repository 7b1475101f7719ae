"""Figures of other deals at past instants, each deal read once for a whole batch."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np

from shared import organisation, partitions, rosters
from shared.columns import Entries
from shared.directory import directory
from shared.kpi.parameters import Parameters
from shared.rosters import Roster
from shared.similar_widget import deal_figures
from shared.snapshots import compute
from shared.stamps import Stamps
from shared.subjects import Subject, subject_of
from shared.widgets import DealFigures

_REMEMBERED = 500  # deals; a batch of deals that resemble each other has fewer neighbours


class DealLife:
    """One deal as it is stored now; tells its figures at any instant."""

    def __init__(self, subject: Subject, entries: Entries, parameters: Parameters) -> None:
        self._subject, self._entries, self._parameters = subject, entries, parameters
        self._known: dict[int, DealFigures] = {}

    @property
    def roster(self) -> Roster:
        """The deal itself."""
        return self._subject.roster

    def at(self, instant: int) -> DealFigures:
        """The figures at an instant: what happened later does not exist for them."""
        if instant not in self._known:
            found = compute(self._subject, self._entries, instant, self._parameters, lambda keys: {})
            self._known[instant] = deal_figures(found)
        return self._known[instant]


class DealLives:
    """Deals read from storage, each once while it is among the last 500 asked for. For one batch of work."""

    def __init__(self, in_force: Stamps) -> None:
        self._in_force = in_force
        self._kept: OrderedDict[str, DealLife | None] = OrderedDict()

    def life(self, record: str) -> DealLife | None:
        """The deal; None when there is no such record (any more)."""
        if record not in self._kept:
            self._kept[record] = self._read(record)
            if len(self._kept) > _REMEMBERED:
                self._kept.popitem(last=False)
        self._kept.move_to_end(record)
        return self._kept[record]

    def _read(self, record: str) -> DealLife | None:
        roster = rosters.read(record)
        if roster is None or roster.gone or roster.merged_into:
            return None
        entries = partitions.read(record, with_ids=False).live
        subject = subject_of(roster, [], directory(self._in_force.people), np.unique(entries.facts.part_person))
        return DealLife(subject, entries, organisation.parameters_for(self._in_force.parameters, roster))
