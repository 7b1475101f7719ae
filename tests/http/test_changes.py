"""Changes over their HTTP function and queue: what is refused, and what becomes of what is accepted."""

from __future__ import annotations

import json
from typing import Any

import azure.functions as func
import pytest

from functions.crm_changes import crm_changes
from shared.auth import INGEST, READER
from shared.errors import PoisonMessageError
from tests.doubles.platform import as_role, trust_platform
from tests.doubles.queued import received
from tests.doubles.routes import json_of, route
from tests.doubles.tenants import RECORDS, story

pytestmark = pytest.mark.usefixtures("storage", "queues", "signed_in")
ISSUER = "https://issuer.example/v2.0"
ACCOUNTS = [record for record in RECORDS if record.startswith("account:")]


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    trust_platform(monkeypatch)


def post(body: bytes | dict[str, Any]) -> func.HttpResponse:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return route("post_crm_changes").call(headers=as_role(INGEST), body=content)


def change(**attributes: Any) -> dict[str, Any]:
    mail = {"entity": "email", "id": "m1", "version": 1, "operation": "upsert", "attributes": attributes}
    return {"changes": [mail]}


NOTHING = {"entity": "email", "id": "m1", "version": 1, "operation": "upsert"}
LONGEST = f"{'a' * 100}@{'.'.join(['d' * 52] * 4)}.example"  # 320 characters
BAD = {
    "not JSON": (b"{", "$"),
    "no object": (b"[]", "$"),
    "not UTF-8": (b'{"changes": [{"entity": "\xff"}]}', "$"),
    "nested without end": (b"[" * 100_000, "$"),
    "a number for a text": ({"changes": [{**NOTHING, "entity": 1}]}, "$.changes[0].entity"),
    "a text for a number": ({"changes": [{**NOTHING, "version": "1"}]}, "$.changes[0].version"),
    "unknown entity": ({"changes": [{**NOTHING, "entity": "invoice"}]}, "$.changes[0].entity"),
    "unknown attribute": (change(subject="Hello"), "$.changes[0].attributes.subject"),
    "year 1": (change(sentAt="0001-01-01T00:00:00Z"), "$.changes[0].attributes.sentAt"),
    "year 9999": (change(sentAt="9999-12-31T23:59:59Z"), "$.changes[0].attributes.sentAt"),
    "no time zone": (change(sentAt="2026-01-01T00:00:00"), "$.changes[0].attributes.sentAt"),
    "no address": (change(to=[{"address": "somebody"}]), "$.changes[0].attributes.to[0].address"),
    "321 characters": (change(to=[{"address": "a" + LONGEST}]), "$.changes[0].attributes.to[0].address"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_changes_are_refused_with_the_place_of_the_fault(case: str) -> None:
    body, path = BAD[case]
    answer = post(body)
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert [error["path"] for error in json_of(answer)["errors"]] == [path]


def test_ten_megabytes_are_too_large() -> None:
    assert post(b" " * 10_000_000).status_code == 413


def test_fifty_thousand_changes_are_too_many() -> None:
    one = {"entity": "task", "id": "t", "version": 1, "operation": "delete"}
    assert post({"changes": [one] * 50_000}).status_code == 413


@pytest.mark.parametrize(
    "address",
    [
        "jürgen@bücher.example",
        "字@example.com",
        LONGEST,
        "Kim+news@CUST.example",
    ],
)
def test_unusual_addresses_are_taken(address: str) -> None:
    assert post(change(to=[{"address": address}], sentAt="2026-01-01T00:00:00Z")).status_code == 202


def test_accepted_changes_are_in_the_queue_and_become_widgets() -> None:
    changes = story(1, 16)
    answer = post({"changes": changes})
    assert (202, len(changes)) == (answer.status_code, json_of(answer)["accepted"])
    for body in received("crm-changes"):
        crm_changes._function.get_user_function()(func.ServiceBusMessage(body=body))
    widgets = route("get_record_widgets").call(headers=as_role(READER), params={"type": "contact", "id": "c1"})
    assert json_of(widgets)["record"] == "contact:c1"


def test_a_message_that_holds_no_changes_is_poison() -> None:
    with pytest.raises(PoisonMessageError):
        crm_changes._function.get_user_function()(func.ServiceBusMessage(body=b"poison"))
