"""Who an address is, step by step, so that an administrator can see why it is counted where it is."""

from __future__ import annotations

from shared import acquaintance_updates, membership, rosters, stamps, targets
from shared.directory import Directory, directory
from shared.domains import company_of, is_shared, registrable
from shared.errors import InvalidInputError
from shared.keys import keys
from shared.noise import AUTOMATIC_SENDERS, is_functional
from shared.people import domain_of, normal_address
from shared.resolutions import Resolution, Step
from shared.settings import settings
from shared.widgets import PersonRef


def resolve(text: str) -> Resolution:
    """Work the address out. Raises InvalidInputError for what is no address."""
    try:
        address = normal_address(text)
    except ValueError:
        raise InvalidInputError("this is no e-mail address", "$.address") from None
    ours = directory(stamps.read().people)
    steps = [Step(rule="normal_form", result=address)] if address != text else []
    if ours.is_internal(address, ""):
        return _internal(address, ours, steps)
    return _external(address, steps)


def _internal(address: str, ours: Directory, steps: list[Step]) -> Resolution:
    owner = ours.address_owner.get(address, "")
    claimed = sorted(id for id, user in ours.users.items() if address in user.emails)
    if owner:
        steps.append(Step(rule="user_address", result=f"user:{owner}"))
    if len(claimed) > 1:
        steps.append(Step(rule="several_users", result=", ".join(f"user:{id}" for id in claimed)))
    if domain_of(address) in ours.domains:
        steps.append(Step(rule="internal_domain", result=domain_of(address)))
    if address in ours.mailboxes:
        steps.append(Step(rule="own_mailbox", result=address))
    if passed := acquaintance_updates.owners(_anchor(address), acquaintance_updates.claimants(_anchor(address))):
        steps.append(Step(rule="ours_before_contact", result=", ".join(each.record for each in passed)))
    functional = _functional(address, steps)
    people = [PersonRef(id=f"user:{owner}", name=ours.name(owner))] if owner else []
    addresses = list(ours.users[owner].emails) if owner else [address]
    return Resolution(
        address=address, side="internal", functional=functional, people=people, addresses=addresses, company="",
        accounts=[], steps=steps,
    )  # fmt: skip


def _external(address: str, steps: list[Step]) -> Resolution:
    claimed = acquaintance_updates.claimants(_anchor(address))
    owners = acquaintance_updates.owners(_anchor(address), claimed)
    steps += [Step(rule="address_of_record", result=owner.record) for owner in owners]
    steps += [
        Step(rule="merged_into", result=f"{other} -> {owner.record}") for owner in owners for other in owner.merged
    ]
    for record in set(claimed) - {name for owner in owners for name in (owner.record, *owner.merged)}:
        steps.append(Step(rule="no_longer_address_of", result=record))
    if len(owners) > 1:
        steps.append(Step(rule="shared_by", result=", ".join(owner.record for owner in owners)))
    if not owners:
        steps.append(Step(rule="no_record", result=address))
    own = {text for owner in owners for name in (owner.record, *owner.merged) for text in targets.addresses_of(name)}
    functional = _functional(address, steps)
    company = _company(address, steps)
    accounts = [
        row for name in dict.fromkeys(owner.account for owner in owners if owner.account) if (row := rosters.read(name))
    ]
    return Resolution(
        address=address,
        side="external",
        functional=functional,
        people=[PersonRef(id=owner.record, name=owner.name) for owner in owners]
        or [PersonRef(id=address, name=address)],
        addresses=sorted({address, *own}),
        company=company,
        accounts=[PersonRef(id=row.record, name=row.name) for row in accounts],
        steps=steps,
    )


def _anchor(address: str) -> str:
    return membership.person_anchor(keys().address(address))


def _functional(address: str, steps: list[Step]) -> bool:
    if not is_functional(address):
        return False
    automatic = address.partition("@")[0] in AUTOMATIC_SENDERS
    steps.append(Step(rule="automatic_sender" if automatic else "functional_address", result=address.partition("@")[0]))
    return True


def _company(address: str, steps: list[Step]) -> str:
    domain = domain_of(address)
    own, company = registrable(domain), company_of(domain)
    if own != domain:
        steps.append(Step(rule="public_suffix", result=own))
    if company and company != own:
        steps.append(Step(rule="brand_of", result=company))
    if not company:
        named = {domain, own} & settings().shared_mail_domains
        rule = "shared_domain" if named else "free_mail" if is_shared(own) else "no_company"
        steps.append(Step(rule=rule, result=own or domain))
    return company
