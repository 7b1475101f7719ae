"""The steps that azd's hooks run, against a server that answers as Azure does, with an `azd` that signs in."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from scripts import deployment, entra
from scripts.rest import RestError, Service, tenant_of
from shared import auth
from tests.infra.azure_stand_in import Azure, azure
from tests.infra.evaluate import evaluate

ROOT = Path(__file__).resolve().parents[2]
CLAIMS = base64.urlsafe_b64encode(json.dumps({"tid": "the-tenant"}).encode()).decode().rstrip("=")
TOKEN = f"e30.{CLAIMS}.c2ln"
# The two commands of azd that the hooks use; it writes what it is told into a file.
AZD = f"""#!/bin/sh
case "$1 $2" in
  "auth token") echo '{{"token": "{TOKEN}"}}' ;;
  "env set") echo "$3=$4" >> "$(dirname "$0")/values" ;;
  *) exit 1 ;;
esac
"""
VAULT = "/subscriptions/s/resourceGroups/g/providers/Microsoft-KeyVault/vaults/v"


@pytest.fixture
def server() -> Iterator[Azure]:
    with azure() as running:
        yield running


@pytest.fixture
def graph(server: Azure) -> Service:
    return Service(server.address, TOKEN)


class Project:
    """Runs a step as azd would."""

    def __init__(self, folder: Path, server: Azure) -> None:
        self.folder, self.server = folder, server
        (folder / "azd").write_text(AZD)
        (folder / "azd").chmod(0o755)
        self.environ = {
            "PATH": f"{folder}:/usr/bin:/bin",
            "AZURE_ENV_NAME": "test",
            "RAPPORT_GRAPH": server.address,
            "RAPPORT_MANAGEMENT": server.address,
            "RAPPORT_KEY_VAULT_ID": VAULT,
            "SERVICE_API_ENDPOINT": server.address,
        }

    def run(self, step: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "scripts.deployment", step]
        environ = self.environ | more
        return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)

    def kept(self) -> dict[str, str]:
        path = self.folder / "values"
        return dict(line.split("=", 1) for line in path.read_text().splitlines()) if path.exists() else {}


@pytest.fixture
def project(tmp_path: Path, server: Azure) -> Project:
    return Project(tmp_path, server)


def test_roles_are_those_that_the_app_asks_for() -> None:
    assert set(entra.ROLES) == {auth.READER, auth.COVER_RISK, auth.LOOKUP, auth.INGEST, auth.ADMIN, auth.PRIVACY}


def test_registrations_are_made_and_made_again_without_change(server: Azure, graph: Service) -> None:
    wanted = entra.Registrations("test", "the-tenant", "identity", "poll", "https://app.example/consent")
    first = entra.apply(wanted, graph)
    before = json.dumps([server.applications, server.principals])
    assert entra.apply(wanted, graph) == first
    assert json.dumps([server.applications, server.principals]) == before

    assert set(first) == {"rapport-api-test", "rapport-graph-poll-test"}
    api = server.applications["rapport-api-test"]
    assert api["api"]["requestedAccessTokenVersion"] == 2
    assert {role["value"] for role in api["appRoles"]} == set(entra.ROLES)
    assert api["identifierUris"] == [f"api://{first['rapport-api-test']}"]
    assert {app: one["appRoleAssignmentRequired"] for app, one in server.principals.items()} == {
        first["rapport-api-test"]: True,
        first["rapport-graph-poll-test"]: False,
    }
    for application in server.applications.values():
        assert application["credentials"]["rapport"] == {
            "issuer": "https://login.microsoftonline.com/the-tenant/v2.0",
            "subject": "identity",
            "audiences": ["api://AzureADTokenExchange"],
        }
        assert "passwordCredentials" not in application


@pytest.mark.parametrize(("mode", "count"), [("push", 2), ("poll", 4)])
def test_push_asks_for_no_mailbox_in_entra(server: Azure, graph: Service, mode: str, count: int) -> None:
    """A grant for the whole tenant would make the scope in Exchange meaningless."""
    entra.apply(entra.Registrations("test", "t", "i", mode), graph)
    access = server.applications[f"rapport-graph-{mode}-test"]["requiredResourceAccess"][0]["resourceAccess"]
    assert len(access) == count
    mailbox_permissions = set(entra.MAILBOXES["poll"].values())
    assert bool({one["id"] for one in access} & mailbox_permissions) == (mode == "poll")


def test_role_ids_never_change() -> None:
    """People's assignments hang on them."""
    requests = entra.Registrations("any", "t").requests()
    roles = next(one.body["appRoles"] for one in requests if one.body and "appRoles" in one.body)
    assert {role["value"]: role["id"] for role in roles} == {
        "Rapport.Reader": READER_ID,
        "Rapport.CoverRisk": COVER_RISK_ID,
        "Rapport.Lookup": LOOKUP_ID,
        "Rapport.Ingest": INGEST_ID,
        "Rapport.Admin": ADMIN_ID,
        "Rapport.Privacy": PRIVACY_ID,
    }


READER_ID = "916f81f3-bb5a-5aba-957a-70e449c29435"
COVER_RISK_ID = "dbc43e01-e819-5f48-87b7-786fac191bab"
INGEST_ID = "26bb597d-9bf4-59f6-8081-ec0789d9bb6c"
LOOKUP_ID = "0f73735e-8646-5f53-b420-839bef6802dc"
PRIVACY_ID = "ad893a77-c666-5fc5-9fc7-95960cb18657"
ADMIN_ID = "484b1d27-2ee3-5fa5-a2d3-8db1b45dde6e"


def test_undo_takes_back_what_is_there(server: Azure, graph: Service) -> None:
    wanted = entra.Registrations("test", "t", "i", "push")
    entra.apply(wanted, graph)
    assert entra.undo(wanted, graph) == ["rapport-api-test", "rapport-graph-push-test"]
    assert server.applications == {}
    assert entra.undo(wanted, graph) == []


def test_show_sends_nothing_and_is_all_that_apply_sends(server: Azure, graph: Service) -> None:
    wanted = entra.Registrations("test", "t", "i", "poll")
    shown = list(wanted.requests())
    assert server.log == []
    entra.apply(wanted, graph)
    assert [method for method, _ in server.log if method != "GET"] == [one.method for one in shown]


def test_an_answer_that_is_no_success_is_told(server: Azure, graph: Service) -> None:
    server.refusal = 500
    with pytest.raises(RestError, match="500"):
        entra.apply(entra.Registrations("test", "t"), graph)
    assert tenant_of(graph) == "the-tenant"


def test_before_provision_registers_and_remembers(project: Project, server: Azure) -> None:
    done = project.run("before-provision", RAPPORT_GRAPH_MODE="push", RAPPORT_MONTHLY_BUDGET="50")
    assert done.returncode == 0, done.stderr
    kept = project.kept()
    assert kept["RAPPORT_AUTH_CLIENT_ID"] == server.applications["rapport-api-test"]["appId"]
    assert kept["RAPPORT_GRAPH_CLIENT_ID"] == server.applications["rapport-graph-push-test"]["appId"]
    assert kept["RAPPORT_BUDGET_START"].endswith("-01")


def test_before_provision_asks_for_nothing_that_is_known(project: Project, server: Azure) -> None:
    assert project.run("before-provision", RAPPORT_AUTH_CLIENT_ID="known").returncode == 0
    assert (server.log, project.kept()) == ([], {})


def test_who_may_not_register_is_told_who_can(project: Project, server: Azure) -> None:
    server.refusal = 403
    done = project.run("before-provision")
    assert done.returncode == 0
    assert "Application Administrator" in done.stderr
    assert project.kept() == {}


def test_after_provision_makes_each_secret_once(project: Project, server: Azure) -> None:
    assert "made" in project.run("after-provision", RAPPORT_IDENTITY_PRINCIPAL_ID="identity").stdout
    secrets = dict(server.secrets)
    assert set(secrets) == {f"{VAULT}/secrets/{name}" for name in deployment.SECRETS}
    assert len(set(secrets.values())) == len(deployment.SECRETS)
    assert {len(base64.b64decode(secret, validate=True)) for secret in secrets.values()} == {32}
    again = project.run("after-provision", RAPPORT_IDENTITY_PRINCIPAL_ID="identity")
    assert "was there" in again.stdout
    assert server.secrets == secrets
    assert not [secret for secret in secrets.values() if secret in again.stdout + again.stderr]
    assert server.applications["rapport-api-test"]["credentials"]["rapport"]["subject"] == "identity"


def test_a_new_installation_has_keys_of_its_own_and_an_old_one_when_it_wants_them(
    project: Project, server: Azure
) -> None:
    known = {"RAPPORT_AUTH_CLIENT_ID": "known"}
    assert project.run("before-provision", RAPPORT_KEY_VAULT_ID="", **known).returncode == 0
    assert project.kept() == {"RAPPORT_OWN_KEYS": "true"}
    assert project.run("before-provision", **known).returncode == 0
    assert server.secrets == {}
    # The templates refer to the secrets, so they are made before the templates are deployed.
    assert project.run("before-provision", RAPPORT_OWN_KEYS="true", **known).returncode == 0
    assert {path.rpartition("/")[2] for path in server.secrets} == set(deployment.SECRETS)


def test_after_provision_says_what_people_have_to_do() -> None:
    back = "https://app.example/api/consent/done"
    push = deployment.next_steps("the-client", "the-tenant", "push", back)
    (address,) = [urlsplit(line.strip()) for line in push.splitlines() if "adminconsent" in line]
    assert address.path == "/the-tenant/v2.0/adminconsent"
    assert parse_qs(address.query) == {
        "client_id": ["the-client"],
        "scope": ["https://graph.microsoft.com/.default"],
        "redirect_uri": [back],
    }
    for command in (
        "New-ServicePrincipal -AppId the-client",
        "New-ManagementScope",
        "Test-ServicePrincipalAuthorization",
    ):
        assert command in push
    assert push.count("New-ManagementRoleAssignment") == 2
    poll = deployment.next_steps("the-client", "the-tenant", "poll")
    assert "adminconsent" in poll
    assert "New-ManagementScope" not in poll
    assert "adminconsent" not in deployment.next_steps("", "the-tenant", "")


@pytest.mark.parametrize("mode", ["push", "poll"])
def test_sending_is_granted_in_exchange_and_only_where_it_is_wanted(project: Project, mode: str) -> None:
    wanted = {"RAPPORT_GRAPH_CLIENT_ID": "the-client", "RAPPORT_GRAPH_MODE": mode}
    assert "Mail.Send" not in project.run("after-provision", **wanted).stdout
    done = project.run("after-provision", **wanted, RAPPORT_SEND_INTRODUCTIONS="true")
    assert done.stdout.count('-Role "Application Mail.Send" -CustomResourceScope "Rapport senders"') == 1
    # Never in Entra: such a grant is for all mailboxes of the tenant.
    permissions = entra.DIRECTORY | entra.MAILBOXES["push"] | entra.MAILBOXES["poll"]
    assert not [name for name in permissions if "Send" in name]


def test_the_guide_has_the_commands_that_the_hook_prints_and_their_undoing() -> None:
    guide = (ROOT / "docs/deploy.md").read_text()
    printed = (deployment.EXCHANGE + "\n" + deployment.SENDING).replace("{client}", "CLIENT-ID")
    for line in printed.splitlines():
        assert line.strip() in guide
    undo = guide[guide.index("To take it back") :]
    for made in re.findall(r'-Role ("[^"]*")|New-ManagementScope -Name ("[^"]*")', printed):
        assert "".join(made) in undo


def test_the_page_after_consent_is_registered_where_the_app_is(project: Project, server: Azure) -> None:
    """The app's own page, to which its settings lead as well, unless another was chosen."""
    mode = {"RAPPORT_GRAPH_MODE": "push"}
    assert project.run("before-provision", SERVICE_API_ENDPOINT="", **mode).returncode == 0
    registered = server.applications["rapport-graph-push-test"]
    assert "web" not in registered
    assert project.run("after-provision", **mode).returncode == 0
    assert registered["web"] == {"redirectUris": [f"{server.address}/api/consent/done"]}
    chosen = "https://crm.example/consent"
    assert project.run("after-provision", RAPPORT_CONSENT_REDIRECT_URL=chosen, **mode).returncode == 0
    assert registered["web"] == {"redirectUris": [chosen]}

    def setting(**parameters: str) -> str:
        found = evaluate(ROOT / "infra/main.bicep", authClientId="client", **parameters)
        body = found.only("Microsoft.Web/sites/config", name="appsettings").body
        return str(body["properties"]["CONSENT_REDIRECT_URL"])

    assert re.fullmatch(r"https://\{[^}]*defaultHostName\}/api/consent/done", setting())
    assert setting(consentRedirectUrl=chosen) == chosen


def test_secrets_are_those_that_the_settings_refer_to() -> None:
    source = (ROOT / "infra/modules/function-app.bicep").read_text()
    assert {f"secrets/{name})" for name in deployment.SECRETS} == {
        part.split("'")[0].partition("${vaultUri}")[2] for part in source.split("SecretUri=")[1:]
    }


def test_after_deploy_says_what_runs(project: Project) -> None:
    assert json.loads(project.run("after-deploy").stdout) == {"status": "ok", "bytecode": True}


def test_after_deploy_has_subscriptions_follow_the_address(project: Project, server: Azure) -> None:
    """Only where notifications come in, and without a right to ask the deployment has succeeded all the same."""
    assert ("POST", "/api/consent/reconcile") not in server.log
    done = project.run("after-deploy", RAPPORT_AUTH_CLIENT_ID="client", RAPPORT_GRAPH_MODE="push")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("asked to reconcile")
    assert server.log.count(("POST", "/api/consent/reconcile")) == 1
    project.run("after-deploy", RAPPORT_AUTH_CLIENT_ID="client", RAPPORT_GRAPH_MODE="poll")
    assert server.log.count(("POST", "/api/consent/reconcile")) == 1
    server.refusal = 403
    done = project.run("after-deploy", RAPPORT_AUTH_CLIENT_ID="client", RAPPORT_GRAPH_MODE="push")
    assert (done.returncode, "Rapport.Admin" in done.stderr) == (0, True)


def test_the_command_line_may_ask_for_tokens(server: Azure, graph: Service) -> None:
    entra.apply(entra.Registrations("test", "t"), graph)
    api = server.applications["rapport-api-test"]["api"]
    assert api["preAuthorizedApplications"] == [
        {"appId": entra.COMMAND_LINE, "delegatedPermissionIds": [api["oauth2PermissionScopes"][0]["id"]]}
    ]


def test_after_deploy_gives_up_when_nothing_answers(project: Project) -> None:
    done = project.run("after-deploy", SERVICE_API_ENDPOINT="http://127.0.0.1:9", RAPPORT_HEALTH_SECONDS="0")
    assert done.returncode == 1
    assert "does not answer" in done.stderr + done.stdout


def test_a_budget_keeps_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    today = datetime(2026, 12, 24, tzinfo=UTC)
    monkeypatch.delenv("RAPPORT_BUDGET_START", raising=False)
    assert deployment.budget_start(today) == "2026-12-01"
    monkeypatch.setenv("RAPPORT_BUDGET_START", "2026-11-01")
    assert deployment.budget_start(today) == "2026-11-01"
