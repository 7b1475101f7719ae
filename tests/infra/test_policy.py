"""Security rules, asserted on the values that a deployment would send, with and without the private network."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.infra.evaluate import Deployment, evaluate

ROOT = Path(__file__).resolve().parents[2]
ORIGINS = "https://contoso.crm4.dynamics.com, https://contoso.lightning.force.com"


def deploy(*, private: bool = False, **params: Any) -> Deployment:
    given = {"authClientId": "client", "allowedOrigins": ORIGINS} | params
    return evaluate(ROOT / "infra/main.bicep", vnetEnabled=private, **given)


@pytest.fixture(params=[False, True], ids=["public", "private"])
def deployment(request: pytest.FixtureRequest) -> Deployment:
    return deploy(private=request.param)


def test_storage_takes_no_keys_and_shows_no_blobs(deployment: Deployment) -> None:
    accounts = deployment.of_type("Microsoft.Storage/storageAccounts")
    assert len(accounts) == 2
    for account in accounts:
        rules = account.body["properties"]
        assert rules["allowSharedKeyAccess"] is False
        assert rules["allowBlobPublicAccess"] is False
        assert rules["allowCrossTenantReplication"] is False
        assert rules["minimumTlsVersion"] == "TLS1_2"
        assert rules["supportsHttpsTrafficOnly"] is True
    for container in deployment.of_type("Microsoft.Storage/storageAccounts/blobServices/containers"):
        assert container.body["properties"]["publicAccess"] == "None"


def test_bus_and_logs_take_no_keys(deployment: Deployment) -> None:
    bus = deployment.only("Microsoft.ServiceBus/namespaces").body["properties"]
    assert (bus["disableLocalAuth"], bus["minimumTlsVersion"]) == (True, "1.2")
    assert deployment.only("Microsoft.Insights/components").body["properties"]["DisableLocalAuth"] is True
    workspace = deployment.only("Microsoft.OperationalInsights/workspaces").body["properties"]
    assert workspace["features"]["disableLocalAuth"] is True
    assert workspace["workspaceCapping"]["dailyQuotaGb"] == 2


def test_the_vault_keeps_what_is_deleted(deployment: Deployment) -> None:
    vault = deployment.only("Microsoft.KeyVault/vaults").body["properties"]
    assert vault["enableRbacAuthorization"] is True
    assert vault["enableSoftDelete"] is True
    assert vault["enablePurgeProtection"] is True


def test_the_site_speaks_https_alone(deployment: Deployment) -> None:
    site = deployment.only("Microsoft.Web/sites").body["properties"]
    assert site["httpsOnly"] is True
    assert site["siteConfig"]["minTlsVersion"] == "1.2"
    assert site["siteConfig"]["ftpsState"] == "Disabled"
    policies = deployment.of_type("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    assert {one.body["name"]: one.body["properties"]["allow"] for one in policies} == {"ftp": False, "scm": False}


def test_cors_names_the_crm() -> None:
    for given, expected in ((ORIGINS, ORIGINS.split(", ")), ("", [])):
        site = deploy(allowedOrigins=given).only("Microsoft.Web/sites").body["properties"]
        assert site["siteConfig"]["cors"] == {"allowedOrigins": expected, "supportCredentials": False}
    assert "'*'" not in (ROOT / "infra/modules/function-app.bicep").read_text()


def test_only_the_site_can_be_reached_from_outside_when_private() -> None:
    public = {
        one.type: str(one.body["properties"]["publicNetworkAccess"]).lower()
        for one in deploy(private=True).resources
        if "publicNetworkAccess" in one.body.get("properties", {})
    }
    assert public.pop("Microsoft.Web/sites") == "enabled"
    assert public == {
        "Microsoft.Storage/storageAccounts": "disabled",
        "Microsoft.ServiceBus/namespaces": "disabled",
        "Microsoft.KeyVault/vaults": "disabled",
    }


def test_every_private_resource_has_its_endpoints_and_names() -> None:
    deployment = deploy(private=True)
    connections = [
        one.body["properties"]["privateLinkServiceConnections"][0]["properties"]
        for one in deployment.of_type("Microsoft.Network/privateEndpoints")
    ]
    found = {(one["privateLinkServiceId"], *one["groupIds"]) for one in connections}
    storage = deployment.of_type("Microsoft.Storage/storageAccounts")
    assert found == {
        *((account.id, group) for account in storage for group in ("blob", "table")),
        (deployment.only("Microsoft.ServiceBus/namespaces").id, "namespace"),
        (deployment.only("Microsoft.KeyVault/vaults").id, "vault"),
    }
    assert len(deployment.of_type("Microsoft.Network/privateEndpoints/privateDnsZoneGroups")) == len(found)
    zones = deployment.of_type("Microsoft.Network/privateDnsZones")
    assert len(deployment.of_type("Microsoft.Network/privateDnsZones/virtualNetworkLinks")) == len(zones) == 4


def test_the_app_joins_the_network_only_when_private() -> None:
    assert deploy().only("Microsoft.Web/sites").body["properties"]["virtualNetworkSubnetId"] is None
    assert not [one for one in deploy().resources if one.type.startswith("Microsoft.Network/")]
    assert deploy().only("Microsoft.ServiceBus/namespaces").body["sku"]["name"] == "Standard"
    private = deploy(private=True)
    network = private.only("Microsoft.Network/virtualNetworks")
    assert (
        private.only("Microsoft.Web/sites").body["properties"]["virtualNetworkSubnetId"] == f"{network.id}/subnets/app"
    )
    app = network.body["properties"]["subnets"][0]
    assert app["properties"]["delegations"][0]["properties"]["serviceName"] == "Microsoft.App/environments"
    assert private.only("Microsoft.ServiceBus/namespaces").body["sku"]["name"] == "Premium"


def test_sign_in_stands_before_every_route_that_is_not_named(deployment: Deployment) -> None:
    rules = deployment.only("Microsoft.Web/sites/config", name="authsettingsV2").body["properties"]
    validation = rules["globalValidation"]
    assert rules["platform"]["enabled"] is True
    assert rules["httpSettings"]["requireHttps"] is True
    assert (validation["requireAuthentication"], validation["unauthenticatedClientAction"]) == (True, "Return401")
    entra = rules["identityProviders"]["azureActiveDirectory"]
    assert entra["validation"]["allowedAudiences"] == ["api://client"]
    assert entra["registration"] == {
        "clientId": "client",
        "openIdIssuer": "https://login.microsoftonline.com/{tenant.tenantId}/v2.0",
        "clientSecretSettingName": "OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID",
    }


def test_without_a_registration_there_is_no_gate_and_no_audience() -> None:
    """The app refuses everybody then, since AUTH_AUDIENCE is empty."""
    deployment = deploy(authClientId="")
    configs = {one.body["name"]: one.body["properties"] for one in deployment.of_type("Microsoft.Web/sites/config")}
    assert set(configs) == {"appsettings"}
    assert configs["appsettings"]["AUTH_AUDIENCE"] == ""


@pytest.mark.parametrize(("redundant", "sku"), [(False, "Standard_LRS"), (True, "Standard_ZRS")])
def test_zones_spread_plan_and_storage(*, redundant: bool, sku: str) -> None:
    deployment = deploy(zoneRedundant=redundant)
    assert deployment.only("Microsoft.Web/serverfarms").body["properties"]["zoneRedundant"] is redundant
    assert {one.body["sku"]["name"] for one in deployment.of_type("Microsoft.Storage/storageAccounts")} == {sku}


def test_always_ready_instances_can_be_none() -> None:
    def ready(count: int) -> list[dict[str, Any]]:
        site = deploy(httpAlwaysReady=count).only("Microsoft.Web/sites").body["properties"]
        return list(site["functionAppConfig"]["scaleAndConcurrency"]["alwaysReady"])

    assert ready(0) == []
    assert ready(2) == [{"name": "http", "instanceCount": 2}]


def test_no_module_comes_from_a_registry() -> None:
    for path in (ROOT / "infra").rglob("*.bicep"):
        assert not re.search(r"'(br|ts)[:/]|^extension\b", path.read_text(), re.MULTILINE), path


def test_parameters_are_those_of_the_template() -> None:
    from tests.infra.bicep import parse

    given = json.loads((ROOT / "infra/main.parameters.json").read_text())["parameters"]
    assert list(given) == [one.name for one in parse(ROOT / "infra/main.bicep").of_kind("param")]
