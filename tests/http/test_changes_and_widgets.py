"""The two ends of the main way, over their HTTP functions: what is refused and accepted, and what forms of the CRM read."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import azure.functions as func
import pytest

from functions.crm_changes import crm_changes
from shared import ingest, recompute
from shared.auth import INGEST, READER
from shared.changes import parse_batch
from shared.errors import PoisonMessageError
from shared.queues import client
from tests.doubles.processes import forget
from tests.doubles.routes import json_of, route
from tests.doubles.tenants import AS_OF, RECORDS, story

pytestmark = pytest.mark.usefixtures("storage", "queues", "signed_in")
ISSUER = "https://issuer.example/v2.0"
ACCOUNTS = [record for record in RECORDS if record.startswith("account:")]


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """The platform has checked the caller, as in the cloud: its header names the roles."""
    monkeypatch.setenv("WEBSITE_AUTH_ENABLED", "true")
    monkeypatch.setenv("AUTH_ISSUER", ISSUER)
    forget()


def as_role(role: str, **more: str) -> dict[str, str]:
    facts = {"roles": role, "oid": "5a3c1f0e-7d42-4b7e-9a51-2f60c8d1e201", "iss": ISSUER}
    claims = [{"typ": name, "val": value} for name, value in facts.items()]
    principal = {"auth_typ": "aad", "role_typ": "roles", "name_typ": "name", "claims": claims}
    return {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(json.dumps(principal).encode()).decode(), **more}


def post(body: bytes | dict[str, Any]) -> func.HttpResponse:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return route("post_crm_changes").call(headers=as_role(INGEST), body=content)


def change(**attributes: Any) -> dict[str, Any]:
    mail = {"entity": "email", "id": "m1", "version": 1, "operation": "upsert", "attributes": attributes}
    return {"changes": [mail]}


def get(name: str, record: str, headers: dict[str, str] | None = None, **query: str) -> func.HttpResponse:
    kind, _, id = record.partition(":")
    params = {"type": kind, "id": id, "widget": query.pop("widget", "health")}
    return route(name).call(headers=as_role(READER, **(headers or {})), params=params, query=query)


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
    with closing(client().get_queue_receiver("crm-changes", max_wait_time=1)) as receiver:
        for message in receiver:
            crm_changes._function.get_user_function()(func.ServiceBusMessage(body=b"".join(message.body)))
            receiver.complete_message(message)
    assert json_of(get("get_record_widgets", "contact:c1"))["record"] == "contact:c1"


def test_a_message_that_holds_no_changes_is_poison() -> None:
    with pytest.raises(PoisonMessageError):
        crm_changes._function.get_user_function()(func.ServiceBusMessage(body=b"poison"))


@pytest.fixture
def told() -> Iterator[str]:
    """A tenant whose story is told, and its account with the longest ledger."""
    ingest.take_in(parse_batch(json.dumps({"changes": story(2, 32)}).encode()))
    lengths = {}
    for record in ACCOUNTS:
        if recompute.recompute(record, AS_OF):
            lengths[record] = json_of(get("get_record_activities", record))["total"]
    yield max(lengths, key=lambda record: lengths[record])


def test_widgets_answer_304_to_who_has_them_and_compressed_to_who_takes_it(told: str) -> None:
    plain = get("get_record_widgets", told)
    packed = get("get_record_widgets", told, {"Accept-Encoding": "gzip"})
    assert (packed.headers["Content-Encoding"], json_of(packed)) == ("gzip", json_of(plain))
    assert packed.headers["ETag"] != plain.headers["ETag"]
    for held in (plain, packed):
        encoding = {"Accept-Encoding": held.headers.get("Content-Encoding", "identity")}
        again = get("get_record_widgets", told, {"If-None-Match": held.headers["ETag"], **encoding})
        assert (again.status_code, again.get_body()) == (304, b"")
    assert get("get_record_widgets", told, {"If-None-Match": '"another"'}).status_code == 200


def test_one_widget_is_that_of_all(told: str) -> None:
    whole = json_of(get("get_record_widgets", told))
    for name, held in whole["widgets"].items():
        one = json_of(get("get_record_widget", told, widget=name))
        assert (one["widget"], one["data"], one["asOf"]) == (name, held, whole["asOf"])


@pytest.mark.parametrize("as_of", ["yesterday", "2026-01-01T00:00:00", "2999-01-01T00:00:00Z", "1900-01-01T00:00:00Z"])
def test_as_of_is_an_instant_of_the_past(told: str, as_of: str) -> None:
    assert get("get_record_widgets", told, asOf=as_of).status_code == 400


def test_as_of_an_instant_only_what_was_there_then_counts(told: str) -> None:
    early = json_of(get("get_record_widgets", told, asOf="2026-06-01T00:00:00Z"))
    assert early["asOf"] == "2026-06-01T00:00:00Z"
    assert early["widgets"]["volumes"]["interactionsOurs"] == 0


def test_unknown_records_types_and_widgets(told: str) -> None:
    assert get("get_record_widgets", "contact:nobody").status_code == 404
    assert get("get_record_widgets", "invoice:1").status_code == 400
    assert get("get_record_widgets", "contact:a b").status_code == 400
    assert get("get_record_widget", told, widget="weather").status_code == 404


def test_pages_of_a_ledger_are_its_whole_without_gap_or_repetition(told: str) -> None:
    whole = json_of(get("get_record_activities", told, limit="500"))
    assert whole["total"] == len(whole["activities"]) == sum(whole["reasons"].values())
    paged: list[Any] = []
    page: str | None = ""
    while page is not None:
        answer = json_of(get("get_record_activities", told, limit="3", page=page))
        assert answer["total"] == whole["total"]
        paged += answer["activities"]
        page = answer["nextPage"]
    assert paged == whole["activities"]


def test_filters_of_a_ledger_take_what_they_say(told: str) -> None:
    whole = json_of(get("get_record_activities", told, limit="500"))["activities"]

    def found(**query: str) -> Any:
        return json_of(get("get_record_activities", told, limit="500", **query))["activities"]

    assert found(counted="true") == [each for each in whole if each["counted"]]
    assert found(reason=whole[0]["reason"]) == [each for each in whole if each["reason"] == whole[0]["reason"]]
    assert found(day=whole[0]["at"][:10]) == [each for each in whole if each["at"][:10] == whole[0]["at"][:10]]
    person = whole[0]["people"][0]["id"]
    assert found(person=person) == [each for each in whole if person in [one["id"] for one in each["people"]]]


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "501"}, {"day": "soon"}, {"reason": "mood"}, {"page": "x"}]
)
def test_bad_filters_of_a_ledger_are_refused(told: str, query: dict[str, str]) -> None:
    assert get("get_record_activities", told, **query).status_code == 400


def test_a_page_of_another_record_is_refused(told: str) -> None:
    page = json_of(get("get_record_activities", told, limit="1"))["nextPage"]
    other = next(
        record for record in ACCOUNTS if record != told and get("get_record_activities", record).status_code == 200
    )
    assert get("get_record_activities", other, page=page).status_code == 400
