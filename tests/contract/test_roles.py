"""Choosing mailboxes by security roles of the CRM: by name or id, listed with their users, never a choice of nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared import choices, ingest, stamps
from shared.changes import parse_batch
from shared.directory import directory
from shared.errors import InvalidInputError
from shared.graph import administration as admin
from shared.graph import consent_state, scope
from shared.graph.administration import Choice
from shared.graph.consent import Scope, State
from shared.graph.scope_preview import known_roles
from shared.keys import keys

NORTH, SOUTH, SERVICE = (f"0000000{n}-9f0f-e711-8122-000d3aa2331c" for n in (1, 2, 3))
NOW = 1_790_000_000


def tell(entity: str, id: str, operation: str = "upsert", version: int = 1, **attributes: Any) -> None:
    more = {"attributes": attributes} if attributes else {}
    change = {"entity": entity, "id": id, "version": version, "operation": operation, **more}
    ingest.take_in(parse_batch(json.dumps({"changes": [change]}).encode()))


@pytest.fixture
def crm(storage: object, queues: object) -> None:
    """As Dataverse tells it: one role in two business units, ids at the users, names at the roles."""
    tell("role", NORTH, name="Sales Person")
    tell("role", SOUTH, name="Sales Person")
    tell("role", SERVICE, name="Service Agent")
    tell("user", "a1", name="Anna", emails=["anna@us.example"], roles=[NORTH])
    tell("user", "a2", name="Ben", emails=["ben@us.example"], roles=[SOUTH, SERVICE])
    tell("user", "a3", name="Cleo", emails=["cleo@us.example"], roles=[SOUTH], active=False)
    tell("user", "a4", name="A queue", roles=[NORTH])
    tell("user", "a5", name="Dan", emails=["dan@us.example"], roles=["plain-role"])


def picked(*roles: str, **more: Any) -> list[str]:
    found = scope.of_crm(Scope(roles=roles, **more), directory(stamps.read().people))
    return [member.address for member in found]


def test_a_role_is_chosen_by_its_name_in_whatever_case_or_by_its_id(crm: None) -> None:
    assert picked("Sales Person") == picked("sales person ") == ["anna@us.example", "ben@us.example"]
    assert picked(NORTH) == picked("{" + NORTH.upper() + "}") == ["anna@us.example"]
    assert picked("plain-role") == ["dan@us.example"]  # a CRM that knows roles by name alone
    assert picked("Service Agent", "plain-role") == ["ben@us.example", "dan@us.example"]
    assert picked("Sales") == []


def test_inactive_users_only_where_wanted_and_never_who_opted_out(crm: None) -> None:
    assert picked(SOUTH, include_inactive=True) == ["ben@us.example", "cleo@us.example"]
    choices.choose(keys().party("user:a2"), choices.Choices(opt_out=True))
    assert picked(SOUTH, include_inactive=True) == ["cleo@us.example"]


def test_known_roles_are_listed_with_their_users_one_a_name(crm: None) -> None:
    found = {one.role: (one.ids, one.users, one.inactive_users) for one in known_roles().roles}
    assert found == {
        "plain-role": (["plain-role"], 1, 0),
        "Sales Person": ([NORTH, SOUTH], 2, 1),
        "Service Agent": ([SERVICE], 1, 0),
    }
    assert [one.role for one in known_roles().roles] == ["plain-role", "Sales Person", "Service Agent"]


def test_a_renamed_role_goes_by_its_new_name_and_a_deleted_one_by_its_id(crm: None) -> None:
    tell("role", SERVICE, version=2, name="Support")
    assert (picked("Support"), picked("Service Agent")) == (["ben@us.example"], [])
    tell("role", SERVICE, "delete", version=3)
    assert (picked("Support"), picked(SERVICE)) == ([], ["ben@us.example"])


def test_a_role_changes_no_figure(crm: None) -> None:
    before = stamps.read()
    tell("role", SERVICE, version=2, name="Support")
    assert stamps.read() == before


def test_enabling_roles_that_nobody_has_is_refused(crm: None) -> None:
    with pytest.raises(InvalidInputError, match="no active user") as refused:
        admin.enable(Choice(roles=["Sales"]), "admin", NOW)
    assert refused.value.path == "$.roles" and consent_state.read().state is State.DISABLED
    tell("user", "a2", version=2, roles=[SOUTH])
    with pytest.raises(InvalidInputError):
        admin.enable(Choice(roles=["Service Agent"]), "admin", NOW)  # known, and nobody has it any more
    assert admin.enable(Choice(roles=["Sales Person", "Sales"]), "admin", NOW).state == "PENDING_CONSENT"


def test_roles_that_are_not_known_yet_may_be_chosen(storage: object, queues: object) -> None:
    tell("user", "a1", name="Anna", emails=["anna@us.example"])
    assert admin.enable(Choice(roles=["Sales Person"]), "admin", NOW).state == "PENDING_CONSENT"


def test_groups_are_the_directorys_affair(crm: None) -> None:
    assert admin.enable(Choice(roles=["Sales"], groups=["g1"]), "admin", NOW).groups == ["g1"]


def test_before_graph_is_set_up_the_preview_tells_what_the_crm_knows(crm: None) -> None:
    shown = admin.previewed(Choice(roles=["Sales Person", "Sales"], groups=["g1"]))
    assert [(one.address, one.name) for one in shown.mailboxes] == [
        ("anna@us.example", "Anna"),
        ("ben@us.example", "Ben"),
    ]
    assert (shown.source, shown.groups_listed, shown.empty_roles) == ("crm", False, ["Sales"])
    assert (shown.volume.messages, shown.volume.events) == (25_000, 2_000)
    assert shown.volume.requests == 2 * (180 + 63)
