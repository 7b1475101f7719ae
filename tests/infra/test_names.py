"""The shortest, the longest and the oddest environment name give names that each resource type accepts, everywhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.infra import evaluate as evaluation
from tests.infra.evaluate import evaluate

ROOT = Path(__file__).resolve().parents[2]
# Rules of Azure Resource Manager for names.
RULES = {
    "Microsoft.ManagedIdentity/userAssignedIdentities": r"[A-Za-z0-9][A-Za-z0-9_-]{2,127}",
    "Microsoft.OperationalInsights/workspaces": r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]",
    "Microsoft.Insights/components": r"[^%&\\?/]{1,259}[^%&\\?/. ]",
    "Microsoft.Storage/storageAccounts": r"[a-z0-9]{3,24}",
    "Microsoft.ServiceBus/namespaces": r"(?!.*(-sb|-mgmt)$)[A-Za-z][A-Za-z0-9-]{4,48}[A-Za-z0-9]",
    "Microsoft.KeyVault/vaults": r"(?!.*--)[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]",
    "Microsoft.Web/serverfarms": r"[A-Za-z0-9-]{1,60}",
    "Microsoft.Web/sites": r"[A-Za-z0-9][A-Za-z0-9-]{0,58}[A-Za-z0-9]",
    "Microsoft.Insights/actionGroups": r"[^:<>+/&%\\?|]{1,259}[^:<>+/&%\\?|. ]",
    "Microsoft.Insights/metricAlerts": r"[^*#&+:<>?@%{}\\/]{1,259}[^*#&+:<>?@%{}\\/. ]",
    "Microsoft.Insights/scheduledQueryRules": r"[^*#&+:<>?@%{}\\/]{1,259}[^*#&+:<>?@%{}\\/. ]",
    "Microsoft.Network/virtualNetworks": r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}[A-Za-z0-9_]",
    "Microsoft.Network/privateEndpoints": r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}[A-Za-z0-9_]",
    "Microsoft.Consumption/budgets": r"[A-Za-z0-9_-]{1,63}",
    "Microsoft.ServiceBus/namespaces/queues": r"[A-Za-z0-9][A-Za-z0-9._/-]{0,258}[A-Za-z0-9]",
    "Microsoft.Storage/storageAccounts/blobServices/containers": r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
}
ENVIRONMENTS = ["a", "-", "(.)_", "a" * 64, "Ab-9" * 16, "x-", "prod-westeurope-2026"]
REGIONS = ["westeurope", "northeurope", "germanywestcentral", "eastus2", "australiasoutheast", "southafricanorth"]
ONE_LETTER_PER_KIND = ["aaaaaaaaaaaaa", "2222222222222", "a2a2a2a2a2a2a"]  # what uniqueString may give


@pytest.mark.parametrize("token", ONE_LETTER_PER_KIND)
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_names_are_accepted(environment: str, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "TOKEN", token)
    everything = {"vnetEnabled": True, "dataAccounts": 16, "monthlyBudget": 1, "budgetStart": "2026-11-01"}
    found = evaluate(ROOT / "infra/main.bicep", environmentName=environment, **everything).resources
    checked = [one for one in found if one.type in RULES]
    assert {one.type for one in checked} == set(RULES)
    assert [one.body["name"] for one in checked if not re.fullmatch(RULES[one.type], one.body["name"])] == []


@pytest.mark.parametrize("region", REGIONS)
def test_no_name_depends_on_the_region(region: str) -> None:
    """So the lengths above hold in every region, also in one that opens tomorrow."""

    def names(location: str) -> list[str]:
        return [one.body["name"] for one in evaluate(ROOT / "infra/main.bicep", location=location).resources]

    assert names(region) == names("")


def test_regions_are_taken_as_given() -> None:
    found = evaluate(ROOT / "infra/main.bicep", location="a-new-region", vnetEnabled=True).resources
    assert {one.body["location"] for one in found if "location" in one.body} == {"a-new-region", "global"}


def test_two_environments_share_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The token differs, whatever the readable part loses on the way."""

    def names(environment: str, token: str) -> set[str]:
        monkeypatch.setattr(evaluation, "TOKEN", token)
        found = evaluate(ROOT / "infra/main.bicep", environmentName=environment).resources
        return {one.body["name"] for one in found if one.type in RULES and "parent" not in one.body}

    assert names("a" * 63 + "b", "aaaaaaaaaaaaa").isdisjoint(names("a" * 63 + "c", "bbbbbbbbbbbbb"))
