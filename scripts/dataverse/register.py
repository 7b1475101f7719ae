"""`python -m scripts.dataverse.register apply|undo`: have Dataverse tell the app of every change, through a webhook.

`apply` may be repeated: it makes what is missing, changes what differs and removes steps of ours that are no longer wanted.
`undo` removes all of it. With `--dry-run` both print what they would send. docs/connect-crm.md explains it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import quoteattr

import httpx

from scripts.dataverse.steps import NAME, Step, wanted
from scripts.dataverse.webapi import WebApi, WebApiError
from scripts.sign_in import token_source

WEBHOOK, HTTP_HEADER, JSON = 8, 5, 2  # contract, authtype, messageformat of a service endpoint
ASYNCHRONOUS, POST_OPERATION, SERVER_ONLY, PRE_IMAGE = 1, 40, 0, 0
_PROPERTY = {"Delete": "Target", "Update": "Target"}  # of the message, which the image is of


class KeyRefusedError(Exception):
    """The app does not tell the webhook's key."""


@dataclass(frozen=True)
class Registration:
    """A webhook at `url` that sends the header `header: key`."""

    url: str
    header: str
    key: str

    def endpoint(self) -> dict[str, Any]:
        """The service endpoint."""
        value = f"<settings><setting name={quoteattr(self.header)} value={quoteattr(self.key)} /></settings>"
        return {
            "name": NAME,
            "description": "Tells Rapport of changes. Made by scripts/dataverse/register.py.",
            "contract": WEBHOOK,
            "authtype": HTTP_HEADER,
            "authvalue": value,
            "messageformat": JSON,
            "url": self.url,
        }


def ask_key(app: str, token: str) -> Registration:
    """What the app wants a webhook to send. Raises KeyRefusedError."""
    answer = httpx.get(f"{app}/api/crm/dataverse/key", headers={"Authorization": f"Bearer {token}"}, timeout=60.0)
    if answer.status_code != httpx.codes.OK:
        raise KeyRefusedError(f"The app answers {answer.status_code}: the role Rapport.Admin is needed.")
    told = answer.json()
    return Registration(f"{app}/api/crm/dataverse", told["header"], told["key"])


def apply(api: WebApi, wished: Registration) -> list[str]:
    """Make everything as wished; gives the steps that this environment does not offer. Raises WebApiError."""
    endpoint = _endpoint_id(api)
    if endpoint is None:
        endpoint = api.write("POST", "serviceendpoints", wished.endpoint())
        there: dict[str, dict[str, Any]] = {}
    else:
        api.write("PATCH", f"serviceendpoints({endpoint})", wished.endpoint())
        there = _steps_of(api, endpoint)
    offered, missing = _messages(api), []
    for step in wanted():
        if step.name in there:
            _bring_in_line(api, step, there.pop(step.name))
        elif ids := offered.get((step.table, step.message)):
            _make(api, endpoint, step, ids)
        else:
            missing.append(step.name)
    _remove(api, there)
    return missing


def undo(api: WebApi) -> int:
    """Remove the webhook and its steps; how many steps there were."""
    endpoint = _endpoint_id(api)
    if endpoint is None:
        return 0
    there = _steps_of(api, endpoint)
    _remove(api, there)
    api.write("DELETE", f"serviceendpoints({endpoint})")
    return len(there)


def _endpoint_id(api: WebApi) -> str | None:
    query = f"serviceendpoints?$select=serviceendpointid&$filter=name eq '{NAME}' and contract eq {WEBHOOK}"
    rows = api.get(query).rows
    return str(rows[0]["serviceendpointid"]) if rows else None


def _steps_of(api: WebApi, endpoint: str) -> dict[str, dict[str, Any]]:
    query = f"sdkmessageprocessingsteps?$select=name,filteringattributes&$filter=_eventhandler_value eq {endpoint}"
    return {row["name"]: row for row in api.pages(query)}


def _messages(api: WebApi) -> dict[tuple[str, str], tuple[str, str]]:
    """By table and message: the ids of message and filter. Not every environment has every table."""
    names = sorted({step.message for step in wanted()})
    listed = ",".join(f"'{name}'" for name in names)
    chosen = f"Microsoft.Dynamics.CRM.In(PropertyName='name',PropertyValues=[{listed}])"
    messages = f"sdkmessages?$select=sdkmessageid,name&$filter={chosen}"
    ids = {row["sdkmessageid"]: row["name"] for row in api.pages(messages)}
    found = {("", name): (id, "") for id, name in ids.items()}
    for table in sorted({step.table for step in wanted() if step.table}):
        query = (
            "sdkmessagefilters?$select=sdkmessagefilterid,_sdkmessageid_value"
            f"&$filter=primaryobjecttypecode eq '{table}' and iscustomprocessingstepallowed eq true"
        )
        for row in api.pages(query):
            if name := ids.get(row["_sdkmessageid_value"]):
                found[table, name] = (row["_sdkmessageid_value"], row["sdkmessagefilterid"])
    return found


def _make(api: WebApi, endpoint: str, step: Step, ids: tuple[str, str]) -> None:
    message, message_filter = ids
    body: dict[str, Any] = {
        "name": step.name,
        "description": f"{step.message} of {step.table or 'any table'}, told to Rapport",
        "mode": ASYNCHRONOUS,
        "stage": POST_OPERATION,
        "rank": 1,
        "supporteddeployment": SERVER_ONLY,
        "asyncautodelete": True,
        "eventhandler_serviceendpoint@odata.bind": f"/serviceendpoints({endpoint})",
        "sdkmessageid@odata.bind": f"/sdkmessages({message})",
    }
    if message_filter:
        body["sdkmessagefilterid@odata.bind"] = f"/sdkmessagefilters({message_filter})"
    if step.columns:
        body["filteringattributes"] = ",".join(step.columns)
    made = api.write("POST", "sdkmessageprocessingsteps", body)
    if step.image:
        _make_image(api, made, step)


def _make_image(api: WebApi, made: str, step: Step) -> None:
    image = {
        "name": "before",
        "entityalias": "before",
        "imagetype": PRE_IMAGE,
        "messagepropertyname": _PROPERTY[step.message],
        "attributes": ",".join(step.image),
        "sdkmessageprocessingstepid@odata.bind": f"/sdkmessageprocessingsteps({made})",
    }
    api.write("POST", "sdkmessageprocessingstepimages", image)


def _bring_in_line(api: WebApi, step: Step, row: dict[str, Any]) -> None:
    columns = ",".join(step.columns)
    id = row["sdkmessageprocessingstepid"]
    if (row.get("filteringattributes") or "") != columns:
        api.write("PATCH", f"sdkmessageprocessingsteps({id})", {"filteringattributes": columns or None})
    images = f"sdkmessageprocessingstepimages?$select=name&$filter=_sdkmessageprocessingstepid_value eq {id}"
    if step.image and not api.get(images).rows:  # broken off between the step and its image
        _make_image(api, id, step)


def _remove(api: WebApi, steps: dict[str, dict[str, Any]]) -> None:
    for name in sorted(steps):
        api.write("DELETE", f"sdkmessageprocessingsteps({steps[name]['sdkmessageprocessingstepid']})")


def hidden(method: str, path: str, body: Any) -> str:
    """A request as a dry run shows it: without the key."""
    shown = {name: "…" if name == "authvalue" else value for name, value in (body or {}).items()}
    return json.dumps({"method": method, "path": path, **({"body": shown} if body else {})})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scripts.dataverse.register", description=__doc__)
    parser.add_argument("action", choices=("apply", "undo"))
    parser.add_argument("--crm", required=True, help="address of the environment, https://contoso.crm4.dynamics.com")
    parser.add_argument("--app", default="", help="apply: address of the app, https://NAME.azurewebsites.net")
    given = os.environ.get("RAPPORT_AUTH_CLIENT_ID", "")
    parser.add_argument(
        "--audience", default=given, help="client id of the app's registration (RAPPORT_AUTH_CLIENT_ID)"
    )
    parser.add_argument("--dry-run", action="store_true", help="print what would be sent, send nothing")
    arguments = parser.parse_args()
    if arguments.action == "apply" and not arguments.app:
        parser.error("apply needs --app")
    return arguments


def main() -> None:
    """Do what is asked and say what was done."""
    given = _arguments()
    crm, app = given.crm.rstrip("/"), given.app.rstrip("/")
    api = WebApi(crm, token_source(f"{crm}/.default", "RAPPORT_CRM_TOKEN"), dry_run=given.dry_run)
    api.tell = lambda method, path, body: print(hidden(method, path, body))
    try:
        if given.action == "undo":
            print(f"{undo(api)} steps", file=sys.stderr)
            return
        # A dry run shows no key, so it needs none.
        token = "" if given.dry_run else token_source(f"api://{given.audience}/.default", "RAPPORT_APP_TOKEN")()
        wished = Registration(f"{app}/api/crm/dataverse", "x-rapport-key", "") if given.dry_run else ask_key(app, token)
        missing = apply(api, wished)
    except (WebApiError, KeyRefusedError) as error:
        sys.exit(str(error))
    print(f"{len(wanted()) - len(missing)} steps; not offered here: {', '.join(missing) or 'none'}", file=sys.stderr)


if __name__ == "__main__":
    main()
