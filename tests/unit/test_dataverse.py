"""Execution contexts of Dataverse, recorded-style, in tests/payloads/dataverse; the operations happen around NOW."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import fields

from shared.changes import Change, Ref
from shared.crm.activities import copy_of
from shared.crm.attributes import SCHEMAS
from shared.crm.dataverse import is_execution_context, parse_execution_context
from shared.crm.dataverse_columns import _COLUMNS
from shared.crm.state import EntityState, is_private, members, merged_state
from shared.errors import InvalidInputError

PAYLOADS = Path(__file__).parents[1] / "payloads" / "dataverse"
NAMES = sorted(path.stem for path in PAYLOADS.glob("*.json"))
NOW = 1_767_780_000  # 2026-01-07T10:00:00Z
DAY = 86_400
REFUSED = {"connection-delete-without-image": "$.PreEntityImages", "email-update-cut-at-256-kb": "$.InputParameters"}


def guid(number: int) -> str:
    return f"{number:08x}-2f4c-ee11-be6f-000d3a2b41c7"


ANNA, BEN, KIM, LEE, CUST, OPPORTUNITY, CASE, LEAD, TEAM = map(guid, range(0xA1, 0xAA))
MAIL, APPOINTMENT, CALL, TASK, CONNECTION, KIM_TWICE, ROLE = map(guid, range(0xB1, 0xB8))


def body(name: str) -> bytes:
    return (PAYLOADS / f"{name}.json").read_bytes()


def changes(name: str) -> list[Change]:
    return parse_execution_context(body(name))


def only(name: str) -> Change:
    (change,) = changes(name)
    return change


def state_after(*names: str) -> EntityState:
    state: EntityState | None = None
    for change in (change for name in names for change in changes(name)):
        state = merged_state(state, change)
    assert state is not None
    return state


def altered(name: str, **replaced: Any) -> bytes:
    return json.dumps(json.loads(body(name)) | replaced).encode()


@pytest.mark.parametrize("name", NAMES)
def test_every_payload_is_known_as_an_execution_context(name: str) -> None:
    assert is_execution_context(body(name))


@pytest.mark.parametrize("other", [b"", b"{", b"[]", b'{"changes": []}', b'{"MessageName": "Update"}', b"\xff"])
def test_other_bodies_are_not(other: bytes) -> None:
    assert not is_execution_context(other)


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(REFUSED) - {"unknown-table-update"}))
def test_every_payload_gives_changes_without_content(name: str) -> None:
    found = changes(name)
    assert found
    for change in found:
        assert change.attributes.keys() <= {field.encode_name for field in fields(SCHEMAS[change.entity])}
    for content in (
        "Offer 4711",
        "Dear Anna",
        "Our offer",
        "Visit",
        "Call back",
        "secret",
        "Won!",
        "Hamburg",
        "Replaced",
    ):
        assert content not in repr(found)


@pytest.mark.parametrize(("name", "path"), sorted(REFUSED.items()))
def test_a_payload_that_lost_its_facts_is_refused(name: str, path: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        changes(name)
    assert refused.value.path == path


def test_a_table_that_means_nothing_here_gives_no_change() -> None:
    assert changes("unknown-table-update") == []
    assert parse_execution_context(altered("email-delete", MessageName="GrantAccess")) == []


def test_a_received_mail() -> None:
    change = only("email-create-received")
    assert (change.entity, change.id, change.version, change.operation) == ("email", MAIL, NOW * 1000, "upsert")
    assert change.attributes == {
        "from": {"address": "kim@cust.example", "party": f"contact:{KIM}", "name": "Kim Kunde"},
        "to": [{"address": "anna@us.example", "party": f"user:{ANNA}", "name": "Anna Ahlers"}],
        "cc": [{"address": "someone@else.example"}, {"address": "sales@us.example", "name": "Sales queue"}],
        "status": "received",
        "sentAt": NOW - 60,
        "messageId": "<AM0PR0301MB4711@cust.example>",
        "inReplyTo": "<first@us.example>",
        "conversationId": "01dc" + bytes(range(20)).hex(),
        "headers": {"precedence": "normal"},
        "regarding": [f"opportunity:{OPPORTUNITY}"],
        "followed": False,
        "opens": 0,
    }


def test_a_draft_that_is_sent_and_opened() -> None:
    assert copy_of(state_after("email-create-draft")) is None
    state = state_after("email-create-draft", "email-update-sent", "email-update-opened")
    copy = copy_of(state)
    assert copy is not None
    assert (copy.at, copy.merge_key) == (NOW + 3, "mail:<out-1@us.example>")
    assert [p.address for p in copy.participants] == ["anna@us.example", "kim@cust.example"]
    assert state.attributes["opens"] == ((NOW + 9) * 1000, 3)


def test_a_deleted_mail_is_gone_whatever_comes_later() -> None:
    assert copy_of(state_after("email-create-received", "email-delete", "email-update-sent")) is None


def test_an_appointment_that_moves_and_is_cancelled() -> None:
    copy = copy_of(state_after("appointment-create", "appointment-update-moved", "appointment-setstate-cancelled"))
    assert copy is not None
    assert (copy.at, copy.end) == (NOW + 25 * 3600, NOW + 26 * 3600)
    assert copy.merge_key == "meeting:040000008200E00074C5B7101A82E008000000001A2B"
    assert [p.address for p in copy.participants] == ["anna@us.example", "kim@cust.example", "ben@us.example"]
    assert copy.flags & 2


def test_an_appointment_that_turns_private_is_forgotten() -> None:
    state = state_after("appointment-create", "appointment-update-private", "appointment-update-moved")
    assert is_private(state)
    assert set(state.attributes) == {"private"}


def test_the_least_and_the_greatest_date_of_dotnet_mean_no_date() -> None:
    change = only("appointment-create-unset-dates")
    assert (change.attributes["start"], change.attributes["end"]) == (None, None)


def test_a_call_and_a_task() -> None:
    call = copy_of(state_after("phonecall-create", "phonecall-update-completed"))
    assert call is not None
    assert (call.at, call.minutes, call.regarding) == (NOW + 600, 12.0, (f"case:{CASE}",))
    assert [p.party for p in call.participants] == [f"user:{ANNA}", f"contact:{KIM}"]
    task = copy_of(state_after("task-update-completed"))
    assert task is not None
    assert (task.at, task.minutes) == (NOW + 60, 30.0)


def test_a_contact_keeps_its_address_columns_apart() -> None:
    state = state_after("contact-create", "contact-update-on-premises")
    found = {name: held for name, (_, held) in state.attributes.items()}
    assert (found["email1"], found["email2"], found["email3"]) == ("kim@cust.example", "kk@private.example", None)
    assert (found["accountId"], found["ownerId"], found["state"]) == (CUST, f"user:{ANNA}", "active")
    assert found["createdAt"] == NOW


def test_the_operations_offset_is_put_back() -> None:
    """As in published payloads: OperationCreatedOn minus its offset, modifiedon not."""
    assert only("contact-update-on-premises").version == (NOW + 2) * 1000
    behind = altered("email-delete", OperationCreatedOn="/Date(1724647396000+0300)/")
    assert parse_execution_context(behind)[0].version == 1_724_658_196_000
    iso = altered("email-delete", OperationCreatedOn="2026-01-07T10:00:00.5Z")
    assert parse_execution_context(iso)[0].version == NOW * 1000 + 500


def test_a_merge_names_the_survivor_and_brings_its_content() -> None:
    version = (NOW + 4) * 1000
    assert changes("contact-merge") == [
        Change("contact", KIM_TWICE, version, "merge", into=KIM),
        Change("contact", KIM, version, "upsert", {"jobTitle": "Head of purchasing"}),
    ]


def test_an_account_migrated_from_elsewhere() -> None:
    found = only("account-create").attributes
    assert found["createdAt"] == NOW - 400 * DAY
    assert (found["ownerId"], found["primaryContactId"], found["industry"]) == (f"team:{TEAM}", KIM, "13")
    assert only("account-setstate-inactive").attributes == {"state": "inactive"}


def test_an_opportunity_from_creation_to_winning() -> None:
    created = only("opportunity-create").attributes
    assert (created["accountId"], created["contactId"], created["amount"]) == (CUST, KIM, 50_000.0)
    assert (created["status"], created["closedAt"], created["stage"]) == ("open", None, "2-Develop")
    assert created["currency"] == "Euro"
    assert only("opportunity-update-won").attributes == {"status": "won", "closedAt": NOW + 5, "amount": 48_000.5}
    assert only("opportunity-win").attributes == {"status": "won", "closedAt": NOW + 5}
    assert only("opportunity-assign").attributes == {"ownerId": f"user:{BEN}"}


def test_a_closing_date_more_than_a_day_back_is_taken() -> None:
    assert only("opportunity-update-won-long-ago").attributes == {"status": "lost", "closedAt": NOW - 90 * DAY}


def test_a_later_edit_of_a_won_opportunity_does_not_move_its_closing() -> None:
    """The post image repeats state and closing date; the instant of winning must stay."""
    later = only("opportunity-update-after-won").attributes
    assert later == {"name": "Line 3b", "status": "won", "ownerId": f"user:{BEN}"}


def test_a_customer_may_be_a_contact() -> None:
    assert only("opportunity-update-customer-contact").attributes == {"accountId": None, "contactId": LEE}
    case = only("incident-create").attributes
    assert (case["accountId"], case["contactId"], case["name"]) == (CUST, LEE, "Printer broken")


def test_cases_and_leads_close_when_the_operation_happens() -> None:
    assert only("incident-close") == Change(
        "case", CASE, (NOW + 8) * 1000, "upsert", {"status": "resolved", "closedAt": NOW + 8}
    )
    assert only("lead-update-qualified").attributes == {"status": "qualified", "closedAt": NOW + 7}
    assert only("lead-create").attributes["email1"] == "lou@new.example"


def test_a_user() -> None:
    found = only("systemuser-update").attributes
    assert (found["email1"], found["active"], found["managerId"], found["title"]) == (
        "anna@us.example",
        True,
        BEN,
        "Seller",
    )
    assert only("systemuser-associate-role").related == [Ref("role", ROLE)]


@pytest.mark.parametrize(
    ("names", "relationship", "expected"),
    [
        (["connection-create-stakeholder"], "stakeholders", (LEE,)),
        (["connection-create-stakeholder", "connection-delete"], "stakeholders", ()),
        (["connection-create-stakeholder", "connection-update-deactivated"], "stakeholders", ()),
        (["opportunity-associate-contacts"], "stakeholders", (KIM, LEE)),
        (["connection-create-sales-team"], "team", (BEN,)),
        (["opportunity-add-user-to-access-team"], "team", (BEN,)),
        (["opportunity-add-user-to-access-team", "opportunity-remove-user-from-access-team"], "team", ()),
        (["team-associate-members"], "members", (ANNA, BEN)),
        (["team-add-members", "team-disassociate-member"], "members", (ANNA,)),
    ],
)
def test_people_of_a_record(names: list[str], relationship: str, expected: tuple[str, ...]) -> None:
    assert members(state_after(*names), relationship) == expected


def test_bulk_messages_give_one_change_a_row() -> None:
    assert [(c.id, c.attributes["sentAt"]) for c in changes("email-create-multiple")] == [
        (guid(0x200 + i), NOW + i) for i in range(3)
    ]


@pytest.mark.parametrize(
    ("replaced", "path"),
    [
        ({"OperationCreatedOn": "yesterday"}, "$.OperationCreatedOn"),
        ({"OperationCreatedOn": "/Date(-62135596800000)/"}, "$.OperationCreatedOn"),
        ({"OperationCreatedOn": 5}, "$.OperationCreatedOn"),
        ({"InputParameters": []}, "$.InputParameters"),
        ({"InputParameters": [{"key": "Target", "value": "text"}]}, "$.InputParameters"),
        ({"InputParameters": 5}, "$.InputParameters"),
    ],
)
def test_contexts_of_another_shape_are_refused(replaced: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_execution_context(altered("email-create-received", **replaced))
    assert refused.value.path == path


def test_a_body_nested_too_deeply_is_refused() -> None:
    deep = b'{"MessageName": "Update", "InputParameters": [' + b'{"x": ' * 100_000
    assert not is_execution_context(deep)
    with pytest.raises(InvalidInputError, match="nested too deeply"):
        parse_execution_context(deep)


def test_no_column_of_content_is_read() -> None:
    read = {column for columns in _COLUMNS.values() for column in columns}
    assert read.isdisjoint({"subject", "description", "safedescription", "location", "category", "bcc", "notes"})
