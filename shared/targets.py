"""Whom a question is about: a record, an address or a mail domain, turned into the rows that answer it."""

from __future__ import annotations

from msgspec import Struct

from shared import acquaintance_rows, acquaintance_updates, exchange, membership, rosters, states
from shared.acquaintance import Known
from shared.acquaintance_updates import RECORD_TARGETS
from shared.crm.records import Contact, Lead, view
from shared.directory import Directory
from shared.domains import company_of
from shared.errors import InvalidInputError, NotFoundError
from shared.keys import keys
from shared.people import domain_of, normal_address
from shared.rosters import Roster
from shared.widgets import PersonRef

SHARED_DOMAIN = "shared_domain"
_LONGEST_MERGE = 16


class Found(Struct, frozen=True):
    """The rows that answer, each with the person it is about (None: the target itself); the records that an address is of;
    `company` is the row of the company around the target, empty if there is none; `reason` where nothing can be known.
    """

    target: str
    name: str
    rows: tuple[tuple[Known, PersonRef | None], ...]
    records: tuple[PersonRef, ...] = ()
    company: str = ""
    reason: str = ""


def current(target: str, now: int, rule: str) -> Known | None:
    """The target's row if it still holds by this rule (`rule_of`), else a new one; None when there is no such record, or the
    person belongs to one."""
    known, _ = acquaintance_rows.read(target)
    holds = known is not None and now < known.valid_until and known.computed_at > exchange.changed_at()
    if known is not None and holds and known.rule == rule:
        return known
    if acquaintance_updates.is_own_target(target):
        if target.startswith("person:") and acquaintance_updates.owners(target, acquaintance_updates.claimants(target)):
            return None
        return acquaintance_updates.recompute(target, now)
    from shared.recompute import recompute

    if recompute(target, now) is None:
        return None
    return acquaintance_rows.read(target)[0]


def of_record(record: str, now: int, rule: str) -> Found:
    """Contact, lead or account: one row. A deal or a case: those of its people. Raises NotFoundError for no such record."""
    kind = record.partition(":")[0]
    if kind in RECORD_TARGETS and (known := current(record, now, rule)):
        return Found(record, known.name, ((known, None),), company=known.company)
    roster = _surviving(record)
    if roster is None:
        raise NotFoundError(f"There is no {kind} with this id.")
    if kind in RECORD_TARGETS:
        found = current(roster.record, now, rule)
        return Found(roster.record, roster.name, ((found, None),) if found else (), company=roster.account)
    people = [
        (current(person.party, now, rule), PersonRef(id=person.party, name=person.name)) for person in roster.people
    ]
    return Found(
        record, roster.name, tuple((known, person) for known, person in people if known), company=roster.account
    )


def _surviving(record: str) -> Roster | None:
    for _ in range(_LONGEST_MERGE):
        roster = rosters.read(record)
        if roster is None or not roster.merged_into:
            return None if roster is None or roster.gone else roster
        record = roster.merged_into
    return None


def of_address(text: str, now: int, rule: str, ours: Directory) -> Found:
    """An outside person by any address, known to the CRM or not. Raises InvalidInputError for what is none, or one of ours."""
    try:
        address = normal_address(text)
    except ValueError:
        raise InvalidInputError("this is no e-mail address", "$.address") from None
    if ours.is_internal(address, ""):
        raise InvalidInputError("this is one of our own people", "$.address")
    person = membership.person_anchor(keys().address(address))
    company = company_of(domain_of(address))
    around = acquaintance_rows.domain_anchor(company) if company else ""
    if known := current(person, now, rule):
        return Found(address, address, ((known, None),), company=around)
    owners = acquaintance_updates.owners(person, acquaintance_updates.claimants(person))
    records = tuple(PersonRef(id=owner.record, name=owner.name) for owner in owners)
    found = current(owners[0].record, now, rule) if owners else None
    around = (found.company if found else "") or around
    return Found(address, address, ((found, None),) if found else (), records, around)


def of_domain(text: str, now: int, rule: str) -> Found:
    """A company by a mail domain. Free-mail and shared domains are nobody's: an empty answer that says so."""
    try:
        domain = domain_of(normal_address(f"x@{text}"))
    except ValueError:
        raise InvalidInputError("this is no mail domain", "$.domain") from None
    company = company_of(domain)
    if not company:
        return Found(domain, domain, (), reason=SHARED_DOMAIN)
    known = current(acquaintance_rows.domain_anchor(company), now, rule)
    return Found(company, company, ((known, None),) if known else ())


def names_of(target: str) -> set[str]:
    """Everything by which a colleague may have said "do not ask me for this one": record, addresses, their domains."""
    if ":" not in target:
        return {target, domain_of(target) or target, company_of(domain_of(target) or target)} - {""}
    roster = rosters.read(target)
    if roster is None:
        return {target}
    people = [
        person.party for person in roster.people if person.party == target or roster.type in ("opportunity", "case")
    ]
    addresses = {address for party in people for address in addresses_of(party)}
    domains = {domain_of(address) for address in addresses} | {company_of(domain_of(address)) for address in addresses}
    return ({target, roster.account, *roster.merged, *people} | addresses | domains) - {""}


def addresses_of(party: str) -> tuple[str, ...]:
    """The addresses that a contact or lead has in the CRM."""
    kind, _, id = party.partition(":")
    held = states.read(kind, id)
    viewed = view(held.state) if held else None
    return viewed.emails if isinstance(viewed, Contact | Lead) and not viewed.deleted else ()
