"""Fetch the schemas of the resource types that infra/ uses: `python -m tests.infra.refresh_schemas`.

Two sources, both MIT and by Microsoft, each installed by pip into a throw-away folder:
- msmcp-azure: the program `azmcp` prints the type definitions that the Bicep compiler itself works with;
- azure-mgmt-monitor: model classes, for the types of Microsoft.Insights that azmcp does not know.

What is kept of them: property names, types, the flags Required and ReadOnly. Descriptions are dropped.
A type is {"properties": {name: type | [type, flags]}, "additional": type}, or
{"discriminator": name, "elements": {value: type}, "base": {...}}; flags: R required, O read-only.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FOLDER = HERE / "schema"
AZMCP = "msmcp-azure==3.0.0"
MONITOR = "azure-mgmt-monitor==7.0.0"

PRINTED = (
    "Microsoft.Authorization/roleAssignments",
    "Microsoft.Authorization/roleDefinitions",
    "Microsoft.Consumption/budgets",
    "Microsoft.Insights/components",
    "Microsoft.Insights/workbooks",
    "Microsoft.KeyVault/vaults",
    "Microsoft.ManagedIdentity/userAssignedIdentities",
    "Microsoft.Network/privateEndpoints",
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
    "Microsoft.Network/virtualNetworks",
    "Microsoft.OperationalInsights/workspaces",
    "Microsoft.ServiceBus/namespaces",
    "Microsoft.ServiceBus/namespaces/queues",
    "Microsoft.Storage/storageAccounts",
    "Microsoft.Storage/storageAccounts/blobServices",
    "Microsoft.Storage/storageAccounts/blobServices/containers",
    "Microsoft.Storage/storageAccounts/tableServices",
    "Microsoft.Storage/storageAccounts/tableServices/tables",
    "Microsoft.Web/serverfarms",
    "Microsoft.Web/sites",
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies",
    "Microsoft.Web/sites/config",
)
# resource type -> model class, module of its operations (which names the API version)
MODELLED = {
    "Microsoft.Insights/actionGroups": ("ActionGroupResource", "_action_groups_operations.py"),
    "Microsoft.Insights/metricAlerts": ("MetricAlertResource", "_metric_alerts_operations.py"),
    "Microsoft.Insights/scheduledQueryRules": ("ScheduledQueryRuleResource", "_scheduled_query_rules_operations.py"),
}
_SIMPLE = {"str": "string", "int": "int", "float": "int", "bool": "bool", "object": "any", "iso-8601": "string"}
Types = dict[str, Any]


def _property(row: dict[str, Any]) -> str | list[str]:
    flags = "".join(
        letter for letter, flag in (("R", "Required"), ("O", "ReadOnly")) if flag in row.get("flags", "").split(", ")
    )
    return [row["type"], flags] if flags else str(row["type"])


def _properties(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {row["name"]: _property(row) for row in rows}


def _printed_type(row: dict[str, Any], name: str, types: Types) -> None:
    """Add `row` of azmcp's answer, and the elements inside it, to `types`."""
    if row["$type"] == "DiscriminatedObject":
        elements = {}
        for element in row["elements"]:
            value = next(one["type"] for one in element["properties"] if one["name"] == row["discriminator"])
            elements[value] = f"{name}:{value}"
            _printed_type(element, elements[value], types)
        base = _properties(row["baseProperties"])
        types[name] = {"discriminator": row["discriminator"], "elements": elements, "base": base}
    elif row["$type"] == "Object":
        types[name] = {"properties": _properties(row["properties"])}
        if row.get("additionalPropertiesType"):
            types[name]["additional"] = row["additionalPropertiesType"]


def _type_names(entry: dict[str, Any]) -> set[str]:
    listed = [*entry.get("properties", {}).values(), *entry.get("base", {}).values()]
    texts = [one if isinstance(one, str) else one[0] for one in listed] + [entry.get("additional", "")]
    parts = {part.removesuffix("[]") for text in texts for part in text.split(" | ")}
    return parts | set(entry.get("elements", {}).values())


def _reachable(types: Types, start: str) -> Types:
    found, left = set(), {start}
    while left:
        name = left.pop()
        if name in types and name not in found:
            found.add(name)
            left |= _type_names(types[name])
    return {name: types[name] for name in sorted(found)}


def printed(azmcp: Path, resource_type: str) -> dict[str, Any]:
    """The schema of a resource type by azmcp, in our form."""
    environ = os.environ | {"AZURE_MCP_COLLECT_TELEMETRY": "false", "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    command = [str(azmcp), "bicepschema", "get", "--resource-type", resource_type]
    answer = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    rows = json.loads(answer.stdout)["results"]["BicepSchemaResult"]
    types: Types = {}
    resource = next(row for row in rows if row["$type"] == "Resource" and row["name"].startswith(f"{resource_type}@"))
    for row in rows:
        _printed_type(row, row["name"], types)
    _printed_type(resource["bodyType"], resource_type, types)
    return {"resource": resource["name"], "origin": AZMCP, "types": _reachable(types, resource_type)}


def _class_tables(source: str) -> dict[str, dict[str, Any]]:
    """Base classes and the literal tables of every model class, read without importing it."""
    found: dict[str, dict[str, Any]] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            tables = {
                target.id: ast.literal_eval(item.value)
                for item in node.body
                if isinstance(item, ast.Assign)
                for target in item.targets
                if isinstance(target, ast.Name) and target.id in ("_attribute_map", "_validation", "_subtype_map")
            }
            found[node.name] = {"bases": [ast.unparse(base) for base in node.bases], **tables}
    return found


def _model_type(text: str) -> str:
    if text.startswith("["):
        return _model_type(text[1:-1]) + "[]"
    return _SIMPLE.get(text, "string" if text == "duration" else text)


def _modelled_type(name: str, classes: dict[str, dict[str, Any]], types: Types) -> None:
    """Add the model class `name` and what it refers to; `properties.x` keys become a type of their own."""
    if name in types or name not in classes:
        return
    entry: dict[str, Any] = {"properties": {}}
    types[name] = entry
    inner: dict[str, Any] = {}
    for attribute, row in classes[name].get("_attribute_map", {}).items():
        rule = classes[name].get("_validation", {}).get(attribute, {})
        flags = ("R" if rule.get("required") else "") + ("O" if rule.get("readonly") else "")
        kind = row["type"]
        if not row["key"]:  # room for unknown properties, which would hide typing mistakes
            continue
        if kind.startswith("{"):
            dictionary = f"{name}:{attribute}"
            types[dictionary] = {"properties": {}, "additional": _model_type(kind[1:-1])}
            _modelled_type(kind[1:-1].strip("[]"), classes, types)
            kind = dictionary
        else:
            _modelled_type(kind.strip("[]"), classes, types)
            kind = "string" if kind.strip("[]") not in classes and kind not in _SIMPLE and kind[0] != "[" else kind
            kind = _model_type(kind)
        where = inner if row["key"].startswith("properties.") else entry["properties"]
        key = row["key"].removeprefix("properties.").replace("\\.", ".")
        where[key] = [kind, flags] if flags else kind
    if inner:
        types[f"{name}:properties"] = {"properties": inner}
        entry["properties"]["properties"] = [f"{name}:properties", "R"]
    _subtypes(name, classes, types)


def _subtypes(name: str, classes: dict[str, dict[str, Any]], types: Types) -> None:
    for attribute, children in classes[name].get("_subtype_map", {}).items():
        discriminator = classes[name]["_attribute_map"][attribute]["key"].replace("\\.", ".")
        for child in children.values():
            _modelled_type(child, classes, types)
            types[child]["properties"][discriminator] = ["string", "R"]
        types[name] = {"discriminator": discriminator, "elements": dict(children), "base": {}}


def modelled(package: Path, resource_type: str) -> dict[str, Any]:
    """The schema of a resource type from the model classes of azure-mgmt-monitor."""
    model, operations = MODELLED[resource_type]
    classes = _class_tables((package / "models/_models_py3.py").read_text())
    versions = re.findall(r'"api-version", "([\d-]+(?:-preview)?)"', (package / "operations" / operations).read_text())
    types: Types = {}
    _modelled_type(model, classes, types)
    types[resource_type] = types.pop(model)
    types[resource_type]["properties"]["name"] = ["string", "R"]
    resource = f"{resource_type}@{max(versions)}"
    return {"resource": resource, "origin": MONITOR, "types": _reachable(types, resource_type)}


def write(schema: dict[str, Any]) -> Path:
    """Write one schema, a line a type, so that a refresh shows in a diff what changed."""
    path = FOLDER / (schema["resource"].partition("@")[0].replace("/", ".") + ".json")
    lines = [f"    {json.dumps(name)}: {json.dumps(entry)}" for name, entry in schema["types"].items()]
    head = "".join(f'  "{key}": {json.dumps(schema[key])},\n' for key in ("resource", "origin"))
    path.write_text("{\n" + head + '  "types": {\n' + ",\n".join(lines) + "\n  }\n}\n")
    return path


def main() -> None:
    """Install both packages into a folder that is deleted afterwards, and write every schema anew."""
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--target", folder, "--no-deps", MONITOR, AZMCP], check=True)
        azmcp, package = Path(folder) / "bin/azmcp", Path(folder) / "azure/mgmt/monitor"
        for resource_type in PRINTED:
            print(write(printed(azmcp, resource_type)))
        for resource_type in MODELLED:
            print(write(modelled(package, resource_type)))


if __name__ == "__main__":
    main()
