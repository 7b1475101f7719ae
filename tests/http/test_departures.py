"""What is left if a chosen colleague leaves: answered to those to whom cover risk names colleagues, refused to all others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import azure.functions as func
import pytest

from shared import ingest
from shared.auth import COVER_RISK, READER
from shared.changes import parse_batch
from tests.conftest import fresh_queues, fresh_storage
from tests.doubles.platform import as_caller, trust_platform
from tests.doubles.processes import forget
from tests.doubles.routes import json_of, route
from tests.doubles.tenants import AS_OF
from tests.local.azurite_process import RunningAzurite
from tests.local.bus_process import RunningBus


def at(day: int) -> str:
    return datetime.fromtimestamp(AS_OF - day * 86_400, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def row(entity: str, id: str, **attributes: Any) -> dict[str, Any]:
    return {"entity": entity, "id": id, "version": 1, "operation": "upsert", "attributes": attributes}


def mail(day: int, sender: str, recipient: str) -> dict[str, Any]:
    people = {"from": {"address": f"{sender}.example"}, "to": [{"address": f"{recipient}.example"}]}
    return row("email", f"{sender}-{recipient}-{day}", sentAt=at(day), status="sent", **people)


STORY = [
    row("user", "anna", name="Anna", emails=["anna@us.example"], managerId="max"),
    row("user", "ben", name="Ben", emails=["ben@us.example"]),
    row("user", "max", name="Max", emails=["max@us.example"]),
    row("account", "cust", name="Cust", ownerId="user:anna"),
    *(row("contact", id, name=id, emails=[f"{id}@cust.example"], accountId="cust") for id in ("kim", "lee")),
    *(mail(day, "anna@us", "kim@cust") for day in (3, 10, 17, 24)),
    *(mail(day, "ben@us", who) for day in (4, 30) for who in ("lee@cust", "zoe@cust")),
    mail(5, "ben@us", "kim@cust"),
]


@pytest.fixture(scope="module", autouse=True)
def _told(azurite: RunningAzurite, service_bus: RunningBus) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        trust_platform(patch)
        fresh_queues(service_bus, patch)
        fresh_storage(azurite, patch)
        ingest.take_in(parse_batch(json.dumps({"changes": STORY}).encode()))
        yield
    forget()


def ask(
    *roles: str, address: str = "", widget: str = "coverRisk", record: str = "cust", **query: str
) -> func.HttpResponse:
    headers, params = as_caller(READER, *roles, address=address), {"type": "account", "id": record, "widget": widget}
    return route("get_record_widget").call(headers=headers, params=params, query={"asOf": at(0), **query})


@pytest.mark.parametrize("address", ["anna@us.example", "max@us.example"])
def test_owner_and_manager_see_what_is_left_without_any_colleague(address: str) -> None:
    by_default = json_of(ask(address=address))["data"]
    assert by_default["ifLeaves"]["person"]["name"] == "Anna"
    answer = json_of(ask(address=address, person="user:ben"))
    found = answer["data"]
    assert (found["ours"], found["theirs"]) == (by_default["ours"], by_default["theirs"])
    leaves = found["ifLeaves"]
    assert leaves["person"] == {"id": "user:ben", "name": "Ben"}
    assert [one["name"] for one in leaves["handover"]] == ["lee"]
    assert leaves["scoreNow"] == by_default["ifLeaves"]["scoreNow"] > leaves["scoreThen"] > 0
    assert (answer["record"], answer["asOf"]) == ("account:cust", at(0))


def test_the_role_sees_it_too_and_nobody_else_learns_whom_it_could_ask_about() -> None:
    assert json_of(ask(COVER_RISK, person="user:ben"))["data"]["ifLeaves"]["person"]["name"] == "Ben"
    for person in ("user:ben", "user:anna", "user:nobody"):
        refused = ask(address="ben@us.example", person=person)
        assert (refused.status_code, json_of(refused)["type"]) == (403, "urn:problem-type:rapport:forbidden")


def test_people_who_are_none_of_ours_here_other_widgets_and_records() -> None:
    for person in ("user:nobody", "contact:kim", "user:max"):
        assert ask(COVER_RISK, person=person).status_code == 404
    assert ask(COVER_RISK, person="user:ben", widget="health").status_code == 400
    assert ask(COVER_RISK, person="user:ben", record="none").status_code == 404


def test_the_other_side_of_a_contact_is_the_contact() -> None:
    """That all of it hangs on one person says nothing there; our side is told as everywhere."""
    headers, params = as_caller(READER, COVER_RISK), {"type": "contact", "id": "kim", "widget": "coverRisk"}
    found = json_of(route("get_record_widget").call(headers=headers, params=params, query={"asOf": at(0)}))["data"]
    assert [share["person"]["name"] for share in found["ours"]["shares"]] == ["Anna", "Ben"]
    nobody = {"shares": [], "largest": None, "effectiveNumber": None, "singleThreaded": False}
    assert found["theirs"] == {**nobody, "reason": "isTheContact"}
    assert json_of(ask(COVER_RISK))["data"]["theirs"]["reason"] == ""
