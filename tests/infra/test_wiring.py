"""Triggers, connections, queues and tables: what the code names exists in the templates, and the other way round."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from shared.settings import table
from shared.tables import TABLES
from tests.infra.evaluate import Deployment, evaluate
from tests.infra.functions_of_app import bindings

ROOT = Path(__file__).resolve().parents[2]
IDENTITY = {"credential": "managedidentity", "clientId": "{identity.identity.properties.clientId}"}


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    return evaluate(ROOT / "infra/main.bicep", authClientId="client")


@pytest.fixture(scope="module")
def app_settings(deployment: Deployment) -> dict[str, Any]:
    return dict(deployment.only("Microsoft.Web/sites/config", name="appsettings").body["properties"])


def test_tables_are_spread_over_as_many_accounts_as_are_wanted() -> None:
    """Each account has every table, a role of the app, its own endpoints, and stands in the setting in a fixed order."""
    found = evaluate(
        ROOT / "infra/main.bicep", authClientId="client", dataAccounts=3, vnetEnabled=True, principalId="dev"
    )
    accounts = [one for one in found.of_type("Microsoft.Storage/storageAccounts") if one.symbol == "data"]
    names = [one.body["name"] for one in accounts]
    assert names == [names[0], f"{names[0]}2", f"{names[0]}3"]
    tables = found.of_type("Microsoft.Storage/storageAccounts/tableServices/tables")
    assert sorted(one.body["name"] for one in tables) == sorted(TABLES * 3)
    settings = found.only("Microsoft.Web/sites/config", name="appsettings").body["properties"]
    assert len(settings["TABLES__endpoint"].split(",")) == 3
    scopes = [one.body["scope"]["name"] for one in found.of_type("Microsoft.Authorization/roleAssignments")
              if one.symbol in ("dataTables", "developerTables")]  # fmt: skip
    assert sorted(scopes) == sorted(names * 2)
    links = [
        one.body["properties"]["privateLinkServiceConnections"][0]
        for one in found.of_type("Microsoft.Network/privateEndpoints")
    ]
    reached = {one["properties"]["privateLinkServiceId"] for one in links if one["properties"]["groupIds"] == ["table"]}
    assert {one.id for one in accounts} < reached


def queue_triggers() -> list[dict[str, Any]]:
    found = [one for one in bindings() if one["type"] == "serviceBusTrigger"]
    assert found
    return found


def named(text: str, app_settings: dict[str, Any]) -> str:
    """The value behind `%NAME%`."""
    match = re.fullmatch(r"%([A-Z0-9_]+)%", text)
    assert match, f"{text} is written into the code"
    return str(app_settings[match[1]])


def test_every_queue_that_starts_a_function_exists(deployment: Deployment, app_settings: dict[str, Any]) -> None:
    triggers = {named(one["queueName"], app_settings) for one in queue_triggers()}
    queues = {one.body["name"] for one in deployment.of_type("Microsoft.ServiceBus/namespaces/queues")}
    assert triggers <= queues


def test_every_queue_has_a_setting_and_every_setting_a_queue(
    deployment: Deployment, app_settings: dict[str, Any]
) -> None:
    queues = {one.body["name"] for one in deployment.of_type("Microsoft.ServiceBus/namespaces/queues")}
    assert {row.default for row in table() if row.name.endswith("_QUEUE")} == queues
    assert {value for name, value in app_settings.items() if name.endswith("_QUEUE")} == queues


def test_every_connection_has_all_its_settings(app_settings: dict[str, Any]) -> None:
    for connection in {one["connection"] for one in queue_triggers()}:
        for name, value in IDENTITY.items():
            assert app_settings[f"{connection}__{name}"] == value
        assert app_settings[f"{connection}__fullyQualifiedNamespace"].startswith("{messaging.namespace.")
    for service in ("blob", "table"):
        assert app_settings[f"AzureWebJobsStorage__{service}ServiceUri"] == (
            f"{{storage.host.properties.primaryEndpoints.{service}}}"
        )
    assert {app_settings[f"AzureWebJobsStorage__{name}"] for name in IDENTITY} == set(IDENTITY.values())


def test_tables_are_those_of_the_code(deployment: Deployment, app_settings: dict[str, Any]) -> None:
    tables = deployment.of_type("Microsoft.Storage/storageAccounts/tableServices/tables")
    assert {one.body["name"] for one in tables} == set(TABLES)
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9]{2,62}", one.body["name"]) for one in tables)
    assert {one.body["parent"]["parent"]["name"] for one in tables} == {"sttestda2b3c4d5"}
    assert app_settings["TABLES__endpoint"] == "{storage.data.properties.primaryEndpoints.table}"


def test_queues_are_as_agreed(deployment: Deployment) -> None:
    listed = json.loads((ROOT / "infra/queues.json").read_text())
    expected = {
        one["name"]: {key: value for key, value in (listed["defaults"] | one).items() if key != "name"}
        for one in listed["queues"]
    }
    queues = deployment.of_type("Microsoft.ServiceBus/namespaces/queues")
    assert {one.body["name"]: one.body["properties"] for one in queues} == {
        name: options | {"requiresSession": False} for name, options in expected.items()
    }
    for options in expected.values():
        assert options["requiresDuplicateDetection"] is True
        assert options["duplicateDetectionHistoryTimeWindow"] == "PT10M"
        assert options["deadLetteringOnMessageExpiration"] is True
        assert (options["lockDuration"], options["maxDeliveryCount"]) == ("PT5M", 10)


def test_neither_sessions_nor_topics_are_used(deployment: Deployment) -> None:
    assert not deployment.of_type("Microsoft.ServiceBus/namespaces/topics")
    assert not [one for one in bindings() if one.get("isSessionsEnabled")]


def test_locks_outlast_the_longest_run() -> None:
    """The host renews a lock as long as a function may run, or a message would be worked off twice."""
    host = json.loads((ROOT / "host.json").read_text())
    assert host["extensions"]["serviceBus"]["maxAutoLockRenewalDuration"] >= host["functionTimeout"]


def test_the_service_tag_is_the_key_in_azure_yaml(deployment: Deployment) -> None:
    import yaml

    services = yaml.safe_load((ROOT / "azure.yaml").read_text())["services"]
    assert [deployment.only("Microsoft.Web/sites").body["tags"]["azd-service-name"]] == list(services)


def test_everything_that_can_have_tags_names_its_environment(deployment: Deployment) -> None:
    top = [one for one in deployment.resources if "parent" not in one.body and "location" in one.body]
    assert len(top) > 8
    assert [one.type for one in top if one.body["tags"].get("azd-env-name") != "test"] == []
