"""Who takes part: participations seen from one record, canonical, on their side, with those who take no part marked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from shared.kpi.interactions import Bools, Indices, Interactions, Keys, Kind, Membership, Response, Role


def contains(keys: Keys, values: Keys) -> Bools:
    """Which of `values` are among the sorted `keys`; all False when `keys` is empty.

    >>> contains(np.array([2, 5], "u8"), np.array([5, 1, 2], "u8")).tolist()
    [True, False, True]
    """
    found = np.zeros(len(values), dtype=bool)
    if len(keys) <= 8:  # a few whole-array comparisons beat the binary search
        for key in keys:
            found |= values == key
        return found
    position = np.searchsorted(keys, values)
    return np.equal(keys.take(position, mode="clip"), values, out=found)


def memberships(membership: Membership) -> Iterator[Membership]:
    """This membership and all below it."""
    yield membership
    for child in membership.children:
        yield from memberships(child)


@dataclass(frozen=True)
class People:
    """Participations (m rows) as one record sees them. `code` points into `known`, `len(known)` = nobody known."""

    index: Indices  # (m,) the interaction of each row, ascending
    person: Keys  # (m,) canonical
    internal: Bools  # (m,) one of ours
    attends: Bools  # (m,) takes part: everyone but an attendee who declined
    code: Indices  # (m,) position in `known`
    known: Keys  # (k,) sorted address and person keys which any membership names
    canonical: Keys  # (k,) the person each of them is

    def among(self, persons: Keys) -> Bools:
        """(m,) whether the person of a row is one of the sorted canonical keys `persons`."""
        return np.append(contains(persons, self.canonical), False).take(self.code)

    def some(self, rows: Bools, size: int) -> Bools:
        """(size,) whether an interaction has at least one of the marked rows."""
        found = np.zeros(size, dtype=bool)
        found[self.index[rows]] = True
        return found


def resolve(interactions: Interactions, membership: Membership) -> People:
    """Read the participations of `interactions` through the people of `membership`.

    Internal = the person is one of ours, or the address lies in a domain of ours; whoever is internal is never external,
    even when a contact has the same address.
    """
    known, canonical = _known(membership)
    position = np.searchsorted(known, interactions.part_person)
    met = known.take(position, mode="clip") == interactions.part_person if len(known) else position < 0
    code = np.where(met, position, len(known))
    person = np.where(met, np.append(canonical, np.uint64(0)).take(code), interactions.part_person)
    ours = np.append(contains(membership.internal, canonical), False).take(code)
    domain = interactions.part_domain
    internal = ours | (contains(membership.internal_domains, domain) & (domain != 0))
    meeting = interactions.kind.take(interactions.part_index) == Kind.MEETING
    declined = (interactions.part_response == Response.DECLINED) & (interactions.part_role == Role.ATTENDEE)
    attends = ~(declined & meeting)
    return People(interactions.part_index, person, internal, attends, code, known, canonical)


def _known(membership: Membership) -> tuple[Keys, Keys]:
    """All keys that a membership names, sorted, and the person each is."""
    named = [membership.persons, membership.canonical, membership.internal]
    for each in memberships(membership):
        named += [each.external, each.team] if each.team is not None else [each.external]
        if each.persons is not membership.persons:
            named.append(each.persons)
    known = np.unique(np.concatenate(named))
    if not len(membership.persons):
        return known, known
    position = np.searchsorted(membership.persons, known)
    mapped = membership.persons.take(position, mode="clip") == known
    return known, np.where(mapped, membership.canonical.take(position, mode="clip"), known)
