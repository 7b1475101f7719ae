"""From an environment of Dynamics 365 to widgets, by the commands of docs/connect-crm.md: webhook, load, kill, go on, change."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.tokens import API_CLIENT_ID, TENANT, KeyRing, issue
from scripts.dataverse import steps
from tests.doubles import dataverse_sales as sales
from tests.doubles.dataverse import TOKEN, Dataverse, dataverse, guid
from tests.doubles.signin import running_signin
from tests.local.azurite_process import running_azurite
from tests.local.bus_process import running_bus
from tests.local.host_process import running_host, wait_until

pytestmark = pytest.mark.stack
ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120.0


@dataclass
class App:
    """The app under the local host, and tokens for it by role."""

    address: str
    tokens: dict[str, str]

    def call(self, path: str, role: str = "", body: bytes | None = None, **headers: str) -> tuple[int, Any]:
        """Status and decoded answer."""
        given = {"Authorization": f"Bearer {self.tokens[role]}"} if role else {}
        request = urllib.request.Request(f"{self.address}/api/{path}", body, {**given, **headers})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, None

    def widgets(self, record: str) -> dict[str, Any]:
        """The answer for a record; empty while there is none."""
        status, answer = self.call(f"records/{record}/widgets", "Rapport.Reader")
        return dict(answer) if status == 200 else {}


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    values: dict[str, str] = json.loads((ROOT / "local.settings.example.json").read_text())["Values"]
    with (
        running_azurite(tmp_path / "tables", in_memory=True) as tables,
        running_bus(tmp_path / "bus") as bus,
        running_signin(tmp_path / "keys") as signin,
    ):
        issuer = f"{signin}/{TENANT}/v2.0"
        values |= {"TABLES": tables.connection_string, "SERVICEBUS": bus.connection_string, "AUTH_ISSUER": issuer}
        values |= {"AUTH_OPENID_CONFIGURATION": f"{issuer}/.well-known/openid-configuration"}
        values |= {"AUTH_AUDIENCE": API_CLIENT_ID, "RECORD_UPDATES_BULK_WINDOW_SECONDS": "1"}
        key = KeyRing(tmp_path / "keys").current
        roles = ("Rapport.Reader", "Rapport.Ingest", "Rapport.Admin")
        tokens = {role: issue(key, (role,), issuer=issuer) for role in roles}
        with running_host(tmp_path / "host", environ=values) as host:
            yield App(host.base_url, tokens)


@pytest.fixture
def crm() -> Iterator[Dataverse]:
    with dataverse() as running:
        sales.fill(running)
        for step in steps.wanted():
            running.put("sdkmessage", guid(step.message), name=step.message)
            if step.table:
                running.put(
                    "sdkmessagefilter", guid(*step[:2]), sdkmessageid=("sdkmessage", guid(step.message), ""),
                    primaryobjecttypecode=step.table, iscustomprocessingstepallowed=True,
                )  # fmt: skip
        yield running


def started(crm: Dataverse, app: App, module: str, role: str, *arguments: str) -> subprocess.Popen[str]:
    """A command of ours, on its way."""
    command = [
        sys.executable,
        "-m",
        f"scripts.dataverse.{module}",
        *arguments,
        "--crm",
        crm.address,
        "--app",
        app.address,
    ]
    environ = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    environ |= {"RAPPORT_CRM_TOKEN": TOKEN, "RAPPORT_APP_TOKEN": app.tokens[role]}
    return subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(crm: Dataverse, app: App, module: str, role: str, *arguments: str) -> str:
    """What a command that succeeds has to say."""
    process = started(crm, app, module, role, *arguments)
    out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, err
    return out + err


def test_an_environment_reaches_its_widgets(crm: Dataverse, app: App, tmp_path: Path) -> None:
    assert "steps" in run(crm, app, "register", "Rapport.Admin", "apply")
    (endpoint,) = crm.rows["serviceendpoint"].values()

    loading = ("--state", str(tmp_path / "load.db"), "--page", "1")
    killed = started(crm, app, "load", "Rapport.Ingest", *loading)
    try:
        wait_until(lambda: [one for _, one in crm.log if "/contacts?" in one], SECONDS)
    finally:
        killed.kill()
        killed.communicate()
    before = len(crm.log)
    assert "changes sent" in run(crm, app, "load", "Rapport.Ingest", *loading)
    accounts = [address for _, address in crm.log[before:] if "/accounts?" in address]
    assert ["deltatoken" in address for address in accounts] == [
        True
    ]  # what was read before the kill is not read again

    def shown() -> bool:
        found = app.widgets(f"opportunity/{sales.DEAL}")
        return bool(found) and found["recordName"] == "Line 3"

    assert wait_until(shown, SECONDS)
    wait_until(lambda: app.widgets(f"contact/{sales.KIM}").get("recordName") == "Kim Kunz", SECONDS)
    assert app.call(f"records/opportunity/{sales.DEAL}/activities", "Rapport.Reader")[1]["activities"]

    (setting,) = ET.fromstring(endpoint["authvalue"])
    told = json.loads((ROOT / "tests/payloads/dataverse/contact-create.json").read_text())
    target = next(one for one in told["InputParameters"] if one["key"] == "Target")["value"]
    target["Id"] = told["PrimaryEntityId"] = sales.KIM
    target["Attributes"] = [{"key": "fullname", "value": "Kim Kunze"}]
    told |= {"OperationCreatedOn": f"/Date({int(crm.clock() * 1000) + 60_000})/", "PostEntityImages": []}
    path = endpoint["url"].partition("/api/")[2]
    assert app.call(path, body=json.dumps(told).encode())[0] == 401
    assert app.call(path, body=json.dumps(told).encode(), **{setting.attrib["name"]: setting.attrib["value"]})[0] == 202
    assert wait_until(lambda: app.widgets(f"contact/{sales.KIM}").get("recordName") == "Kim Kunze", SECONDS)
