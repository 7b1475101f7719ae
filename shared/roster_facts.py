"""How a roster follows from the CRM's rows: the people of interest of each record type (`kpis 3.2`), merges resolved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any

from msgspec import json
from msgspec.structs import replace

from shared import organisation, states
from shared.crm.records import Account, Case, Contact, Lead, Opportunity, Role, Team, User, view
from shared.crm.state import EntityState
from shared.keys import keys
from shared.rosters import Roster, Stakeholder, refer, sources
from shared.states import HeldState

_LONGEST_MERGE = 16  # a chain of merges longer than this is a loop
_FIELDS = ("currency", "industry", "region", "product", "stage")
_SEGMENTS = ("industry", "region", "product", "stage", "currency", "priority")

_MILLISECONDS = range(946_684_800_000, 4_102_444_800_000)  # versions that are times of this century

View = Account | Contact | Lead | Opportunity | Case


def work_out(records: Iterable[str]) -> tuple[dict[str, Roster], set[str]]:
    """The rosters that follow from the rows as they stand now, and all records that refer to these. A record never heard of
    is `gone`.

    References are written before the rows they point at are read, so that whoever changes such a row afterwards finds them.
    """
    own = {record: states.read(*_name(record)) for record in records}
    views = {record: _view(held.state) for record, held in own.items() if held}
    refer(pair for record, viewed in views.items() for pair in _references(record, viewed))
    reading = _Reading(organisation.in_force().lead_in_days)
    rosters = {
        record: reading.roster(record, views[record], held) if held else Roster(record=record, gone=True)
        for record, held in own.items()
    }
    return rosters, {source for record in own for source in reading.sources(record)}


def _name(record: str) -> tuple[str, str]:
    entity, _, id = record.partition(":")
    return entity, id


def _view(state: EntityState) -> View:
    viewed = view(state)
    if isinstance(viewed, User | Team | Role):
        raise ValueError("users, teams and roles have no roster")
    return viewed


def _contacts_named(viewed: View) -> list[str]:
    named: list[str] = list(viewed.stakeholders) if isinstance(viewed, Lead | Opportunity | Case) else []
    first = viewed.primary_contact_id if isinstance(viewed, Account) else getattr(viewed, "contact_id", "")
    return [id for id in (first, *named) if id]


def _references(record: str, viewed: View) -> Iterator[tuple[str, str]]:
    if viewed.merged_into:
        yield f"{_name(record)[0]}:{viewed.merged_into}", record
    for account in (getattr(viewed, "account_id", ""), getattr(viewed, "parent_account_id", "")):
        if account:
            yield f"account:{account}", record
    for id in _contacts_named(viewed):
        yield f"contact:{id}", record


class _Reading:
    """One round's reads of rows referred to, each row once."""

    def __init__(self, lead_in_days: int) -> None:
        self._lead_in_days = lead_in_days
        self._states: dict[str, HeldState | None] = {}
        self._merged: dict[str, tuple[tuple[str, ...], dict[str, int]]] = {}
        self._sources: dict[str, list[str]] = {}
        self._used: dict[str, int] = {}  # revisions of the rows that the roster at hand was worked out from

    def roster(self, record: str, viewed: View, held: HeldState) -> Roster:
        self._used = {}
        roster = self._roster(record, viewed, held.state)
        basis = json.encode([held.revision, sorted(self._used.items())])
        return replace(roster, basis=int.from_bytes(blake2b(basis, digest_size=7).digest(), "big"))

    def _roster(self, record: str, viewed: View, state: EntityState) -> Roster:
        entity = _name(record)[0]
        merged = self.merged_into_this(record)
        account = getattr(viewed, "account_id", "")
        account = self.survivor(f"account:{account}", record) if account else ""
        return Roster(
            record=record,
            name=viewed.name,
            created_at=viewed.created_at,
            owner=viewed.owner,
            people=self._people(record, viewed, merged),
            account=account,
            account_contact=self._account_contact(record, viewed, account),
            merged=merged,
            merged_into=self.survivor(f"{entity}:{viewed.merged_into}", record) if viewed.merged_into else "",
            gone=viewed.deleted,
            segments={**self._segments_of(account), **_segments(viewed)},
            lead_in_days=self._lead_in_days,
            **_facts(viewed, state),
        )

    def sources(self, name: str) -> list[str]:
        if name not in self._sources:
            self._sources[name] = sources(name)
        return self._sources[name]

    def state(self, name: str) -> EntityState | None:
        if name not in self._states:
            self._states[name] = states.read(*_name(name))
        held = self._states[name]
        self._used[name] = held.revision if held else 0
        return held.state if held else None

    def survivor(self, name: str, source: str = "") -> str:
        """The row that a row was merged into in the end; itself where it was not."""
        for _ in range(_LONGEST_MERGE):
            state = self.state(name)
            if state is None or state.merged is None or not state.merged[1]:
                return name
            name = f"{state.entity}:{state.merged[1]}"
            if source:
                refer([(name, source)])
                self._states.pop(name, None)  # read it after the reference is there
        return name

    def _segments_of(self, account: str) -> dict[str, str]:
        state = self.state(account) if account else None
        return _segments(view(state)) if state else {}

    def merged_into_this(self, name: str) -> tuple[str, ...]:
        """All rows merged into this one, directly or through another."""
        if name not in self._merged:
            outer, self._used = self._used, {}
            kind = _name(name)[0]
            candidates = [source for source in self.sources(name) if _name(source)[0] == kind and source != name]
            found = tuple(sorted(source for source in candidates if self.survivor(source) == name))
            self._merged[name] = found, self._used
            self._used = outer
        merged, used = self._merged[name]
        self._used |= used
        return merged

    def _people(self, record: str, viewed: View, merged: tuple[str, ...]) -> tuple[Stakeholder, ...]:
        """The external people of interest of the record itself, sorted by party."""
        people: dict[str, Stakeholder] = {}
        if isinstance(viewed, Contact):
            people[record] = self._contact(record)
        if isinstance(viewed, Lead):
            own = (keys().party(record), *map(keys().party, merged), *map(keys().address, viewed.emails))
            people[record] = Stakeholder(record, viewed.name, tuple(dict.fromkeys(own)))
        for id in _contacts_named(viewed):
            party = self.survivor(f"contact:{id}", record)
            people[party] = self._contact(party)
        return tuple(people[party] for party in sorted(people))

    def _account_contact(self, record: str, viewed: View, account: str) -> Stakeholder | None:
        """The primary contact of an opportunity's account, of interest on what regards the opportunity."""
        state = self.state(account) if account and isinstance(viewed, Opportunity) else None
        owner = view(state) if state else None
        if not isinstance(owner, Account) or owner.primary_contact_id in ("", *_contacts_named(viewed)):
            return None
        name = f"contact:{owner.primary_contact_id}"
        refer([(name, record)])  # before it is read
        self._states.pop(name, None)
        return self._contact(self.survivor(name, record))

    def _contact(self, party: str) -> Stakeholder:
        """A contact with the addresses of all contacts merged into it; one never heard of has its own key only."""
        own = self.state(party)
        found = [keys().party(party)]
        for row in (party, *self.merged_into_this(party)):
            state = self.state(row)
            contact = view(state) if state else None
            if isinstance(contact, Contact) and not contact.deleted:
                found += [keys().party(row), *map(keys().address, contact.emails)]
        viewed = view(own) if own else None
        account = (
            self.survivor(f"account:{viewed.account_id}") if isinstance(viewed, Contact) and viewed.account_id else ""
        )
        name = (viewed.name if viewed else "") or _name(party)[1]
        return Stakeholder(party, name, tuple(dict.fromkeys(found)), account)


def _segments(viewed: object) -> dict[str, str]:
    return {name: value for name in _SEGMENTS if (value := getattr(viewed, name, ""))}


def _facts(viewed: View, state: EntityState) -> dict[str, Any]:
    if isinstance(viewed, Account | Contact):
        return {"status": "open" if viewed.active else "inactive"}
    facts: dict[str, Any] = {"status": viewed.status, "team": viewed.team}
    if viewed.status != "open":
        facts["closed_at"] = _status_written_at(state) if viewed.closed_at is None else viewed.closed_at
    if isinstance(viewed, Opportunity):
        facts |= {"estimated_close_at": viewed.estimated_close_at, "amount": viewed.amount}
        facts["fields"] = {name: value for name in _FIELDS if (value := getattr(viewed, name))}
    return facts


def _status_written_at(state: EntityState) -> int | None:
    """When the status was written, by the version that wrote it; None where versions only count.

    A record closed without a date of closing is frozen then; left open, its score would sink for ever.
    """
    version, _ = state.attributes.get("status", (0, None))
    return version // 1000 if version in _MILLISECONDS else None
