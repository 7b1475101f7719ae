"""`python -m scripts.deployment STEP`: what azd's hooks do, see docs/deploy.md. Each step may be repeated.

before-provision   check the environment's name, tenant and budget; register the API in Microsoft Entra
after-provision    let the identity vouch for the registration; make the secrets that are missing
after-deploy       wait until the app answers, say what runs, have its Graph subscriptions follow its address

`--dry-run` prints what would be done. Standard library only, because hooks run with any Python from 3.11 on.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import secrets
import subprocess
import sys
import time
import urllib.request
from datetime import UTC, datetime
from urllib.parse import urlencode

from scripts import entra
from scripts.rest import GRAPH, MANAGEMENT, RestError, Service, signed_in, tenant_of

NAME = re.compile(r"[A-Za-z0-9().,_-]{1,64}")
SECRETS = ("person-key", "webhook-key", "link-key", "store-key")
KEY_BYTES = 32
VAULT_API = "2024-11-01"
HEALTH_SECONDS = 300
NO_RIGHT = (401, 403)


def given(name: str, default: str = "") -> str:
    """A value of the azd environment; azd hands them to hooks as environment variables."""
    return os.environ.get(name, "") or default


def keep(name: str, value: str) -> None:
    """Write a value into the azd environment."""
    subprocess.run(["azd", "env", "set", name, value], check=True)  # noqa: S603, S607


def registrations() -> entra.Registrations:
    """The registrations of this environment."""
    names = ("AZURE_ENV_NAME", "AZURE_TENANT_ID", "RAPPORT_IDENTITY_PRINCIPAL_ID", "RAPPORT_GRAPH_MODE")
    return entra.Registrations(*(given(name) for name in names), redirect=redirect())


def redirect() -> str:
    """Where the consent page leads back: the page that was chosen, else the app's own; empty before there is an app."""
    address = given("SERVICE_API_ENDPOINT")
    return given("RAPPORT_CONSENT_REDIRECT_URL") or (f"{address}/api/consent/done" if address else "")


def budget_start(today: datetime) -> str:
    """The first of the month, unless a budget has a start already: Azure refuses to move it."""
    return given("RAPPORT_BUDGET_START") or today.strftime("%Y-%m-01")


def check_environment() -> None:
    """Leave with a message if this environment cannot work."""
    if not NAME.fullmatch(given("AZURE_ENV_NAME")):
        sys.exit("AZURE_ENV_NAME: 1 to 64 letters, digits and . , _ - ( ) are possible.")


def register(wanted: entra.Registrations, graph: Service) -> dict[str, str]:
    """Make the registrations; without the right to, say who can, and go on without sign-in."""
    try:
        found = entra.apply(wanted._replace(tenant=wanted.tenant or tenant_of(graph)), graph)
    except RestError as error:
        if error.status not in NO_RIGHT:
            raise
        print(
            "You may not register apps. Ask an Application Administrator to run "
            f"`python -m scripts.entra apply --environment {wanted.environment} --identity {wanted.identity or '…'}`, "
            "then `azd env set RAPPORT_AUTH_CLIENT_ID <appId>`. Until then nobody can sign in.",
            file=sys.stderr,
        )
        return {}
    for name, client_id in found.items():
        part = "AUTH" if name.startswith("rapport-api-") else "GRAPH"
        keep(f"RAPPORT_{part}_CLIENT_ID", client_id)
    return found


def make_secret(vault: str, name: str, management: Service) -> bool:
    """Make a random secret unless it is there; gives whether it was made.

    This goes through the management interface, which can write a secret and never shows it, so that nobody needs
    the right to read the vault, and a vault without public access works as well.
    """
    path = f"{vault}/secrets/{name}?api-version={VAULT_API}"
    try:
        management.call("GET", path)
    except RestError as error:
        if error.status != 404:
            raise
        value = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
        management.call("PUT", path, {"properties": {"value": value, "contentType": "base64"}})
        return True
    return False


def make_secrets(vault: str) -> None:
    """Make the secrets that are missing, and say so."""
    management = signed_in(given("RAPPORT_MANAGEMENT", MANAGEMENT))
    for name in SECRETS:
        print(f"secret {name}: {'made' if make_secret(vault, name, management) else 'was there'}")


def wait_for_health(address: str, seconds: float, pause: float = 5.0) -> dict[str, object]:
    """What the app says of itself, asked again until it answers. Leaves with a message when it does not."""
    end, reason = time.monotonic() + seconds, ""
    while True:
        try:
            with urllib.request.urlopen(f"{address}/api/health", timeout=30) as answer:  # noqa: S310
                return dict(json.load(answer))
        except (OSError, ValueError) as error:
            reason = str(error)
        if time.monotonic() > end:
            sys.exit(f"The app does not answer at {address}/api/health: {reason}")
        time.sleep(pause)


def ask_to_reconcile(app: Service) -> str:
    """Have the app compare its Graph subscriptions with its address; gives what came of it, in words.

    Nothing depends on it: the app does the same by itself every night.
    """
    try:
        app.call("POST", "/api/consent/reconcile", {})
    except RestError as error:
        needed = " The role Rapport.Admin is needed." if error.status in NO_RIGHT else ""
        return f"not asked to reconcile subscriptions ({error.status}).{needed} The app does it next night."
    return "asked to reconcile subscriptions"


def before_provision(*, dry_run: bool) -> None:
    """Check, and make what the templates need to know."""
    check_environment()
    wanted, start = registrations(), budget_start(datetime.now(UTC))
    if dry_run:
        print(json.dumps({"budgetStart": start, "requests": [one._asdict() for one in wanted.requests()]}))
        return
    if given("RAPPORT_MONTHLY_BUDGET", "0") != "0":
        keep("RAPPORT_BUDGET_START", start)
    if vault := given("RAPPORT_KEY_VAULT_ID"):
        # The templates refer to them, so they must be there before.
        if given("RAPPORT_OWN_KEYS") == "true":
            make_secrets(vault)
    elif not given("RAPPORT_OWN_KEYS"):
        keep("RAPPORT_OWN_KEYS", "true")  # a new installation has never handed out keys that come from the persons' key
    wants_graph = wanted.mode and not given("RAPPORT_GRAPH_CLIENT_ID")
    if wants_graph or not given("RAPPORT_AUTH_CLIENT_ID"):
        register(wanted, signed_in(given("RAPPORT_GRAPH", GRAPH)))


EXCHANGE = """\
    Connect-MgGraph -Scopes Application.Read.All; Connect-ExchangeOnline
    $app = Get-MgServicePrincipal -Filter "appId eq '{client}'"
    New-ServicePrincipal -AppId {client} -ObjectId $app.Id -DisplayName "Rapport"
    $group = (Get-Group "GROUP OF THE PEOPLE WHOSE MAILBOXES ARE READ").DistinguishedName
    New-ManagementScope -Name "Rapport" -RecipientRestrictionFilter "MemberOfGroup -eq '$group'"
    New-ManagementRoleAssignment -App $app.Id -Role "Application Mail.Read" -CustomResourceScope "Rapport"
    New-ManagementRoleAssignment -App $app.Id -Role "Application Calendars.Read" -CustomResourceScope "Rapport"
    Test-ServicePrincipalAuthorization -Identity $app.Id -Resource ONE-OF-THEM@YOUR-DOMAIN"""
SENDING = """\
    $app = Get-MgServicePrincipal -Filter "appId eq '{client}'"
    New-ServicePrincipal -AppId {client} -ObjectId $app.Id -DisplayName "Rapport"  # unless it is there
    $askers = (Get-Group "GROUP OF THE PEOPLE WHO MAY ASK FOR INTRODUCTIONS").DistinguishedName
    New-ManagementScope -Name "Rapport senders" -RecipientRestrictionFilter "MemberOfGroup -eq '$askers'"
    New-ManagementRoleAssignment -App $app.Id -Role "Application Mail.Send" -CustomResourceScope "Rapport senders"
    Test-ServicePrincipalAuthorization -Identity $app.Id -Resource ONE-WHO-ASKS@YOUR-DOMAIN"""


def consent_address(client: str, tenant: str, back: str) -> str:
    """The consent page, for an administrator who is no administrator of Rapport; without a state, so a probe alone finds out."""
    query = {"client_id": client, "scope": f"{GRAPH}/.default", "redirect_uri": back}
    return f"{entra.LOGIN}/{tenant or 'YOUR-TENANT'}/v2.0/adminconsent?{urlencode(query)}"


def next_steps(client: str, tenant: str, mode: str, back: str = "", *, sends: bool = False) -> str:
    """What people have to do: roles, for mailboxes the consent, and in Exchange the scopes of reading and of sending."""
    steps = ["Next: azd deploy. Give people the roles of docs/deploy.md, section Sign-in."]
    if mode and client:
        address = consent_address(client, tenant, back or "https://YOUR-APP/api/consent/done")
        steps.append(
            "Mailboxes: enable them (docs/deploy.md), which leads whoever has the role Rapport.Admin to the consent page. "
            f"For another administrator:\n    {address}"
        )
    if mode == "push" and client:
        steps.append("and choose whose mailboxes, in PowerShell:\n" + EXCHANGE.replace("{client}", client))
    if sends and client:
        steps.append(
            "Introductions are sent by mail: choose from whose mailboxes:\n" + SENDING.replace("{client}", client)
        )
    return "\n".join(steps)


def after_provision(*, dry_run: bool) -> None:
    """Let the identity vouch for the registration, make secrets, say what a person has to do."""
    wanted, vault = registrations(), given("RAPPORT_KEY_VAULT_ID")
    if dry_run:
        requests = [one._asdict() for one in wanted.requests()]
        print(json.dumps({"requests": requests, "secrets": [f"{vault}/secrets/{name}" for name in SECRETS]}))
        return
    register(wanted, signed_in(given("RAPPORT_GRAPH", GRAPH)))
    make_secrets(vault)
    sends = given("RAPPORT_SEND_INTRODUCTIONS").lower() == "true"
    print(next_steps(given("RAPPORT_GRAPH_CLIENT_ID"), wanted.tenant, wanted.mode, wanted.redirect, sends=sends))


def after_deploy(*, dry_run: bool) -> None:
    """Wait for the app, then have its Graph subscriptions follow its address where mailboxes are read by notifications."""
    address, audience = given("SERVICE_API_ENDPOINT"), given("RAPPORT_AUTH_CLIENT_ID")
    asks = bool(audience and given("RAPPORT_GRAPH_MODE") == "push")
    if dry_run:
        then = [f"POST {address}/api/consent/reconcile"] if asks else []
        print(json.dumps({"health": f"{address}/api/health", "then": then}))
        return
    print(json.dumps(wait_for_health(address, float(given("RAPPORT_HEALTH_SECONDS", str(HEALTH_SECONDS))))))
    if asks:
        print(ask_to_reconcile(signed_in(f"api://{audience}", address)), file=sys.stderr)


STEPS = {"before-provision": before_provision, "after-provision": after_provision, "after-deploy": after_deploy}


def main() -> None:
    """Run one step."""
    parser = argparse.ArgumentParser(prog="python -m scripts.deployment", description=__doc__)
    parser.add_argument("step", choices=STEPS)
    parser.add_argument("--dry-run", action="store_true", help="print what would be done, do nothing")
    arguments = parser.parse_args()
    try:
        STEPS[arguments.step](dry_run=arguments.dry_run)
    except RestError as error:
        sys.exit(f"{arguments.step}: {error}")


if __name__ == "__main__":
    main()
