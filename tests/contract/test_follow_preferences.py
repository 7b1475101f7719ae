"""Which mails are followed: none to somebody who does not allow it, and none while the organisation does not want it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from shared import follow_preferences, ingest, organisation, publishing, record_updates, states, tables
from shared.changes import parse_batch
from shared.crm.activities import engagement_of
from shared.keys import keys
from shared.organisation_settings import OrganisationSettings
from shared.recompute import recompute
from tests.doubles.talk import NOW, mail, row
from tests.doubles.talk import organisation as the_organisation

pytestmark = pytest.mark.usefixtures("storage", "queues")
COUNTERS = {"followed": True, "opens": 3, "clicks": 1, "links": 2}


def tell(*changes: dict[str, Any]) -> None:
    ingest.take_in(parse_batch(msgspec.json.encode({"changes": list(changes)})))


def shown(record: str = "contact:kim") -> tuple[int, float | None, list[str]]:
    """How many mails are followed, the share that was opened, and the flags."""
    stored = recompute(record, NOW)
    assert stored is not None
    found = msgspec.json.decode(stored.body)["widgets"]["emailEngagement"]
    return found["followed"], found["openRate"], found["flags"]


def preference(name: str, allowed: bool, **more: Any) -> dict[str, Any]:
    return row("contact", name, allowFollow=allowed, **more)


@pytest.mark.parametrize("first", ["mail", "preference"])
def test_one_recipient_who_does_not_allow_it_switches_a_mail_off_for_all(first: str) -> None:
    mails = [mail(3, "anna", "kim", **COUNTERS), mail(2, "anna", "kim", "lee", **COUNTERS)]
    told = [mails, [preference("lee", False)]]
    tell(*the_organisation())
    for changes in told if first == "mail" else reversed(told):
        tell(*changes)
    assert shown()[0] == 1
    assert shown("contact:lee")[:2] == (0, None)
    tell(preference("lee", True))
    assert (shown()[0], shown("contact:lee")[0]) == (2, 1)


def test_a_preference_holds_under_every_address_and_follows_them() -> None:
    tell(*the_organisation(), preference("kim", False, emails=["kim@cust.example", "k@home.example"]))
    tell(mail(3, "anna", "k@home.example", "max", **COUNTERS))
    assert shown("contact:max")[0] == 0
    tell(row("contact", "kim", emails=["kim@cust.example"]))
    assert shown("contact:max")[0] == 1


def test_who_is_concerned_is_computed_again_also_after_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    tell(*the_organisation())
    announced: list[set[int]] = []
    monkeypatch.setattr(record_updates, "announce_people", lambda gone, owners=(): announced.append(set(gone)))
    change = preference("kim", False)
    tell(change)
    tell(change)  # the message comes again, because whoever had it died
    kim = {keys().party("contact:kim"), keys().address("kim@cust.example")}
    assert announced == [kim, kim]
    tell(row("contact", "max", jobTitle="Buyer"))
    assert len(announced) == 2


def test_an_older_change_that_comes_later_changes_nothing() -> None:
    tell(*the_organisation())
    old, new = preference("kim", True), preference("kim", False)
    tell(new)
    tell(old)
    assert keys().party("contact:kim") in follow_preferences.read()


def test_while_switched_off_nothing_is_collected() -> None:
    tell(*the_organisation(), mail(3, "anna", "kim", **COUNTERS))
    put_in_force(1, email_engagement=False)
    assert shown() == (0, None, ["switchedOff"])
    sent = mail(2, "anna", "kim", **COUNTERS)
    tell(sent)
    held = states.read("email", sent["id"])
    assert held is not None
    assert engagement_of(held.state) is None
    put_in_force(2)
    assert shown() == (1, 1.0, ["machineOpensNotSeparated"])


def put_in_force(version: int, **chosen: Any) -> None:
    place = {"PartitionKey": organisation.PARTITION, "RowKey": organisation.row_key(version), "v": organisation.VERSION}
    document = msgspec.json.encode(OrganisationSettings(**chosen))
    tables.upsert(organisation.TABLE, {**place, **tables.split(document)})
    publishing.put_in_force(version)
