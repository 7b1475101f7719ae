"""Bringing rosters in line when CRM rows change.

Writing obeys one order, so that no interleaving of two workers loses anything, and a crash is healed by the message coming again:

1. read the roster's ETag, 2. say who refers to whom (`references`), 3. read the rows referred to, 4. say which anchors the
record counts (`membership`), 5. bring over the history of new anchors, 6. write the roster if nobody else did in between.

An anchor is where an interaction is put before any record is looked up: an external person, or the record it regards.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from shared import acquaintance_rows, membership, rosters, states, tables
from shared.errors import UnavailableError
from shared.membership import Claim
from shared.roster_facts import work_out
from shared.rosters import RECORD_TYPES, SPANNED, Roster, claims, packed, write_if

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
    for attempt in range(_TRIES):
        if not pending:
            return to_compute, dependants
        pending, reached, sources = _rebuild(sorted(pending), again=attempt > 0)
        to_compute |= reached
        dependants |= sources
    raise UnavailableError("Records are being changed by too many writers.")


def reclaim(found: Iterable[Roster], lead_in_days: int) -> None:
    """Let deals, leads and cases claim what lies in this lead-in, and copy what a longer one adds; the rest of the rosters stays.

    Raises UnavailableError when other writers are faster all the time; repeating is harmless.
    """
    pending = {r.record for r in found if r.type in SPANNED and r.lead_in_days != lead_in_days}
    for attempt in range(_TRIES):
        if not pending:
            return
        rows = {record: rosters.stored(record) for record in sorted(pending)}
        old = {record: roster for record, (roster, _) in rows.items() if roster}
        new = {record: replace(roster, lead_in_days=lead_in_days) for record, roster in old.items()}
        _bring_over({} if attempt else dict(old), new)
        pending = {r for r, roster in new.items() if roster != old[r] and not write_if(roster, rows[r][1])}
    raise UnavailableError("Records are being changed by too many writers.")


def _rebuild(records: list[str], again: bool) -> tuple[set[str], set[str], set[str]]:
    rows = {record: rosters.stored(record) for record in records}
    old = {record: roster for record, (roster, _) in rows.items()}
    new, sources = work_out(records)
    _tell_accounts(old, new)
    # Whoever was faster may have announced a claim with another span, and we have written over it: then say all once more.
    _bring_over({} if again else old, new)
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


def _bring_over(old: Mapping[str, Roster | None], new: dict[str, Roster]) -> None:
    """Announce new claims, then copy what the claimed partitions already hold."""
    fresh: set[Claim] = set()
    for record, roster in new.items():
        before = old.get(record)
        fresh |= claims(roster) - (claims(before) if before else set())
    membership.announce(fresh)
    held = membership.copy_history(fresh)
    # The row of a person who was a bare address until now would go on answering; the contact or lead does from now on.
    acquaintance_rows.remove(
        {c.anchor for c in fresh if c.anchor in held and c.record == c.source and c.record.startswith(("contact:", "lead:"))}
    )
