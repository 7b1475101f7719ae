"""Accounts that count their cases and child accounts: once each, explained, kept up to date, and never in a circle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import msgspec
import pytest

from shared import account_union, ingest, publishing, recompute
from shared.auth import Caller
from shared.changes import parse_batch
from shared.ledger import ledger
from shared.ledger_query import LedgerQuery
from shared.organisation_settings import AccountUnion, OrganisationSettings
from shared.publishing import SettingsChange
from shared.queues import client
from shared.record_updates import read_record_update
from shared.settings import settings
from shared.stamps import read as stamps
from tests.doubles.tenants import AS_OF

pytestmark = pytest.mark.usefixtures("storage", "queues")

ADA = Caller(id="0f", name="Ada", roles=frozenset(), tenant="t")
BOTH = AccountUnion(cases=True, child_accounts=True)


def mail(id: str, *to: str, regarding: tuple[str, ...] = ()) -> dict[str, Any]:
    attributes = {
        "from": {"address": "u1@us.example"}, "to": [{"address": address} for address in to], "status": "sent",
        "sentAt": f"2026-11-0{id[-1]}T09:00:00Z", "regarding": list(regarding),
    }  # fmt: skip
    return {"entity": "email", "id": id, "attributes": attributes}


TENANT = [
    {"entity": "user", "id": "u1", "attributes": {"emails": ["u1@us.example"]}},
    {"entity": "account", "id": "top", "attributes": {"name": "Top"}},
    {"entity": "account", "id": "mid", "attributes": {"name": "Mid", "parentAccountId": "top"}},
    {"entity": "account", "id": "low", "attributes": {"name": "Low", "parentAccountId": "mid"}},
    {"entity": "contact", "id": "kim", "attributes": {"emails": ["kim@top.example"], "accountId": "top"}},
    {"entity": "contact", "id": "lee", "attributes": {"emails": ["lee@low.example"], "accountId": "low"}},
    {"entity": "case", "id": "c1", "attributes": {"accountId": "top", "createdAt": "2026-10-20T00:00:00Z", "ownerId": "user:u1"}},
    mail("m1", "kim@top.example"),
    mail("m2", "stranger@else.example", regarding=("case:c1",)),
    mail("m3", "lee@low.example"),
    mail("m4", "stranger@else.example", regarding=("account:mid",)),
]  # fmt: skip


def tell(*changes: dict[str, Any]) -> set[str]:
    told = [{"version": 1, "operation": "upsert", **change} for change in changes]
    return ingest.take_in(parse_batch(msgspec.json.encode({"changes": told})))


def publish(union: AccountUnion) -> None:
    change = SettingsChange(settings=OrganisationSettings(account_union=union))
    publishing.publish(change, stamps().parameters, ADA)


def counted(record: str) -> dict[str, list[str]]:
    """The counted mails of a record by id, and through which records each came."""
    assert recompute.recompute(record, AS_OF)
    found = ledger(record, LedgerQuery(limit=100), AS_OF).activities
    assert len({one.interaction_id for one in found}) == len(found)
    return {one.activity_id.partition(":")[2]: one.through for one in found if one.counted}


def announced() -> Iterator[str]:
    with closing(client().get_queue_receiver(settings().record_updates_queue, max_wait_time=2)) as receiver:
        for message in receiver:
            yield read_record_update(b"".join(message.body)).record
            receiver.complete_message(message)


@pytest.fixture(autouse=True)
def tenant(storage: object, queues: object) -> None:
    list(announced())
    tell(*TENANT)


@pytest.mark.parametrize(
    ("union", "mails"),
    [
        (AccountUnion(), {"m1": ["contact:kim"]}),
        (AccountUnion(cases=True), {"m1": ["contact:kim"], "m2": ["case:c1"]}),
        (AccountUnion(child_accounts=True), {"m1": ["contact:kim"], "m3": ["contact:lee"], "m4": ["account:mid"]}),
        (BOTH, {"m1": ["contact:kim"], "m2": ["case:c1"], "m3": ["contact:lee"], "m4": ["account:mid"]}),
    ],
)
def test_an_account_counts_what_the_organisation_wants(union: AccountUnion, mails: dict[str, list[str]]) -> None:
    publish(union)
    assert counted("account:top") == mails
    assert counted("account:low") == {"m3": ["contact:lee"]}


def test_an_interaction_of_several_of_them_counts_once() -> None:
    publish(BOTH)
    tell(mail("m5", "lee@low.example", "kim@top.example", regarding=("case:c1",)))
    assert sorted(counted("account:top")["m5"]) == ["case:c1", "contact:kim", "contact:lee"]


def test_an_account_that_leaves_takes_its_interactions_along() -> None:
    publish(BOTH)
    tell({"entity": "account", "id": "low", "version": 2, "attributes": {"parentAccountId": None}})
    assert set(counted("account:top")) == {"m1", "m2", "m4"}


def test_whoever_counts_a_case_or_account_is_computed_after_it() -> None:
    publish(BOTH)
    counting = {"case:c1": ["account:top"], "account:low": ["account:mid"], "account:top": [], "contact:lee": []}
    for record, expected in counting.items():
        account_union.announce_counting(record)
        assert list(announced()) == expected
    publish(AccountUnion())
    account_union.announce_counting("case:c1")
    assert list(announced()) == []


def test_accounts_in_a_circle_count_one_another_once_and_announce_nobody() -> None:
    publish(BOTH)
    tell({"entity": "account", "id": "top", "version": 2, "attributes": {"parentAccountId": "low"}})
    assert set(counted("account:top")) == set(counted("account:mid")) == {"m1", "m2", "m3", "m4"}
    account_union.announce_counting("account:top")
    assert list(announced()) == []
