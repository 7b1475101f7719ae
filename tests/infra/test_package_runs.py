"""The package, unpacked alone into an empty folder, runs on the deployed Python from a CRM change to a widget."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from local.tokens import API_CLIENT_ID, TENANT, KeyRing, issue
from scripts import package
from scripts.package import ROOT, SITE_PACKAGES
from tests.doubles.signin import running_signin
from tests.local.azurite_process import free_port, running_azurite
from tests.local.bus_process import running_bus
from tests.local.host_process import wait_until

CHANGES = {
    "changes": [
        {
            "entity": "opportunity",
            "id": "o-1",
            "version": 1,
            "operation": "upsert",
            "attributes": {
                "name": "Line 3",
                "contactId": "c-1",
                "ownerId": "user:u-1",
                "status": "open",
                "createdAt": "2026-01-07T10:00:00Z",
            },
        },
        {
            "entity": "email",
            "id": "e-1",
            "version": 1,
            "operation": "upsert",
            "attributes": {
                "from": {"address": "anna@us.example", "party": "user:u-1"},
                "to": [{"address": "kim@cust.example", "party": "contact:c-1"}],
                "status": "sent",
                "sentAt": "2026-01-08T12:00:00+01:00",
                "messageId": "<1@us.example>",
                "regarding": ["opportunity:o-1"],
            },
        },
    ]
}
LONGEST_SECONDS = 120.0


def call(url: str, token: str = "", body: Any = None) -> tuple[int, Any]:
    """Status and decoded body."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"} if token else {}
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, None


@contextmanager
def running_package(python: str, app: Path, tools: Path, environ: dict[str, str]) -> Iterator[str]:
    """The local host on `python`, with the packages of the app alone; gives its address."""
    port = free_port()
    command = [python, "-m", "local.host", "--port", str(port), "--folder", str(tools / "state"), "--root", str(app)]
    paths = {"PYTHONPATH": f"{app / SITE_PACKAGES}:{tools}", "PATH": "/usr/bin:/bin", "HOME": str(tools)}
    with (tools / "host.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=tools, env=environ | paths, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}/api"
    finally:
        process.terminate()
        process.wait(timeout=60)


@pytest.mark.stack
def test_a_change_reaches_its_widgets(unpacked: Path, tmp_path: Path) -> None:
    python = package.deployed_python()
    if python is None:
        pytest.skip(f"no Python {package.VERSION} on this machine")
    app, tools = unpacked, tmp_path / "tools"
    shutil.copytree(ROOT / "local", tools / "local", ignore=shutil.ignore_patterns("__pycache__", "sample"))
    values: dict[str, str] = json.loads((ROOT / "local.settings.example.json").read_text())["Values"]
    with (
        running_azurite(tmp_path / "tables", in_memory=True) as tables,
        running_bus(tmp_path / "bus") as bus,
        running_signin(tmp_path / "keys") as signin,
    ):
        issuer = f"{signin}/{TENANT}/v2.0"
        values |= {"TABLES": tables.connection_string, "SERVICEBUS": bus.connection_string, "AUTH_ISSUER": issuer}
        values |= {"AUTH_OPENID_CONFIGURATION": f"{issuer}/.well-known/openid-configuration"}
        values |= {"AUTH_AUDIENCE": API_CLIENT_ID}
        key = KeyRing(tmp_path / "keys").current
        token = issue(key, ("Rapport.Ingest", "Rapport.Reader"), issuer=issuer)
        with running_package(python, app, tools, values) as address:
            healthy = wait_until(lambda: (one := call(f"{address}/health"))[0] == 200 and one[1], LONGEST_SECONDS)
            assert (healthy["python"].rpartition(".")[0], healthy["bytecode"]) == (package.VERSION, True)
            assert call(f"{address}/crm/changes", token, CHANGES)[0] == 202
            assert call(f"{address}/records/opportunity/o-1/widgets")[0] == 401

            def shown() -> bool:
                status, answer = call(f"{address}/records/opportunity/o-1/widgets", token)
                return status == 200 and answer["recordName"] == "Line 3"

            assert wait_until(shown, LONGEST_SECONDS)
