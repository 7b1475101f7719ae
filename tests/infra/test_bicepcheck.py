"""The checker finds nothing in our templates, and finds each class of fault in a copy that has it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.infra.bicepcheck import EXPLAINED, Finding, check

ROOT = Path(__file__).resolve().parents[2]


class Mutation(NamedTuple):
    """Replace `old`, which stands once in the file, by `new`; then a finding of this kind and level is due."""

    file: str
    old: str
    new: str
    kind: str
    level: str = "error"


MUTATIONS = {
    "1 unknown property": Mutation(
        "storage", "host 'Microsoft.Storage/storageAccounts@2025-01-01' = {\n",
        "host 'Microsoft.Storage/storageAccounts@2025-01-01' = {\n  allowSharedKeyAcess: false\n", "unknown-property",
    ),
    "1 unknown property inside": Mutation("function-app", "httpsOnly: true", "httpOnly: true", "unknown-property"),
    "2 closed enum": Mutation(
        "storage", "defaultAction: isPrivate ? 'Deny' : 'Allow'", "defaultAction: isPrivate ? 'Denied' : 'Allow'", "enum"
    ),
    "3 required property": Mutation("storage", "  kind: 'StorageV2'\n  sku: { name: skuName }\n  properties: {\n"
        "    allowSharedKeyAccess: false\n    defaultToOAuthAuthentication: true\n    allowBlobPublicAccess: false\n"
        "    allowCrossTenantReplication: false\n    minimumTlsVersion: 'TLS1_2'\n    supportsHttpsTrafficOnly: true\n"
        "    publicNetworkAccess: publicNetworkAccess\n    networkAcls: networkAcls\n  }\n}\n\nresource hostBlobs",
        "  sku: { name: skuName }\n}\n\nresource hostBlobs", "missing-property"),
    "4 wrong type": Mutation("secrets", "enablePurgeProtection: true", "enablePurgeProtection: 'yes'", "wrong-type"),
    "5 child resource": Mutation("messaging", "    maxDeliveryCount:", "    maxDeliverCount:", "unknown-property"),
    "6 undefined symbol": Mutation("monitoring", "WorkspaceResourceId: workspace.id", "WorkspaceResourceId: workspce.id",
                                   "undefined-symbol"),
    "6 undefined symbol in text": Mutation("function-app", "'${issuer}/.well", "'${issuers}/.well", "undefined-symbol"),
    "7 missing parameter": Mutation("../main", "    dailyCapGb: logDailyCapGb\n", "", "missing-parameter"),
    "8 unknown parameter": Mutation("../main", "    dailyCapGb: logDailyCapGb\n", "    dailyCap: logDailyCapGb\n",
                                    "unknown-parameter"),
    "9 functionAppConfig": Mutation("function-app", "maximumInstanceCount: maximumInstanceCount",
                                    "maxInstanceCount: maximumInstanceCount", "unknown-property"),
    "10 authentication": Mutation("function-app", "excludedPaths:", "excludePaths:", "unknown-property"),
    "11 read-only": Mutation("function-app", "    httpsOnly: true\n",
                             "    httpsOnly: true\n    defaultHostName: 'x.example'\n", "read-only"),
    "12 discriminator": Mutation("function-app", "'authsettingsV2'", "'authsettingsV3'", "discriminator"),
    "13 member chain": Mutation("storage", "[i].properties.primaryEndpoints.table", "[i].properties.primaryEndpoint.table",
                                "member"),
    "13 module output": Mutation("../main", "identity.outputs.clientId\n    hostStorageName",
                                 "identity.outputs.client\n    hostStorageName", "member"),
    "13 member in JSON": Mutation("alerts", "alertList.alerts", "alertList.alert", "member"),
    "14 syntax": Mutation("identity", "resource identity", "resource = identity", "syntax"),
    "15 open enum": Mutation(
        "storage", "    minimumTlsVersion: 'TLS1_2'\n    supportsHttpsTrafficOnly: true\n"
        "    publicNetworkAccess: publicNetworkAccess\n    networkAcls: networkAcls\n  }\n}]\n\nresource dataTables",
        "    minimumTlsVersion: 'TLS12'\n  }\n}]\n\nresource dataTables", "open-enum", "warning",
    ),
    "16 unknown type": Mutation("secrets", "Microsoft.KeyVault/vaults@", "Microsoft.KeyVault/vault@", "unknown-type",
                                "warning"),
    "17 API version": Mutation("messaging", "namespaces@2024-01-01", "namespaces@2021-11-01", "api-version", "warning"),
    "repeated name": Mutation("identity", "param tags object\n", "param tags object\nparam tags object\n", "repeated"),
    "unused parameter": Mutation("identity", "  tags: tags\n", "", "unused", "warning"),
    "unknown function": Mutation("../main", "take(plain, 9)", "takes(plain, 9)", "unknown-function"),
    "wrong type of a parameter": Mutation("../main", "    dailyCapGb: logDailyCapGb\n", "    dailyCapGb: '2'\n", "wrong-type"),
    "policy: enum reached through a var": Mutation("storage", "bypass: 'AzureServices'", "bypass: 7", "wrong-type"),
}  # fmt: skip


def unexplained(folder: Path) -> list[Finding]:
    return [one for one in check(folder) if not one.explained]


def test_our_templates_have_no_findings() -> None:
    assert [str(one) for one in unexplained(ROOT / "infra")] == []


def test_every_explained_warning_still_exists() -> None:
    assert {(one.kind, one.subject) for one in check(ROOT / "infra") if one.explained} == set(EXPLAINED)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "infra", tmp_path / "infra")).resolve()


@pytest.mark.parametrize("mutation", MUTATIONS.values(), ids=MUTATIONS.keys())
def test_a_fault_is_found_where_it_is(copy: Path, mutation: Mutation) -> None:
    path = (copy / "modules" / f"{mutation.file}.bicep").resolve()
    source = path.read_text()
    assert source.count(mutation.old) == 1
    path.write_text(source.replace(mutation.old, mutation.new))

    found = unexplained(copy)

    assert (mutation.kind, mutation.level) in {(one.kind, one.level) for one in found}
    one = next(one for one in found if one.kind == mutation.kind)
    assert one.path == path.resolve()
    before = source[: source.index(mutation.old)]
    last = before.count("\n") + mutation.new.count("\n") + 2
    # at the fault itself; what is missing is reported at the declaration that lacks it
    declaration = max(before.rfind("\nresource "), before.rfind("\nmodule "), 0)
    first = 1 if mutation.kind == "unused" else before[: declaration + 1].count("\n") + 1
    assert first <= one.line <= last


@pytest.mark.parametrize(("old", "new", "code"), [("", "", 0), ("httpsOnly: true", "httpsOnly: 'true'", 1)])
def test_the_command_says_it_in_its_exit_code(copy: Path, old: str, new: str, code: int) -> None:
    path = copy / "modules/function-app.bicep"
    path.write_text(path.read_text().replace(old, new))
    command = [sys.executable, "-m", "tests.infra.bicepcheck", str(copy)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert ("function-app.bicep" in done.stdout) == bool(code)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no Bicep files"):
        list(check(tmp_path))
