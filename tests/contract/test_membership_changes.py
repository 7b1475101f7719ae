"""Who belongs to a record changes after its mails came: its history is resolved again, with figures counted by hand."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import json

from shared import ingest, recompute, rosters
from shared.changes import parse_batch
from shared.moments import known_instant
from tests.doubles.tenants import AS_OF

DEAL = "opportunity:o1"


def tell(*changes: dict[str, Any]) -> None:
    rows = [{"operation": "upsert", **change} for change in changes]
    for record in ingest.take_in(parse_batch(json.encode({"changes": rows}))):
        recompute.recompute(record, AS_OF)


def row(entity: str, id: str, version: int = 1, **attributes: Any) -> dict[str, Any]:
    return {"entity": entity, "id": id, "version": version, "attributes": attributes}


def mail(id: str, sender: str, recipient: str, **more: Any) -> dict[str, Any]:
    people = {"from": {"address": sender}, "to": [{"address": recipient}]}
    return row("email", id, **people, sentAt="2026-11-10T10:00:00Z", status="sent", **more)


def counted(record: str) -> tuple[int, int]:
    """Mails sent and received, as the stored snapshot has them."""
    stored = recompute.current(record, AS_OF)
    assert stored is not None
    volumes = json.decode(stored.body)["widgets"]["volumes"]
    return volumes["emailsSent"], volumes["emailsReceived"]


@pytest.fixture(autouse=True)
def cast(storage: object, queues: object) -> None:
    """A deal of anna's without people; kim and lee of its account; max of another; a mail to kim, one from lee, one to max."""
    tell(
        row("user", "anna", emails=["anna@us.example"]),
        row("user", "ben", emails=["ben@us.example"]),
        row("account", "a1", name="Cust"),
        row("account", "a2", name="Other"),
        row("contact", "kim", emails=["kim@cust.example"], accountId="a1"),
        row("contact", "lee", emails=["lee@cust.example"], accountId="a1"),
        row("contact", "max", emails=["max@other.example"], accountId="a2"),
        row("opportunity", "o1", name="Deal", ownerId="user:anna", accountId="a1", createdAt="2026-11-01T00:00:00Z"),
    )
    tell(mail("m1", "anna@us.example", "kim@cust.example"), mail("m2", "lee@cust.example", "anna@us.example"))
    tell(mail("m3", "anna@us.example", "max@other.example"))


def link(operation: str, version: int, contact: str) -> dict[str, Any]:
    related = [{"entity": "contact", "id": contact}]
    change = {"entity": "opportunity", "id": "o1", "version": version, "operation": operation}
    return {**change, "relationship": "stakeholders", "related": related}


def test_stakeholders_bring_their_mails_and_take_them_along() -> None:
    assert counted(DEAL) == (0, 0)
    tell(link("link", 2, "kim"), link("link", 2, "lee"))
    assert counted(DEAL) == (1, 1)
    tell(link("unlink", 3, "kim"))
    assert counted(DEAL) == (0, 1)


def test_a_stakeholder_from_elsewhere_counts_for_the_account_of_the_deal_too() -> None:
    assert counted("account:a1") == (1, 1)
    tell(link("link", 2, "max"))
    assert (counted(DEAL), counted("account:a1"), counted("account:a2")) == ((1, 0), (2, 1), (1, 0))


def test_another_owner_counts_with_what_the_customer_said_to_that_one() -> None:
    tell(link("link", 2, "kim"), row("opportunity", "o1", 2, ownerId="user:ben"))
    assert counted(DEAL) == (0, 0)
    tell(row("opportunity", "o1", 3, team=["anna"]))
    assert counted(DEAL) == (1, 0)


def test_a_merged_contact_brings_its_mails_to_the_survivor() -> None:
    tell(link("link", 2, "kim"))
    tell({"entity": "contact", "id": "lee", "version": 2, "operation": "merge", "into": "kim"})
    assert (counted("contact:kim"), counted(DEAL)) == ((1, 1), (1, 1))
    assert recompute.current("contact:lee", AS_OF) is None


def test_a_merged_account_brings_its_contacts() -> None:
    tell({"entity": "account", "id": "a2", "version": 2, "operation": "merge", "into": "a1"})
    assert counted("account:a1") == (2, 1)


def test_a_contact_takes_its_mails_to_another_account() -> None:
    tell(row("contact", "kim", 2, accountId="a2"))
    assert (counted("account:a1"), counted("account:a2")) == ((0, 1), (2, 0))


def test_a_deleted_mail_counts_nowhere() -> None:
    tell(link("link", 2, "kim"), {"entity": "email", "id": "m1", "version": 2, "operation": "delete"})
    assert (counted("contact:kim"), counted(DEAL), counted("account:a1")) == ((0, 0), (0, 0), (0, 1))


def persons() -> dict[str, str]:
    """Names of the people whom the deal's breadth counts, by id."""
    stored = recompute.current(DEAL, AS_OF)
    assert stored is not None
    signers = json.decode(stored.body)["widgets"]["health"]["evidence"]["signers"]
    return {one["id"]: one["name"] for one in signers}


def test_the_accounts_primary_contact_counts_for_the_deal_on_what_regards_it_and_strangers_do_not() -> None:
    about = {"regarding": [DEAL]}
    tell(
        mail("m8", "pat@cust.example", "anna@us.example", **about),
        mail("m9", "new@cust.example", "anna@us.example", **about),
    )
    assert (counted(DEAL), persons()) == ((0, 2), {})
    tell(row("contact", "pat", name="Pat", emails=["pat@old.example"], accountId="a1"))
    tell(row("account", "a1", 2, primaryContactId="pat"))
    assert persons() == {}
    tell(row("contact", "pat", 2, emails=["pat@cust.example"]))  # the deal hears of it through its account
    assert (counted(DEAL), persons()) == ((0, 2), {"contact:pat": "Pat"})
    tell(row("account", "a1", 3, primaryContactId="lee"))
    assert persons() == {}


def closing(**attributes: Any) -> tuple[bool, str | None, int]:
    """Whether the deal's health is frozen, at which instant, and its trend."""
    version = attributes.pop("version")
    tell(row("opportunity", "o1", version, **attributes))
    roster, stored = rosters.read(DEAL), recompute.current(DEAL, AS_OF)
    assert roster is not None and stored is not None
    health = json.decode(stored.body)["widgets"]["health"]
    return health["frozen"], known_instant(roster.closed_at), health["trend"]


def test_a_deal_closed_without_a_date_is_frozen_when_its_status_was_written() -> None:
    written = 1_794_564_000_500  # 2026-11-13T10:00:00.5Z in milliseconds
    assert closing(version=5, status="won") == (False, None, 3)  # a version that only counts tells no instant
    assert closing(version=written, status="won") == (True, "2026-11-13T10:00:00Z", 5)
    assert closing(version=written + 1, closedAt="2026-11-12T09:00:00Z") == (True, "2026-11-12T09:00:00Z", 5)
    assert closing(version=written + 2, status="open", closedAt=None) == (False, None, 3)
