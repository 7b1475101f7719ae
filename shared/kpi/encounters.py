"""Encounters: one colleague and one external person on one counted interaction, the raw material of who knows whom.

An email joins its sender with each recipient (To or Cc) of the other side, and nobody else; a meeting or call joins everyone
of ours who took part with everyone of theirs.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from shared.kpi.exclusion import NONE, exclude, has
from shared.kpi.interactions import (
    Bools,
    Codes,
    Flag,
    Floats,
    Indices,
    Instants,
    Interactions,
    Keys,
    Kind,
    Membership,
    Role,
)
from shared.kpi.parameters import Parameters
from shared.kpi.people import contains, resolve


@dataclass(frozen=True)
class Encounters:
    """Columns of length r, in the order of the interactions, then of our and their person keys."""

    colleague: Keys
    person: Keys  # the external person, canonical
    interaction: Indices  # position in the interactions
    at: Instants
    kind: Codes  # EMAIL, MEETING or CALL
    ours: Bools  # an email that the colleague sent
    answered: Bools  # a held meeting or an answered call: two-way by itself
    others: Floats  # k: distinct people who took part, less one, at least 1
    first: Bools  # the colleague's first row of the interaction: counts it once, however many of a company took part

    def __len__(self) -> int:
        return len(self.at)

    def select(self, rows: Bools) -> Encounters:
        """The marked rows. Mark all rows of an interaction or none, else `first` loses its meaning."""
        return Encounters(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def encounters(
    interactions: Interactions,
    membership: Membership,
    as_of: int,
    parameters: Parameters,
    domain: int | None = None,
) -> Encounters:
    """Who of ours met `membership.external`, or anyone external with an address in `domain` if that is given.

    Interactions excluded for a reason of their own (kpis 2.4) and tasks are left out; what a record would count or not plays
    no part. Nothing gives empty columns.
    """
    rows = participants(interactions, membership, as_of, parameters)
    if domain is None:
        target = contains(membership.external, rows.person)
    else:
        target = contains(np.unique(rows.person[rows.domain == np.uint64(domain)]), rows.person)
    return _pair(interactions, rows, target & ~rows.internal)


@dataclass(frozen=True)
class Participants:
    """Each person once per counted interaction, in the order of the interactions, then of the person keys."""

    index: Indices  # position of the interaction
    person: Keys
    internal: Bools
    sender: Bools
    domain: Keys  # of the address, or one of the addresses, which the person used
    others: Floats  # per interaction: distinct people less one, at least 1


def participants(
    interactions: Interactions, membership: Membership, as_of: int, parameters: Parameters
) -> Participants:
    """Who took part in the emails, meetings and calls that count up to `as_of`; decliners did not."""
    people = resolve(interactions, membership)
    counted = exclude(interactions, people, as_of, parameters).reason == NONE
    counted &= (interactions.kind != Kind.TASK) & (interactions.at <= as_of)
    rows = np.flatnonzero(counted[interactions.part_index] & people.attends)
    address = people.address_of_row[rows]
    index, person, internal = interactions.part_index[rows], people.canonical[address], people.ours[address]
    sender, domain = interactions.part_role[rows] == Role.FROM, interactions.part_domain[rows]
    order = np.lexsort((~sender, person, index))  # of a person's rows the sender's first
    kept = order[_starts(index[order], person[order])]
    others = np.maximum(np.bincount(index[kept], minlength=len(interactions)) - 1.0, 1.0)
    return Participants(index[kept], person[kept], internal[kept], sender[kept], domain[kept], others)


def _pair(interactions: Interactions, rows: Participants, target: Bools) -> Encounters:
    """Join our rows with the target's rows of the same interaction."""
    our_rows, their_rows = np.flatnonzero(rows.internal), np.flatnonzero(target)
    start = np.searchsorted(rows.index[our_rows], rows.index[their_rows], "left")
    number = np.searchsorted(rows.index[our_rows], rows.index[their_rows], "right") - start
    theirs = np.repeat(their_rows, number)
    within = np.arange(len(theirs)) - np.repeat(np.cumsum(number) - number, number)
    ours = our_rows[np.repeat(start, number) + within]
    email = interactions.kind[rows.index[ours]] == Kind.EMAIL
    kept = ~email | (rows.sender[ours] != rows.sender[theirs])
    ours, theirs = ours[kept], theirs[kept]
    order = np.lexsort((rows.person[theirs], rows.person[ours], rows.index[ours]))
    ours, theirs = ours[order], theirs[order]
    index = rows.index[ours]
    kind = interactions.kind[index]
    heard = (kind == Kind.CALL) & ~has(interactions, Flag.NO_ANSWER)[index]
    return Encounters(
        colleague=rows.person[ours],
        person=rows.person[theirs],
        interaction=index,
        at=interactions.at[index],
        kind=kind,
        ours=(kind == Kind.EMAIL) & rows.sender[ours],
        answered=(kind == Kind.MEETING) | heard,
        others=rows.others[index],
        first=_starts(index, rows.person[ours]),
    )


def _starts(index: Indices, person: Keys) -> Bools:
    """Where a run of equal (index, person) begins."""
    return np.append(True, (index[1:] != index[:-1]) | (person[1:] != person[:-1]))[: len(index)]
