"""Most contacted people on their side and on ours (kpis 5, tie rule 1.6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from shared.kpi.grouping import group
from shared.kpi.interactions import History, Indices, Kind
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
    contact = (inside.kind != Kind.TASK).take(inside.part_index)
    sides = [
        _ranked(inside, np.flatnonzero(contact & side), names or {}, offset + limit)
        for side in (~inside.part_internal, inside.part_internal)
    ]
    (customers, customers_total), (colleagues, colleagues_total) = sides
    page = slice(offset, offset + limit)
    return Contacts(customers[page], colleagues[page], customers_total, colleagues_total)


def _ranked(
    history: History, rows: Indices, names: Mapping[int, str], needed: int
) -> tuple[tuple[Contacted, ...], int]:
    """At least the first `needed` people among the marked participations, in order, and the number of all."""
    index, person = history.part_index.take(rows), history.part_person.take(rows)
    first, code = group(person)
    if not len(first):
        return (), 0
    per_kind = np.bincount(code * 3 + history.kind.take(index), minlength=3 * len(first)).reshape(-1, 3)
    last_row = np.zeros(len(first), dtype=np.int64)
    np.maximum.at(last_row, code, index)  # interactions are sorted by time, so the largest row is the latest
    number, last = per_kind.sum(axis=1), history.at.take(last_row)
    order = np.lexsort((-last, -number))
    order = _with_ties(order, number, last, needed)
    people = []
    for i in order.tolist():
        emails, meetings, calls = per_kind[i].tolist()
        people.append(Contacted(int(person[first[i]]), int(number[i]), emails, meetings, calls, int(last[i])))
    people.sort(key=lambda one: (-one.number, -one.last_at, names.get(one.person, "").casefold(), one.person))
    return tuple(people), len(first)


def _with_ties(order: Indices, number: Indices, last: Indices, needed: int) -> Indices:
    """The first `needed` of an order, and those equal to the last of them: names decide among equals."""
    if len(order) <= needed:
        return order
    edge = order[needed - 1]
    equal = (number[order] == number[edge]) & (last[order] == last[edge])
    return order[: int(np.flatnonzero(equal)[-1]) + 1]
