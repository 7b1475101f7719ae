"""Routes without sign-in: the same in the platform's gate and in the code; every other one refuses strangers."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.infra.evaluate import evaluate
from tests.infra.functions_of_app import bindings, declared

ROOT = Path(__file__).resolve().parents[2]
CALL = """
import asyncio, inspect, json, re, sys
import azure.functions as func
from function_app import app
headers = json.loads(sys.argv[1])
answers = {}
for one in app.get_functions():
    route = next((b for b in json.loads(one.get_function_json())["bindings"] if b["type"] == "httpTrigger"), None)
    if route:
        params = {name: "x" for name in re.findall(r"\\{(\\w+)[^}]*\\}", route["route"])}
        for method in route["methods"]:
            request = func.HttpRequest(str(getattr(method, "value", method)), "http://app/api/" + route["route"],
                                       headers=headers, route_params=params, body=b"{}")
            answer = one.get_user_function()(request)
            answer = asyncio.run(answer) if inspect.isawaitable(answer) else answer
            answers[one.get_function_name()] = answer.status_code
print(json.dumps(answers))
"""
PRINCIPAL = {
    "auth_typ": "aad",
    "role_typ": "roles",
    "claims": [
        {"typ": "iss", "val": "https://issuer.example/v2.0"},
        {"typ": "oid", "val": "someone"},
        *({"typ": "roles", "val": f"Rapport.{role}"} for role in ("Reader", "Ingest", "Admin")),
    ],
}
FORGED = {"x-ms-client-principal": base64.b64encode(json.dumps(PRINCIPAL).encode()).decode()}
STRANGERS: dict[str, dict[str, str]] = {
    "no token": {},
    "forged header of the platform": FORGED,
    "broken token": {"authorization": "Bearer abc.def.ghi", **FORGED},
    "other scheme": {"authorization": "Basic dXNlcjpwYXNz"},
}


def http_functions() -> list[dict[str, Any]]:
    found = [one for one in bindings() if one["type"] == "httpTrigger"]
    assert found
    return found


def test_excluded_paths_are_the_public_routes() -> None:
    deployment = evaluate(ROOT / "infra/main.bicep", authClientId="client")
    rules = deployment.only("Microsoft.Web/sites/config", name="authsettingsV2").body["properties"]
    prefix = json.loads((ROOT / "host.json").read_text())["extensions"]["http"]["routePrefix"]
    public = {f"/{prefix}/{one['route']}" for one in declared() if one["public"]}
    assert {f"/{prefix}/{one['route']}" for one in http_functions() if one["public"]} <= public
    # Literal, one path a route; the widgets' scripts alone, whose names carry their version, are a folder.
    literal = {path for path in public if not path.startswith(f"/{prefix}/web/")}
    assert set(rules["globalValidation"]["excludedPaths"]) == literal | {f"/{prefix}/web/*"}
    assert not [path for path in literal if "{" in path or "*" in path]
    guide = (ROOT / "docs/operations.md").read_text()
    argued = guide[guide.index("## Routes without sign-in") : guide.index("## Alerts")]
    assert set(re.findall(r"`(/api/[^`]*)`", argued)) == set(rules["globalValidation"]["excludedPaths"])


@pytest.mark.parametrize("headers", STRANGERS.values(), ids=STRANGERS.keys())
def test_every_other_route_refuses_strangers(headers: dict[str, str]) -> None:
    environ = {name: value for name, value in os.environ.items() if name != "WEBSITE_AUTH_ENABLED"}
    environ |= {"AUTH_ISSUER": "https://issuer.example/v2.0", "AUTH_AUDIENCE": "client"}
    environ |= {"AUTH_OPENID_CONFIGURATION": "http://127.0.0.1:9/v2.0/.well-known/openid-configuration"}
    command = [sys.executable, "-c", CALL, json.dumps(headers)]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    closed = {one["function"] for one in http_functions() if not one["public"]}
    assert closed
    assert {name: answers[name] for name in closed} == dict.fromkeys(closed, 401)


def test_nothing_but_files_lies_in_the_open_folder() -> None:
    """Whatever route begins with web/ has no gate before it, so it must be public in the code as well."""
    found = [one for one in declared() if (one["route"] or "").startswith("web/")]
    assert found
    assert [one["function"] for one in found if not one["public"]] == []


def test_every_http_function_leaves_sign_in_to_us() -> None:
    """Function keys would be secrets that somebody has to keep."""
    assert {one["authLevel"] for one in http_functions()} == {"ANONYMOUS"}
