"""Roles of the identity: those that are needed, on the smallest resource, and no other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.infra.evaluate import Deployment, Resource, evaluate

ROOT = Path(__file__).resolve().parents[2]
BLOB_OWNER = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"
TABLE_CONTRIBUTOR = "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"
RECEIVER = "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0"
SENDER = "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39"
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
METRICS_PUBLISHER = "3913510d-42f4-4e42-8a64-420c390055eb"
APP = "{identity.identity.properties.principalId}"
QUEUES = [one["name"] for one in json.loads((ROOT / "infra/queues.json").read_text())["queues"]]
Grant = tuple[str, str, str]


def deploy(developer: str = "") -> Deployment:
    return evaluate(ROOT / "infra/main.bicep", principalId=developer)


def grants(deployment: Deployment, principal: str) -> list[Grant]:
    """(role, type of the scope, name of the scope) of every assignment to `principal`."""
    found = []
    for one in assignments(deployment):
        if one.body["properties"]["principalId"] == principal:
            scope = one.body["scope"]
            role = one.body["properties"]["roleDefinitionId"].rpartition("/")[2]
            kind = next(other.type for other in deployment.resources if other.id == scope["id"])
            found.append((role, kind.rpartition("/")[2], scope["name"]))
    return sorted(found)


def assignments(deployment: Deployment) -> list[Resource]:
    return deployment.of_type("Microsoft.Authorization/roleAssignments")


EXPECTED = sorted(
    [
        (BLOB_OWNER, "storageAccounts", "sttestha2b3c4d5"),
        (TABLE_CONTRIBUTOR, "storageAccounts", "sttestha2b3c4d5"),
        (TABLE_CONTRIBUTOR, "storageAccounts", "sttestda2b3c4d5"),
        (SECRETS_USER, "vaults", "kv-rtest-a2b3c4d5"),
        (METRICS_PUBLISHER, "components", "appi-rapport-test-a2b3c4d5"),
        *((role, "queues", queue) for queue in QUEUES for role in (RECEIVER, SENDER)),
    ]
)


def test_the_app_has_the_roles_that_it_needs_and_no_other() -> None:
    deployment = deploy()
    found = grants(deployment, APP)
    role = deployment.only("Microsoft.Authorization/roleDefinitions")
    count = (role.id.rpartition("/")[2], "namespaces", "sb-rapport-test-a2b3c4d5")
    assert count in found
    assert [one for one in found if one != count] == EXPECTED


def test_the_one_control_plane_right_is_reading_message_counts() -> None:
    role = deploy().only("Microsoft.Authorization/roleDefinitions").body["properties"]
    assert role["permissions"] == [
        {
            "actions": ["Microsoft.ServiceBus/namespaces/*/read"],
            "notActions": [],
            "dataActions": [],
            "notDataActions": [],
        }
    ]
    assert role["type"] == "CustomRole"
    assert role["assignableScopes"] == ["{resourceGroup.id}"]


def test_a_developer_gets_tables_and_queues_only_when_named() -> None:
    assert {one.body["properties"]["principalId"] for one in assignments(deploy())} == {APP}
    queues = [(role, "queues", queue) for queue in QUEUES for role in (RECEIVER, SENDER)]
    expected = sorted([(TABLE_CONTRIBUTOR, "storageAccounts", "sttestda2b3c4d5"), *queues])
    assert grants(deploy("developer"), "developer") == expected


@pytest.mark.parametrize("developer", ["", "developer"])
def test_names_are_unique_and_kinds_are_said(developer: str) -> None:
    found = assignments(deploy(developer))
    assert len({one.body["name"] for one in found}) == len(found)
    for one in found:
        kind = "User" if one.body["properties"]["principalId"] == "developer" else "ServicePrincipal"
        assert one.body["properties"]["principalType"] == kind


def test_roles_are_given_in_one_module_only() -> None:
    for path in (ROOT / "infra").rglob("*.bicep"):
        assert ("Microsoft.Authorization/" in path.read_text()) == (path.name == "access.bicep"), path


def test_the_identity_is_the_one_that_every_place_names() -> None:
    deployment = deploy()
    identity = deployment.only("Microsoft.ManagedIdentity/userAssignedIdentities").id
    site = deployment.only("Microsoft.Web/sites").body
    storage = site["properties"]["functionAppConfig"]["deployment"]["storage"]
    assert site["identity"] == {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}}
    assert site["properties"]["keyVaultReferenceIdentity"] == identity
    assert storage["authentication"]["userAssignedIdentityResourceId"] == identity
