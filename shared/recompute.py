"""Recompute: read what a record counts, run the core, write the snapshot if nobody else did in between."""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b

import numpy as np
from msgspec import json

from shared import (
    account_union,
    acquaintance_rows,
    acquaintance_updates,
    crm_backlog,
    exchange,
    insights,
    organisation,
    partitions,
    registry,
    retention,
    rosters,
    similar_deals,
    similar_results,
    stamps,
)
from shared.directory import directory
from shared.errors import UnavailableError
from shared.insights import Stored
from shared.list_rows import list_row
from shared.snapshots import Computation, compute, snapshot, valid_until
from shared.stamps import Stamps
from shared.subjects import subject_of
from shared.widgets import RecordWidgets

_TRIES = 8

Found = tuple[Computation, partitions.Partition]


def computation(record: str, as_of: int, in_force: Stamps) -> Found | None:
    """Read a record and decide what counts at `as_of`; None when there is no such record (any more)."""
    roster = rosters.read(record)
    if roster is None or roster.gone or roster.merged_into:
        return None
    union = account_union.beside(roster, organisation.settings_at(in_force.parameters).account_union)
    children = [*rosters.children(record), *union] if roster.type == "account" else []
    partition = partitions.read(record)
    entries, with_exchange = exchange.shown(account_union.with_union(partition.live, union))
    our_people = directory(in_force.people)
    subject = subject_of(roster, children, our_people, np.unique(entries.facts.part_person))
    parameters = organisation.parameters_for(in_force.parameters, roster)
    computed = compute(subject, entries, as_of, parameters, registry.texts)
    mailboxes = exchange.sources(our_people, as_of) if with_exchange else None
    until = crm_backlog.complete_until()
    return replace(computed, mailboxes=mailboxes, held_from=retention.held_from(), crm_until=until), partition


def recompute(record: str, now: int) -> Stored | None:
    """Bring the record's snapshot up to date and return it; None when there is no such record (any more).

    Raises UnavailableError when other writers are faster all the time; they have then written something as new.
    """
    for _ in range(_TRIES):
        in_force = stamps.read()
        before = insights.held(record)
        found = computation(record, now, in_force)
        if found is None:
            if before.etag:
                insights.remove(record, before, now)
                similar_results.remove(record)
                acquaintance_rows.remove([record])
            elif rosters.read(record):
                insights.await_no_more(record)
            return None
        computed, partition = found
        computed, similar_due = similar_deals.beside(computed, now, in_force)
        widgets = snapshot(computed, now, now, in_force.parameters)
        stored = _stored(widgets, now, valid_until(computed, now), similar_due)
        subject, our_people = computed.subject, directory(in_force.people)
        acquaintance_updates.follow_record(
            subject.roster, subject.children, computed.entries, now, computed.parameters, our_people
        )
        in_lists = list_row(widgets, computed.subject.roster, now)
        people = np.unique(np.concatenate([computed.inclusion.person, computed.entries.facts.part_person]))
        if insights.write_if(record, stored, people.astype("<u8").tobytes(), in_lists, before, now):
            if len(partition.tail) > partitions.TAIL_LIMIT:
                partitions.fold_tail(partition)
            if stamps.read() == in_force:
                return stored
    raise UnavailableError("The record is being computed by too many workers at once.")


def _stored(widgets: RecordWidgets, now: int, until: int, similar_due: bool) -> Stored:
    body = json.encode(widgets)
    return Stored(body, blake2b(body, digest_size=12).hexdigest(), until, now, similar_due)


def current(record: str, now: int) -> Stored | None:
    """The stored snapshot if it still holds, else a new one; None when there is no such record."""
    stored = insights.read(record)
    if stored is not None and now < stored.valid_until and stored.computed_at > exchange.changed_at():
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
