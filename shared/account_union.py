"""What an account counts besides its contacts and opportunities, where the organisation wants it: cases, and child accounts.

Nothing is copied for it: the account's computation reads the partitions of these records too. So whenever one of them is computed
anew, the accounts that count it are announced.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from shared import organisation, record_updates, rosters, states
from shared.crm.records import Account, view
from shared.organisation_settings import AccountUnion
from shared.rosters import IN_ACCOUNT, Roster

if TYPE_CHECKING:
    from shared.columns import Entries

_WITH_PARTITION = ("case", "account")  # a child account's partition holds what its contacts and deals count
_HIGHEST = 32  # levels of parents; a longer chain is cut


def beside(roster: Roster, union: AccountUnion) -> list[Roster]:
    """The records that come in by the union, each once: cases, and child accounts of all levels with what is theirs.

    A loop of parents ends where it began. Nothing for other records, and nothing by default.
    """
    if roster.type != "account" or not (union.cases or union.child_accounts):
        return []
    found: dict[str, Roster] = {}
    pending = [roster]
    while pending:
        account = pending.pop(0)
        kinds = (*(IN_ACCOUNT if account is not roster else ()), *(("case",) if union.cases else ()))
        found |= {one.record: one for one in rosters.beside(account.record, kinds)}
        below = _child_accounts(account) if union.child_accounts else ()
        fresh = [child for child in below if child.record not in found and child.record != roster.record]
        found |= {child.record: child for child in fresh}
        pending += fresh
    return list(found.values())


def _child_accounts(account: Roster) -> Iterator[Roster]:
    for name in (account.record, *account.merged):
        for source in rosters.sources(name):
            if source.startswith("account:") and _parent(source) == name:
                child = rosters.read(source)
                if child and not child.gone and not child.merged_into:
                    yield child


def _parent(account: str) -> str:
    """The parent that the CRM names for an account; empty for none."""
    held = states.read("account", account.removeprefix("account:"))
    viewed = view(held.state) if held else None
    return f"account:{viewed.parent_account_id}" if isinstance(viewed, Account) and viewed.parent_account_id else ""


def with_union(entries: Entries, found: Iterable[Roster]) -> Entries:
    """The account's entries and those of the records that come in by the union, each interaction once."""
    from shared import partitions
    from shared.columns import joined, newest

    more = [partitions.read(one.record).live for one in found if one.type in _WITH_PARTITION]
    return newest(joined([entries, *more])) if more else entries


def announce_counting(record: str) -> None:
    """Have the account computed that counts this case or account by the union; nothing else, and nothing by default."""
    if not record.startswith(_WITH_PARTITION):
        return
    union = organisation.in_force().account_union
    counting = _counting(record, union)
    if counting:
        record_updates.announce({counting})


def _counting(record: str, union: AccountUnion) -> str:
    if record.startswith("case:"):
        roster = rosters.read(record) if union.cases else None
        return roster.account if roster else ""
    return _parent_outside_loops(record) if union.child_accounts else ""


def _parent_outside_loops(account: str) -> str:
    """The parent, unless the chain of parents comes back to the account: the two would announce each other for ever."""
    parent = above = _parent(account)
    for _ in range(_HIGHEST):
        if not above:
            return parent
        if above == account:
            return ""
        above = _parent(above)
    return ""
