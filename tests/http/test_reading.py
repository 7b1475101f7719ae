"""What forms of the CRM read: widgets and the ledger, conditional, compressed, filtered, page after page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import azure.functions as func
import pytest
from msgspec.structs import replace

from shared import ingest, recompute
from shared.auth import READER
from shared.changes import parse_batch
from shared.graph import consent_state
from shared.graph.consent import State, Transition
from tests.conftest import fresh_queues, fresh_storage
from tests.doubles.platform import as_role, trust_platform
from tests.doubles.processes import forget
from tests.doubles.routes import json_of, route
from tests.doubles.tenants import AS_OF, RECORDS, story
from tests.local.azurite_process import RunningAzurite
from tests.local.bus_process import RunningBus

ACCOUNTS = [record for record in RECORDS if record.startswith("account:")]


def get(name: str, record: str, headers: dict[str, str] | None = None, **query: str) -> func.HttpResponse:
    kind, _, id = record.partition(":")
    params = {"type": kind, "id": id, "widget": query.pop("widget", "health")}
    return route(name).call(headers=as_role(READER, **(headers or {})), params=params, query=query)


@pytest.fixture(scope="module")
def told(azurite: RunningAzurite, service_bus: RunningBus) -> Iterator[str]:
    """A tenant whose story is told, read by all tests here; its account with the longest ledger."""
    with pytest.MonkeyPatch.context() as patch:
        trust_platform(patch)
        fresh_queues(service_bus, patch)
        fresh_storage(azurite, patch)
        ingest.take_in(parse_batch(json.dumps({"changes": story(2, 40)}).encode()))
        lengths = {}
        for record in ACCOUNTS:
            if recompute.recompute(record, AS_OF):
                lengths[record] = json_of(get("get_record_activities", record))["total"]
        yield max(lengths, key=lambda record: lengths[record])
    forget()


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


def test_every_count_has_its_activities_in_the_ledger(told: str) -> None:
    widgets = json_of(get("get_record_widgets", told, asOf="2026-11-20T12:00:00Z"))["widgets"]
    volumes = widgets["volumes"]
    counts = {
        ("email", "out"): "emailsSent",
        ("email", "in"): "emailsReceived",
        ("meeting", "out"): "meetingsSent",
        ("meeting", "in"): "meetingsReceived",
        ("call", "out"): "callsMade",
        ("call", "in"): "callsReceived",
    }
    assert sum(volumes[name] for name in counts.values()) > 3
    only = {"asOf": "2026-11-20T12:00:00Z", "counted": "true", "inWindow": "true"}
    for (kind, direction), name in counts.items():
        found = json_of(get("get_record_activities", told, kind=kind, direction=direction, **only))
        assert found["total"] == found["counted"] == volumes[name], name
    for direction, name in (("out", "interactionsOurs"), ("in", "interactionsTheirs")):
        every = get("get_record_activities", told, kind="email,meeting,call", direction=direction, **only)
        assert json_of(every)["total"] == volumes[name]
    outside = json_of(get("get_record_activities", told, **{**only, "inWindow": "false"}))
    assert not any(one["inWindow"] for one in outside["activities"])


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "501"},
        {"day": "soon"},
        {"reason": "mood"},
        {"kind": "fax"},
        {"direction": "up"},
        {"page": "x"},
    ],
)
def test_bad_filters_of_a_ledger_are_refused(told: str, query: dict[str, str]) -> None:
    assert get("get_record_activities", told, **query).status_code == 400


def test_a_page_of_another_record_is_refused(told: str) -> None:
    page = json_of(get("get_record_activities", told, limit="1"))["nextPage"]
    other = next(
        record for record in ACCOUNTS if record != told and get("get_record_activities", record).status_code == 200
    )
    assert get("get_record_activities", other, page=page).status_code == 400


@pytest.mark.parametrize(("side", "widget"), [("customers", "mostContacted"), ("colleagues", "mostContactedBy")])
def test_pages_of_people_are_all_of_them_and_begin_with_the_widget(told: str, side: str, widget: str) -> None:
    held = json_of(get("get_record_widgets", told, asOf="2026-11-20T12:00:00Z"))["widgets"][widget]
    whole = json_of(get("get_record_people", told, side=side, limit="200", asOf="2026-11-20T12:00:00Z"))
    assert (whole["people"][:3], whole["total"]) == (held["people"], held["total"])
    assert (len(whole["people"]), whole["nextPage"]) == (whole["total"], None)
    paged: list[Any] = []
    page: str | None = ""
    while page is not None:
        query = {"page": page} if page else {"asOf": "2026-11-20T12:00:00Z"}
        found = json_of(get("get_record_people", told, side=side, limit="2", **query))
        assert found["asOf"] == "2026-11-20T12:00:00Z"
        paged += found["people"]
        page = found["nextPage"]
    assert paged == whole["people"]


def test_a_page_of_the_other_side_is_refused(told: str) -> None:
    page = json_of(get("get_record_people", told, side="customers", limit="1"))["nextPage"]
    assert get("get_record_people", told, side="colleagues", page=page).status_code == 400


def test_answers_say_so_while_a_failed_probe_pauses_the_reading_of_exchange(told: str) -> None:
    def suspect(since: int) -> None:
        state = (
            {"state": State.LIVE, "suspect_since": since} if since else {"state": State.DISABLED, "suspect_since": 0}
        )
        consent_state.change(lambda held: Transition("test", replace(held, **state)), AS_OF, "test")

    suspect(AS_OF)
    for name in ("get_record_widgets", "get_record_widget"):
        assert "consentSuspect" in json_of(get(name, told))["flags"]
    suspect(0)
    assert "consentSuspect" not in json_of(get("get_record_widgets", told))["flags"]
