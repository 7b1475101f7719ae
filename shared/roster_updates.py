"""Bringing rosters in line when CRM rows change.

Writing obeys one order, so that no interleaving of two workers loses anything, and a crash is healed by the message coming again:

1. read the roster's ETag, 2. say who refers to whom (`references`), 3. read the rows referred to, 4. say which anchors the
record counts (`membership`), 5. bring over the history of new anchors, 6. write the roster if nobody else did in between.

An anchor is where an interaction is put before any record is looked up: an external person, or the record it regards.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from shared import membership, rosters, states, tables
from shared.errors import UnavailableError
from shared.membership import Claim
from shared.roster_facts import work_out
from shared.rosters import RECORD_TYPES, Roster, claims, packed, write_if

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


def _rebuild(records: list[str]) -> tuple[set[str], set[str], set[str]]:
    rows = {record: rosters.stored(record) for record in records}
    old = {record: roster for record, (roster, _) in rows.items()}
    new, sources = work_out(records)
    _tell_accounts(old, new)
    _bring_over(old, new)
    refused = {
        record for record in records if new[record] != old[record] and not write_if(new[record], rows[record][1])
    }
    survivors = {roster.merged_into for roster in new.values()}
    accounts = {roster.account for roster in [*old.values(), *new.values()] if roster}
    return refused, {*records, *survivors, *accounts} - {""}, sources


def _tell_accounts(old: dict[str, Roster | None], new: dict[str, Roster]) -> None:
    by_account: dict[str, list[tables.Operation]] = defaultdict(list)
    for record, roster in new.items():
        before = old[record]
        blob = packed(roster)
        for account in {roster.account, before.account if before else ""} - {""}:
            row = {"PartitionKey": account, "RowKey": f"child|{record}", "v": rosters.VERSION, **blob}
            by_account[account].append(("upsert", row, None))
    for operations in by_account.values():
        tables.transact("references", operations)


def _bring_over(old: dict[str, Roster | None], new: dict[str, Roster]) -> None:
    """Announce new claims, then copy what the claimed partitions already hold."""
    fresh: set[Claim] = set()
    for record, roster in new.items():
        before = old[record]
        fresh |= claims(roster) - (claims(before) if before else set())
    membership.announce(fresh)
    membership.copy_history(fresh)
