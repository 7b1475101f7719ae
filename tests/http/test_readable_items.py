"""What stands behind an answer is filtered as records are: ledger entries, and exact times of who knows whom."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import pytest

from shared import ingest, row_rights
from shared.auth import READER
from shared.changes import parse_batch
from shared.graph.consent import State
from tests.conftest import fresh_queues, fresh_storage
from tests.doubles.exchange_mails import exchange_mail, see_exchange
from tests.doubles.platform import as_caller, as_role, trust_platform
from tests.doubles.processes import forget
from tests.doubles.readable_rows import FixedCredential, ReadableRows, readable_rows
from tests.doubles.routes import json_of, route
from tests.doubles.talk import NOW, when
from tests.local.azurite_process import RunningAzurite
from tests.local.bus_process import RunningBus

ME = "5a3c1f0e-7d42-4b7e-9a51-2f60c8d1e201"  # the caller of `as_role`


def guid(name: str) -> str:
    return str(uuid5(NAMESPACE_OID, name))


def changes() -> Iterator[dict[str, Any]]:
    """A company with two contacts and a deal; three mails with each contact, and one regarding the deal."""

    def row(entity: str, known_as: str, /, **attributes: Any) -> dict[str, Any]:
        own = {"entity": entity, "id": guid(known_as), "version": 1, "operation": "upsert"}
        return {**own, "attributes": attributes}

    owner = {"ownerId": f"user:{guid('ann')}"}
    yield row("user", "ann", name="Ann", emails=["ann@us.example"])
    yield row("account", "cust", name="Cust", **owner)
    for name in ("kim", "lee"):
        contact = {"name": name.title(), "emails": [f"{name}@cust.example"], "accountId": guid("cust")}
        yield row("contact", name, **contact, **owner)
        for number in range(3):
            yield mail(row, f"{name}{number}", name, 5 + number)
    people = [guid(name) for name in ("kim", "lee")]
    yield row(
        "opportunity", "deal", name="Deal", accountId=guid("cust"), createdAt=when(60), stakeholders=people, **owner
    )


def mail(row: Any, name: str, recipient: str, days: float) -> dict[str, Any]:
    facts = {"from": {"address": "ann@us.example"}, "to": [{"address": f"{recipient}@cust.example"}]}
    change: dict[str, Any] = row("email", f"mail {name}", **facts, sentAt=when(days), status="sent")
    return change


@pytest.fixture(scope="module")
def crm(azurite: RunningAzurite, service_bus: RunningBus) -> Iterator[ReadableRows]:
    with pytest.MonkeyPatch.context() as patch, readable_rows() as dataverse:
        patch.setattr("azure.identity.DefaultAzureCredential", FixedCredential)
        patch.setenv("DATAVERSE_URL", dataverse.address)
        trust_platform(patch)
        fresh_queues(service_bus, patch)
        fresh_storage(azurite, patch)
        ingest.take_in(parse_batch(json.dumps({"changes": list(changes())}).encode()))
        see_exchange(State.LIVE, NOW)
        exchange_mail(2, "ann@us.example", "kim@cust.example")
        exchange_mail(3, "ann@us.example", "lee@cust.example")
        yield dataverse
    forget()


@pytest.fixture
def dataverse(crm: ReadableRows) -> ReadableRows:
    """The caller sees the company, the deal, kim, and two of the three mails with each."""
    row_rights._rights.cache_clear()
    names = ["cust", "deal", "kim", *(f"mail {name}{number}" for name in ("kim", "lee") for number in (0, 1))]
    crm.sees, crm.status = {ME: set(map(guid, names))}, 200
    return crm


def ledger(kind: str, name: str) -> dict[str, Any]:
    params = {"type": kind, "id": guid(name)}
    found: dict[str, Any] = json_of(
        route("get_record_activities").call(headers=as_role(READER), params=params, query={"limit": "100"})
    )
    return found


def test_entries_are_those_whose_activity_the_caller_may_read(dataverse: ReadableRows) -> None:
    found = ledger("contact", "kim")
    activities = [entry["activityId"].partition(":")[2] for entry in found["activities"]]
    assert activities == ["", guid("mail kim0"), guid("mail kim1")]  # the first is in Exchange only
    assert (found["total"], found["counted"], found["withheld"]) == (4, 4, 1)


def test_entries_of_a_company_came_through_contacts_that_the_caller_may_read(dataverse: ReadableRows) -> None:
    found = ledger("account", "cust")
    through = {record for entry in found["activities"] for record in entry["through"]}
    assert through <= {f"contact:{guid('kim')}", f"opportunity:{guid('deal')}"}
    dataverse.sees[ME].discard(guid("deal"))
    row_rights._rights.cache_clear()
    found = ledger("account", "cust")
    assert {record for entry in found["activities"] for record in entry["through"]} == {f"contact:{guid('kim')}"}
    assert (len(found["activities"]), found["withheld"], found["total"]) == (3, 5, 8)
    dataverse.sees[ME].add(guid("lee"))
    row_rights._rights.cache_clear()
    assert ledger("account", "cust")["withheld"] == 2


def test_what_exchange_alone_knows_names_no_contact_that_the_caller_may_not_read(dataverse: ReadableRows) -> None:
    entries = [entry for entry in ledger("opportunity", "deal")["activities"] if not entry["activityId"]]
    names = {tuple(person["name"] for person in entry["people"]) for entry in entries}
    assert names == {("Ann", "Kim"), ("Ann", "")}


def test_a_dry_run_tells_of_no_record_that_the_caller_may_not_read(dataverse: ReadableRows) -> None:
    tried = mail(lambda _entity, _name, /, **attributes: attributes, "new", "lee", 1)
    answer = route("post_record_dry_run").call(
        headers=as_role(READER), params={"type": "account", "id": guid("cust")},
        body=json.dumps({"entity": "email", "attributes": tried}).encode(),
    )  # fmt: skip
    found = json_of(answer)
    assert (found["counted"], found["reason"], found["entry"]["through"]) == (
        True,
        "rolled_up",
        [f"opportunity:{guid('deal')}"],
    )


def known(kind: str, name: str) -> dict[str, Any]:
    """The evidence of the only colleague."""
    headers = as_caller(READER, address="other@us.example")
    params = {"type": kind, "id": guid(name)}
    (one,) = json_of(route("get_who_knows_record").call(headers=headers, params=params, query={}))["colleagues"]
    return {"knows": one["knows"] and one["knows"]["name"], **one["evidence"]}


def test_a_deal_tells_exact_times_only_of_contacts_that_the_caller_may_read(dataverse: ReadableRows) -> None:
    assert known("contact", "kim")["lastAt"] is not None
    dataverse.sees[ME] = {guid("deal")}
    row_rights._rights.cache_clear()
    found = known("opportunity", "deal")
    assert found["lastAt"] is None
    dataverse.sees[ME] |= {guid("kim"), guid("lee")}
    row_rights._rights.cache_clear()
    assert known("opportunity", "deal")["lastAt"] is not None
