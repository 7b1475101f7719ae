"""`python -m scripts.entra show|apply|undo`: the app registrations in Microsoft Entra.

`show` prints every request and sends none. `apply` may be repeated: each request says what shall be, by name. `undo`
deletes the registrations; an administrator can restore them for 30 days. Whoever runs this needs the role Application
Administrator, or may hand it to somebody who has it. Standard library only.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

from scripts.rest import GRAPH, RestError, Service, signed_in, tenant_of

_IDS = uuid.UUID("5b1d3a52-6a0c-4b7e-8f6e-0d8a0f0e7c11")  # our namespace of ids that must not change
ROLES = {
    "Rapport.Reader": "Read widgets, lists and who knows whom",
    "Rapport.CoverRisk": "See whose leaving a relationship would not survive",
    "Rapport.Lookup": "See who knows whom, where the organisation's settings ask for this role",
    "Rapport.Ingest": "Send changed CRM activities",
    "Rapport.Admin": "Change settings, give consent, handle privacy requests",
    "Rapport.Privacy": "Handle privacy requests, see how much each reader read",
}
GRAPH_APP = "00000003-0000-0000-c000-000000000000"
DIRECTORY = {
    "User.ReadBasic.All": "97235f07-e226-4f63-ace3-39588e11d3a1",
    "GroupMember.Read.All": "98830695-27a2-44f7-8c18-0c3ebc9698f6",
}
# Mail and calendars, by GRAPH_MODE. With "push" Exchange grants them per mailbox; a grant here would add all the others.
MAILBOXES = {
    "push": {},
    "poll": {
        "Mail.ReadBasic.All": "693c5e45-0940-467d-9b8a-1022fb9d42ef",
        "Calendars.ReadBasic.All": "8ba4a692-bc31-4128-9094-475872af8a53",
    },
}
LOGIN = "https://login.microsoftonline.com"
# Microsoft's own public client behind `az` and `azd`: administrators call the app from their shell without a consent page.
COMMAND_LINE = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
UPSERT = {"Prefer": "create-if-missing"}


class Request(NamedTuple):
    """One request to Graph. `{appId}` in path and body stands for the client id of the registration before it."""

    method: str
    path: str
    body: dict[str, Any] | None = None


class Registrations(NamedTuple):
    """What shall exist: environment and tenant; the identity's object id once there is one; push, poll or neither;
    the page to which the consent page sends back.
    """

    environment: str
    tenant: str
    identity: str = ""
    mode: str = ""
    redirect: str = ""

    def names(self) -> list[str]:
        """The unique names of the registrations."""
        parts = ["api", *([f"graph-{self.mode}"] if self.mode else [])]
        return [f"rapport-{part}-{self.environment}" for part in parts]

    def requests(self) -> Iterator[Request]:
        """All that `apply` sends, in its order."""
        yield from self._registration("api", self._api())
        yield Request("PATCH", _application(self.names()[0]), {"identifierUris": ["api://{appId}"]})
        if self.mode:
            yield from self._registration(f"graph-{self.mode}", self._graph())

    def _registration(self, part: str, body: dict[str, Any]) -> Iterator[Request]:
        name = f"rapport-{part}-{self.environment}"
        common = {"displayName": f"Rapport {part} ({self.environment})", "signInAudience": "AzureADMyOrg"}
        yield Request("PATCH", _application(name), common | body)
        # Only who was given a role gets a token.
        assigned = {"appRoleAssignmentRequired": part == "api"}
        yield Request("PATCH", "/v1.0/servicePrincipals(appId='{appId}')", assigned)
        if self.identity:
            credential = f"{_application(name)}/federatedIdentityCredentials(name='rapport')"
            yield Request("PATCH", credential, self._credential())

    def _api(self) -> dict[str, Any]:
        roles = [
            {
                "id": str(uuid.uuid5(_IDS, role)),
                "value": role,
                "displayName": role,
                "description": meaning,
                "allowedMemberTypes": ["User", "Application"],
                "isEnabled": True,
            }
            for role, meaning in ROLES.items()
        ]
        scope = {
            "id": str(uuid.uuid5(_IDS, "access")),
            "value": "access",
            "type": "User",
            "adminConsentDisplayName": "Use Rapport",
            "adminConsentDescription": "Use Rapport as the signed-in user.",
            "isEnabled": True,
        }
        commands = [{"appId": COMMAND_LINE, "delegatedPermissionIds": [scope["id"]]}]
        api = {
            "requestedAccessTokenVersion": 2,
            "oauth2PermissionScopes": [scope],
            "preAuthorizedApplications": commands,
        }
        return {"appRoles": roles, "api": api}

    def _graph(self) -> dict[str, Any]:
        permissions = DIRECTORY | MAILBOXES[self.mode]
        access = [{"id": identifier, "type": "Role"} for identifier in permissions.values()]
        web = {"web": {"redirectUris": [self.redirect]}} if self.redirect else {}
        return {"requiredResourceAccess": [{"resourceAppId": GRAPH_APP, "resourceAccess": access}], **web}

    def _credential(self) -> dict[str, Any]:
        """The managed identity vouches for the registration, so there is no secret that could leak or run out."""
        return {
            "issuer": f"{LOGIN}/{self.tenant}/v2.0",
            "subject": self.identity,
            "audiences": ["api://AzureADTokenExchange"],
        }


def _application(name: str) -> str:
    return f"/v1.0/applications(uniqueName='{name}')"


def apply(wanted: Registrations, graph: Service) -> dict[str, str]:
    """Make everything as wanted; gives the client id by name. Raises RestError."""
    found: dict[str, str] = {}
    for request in wanted.requests():
        name = next((one for one in wanted.names() if f"'{one}'" in request.path), "")
        known = found.get(name) or (list(found.values())[-1] if found else "")
        path = request.path.replace("{appId}", known)
        body = json.loads(json.dumps(request.body).replace("{appId}", known))
        graph.call(request.method, path, body, UPSERT)
        if name and name not in found:
            found[name] = str(graph.call("GET", f"{_application(name)}?$select=appId")["appId"])
    return found


def undo(wanted: Registrations, graph: Service) -> list[str]:
    """Delete what `apply` made; gives the names that were there."""
    gone = []
    for name in wanted.names():
        try:
            graph.call("DELETE", _application(name))
            gone.append(name)
        except RestError as error:
            if error.status != 404:
                raise
    return gone


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scripts.entra", description=__doc__)
    parser.add_argument("action", choices=("show", "apply", "undo"))
    given = os.environ.get
    parser.add_argument("--environment", default=given("AZURE_ENV_NAME", ""), help="name of the azd environment")
    parser.add_argument("--tenant", default=given("AZURE_TENANT_ID", ""))
    parser.add_argument(
        "--identity", default=given("RAPPORT_IDENTITY_PRINCIPAL_ID", ""), help="object id of the identity"
    )
    parser.add_argument("--mode", default=given("RAPPORT_GRAPH_MODE", ""), choices=("", *MAILBOXES))
    parser.add_argument("--redirect", default=given("RAPPORT_CONSENT_REDIRECT_URL", ""), help="page after consent")
    parser.add_argument("--graph", default=GRAPH, help="address of Microsoft Graph")
    arguments = parser.parse_args()
    if not arguments.environment:
        parser.error("--environment is needed")
    return arguments


def main() -> None:
    """Do what is asked and print it."""
    arguments = _arguments()
    wanted = Registrations(arguments.environment, arguments.tenant, arguments.identity, arguments.mode)
    wanted = wanted._replace(redirect=arguments.redirect)
    if arguments.action == "show":
        for request in wanted.requests():
            print(json.dumps(request._asdict()))
        return
    graph = signed_in(arguments.graph)
    wanted = wanted._replace(tenant=wanted.tenant or tenant_of(graph))
    try:
        done = apply(wanted, graph) if arguments.action == "apply" else undo(wanted, graph)
    except RestError as error:
        sys.exit(f"{arguments.action}: {error}")
    print(json.dumps(done))


if __name__ == "__main__":
    main()
