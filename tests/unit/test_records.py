import json
from typing import Any

import pytest

from shared.changes import parse_batch
from shared.crm.records import Account, Case, Contact, Lead, Opportunity, Role, Team, User, view
from shared.crm.state import EntityState, merged_state


def viewed(entity: str, attributes: dict[str, Any]) -> Any:
    change = {"entity": entity, "id": "x1", "version": 7, "operation": "upsert", "attributes": attributes}
    (parsed,) = parse_batch(json.dumps({"changes": [change]}).encode())
    return view(merged_state(None, parsed))


@pytest.mark.parametrize(
    ("entity", "empty"),
    [
        ("account", Account(id="x1")),
        ("contact", Contact(id="x1")),
        ("lead", Lead(id="x1")),
        ("opportunity", Opportunity(id="x1")),
        ("case", Case(id="x1")),
        ("user", User(id="x1")),
        ("team", Team(id="x1")),
        ("role", Role(id="x1")),
    ],
)
def test_nothing_known_gives_the_defaults(entity: str, empty: object) -> None:
    assert empty == viewed(entity, {}) == view(EntityState(entity, "x1"))


def test_an_opportunity_with_all_its_attributes() -> None:
    attributes = {
        "name": "Line 3",
        "accountId": "a1",
        "contactId": "c1",
        "ownerId": "user:u1",
        "status": "won",
        "createdAt": "1970-01-01T00:00:01Z",
        "closedAt": "1970-01-01T00:00:02Z",
        "estimatedCloseAt": "1970-01-01T00:00:03Z",
        "amount": 5,
        "currency": "EUR",
        "industry": "13",
        "region": "DE",
        "product": "P",
        "stage": "2",
        "team": ["u2", "u1"],
        "stakeholders": ["c2"],
    }
    assert Opportunity(
        id="x1",
        name="Line 3",
        account_id="a1",
        contact_id="c1",
        owner="user:u1",
        status="won",
        created_at=1,
        closed_at=2,
        estimated_close_at=3,
        amount=5.0,
        currency="EUR",
        industry="13",
        region="DE",
        product="P",
        stage="2",
        team=("u1", "u2"),
        stakeholders=("c2",),
    ) == viewed("opportunity", attributes)


def test_all_address_columns_belong_to_a_contact_once() -> None:
    given = {"emails": ["b@x.example", "a@x.example"], "email1": "A@x.example", "email3": "c@x.example", "email2": None}
    assert viewed("contact", given).emails == ("a@x.example", "c@x.example", "b@x.example")


def test_a_user_with_working_hours() -> None:
    week = {"mon": [["08:00", "12:00"], ["13:00", "24:00"]]}
    given = {
        "active": False,
        "workingHours": week,
        "daysOff": ["2026-12-25", "2026-05-01"],
        "timeZone": "Europe/Berlin",
    }
    user = viewed("user", given | {"roles": ["salesperson"], "managerId": "u9"})
    assert not user.active
    assert week == user.working_hours
    assert user.days_off == ("2026-05-01", "2026-12-25")
    assert (user.roles, user.manager_id, user.time_zone) == (("salesperson",), "u9", "Europe/Berlin")


def test_an_inactive_account_and_a_cleared_name() -> None:
    account = viewed("account", {"state": "inactive", "name": None})
    assert not account.active
    assert account.name == ""


def test_deleted_and_merged_rows_say_so() -> None:
    assert Account(id="x1", deleted=True) == view(EntityState("account", "x1", deleted=3))
    assert view(EntityState("account", "x1", merged=(3, "x2"))).merged_into == "x2"


def test_an_activity_has_no_view() -> None:
    with pytest.raises(ValueError, match="email is no record"):
        view(EntityState("email", "x1"))
