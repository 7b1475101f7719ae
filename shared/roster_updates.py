"""Bringing rosters in line when CRM rows change.

Writing obeys one order, so that no interleaving of two workers loses anything, and a crash is healed by the message coming again:

1. read the roster's ETag, 2. say who refers to whom (`references`), 3. read the rows referred to, 4. say which anchors the
record counts (`membership`), 5. bring over the history of new anchors, 6. write the roster if nobody else did in between.

An anchor is where an interaction is put before any record is looked up: an external person, or the record it regards.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from shared import membership, rosters, states, tables
from shared.errors import UnavailableError
from shared.roster_facts import work_out
from shared.rosters import RECORD_TYPES, Roster, anchors, packed, sources, write_if

_TRIES = 10


def rebuild_for(changed: Iterable[states.HeldState]) -> set[str]:
    """Bring all rosters in line that depend on these changed CRM rows; the records to compute again."""
    own = {f"{held.state.entity}:{held.state.id}": held for held in changed if held.state.entity in RECORD_TYPES}
    to_compute = rebuild(own)
    # What a merge moved is known only now: the survivor has a new source, and whoever refers to the survivor new people.
    moved = {record for record in to_compute if record not in own}
    dependants = {source for record in [*own, *moved] for source in sources(record)}
    survivors = {record for record in moved if record.partition(":")[0] == "contact"}
    return to_compute | rebuild((dependants | survivors | moved) - own.keys())


def rebuild(records: Iterable[str]) -> set[str]:
    """Work out the rosters of these records and bring their partitions in line; the records to compute again.

    Raises UnavailableError when other writers are faster all the time; repeating is harmless.
    """
    pending = set(records)
    to_compute: set[str] = set()
    for _ in range(_TRIES):
        if not pending:
            return to_compute
        refused, reached = _rebuild(sorted(pending))
        pending, to_compute = refused, to_compute | reached
    raise UnavailableError("Records are being changed by too many writers.")


def _rebuild(records: list[str]) -> tuple[set[str], set[str]]:
    rows = {record: rosters.stored(record) for record in records}
    old = {record: roster for record, (roster, _) in rows.items()}
    new = work_out(records)
    _tell_accounts(old, new)
    _bring_over(old, new)
    refused = {
        record for record in records if new[record] != old[record] and not write_if(new[record], rows[record][1])
    }
    reached = {
        *records,
        *(r.merged_into for r in new.values()),
        *(r.account for r in [*old.values(), *new.values()] if r),
    }
    return refused, reached - {""}


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
    """Announce new anchors, then copy what their partitions already hold into the records' and their accounts'."""
    growth: dict[str, dict[str, None]] = defaultdict(dict)
    for record, roster in new.items():
        for target, names in _growth(old[record], roster):
            growth[target] |= dict.fromkeys(names)
    membership.announce(growth)
    membership.copy_history(growth)


def _growth(old: Roster | None, new: Roster) -> Iterator[tuple[str, list[str]]]:
    wanted = anchors(new)
    known = set(anchors(old)) if old else set()
    fresh = [anchor for anchor in wanted if anchor not in known]
    yield new.record, fresh
    if new.account and not new.gone:
        moved = old is None or old.gone or old.account != new.account
        # What regards the child counts for its account as well, whoever took part.
        yield new.account, [new.record, *new.merged, *wanted] if moved else fresh
