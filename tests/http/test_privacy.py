"""Requests about one's own data as a person without any role sends them, and those of who answers for others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from shared.auth import ADMIN, INGEST, READER
from tests.conftest import fresh_queues, fresh_storage
from tests.doubles.platform import as_caller, as_role, trust_platform
from tests.doubles.processes import forget
from tests.doubles.routes import json_of, route
from tests.doubles.talk import mail, organisation, told
from tests.local.azurite_process import RunningAzurite
from tests.local.bus_process import RunningBus

ANNA = as_caller(id="oid-anna", address="anna@us.example")  # no role at all


@pytest.fixture(autouse=True)
def story(azurite: RunningAzurite, service_bus: RunningBus, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    trust_platform(monkeypatch)
    fresh_queues(service_bus, monkeypatch)
    fresh_storage(azurite, monkeypatch)
    told([*organisation(), mail(4, "anna", "kim")])
    yield
    forget()


def body(**content: Any) -> bytes:
    return msgspec.json.encode(content)


def test_a_person_without_a_role_reads_their_own_data_and_chooses() -> None:
    page = json_of(route("get_my_data").call(headers=ANNA))
    assert (page["part"], page["subject"]["records"]) == ("about", ["user:anna"])
    for _ in range(3):
        page = json_of(route("get_my_data").call(headers=ANNA, query={"page": page["nextPage"]}))
    assert (page["part"], page["nextPage"], len(page["copies"])) == ("copies", None, 1)
    assert route("put_my_choices").call(headers=ANNA, body=body(optOut=True)).status_code == 200
    assert json_of(route("get_my_opt_out").call(headers=ANNA))["status"] == "PROCESSING"
    assert route("get_my_accesses").call(headers=ANNA).status_code == 200


@pytest.mark.parametrize("headers", [as_caller(INGEST), as_caller(), as_caller(address="kim@cust.example")])
def test_apps_and_guests_have_nothing_of_their_own(headers: dict[str, str]) -> None:
    for name in ("get_my_data", "get_my_choices", "get_my_opt_out", "get_my_accesses"):
        assert route(name).call(headers=headers).status_code == 403


def test_without_the_role_a_person_reads_nothing_about_others() -> None:
    for name in ("post_person_data", "post_person_resolution", "post_opt_out"):
        answer = route(name).call(
            headers=as_caller(READER, address="anna@us.example"), body=body(address="a@b.example")
        )
        assert answer.status_code == 403
    assert route("get_who_knows_record").call(headers=ANNA, params={"type": "contact", "id": "kim"}).status_code == 403


def test_an_export_is_one_page_after_another_with_the_address_in_the_body() -> None:
    token, parts = "", []
    while token is not None:
        answer = route("post_person_data").call(
            headers=as_role(ADMIN), body=body(address="Kim@cust.example", page=token)
        )
        page = json_of(answer)
        parts.append(page["part"])
        token = page["nextPage"]
    assert parts == ["about", "accesses", "figures", "copies"]


def test_a_resolution_by_body_is_that_by_path() -> None:
    by_body = route("post_person_resolution").call(headers=as_role(ADMIN), body=body(address="kim@cust.example"))
    by_path = route("get_person").call(headers=as_role(ADMIN), params={"address": "kim@cust.example"})
    assert json_of(by_body) == json_of(by_path)
    assert json_of(by_body)["people"] == [{"id": "contact:kim", "name": "Kim"}]


def test_an_opt_out_by_body_begins_an_erasure_and_an_active_user_is_refused() -> None:
    done = route("post_opt_out").call(headers=as_role(ADMIN), body=body(address="kim@cust.example"))
    assert json_of(done)["status"] == "PROCESSING"
    refused = route("post_opt_out").call(headers=as_role(ADMIN), body=body(address="anna@us.example"))
    assert (refused.status_code, json_of(refused)["errors"][0]["path"]) == (400, "$.address")
    unknown = route("post_opt_out").call(headers=as_role(ADMIN), body=body(adress="kim@cust.example"))
    assert unknown.status_code == 400
