"""Most contacted people on their side and on ours (kpis 5, tie rule 1.6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from shared.kpi.counts import KINDS
from shared.kpi.grouping import group
from shared.kpi.interactions import Codes, History, Indices, Kind
from shared.kpi.windows import Window, within


@dataclass(frozen=True)
class Contacted:
    """A person and the counted interactions of the window in which the person took part (number >= 1)."""

    person: int
    number: int
    emails: int
    meetings: int
    calls: int
    last_at: int  # instant of the latest of them


@dataclass(frozen=True)
class Contacts:
    """The most contacted of their people and of ours, most first, and how many people there are in all."""

    customers: tuple[Contacted, ...]
    colleagues: tuple[Contacted, ...]
    customers_total: int
    colleagues_total: int


def most_contacted(
    history: History, window: Window, names: Mapping[int, str] | None = None, limit: int = 3, offset: int = 0
) -> Contacts:
    """People by number of interactions; ties: the later contacted first, then by name (case-folded), then by key.

    `names` maps person keys to display names; a person without one sorts by key alone. `limit` and `offset` page through
    either list. No interactions: empty lists. Tasks do not count. All who take part are listed, on the record or not.
    """
    inside = within(history, window)
    # Whoever has addresses on both sides is two people here.
    first, code = group(inside.part_person ^ (inside.part_internal * _OUR_SIDE))
    kind = inside.kind.take(inside.part_index)
    kinds = np.bincount(code * KINDS + kind, minlength=KINDS * len(first)).reshape(-1, KINDS)
    number = kinds[:, :_TASK].sum(axis=1)
    tally = _Tally(inside, first, code, kind, kinds, number)
    ours = inside.part_internal.take(first)
    customers, colleagues = (~ours & (number > 0)).nonzero()[0], (ours & (number > 0)).nonzero()[0]
    page = slice(offset, offset + limit)
    return Contacts(
        tuple(tally.ranked(customers, names or {}, offset + limit)[page]),
        tuple(tally.ranked(colleagues, names or {}, offset + limit)[page]),
        len(customers),
        len(colleagues),
    )


# Plain numbers: an enum compares with a small array three times as slowly.
_TASK = int(Kind.TASK)
_OUR_SIDE = np.uint64(0xD6E8FEB86659FD93)  # tells the two sides of one key apart


@dataclass(frozen=True)
class _Tally:
    history: History
    first: Indices  # (g,) a participation of each person
    code: Indices  # (m,) the person of each participation
    kind: Codes  # (m,) the kind of its interaction
    kinds: Indices  # (g, KINDS)
    number: Indices  # (g,) interactions, tasks apart

    def ranked(self, people: Indices, names: Mapping[int, str], needed: int) -> list[Contacted]:
        """At least the first `needed` of these people (those with fewer interactions than that left aside), in order."""
        if len(people) > needed:
            number = self.number.take(people)
            people = people[number >= np.sort(number)[len(number) - needed]]
        persons = self.history.part_person.take(self.first.take(people)).tolist()
        rows = zip(persons, self.kinds[people].tolist(), self._last_at(people), strict=True)
        listed = [Contacted(one, sum(kinds[:3]), kinds[0], kinds[1], kinds[2], at) for one, kinds, at in rows]
        return sorted(
            listed, key=lambda one: (-one.number, -one.last_at, names.get(one.person, "").casefold(), one.person)
        )

    def _last_at(self, people: Indices) -> list[int]:
        """Instants of their latest interactions: rows are in order of time, so their last rows but tasks."""
        last = np.full(len(self.first), -1, dtype=np.intp)
        end, step = len(self.code), 4096
        while end > 0 and (last.take(people) < 0).any():  # from the latest rows back, as far as needed
            start = max(end - step, 0)
            rows = start + np.flatnonzero(self.kind[start:end] != _TASK)
            np.maximum.at(last, self.code.take(rows), self.history.part_index.take(rows))
            end, step = start, step * 4
        found: list[int] = self.history.at.take(last.take(people)).tolist()
        return found
