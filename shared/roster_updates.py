"""Bringing rosters in line when CRM rows change.

Writing obeys one order, so that no interleaving of two workers loses anything, and a crash is healed by the message coming again:

1. read the roster's ETag, 2. say who refers to whom (`references`), 3. read the rows referred to, 4. say which anchors the
record counts (`membership`), 5. bring over the history of new anchors, 6. write the roster if nobody else did in between, 7. put
it beside its account. A roster carries the revisions of the rows it was made from, so whoever has seen newer rows writes, be it
the same words, and a slow writer with older ones is refused.

An anchor is where an interaction is put before any record is looked up: an external person, or the record it regards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from shared import acquaintance_rows, insights, membership, rosters, states
from shared.errors import UnavailableError
from shared.membership import Claim
from shared.roster_facts import work_out
from shared.rosters import RECORD_TYPES, SPANNED, Roster, claims, write_if

_TRIES = 10


def rebuild_for(changed: Iterable[states.HeldState]) -> set[str]:
    """Bring all rosters in line that depend on these changed CRM rows; the records to compute again."""
    own = {f"{held.state.entity}:{held.state.id}" for held in changed if held.state.entity in RECORD_TYPES}
    to_compute, dependants = rebuild(own)
    # What a merge moved is known only now: the survivor has a new source, and whoever refers to the survivor new people.
    moved = to_compute - own
    more, others = rebuild((dependants | moved) - own)
    still_more, _ = rebuild({other for other in others if moved} - own - dependants - moved)
    return to_compute | more | still_more


def rebuild(records: Iterable[str]) -> tuple[set[str], set[str]]:
    """Work out the rosters of these records and bring their partitions in line; the records to compute again, and the records
    that refer to these.

    Raises UnavailableError when other writers are faster all the time; repeating is harmless.
    """
    pending = set(records)
    to_compute: set[str] = set()
    dependants: set[str] = set()
    for _ in range(_TRIES):
        if not pending:
            return to_compute, dependants
        pending, reached, sources = _rebuild(sorted(pending))
        to_compute |= reached
        dependants |= sources
    raise UnavailableError("Records are being changed by too many writers.")


def reclaim(found: Iterable[Roster], lead_in_days: int) -> None:
    """Let deals, leads and cases claim what lies in this lead-in, and copy what a longer one adds; the rest of the rosters stays.

    Raises UnavailableError when other writers are faster all the time; repeating is harmless.
    """
    pending = {r.record for r in found if r.type in SPANNED and r.lead_in_days != lead_in_days}
    for _ in range(_TRIES):
        if not pending:
            return
        rows = {record: rosters.stored(record) for record in sorted(pending)}
        stored = [roster for roster, _ in rows.values() if roster]
        pending = _put(rows, {r.record: replace(r, lead_in_days=lead_in_days) for r in stored})
    raise UnavailableError("Records are being changed by too many writers.")


def _rebuild(records: list[str]) -> tuple[set[str], set[str], set[str]]:
    rows = {record: rosters.stored(record) for record in records}
    new, sources = work_out(records)
    new = {record: _after(rows[record][0], roster) for record, roster in new.items()}
    refused = _put(rows, new)
    related = {name for r in new.values() for name in (r.merged_into, r.account, *r.left, *r.parted)}
    return refused, {*records, *related} - {""}, sources


def _after(before: Roster | None, roster: Roster) -> Roster:
    """The roster with what only the one before it knows."""
    if before is None:
        return roster
    left = {*before.left, before.account} - {roster.account, ""}
    parted = {*before.parted, before.merged_into} - {roster.merged_into, ""}
    return replace(roster, left=tuple(sorted(left)), parted=tuple(sorted(parted)), revision=before.revision)


def _put(rows: Mapping[str, tuple[Roster | None, str | None]], new: dict[str, Roster]) -> set[str]:
    """Bring over what new claims ask for, write the rosters that differ, tell the accounts; who was refused."""
    _bring_over(rows, new)
    # Before they are stored: who comes after a crash finds them stored, and would not know that they are new.
    insights.await_records(
        roster for record, roster in new.items() if (before := rows[record][0]) is None or before.gone
    )
    refused = set()
    for record, roster in new.items():
        before, etag = rows[record]
        if roster != before:
            new[record] = replace(roster, revision=roster.revision + 1)
            if not write_if(new[record], etag):
                refused.add(record)
    # Only what is stored is told, also when it was stored before: the one who stored it may have come no further.
    rosters.tell(roster for record, roster in new.items() if record not in refused)
    return refused


def _bring_over(rows: Mapping[str, tuple[Roster | None, str | None]], new: dict[str, Roster]) -> None:
    """Announce new claims, then copy what the claimed partitions already hold."""
    fresh: set[Claim] = set()
    for record, roster in new.items():
        before = rows[record][0]
        fresh |= claims(roster) - (claims(before) if before else set())
    membership.announce(fresh)
    held = membership.copy_history(fresh)
    # The row of a person who was a bare address until now would go on answering; the contact or lead does from now on.
    acquaintance_rows.remove(
        {
            c.anchor
            for c in fresh
            if c.anchor in held and c.record == c.source and c.record.startswith(("contact:", "lead:"))
        }
    )
