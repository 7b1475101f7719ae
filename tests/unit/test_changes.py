import json
from typing import Any

import pytest

from shared.changes import Change, Ref, parse_batch
from shared.errors import InvalidInputError

GUID = "6d81597f-0f9f-e711-8122-000d3aa2331c"


def parsed(entity: str, attributes: dict[str, Any], **more: Any) -> Change:
    change = {"entity": entity, "id": "x1", "version": 7, "operation": "upsert", "attributes": attributes} | more
    (found,) = parse_batch(json.dumps({"changes": [change]}).encode())
    return found


def refusal(body: Any) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as refused:
        parse_batch(body if isinstance(body, bytes) else json.dumps(body).encode())
    return refused.value


def refusal_of(**change: Any) -> InvalidInputError:
    good = {"entity": "contact", "id": "x1", "version": 7, "operation": "delete"}
    return refusal({"changes": [good, {**good, **change}]})


def test_an_empty_batch_is_no_change() -> None:
    assert parse_batch(b'{"changes": []}') == []


def test_values_come_in_their_normal_form() -> None:
    change = parsed(
        "email",
        {
            "from": {"address": "Kim+x@CUST.example", "name": "Kim"},
            "to": [{"party": "user:" + GUID.upper()}, {"address": "room@us.example", "resource": True}],
            "cc": [],
            "sentAt": "2026-03-15T13:00:00.999+01:00",
            "regarding": ["opportunity:{" + GUID.upper() + "}", "opportunity:" + GUID],
            "headers": {"Precedence": "bulk", "Subject": "secret"},
        },
        id="{" + GUID.upper() + "}",
    )
    assert change.id == GUID
    assert {
        "from": {"address": "kim@cust.example", "name": "Kim"},
        "to": [{"party": f"user:{GUID}"}],
        "cc": [],
        "sentAt": 1773576000,
        "regarding": [f"opportunity:{GUID}"],
        "headers": {"precedence": "bulk"},
    } == change.attributes


def test_absent_is_untouched_and_null_is_cleared() -> None:
    assert parsed("contact", {"name": None}).attributes == {"name": None}
    assert parsed("contact", {}).attributes == {}


def test_ids_other_than_guids_keep_their_case() -> None:
    assert parsed("account", {}, id="Acc-001@Sys:1").id == "Acc-001@Sys:1"


@pytest.mark.parametrize("id", ["", "-a", " a", "a b", "ä", "a" * 101, "a/b", "a\n"])
def test_ids_of_another_form_are_refused(id: str) -> None:
    assert refusal_of(id=id).path == "$.changes[1].id"


def test_an_instant_before_1970_is_negative_and_cut_downwards() -> None:
    assert parsed("contact", {"createdAt": "1969-12-31T23:59:59.5Z"}).attributes["createdAt"] == -1


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01T00:00:00Z",
        "1899-12-31T23:59:59Z",
        "2201-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "2026-01-01T00:00:00",
        "2026-01-01",
        "2026-02-30T00:00:00Z",
        "",
        "now",
    ],
)
def test_instants_without_offset_or_out_of_range_are_refused(text: str) -> None:
    error = refusal_of(operation="upsert", attributes={"createdAt": text})
    assert error.path == "$.changes[1].attributes.createdAt"


@pytest.mark.parametrize("version", [-1, 2**63, 1.5, "7", None, True])
def test_versions_are_whole_numbers_below_2_to_the_63(version: Any) -> None:
    assert refusal_of(version=version).path == "$.changes[1].version"


def test_the_greatest_version_is_taken() -> None:
    assert parsed("contact", {}, version=2**63 - 1).version == 2**63 - 1


@pytest.mark.parametrize(
    ("entity", "attributes", "path"),
    [
        ("contact", {"nickname": "K"}, ".nickname"),
        ("contact", {"name": 5}, ".name"),
        ("contact", {"emails": ["kim@cust.example", "kim"]}, ".emails[1]"),
        ("contact", {"state": "gone"}, ".state"),
        ("account", {"ownerId": "contact:c1"}, ".ownerId"),
        ("account", {"ownerId": "user:"}, ".ownerId"),
        ("opportunity", {"team": ["u1", "-"]}, ".team[1]"),
        ("opportunity", {"amount": "12"}, ".amount"),
        ("email", {"to": [{"address": "kim"}]}, ".to[0].address"),
        ("email", {"to": [{"party": "thing:1"}]}, ".to[0].party"),
        ("email", {"to": [{"mail": "a@b.c"}]}, ".to[0].mail"),
        ("email", {"opens": -1}, ".opens"),
        ("email", {"subject": "secret"}, ".subject"),
        ("email", {"regarding": ["user:u1"]}, ".regarding[0]"),
        ("appointment", {"showAs": "away"}, ".showAs"),
        ("user", {"timeZone": "Europe/Atlantis"}, ".timeZone"),
        ("user", {"timeZone": "../../etc/passwd"}, ".timeZone"),
        ("user", {"workingHours": {"mon": [["17:00", "08:00"]]}}, ".workingHours.mon"),
        ("user", {"daysOff": ["2026-13-01"]}, ".daysOff[0]"),
        ("phonecall", {"durationMinutes": -1}, ".durationMinutes"),
    ],
)
def test_each_fault_is_named_by_its_path(entity: str, attributes: dict[str, Any], path: str) -> None:
    error = refusal_of(entity=entity, operation="upsert", attributes=attributes)
    assert "$.changes[1].attributes" + path == error.path


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"entity": "invoice"}, ".entity"),
        ({"operation": "insert"}, ".operation"),
        ({"attributes": {}}, ".attributes"),
        ({"into": "y"}, ".into"),
        ({"relationship": "team"}, ".relationship"),
        ({"operation": "merge"}, ".into"),
        ({"operation": "merge", "into": "x1"}, ".into"),
        ({"operation": "link", "relationship": "team"}, ".relationship"),
        ({"extra": 1}, ".extra"),
        (
            {
                "entity": "case",
                "operation": "link",
                "relationship": "team",
                "related": [{"entity": "contact", "id": "c"}],
            },
            ".related[0].entity",
        ),
        (
            {"entity": "case", "operation": "link", "relationship": "team", "related": [{"entity": "user", "id": ""}]},
            ".related[0].id",
        ),
    ],
)
def test_fields_must_fit_the_operation(change: dict[str, Any], path: str) -> None:
    assert "$.changes[1]" + path == refusal_of(**change).path


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b'{"changes": 1}', b'{"changes": [], "x": 1}', b"{}"])
def test_a_body_of_another_shape_is_refused(body: bytes) -> None:
    assert refusal(body).path.startswith("$")


def test_a_body_nested_too_deeply_is_refused() -> None:
    start = b'{"changes": [{"entity": "contact", "id": "a", "version": 1, "operation": "upsert", "attributes": '
    assert refusal(start + b'{"x": ' * 100_000).path == "$"


def test_numbers_and_texts_that_json_cannot_carry_on_are_refused() -> None:
    start = b'{"changes": [{"entity": "opportunity", "id": "a", "version": 1, "operation": "upsert", "attributes": '
    assert refusal(start + b'{"amount": 1e999}}]}').path == "$.changes[0].attributes.amount"
    assert refusal(start + b'{"name": "\\ud800"}}]}').path.startswith("$")


def test_no_detail_repeats_a_value() -> None:
    error = refusal_of(operation="upsert", attributes={"emails": ["kim kunde@cust.example"]})
    assert "kunde" not in error.detail


def test_links_and_merges_carry_their_rows() -> None:
    link = {"entity": "opportunity", "id": "o1", "version": 1, "operation": "link", "relationship": "stakeholders"}
    link["related"] = [{"entity": "contact", "id": GUID.upper()}]
    merge = {"entity": "contact", "id": "c1", "version": 2, "operation": "merge", "into": "c2"}
    assert [
        Change("opportunity", "o1", 1, "link", relationship="stakeholders", related=[Ref("contact", GUID)]),
        Change("contact", "c1", 2, "merge", into="c2"),
    ] == parse_batch(json.dumps({"changes": [link, merge]}).encode())


@pytest.mark.parametrize("attributes", [{"sensitivity": "private"}, {"sensitivity": "confidential"}, {"private": True}])
def test_of_a_private_appointment_nothing_is_kept(attributes: dict[str, Any]) -> None:
    facts = {"start": "2026-01-01T00:00:00Z", "attendees": [{"address": "kim@cust.example"}]}
    assert parsed("appointment", facts | attributes).attributes == {"private": True}


def test_a_normal_appointment_keeps_no_sensitivity() -> None:
    assert parsed("appointment", {"sensitivity": "normal"}).attributes == {}
