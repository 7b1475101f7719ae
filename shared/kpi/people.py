"""Who takes part: participations seen from one record, canonical, on their side, with those who take no part marked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntFlag

import numpy as np

from shared.kpi.grouping import group
from shared.kpi.interactions import Bools, Codes, Indices, Interactions, Keys, Membership, Response, Role


class Present(IntFlag):
    """Who is in an interaction, as bits: invited in any role, taking part, and starting it (From or organizer)."""

    OURS = 1
    THEIRS = 2
    OURS_ATTEND = 4
    THEIRS_ATTEND = 8
    OURS_START = 16
    THEIRS_START = 32


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
    """Participations (m rows) of n interactions as one record sees them, through their g distinct addresses.

    All that depends on an address alone is worked out once an address, and brought to the rows by `address_of_row`.
    """

    rows: Indices  # (n,) number of rows of each interaction
    address: Keys  # (g,) distinct addresses
    canonical: Keys  # (g,) the person each belongs to
    ours: Bools  # (g,) one of us
    address_of_row: Indices  # (m,) position in `address`
    attends: Bools  # (m,) takes part: everyone but an attendee who declined
    present: Codes  # (n,) Present

    def attending(self, ours: Bools, theirs: Bools) -> Codes:
        """(n,) OURS where one of our marked addresses (g,) takes part, THEIRS where one of theirs does."""
        mark = (ours & self.ours) * np.uint8(Present.OURS) | (theirs & ~self.ours) * np.uint8(Present.THEIRS)
        return some(mark.take(self.address_of_row) * self.attends, self.rows)


def some(bits: Codes, rows: Indices) -> Codes:
    """(n,) the bits set in at least one row of an interaction, out of (m,) bits a row and (n,) numbers of rows.

    >>> some(np.array([1, 2, 4], np.uint8), np.array([2, 0, 1])).tolist()
    [3, 0, 4]
    """
    filled = np.flatnonzero(rows)
    starts = (np.cumsum(rows) - rows).take(filled)
    if len(filled) == len(rows) > 0:
        return np.bitwise_or.reduceat(bits, starts)
    found = np.zeros(len(rows), dtype=np.uint8)
    if len(filled):
        found[filled] = np.bitwise_or.reduceat(bits, starts)
    return found


def resolve(interactions: Interactions, membership: Membership) -> People:
    """Read the participations of `interactions` through the people of `membership`.

    Ours = the person is one of us, or the address lies in a domain of ours; whoever is ours is never external, even when a
    contact has the same address.
    """
    first, address_of_row = group(interactions.part_person)
    address = interactions.part_person.take(first)
    canonical = address
    if len(membership.persons):
        position = np.searchsorted(membership.persons, address)
        met = membership.persons.take(position, mode="clip") == address
        canonical = np.where(met, membership.canonical.take(position, mode="clip"), address)
    domain = interactions.part_domain.take(first)
    ours = contains(membership.internal, canonical) | contains(membership.internal_domains, domain)
    rows, attends = np.bincount(interactions.part_index, minlength=len(interactions)), _attends(interactions)
    side = np.where(ours, np.uint8(Present.OURS), np.uint8(Present.THEIRS)).take(address_of_row)
    starts = (interactions.part_role == Role.FROM) | (interactions.part_role == Role.ORGANIZER)
    present = some(side | (side << np.uint8(2)) * attends | (side << np.uint8(4)) * starts, rows)
    return People(rows, address, canonical, ours, address_of_row, attends, present)


def _attends(interactions: Interactions) -> Bools:
    """(m,) False for attendees who declined. An organizer counts as accepted."""
    attends: Bools = (interactions.part_response != Response.DECLINED) | (interactions.part_role != Role.ATTENDEE)
    return attends
