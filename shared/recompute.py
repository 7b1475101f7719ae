"""Recompute: read what a record counts, run the core, write the snapshot if nobody else did in between."""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b

import numpy as np
from msgspec import json, structs

from shared import insights, organisation, partitions, registry, rosters, similar_deals, similar_results, stamps
from shared.directory import directory
from shared.errors import UnavailableError
from shared.insights import Stored
from shared.kpi.parameters import Parameters
from shared.snapshots import Computation, compute, snapshot, valid_until
from shared.stamps import Stamps
from shared.subjects import subject_of

_TRIES = 8

Found = tuple[Computation, partitions.Partition]


def computation(record: str, as_of: int, in_force: Stamps) -> Found | None:
    """Read a record and decide what counts at `as_of`; None when there is no such record (any more)."""
    roster = rosters.read(record)
    if roster is None or roster.gone or roster.merged_into:
        return None
    children = rosters.children(record) if roster.type == "account" else []
    partition = partitions.read(record)
    entries = partition.live
    our_people = directory(in_force.people)
    subject = subject_of(roster, children, our_people, np.unique(entries.facts.part_person))
    return compute(subject, entries, as_of, parameters(in_force), registry.texts), partition


def parameters(in_force: Stamps) -> Parameters:
    """The organisation's parameters in force."""
    return organisation.parameters(in_force.parameters)


def recompute(record: str, now: int) -> Stored | None:
    """Bring the record's snapshot up to date and return it; None when there is no such record (any more).

    Raises UnavailableError when other writers are faster all the time; they have then written something as new.
    """
    for _ in range(_TRIES):
        in_force = stamps.read()
        etag = insights.etag(record)
        found = computation(record, now, in_force)
        if found is None:
            if etag:
                insights.remove(record)
                similar_results.remove(record)
            return None
        computed, partition = found
        computed, similar_due = similar_deals.beside(computed, now, in_force)
        stored = structs.replace(_stored(computed, now, in_force), similar_due=similar_due)
        people = np.unique(np.concatenate([computed.inclusion.person, computed.entries.facts.part_person]))
        if insights.write_if(record, stored.body, stored.valid_until, people.astype("<u8").tobytes(), etag):
            if len(partition.tail) > partitions.TAIL_LIMIT:
                partitions.fold_tail(partition)
            if stamps.read() == in_force:
                return stored
    raise UnavailableError("The record is being computed by too many workers at once.")


def _stored(computed: Computation, now: int, in_force: Stamps) -> Stored:
    body = json.encode(snapshot(computed, now, now, in_force.parameters))
    return Stored(body, blake2b(body, digest_size=12).hexdigest(), valid_until(computed, now))


def current(record: str, now: int) -> Stored | None:
    """The stored snapshot if it still holds, else a new one; None when there is no such record."""
    stored = insights.read(record)
    if stored is not None and now < stored.valid_until:
        return stored
    return recompute(record, now)


def as_of(record: str, instant: int, now: int, with_similar: bool = False) -> bytes | None:
    """All widgets for a past instant, from what is held today: late arrivals are in, erased data is gone. Nothing is stored.

    Similar deals are looked for only on demand: it takes reading twenty other records.
    """
    in_force = stamps.read()
    found = computation(record, instant, in_force)
    if found is None:
        return None
    computed, _ = found
    if with_similar:
        computed = replace(computed, similar=similar_deals.at(computed.subject.roster, instant, in_force))
    return json.encode(snapshot(computed, now, now, in_force.parameters))
