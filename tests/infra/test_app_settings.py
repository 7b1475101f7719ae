"""The app settings in Bicep: those of the table, none that Flex Consumption forbids, none that is a secret."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from shared.settings import table
from tests.infra.evaluate import evaluate

ROOT = Path(__file__).resolve().parents[2]
HOST_OWN = re.compile(
    r"(AzureWebJobsStorage__|SERVICEBUS__(credential|clientId)$|APPLICATIONINSIGHTS_|OVERRIDE_USE_MI_FIC_|AzureWebJobs\.)"
)
BANNED = re.compile(
    r"FUNCTIONS_WORKER_RUNTIME|FUNCTIONS_WORKER_PROCESS_COUNT|FUNCTIONS_EXTENSION_VERSION|WEBSITE_RUN_FROM_PACKAGE"
    r"|WEBSITE_CONTENT|WEBSITE_SKIP_CONTENTSHARE_VALIDATION|WEBSITE_VNET_ROUTE_ALL|SCM_DO_BUILD_DURING_DEPLOYMENT"
    r"|ENABLE_ORYX_BUILD|linuxFxVersion"
)
SECRET = re.compile(
    r"AccountKey=|SharedAccessKey=|InstrumentationKey=|password|[A-Za-z0-9+/]{40,}={0,2}$", re.IGNORECASE
)


@pytest.fixture(scope="module")
def settings() -> dict[str, Any]:
    deployment = evaluate(ROOT / "infra/main.bicep", authClientId="client", tenantDomains="us.example")
    return dict(deployment.only("Microsoft.Web/sites/config", name="appsettings").body["properties"])


def test_bicep_names_the_settings_of_the_table(settings: dict[str, Any]) -> None:
    expected = {row.name for row in table() if row.where in ("everywhere", "cloud")}
    assert {name for name in settings if not HOST_OWN.match(name)} == expected


def test_bicep_repeats_the_defaults_of_the_table(settings: dict[str, Any]) -> None:
    assert {name: value for name, value in settings.items() if name in DEFAULTS} == DEFAULTS


DEFAULTS = {row.name: row.default for row in table() if row.default and row.where == "everywhere"}


def test_every_secret_is_a_reference_to_the_vault() -> None:
    found = evaluate(ROOT / "infra/main.bicep", authClientId="client", ownKeys=True)
    settings = found.only("Microsoft.Web/sites/config", name="appsettings").body["properties"]
    assert len({settings[row.name] for row in table() if row.secret and row.name in settings}) == 4
    for row in table():
        if row.secret and row.name in settings:
            assert re.fullmatch(
                r"@Microsoft\.KeyVault\(SecretUri=\{secrets\.vault\..*\}secrets/[a-z-]+\)", settings[row.name]
            )


def test_an_installation_without_keys_of_its_own_goes_on_as_it_was(settings: dict[str, Any]) -> None:
    """A reference to a secret that is not there would be taken for the key."""
    assert {settings[name] for name in ("WEBHOOK_KEY", "LINK_KEY", "STORE_KEY")} == {""}
    assert settings["OWN_KEYS_FROM"] == "1"


def test_every_value_is_text(settings: dict[str, Any]) -> None:
    assert [name for name, value in settings.items() if not isinstance(value, str)] == []


def test_no_value_is_a_secret(settings: dict[str, Any]) -> None:
    assert [name for name, value in settings.items() if SECRET.search(value)] == []
    for path in (ROOT / "infra").rglob("*"):
        if path.suffix in (".bicep", ".json"):
            assert not re.search(r"AccountKey=|SharedAccessKey=|listKeys\(", path.read_text()), path


def test_nothing_that_flex_consumption_forbids_is_set() -> None:
    for path in (ROOT / "infra").rglob("*.bicep"):
        assert not BANNED.search(path.read_text()), path


def test_traces_are_a_switch_and_carry_no_addresses() -> None:
    def settings_with(traces: bool) -> dict[str, Any]:
        found = evaluate(ROOT / "infra/main.bicep", authClientId="client", traces=traces)
        return dict(found.only("Microsoft.Web/sites/config", name="appsettings").body["properties"])

    off, on = settings_with(False), settings_with(True)
    assert {name: on[name] for name in on.keys() - off.keys()} | off == on
    assert on.keys() - off.keys() == {
        "AzureFunctionsJobHost__telemetryMode",
        "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY",
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",
    }
    assert on["AzureFunctionsJobHost__telemetryMode"] == "OpenTelemetry"
    silent = set(on["OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"].split(","))
    assert {"httpx", "requests", "urllib", "urllib3", "azure_sdk"} <= silent


def test_the_site_runs_the_python_that_is_packaged() -> None:
    from scripts.package import VERSION

    site = evaluate(ROOT / "infra/main.bicep").only("Microsoft.Web/sites")
    assert site.body["properties"]["functionAppConfig"]["runtime"] == {"name": "python", "version": VERSION}


def test_requests_are_not_sampled() -> None:
    """Shares in alerts would be wrong otherwise."""
    host = json.loads((ROOT / "host.json").read_text())
    sampling = host["logging"]["applicationInsights"]["samplingSettings"]
    assert not sampling["isEnabled"] or "Request" in sampling["excludedTypes"].split(";")
