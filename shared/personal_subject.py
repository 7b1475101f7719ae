"""Whose data: everything under which a person is held, worked out from one address or from the caller."""

from __future__ import annotations

from msgspec import Struct

from shared import acquaintance_rows, acquaintance_updates, membership, stamps, targets
from shared.directory import Directory, directory, user_keys
from shared.errors import InvalidInputError
from shared.keys import keys
from shared.people import normal_address
from shared.personal_data_shapes import PersonalSubject


class Held(Struct, frozen=True):
    """A person as held: keys (the person's own first), addresses, rows of the CRM, and ids as a reader where they are known."""

    keys: tuple[int, ...]
    addresses: tuple[str, ...]
    records: tuple[str, ...]
    internal: bool
    readers: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """A name that tells nothing by itself."""
        return f"{self.keys[0]:016x}"

    @property
    def user(self) -> str:
        """The CRM's user id of one of ours; empty for all others."""
        return next((record.removeprefix("user:") for record in self.records if record.startswith("user:")), "")

    @property
    def anchors(self) -> tuple[str, ...]:
        """The targets that are this person, without a record."""
        return tuple(map(membership.person_anchor, self.keys))

    @property
    def logged_as(self) -> set[str]:
        """What a reading of this person's data may be noted under: records, keys of addresses, the company's mail domain."""
        companies = () if self.internal else map(acquaintance_rows.company_anchor, self.addresses)
        return {*self.records, *self.anchors, *companies} - {""}

    def shown(self) -> PersonalSubject:
        """As answers name the person."""
        side = "internal" if self.internal else "external"
        return PersonalSubject(side=side, addresses=list(self.addresses), records=list(self.records))  # type: ignore[arg-type]


def of_address(text: str) -> Held:
    """Whoever has the address, ours or not, known to the CRM or not. Raises InvalidInputError for what is no address."""
    try:
        address = normal_address(text)
    except ValueError:
        raise InvalidInputError("this is no e-mail address", "$.address") from None
    ours = directory(stamps.read().people)
    if ours.is_internal(address, ""):
        return of_ours(ours.address_owner.get(address, ""), address, ours)
    own = keys().address(address)
    person = membership.person_anchor(own)
    owners = acquaintance_updates.owners(person, acquaintance_updates.claimants(person))
    records = [name for owner in owners for name in (owner.record, *owner.merged)]
    addresses = {address, *(text for name in records for text in targets.addresses_of(name))}
    others = {key for owner in owners for key in acquaintance_updates.people_of(owner, ())}
    others |= {*map(keys().address, addresses), *map(keys().party, records)}
    return Held((own, *sorted(others - {own})), tuple(sorted(addresses)), tuple(records), internal=False)


def of_ours(user: str, address: str, ours: Directory, readers: tuple[str, ...] = ()) -> Held:
    """One of ours: a user of the CRM, or an address of ours that has no user."""
    if not user:
        return Held((keys().address(address),), (address,), (), internal=True, readers=readers)
    known = ours.users[user]
    addresses = tuple(sorted({*known.emails, *([address] if address else [])}))
    own = dict.fromkeys([*user_keys(known), *map(keys().address, addresses)])
    return Held(tuple(own), addresses, (f"user:{user}",), internal=True, readers=readers)
