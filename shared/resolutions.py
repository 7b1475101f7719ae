"""The shape of what an address resolves to."""

from __future__ import annotations

from shared.widgets import PersonRef, Shape


class Step(Shape, frozen=True):
    """One rule that applied, and what it gave."""

    rule: str
    result: str


class Resolution(Shape, frozen=True):
    """What an address resolves to. `side` is internal or external; `person` is who answers for it: a CRM user, the contacts and
    leads that have the address (more than one share it), else the address itself. `company` is the domain that stands for the
    company, empty where the domain is shared; `accounts` are those of the contacts.
    """

    address: str
    side: str
    functional: bool
    people: list[PersonRef]
    addresses: list[str]
    company: str
    accounts: list[PersonRef]
    steps: list[Step]
