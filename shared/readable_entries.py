"""The ledger as one caller may see it (product P3): drill-down items are filtered as records are.

An activity of the CRM is shown to whom the CRM shows it, one that came through other records to whom it shows one of these. What
only Exchange knows has no row to inherit a right from: it is shown with the record, without the names of contacts and leads that
the caller may not read.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from shared import row_rights
from shared.auth import Caller
from shared.widgets import Ledger, LedgerEntry

_NAMED = ("contact:", "lead:")
_NOBODY = {"id": "", "name": ""}


def ledger_for(who: Caller, found: Ledger) -> Ledger:
    """The page without the entries that the caller may not see; `withheld` counts these. The totals are the record's own."""
    shown = entries_for(who, found.activities)
    return replace(found, activities=shown, withheld=len(found.activities) - len(shown))


def entries_for(who: Caller, entries: list[LedgerEntry]) -> list[LedgerEntry]:
    """The entries that the caller may see, as the caller may see them."""
    if row_rights.is_open():
        return entries
    asked = {record for entry in entries for record in _asked(entry)}
    may = row_rights.rights().readable(who, sorted(asked)) if asked else set()
    return [seen for entry in entries if (seen := _seen(entry, may))]


def _asked(entry: LedgerEntry) -> Iterator[str]:
    yield from entry.through
    if entry.activity_id:
        yield entry.activity_id
    else:
        yield from (person["id"] for person in entry.people if person["id"].startswith(_NAMED))


def _seen(entry: LedgerEntry, may: set[str]) -> LedgerEntry | None:
    through = [record for record in entry.through if record in may]
    if entry.activity_id and entry.activity_id not in may:
        return None
    if entry.reason == "rolled_up" and not through:
        return None
    people = entry.people if entry.activity_id else [_person(person, may) for person in entry.people]
    return replace(entry, through=through, people=people)


def _person(person: dict[str, str], may: set[str]) -> dict[str, str]:
    return {**person, **_NOBODY} if person["id"].startswith(_NAMED) and person["id"] not in may else person
