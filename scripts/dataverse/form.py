"""`python -m scripts.dataverse.form apply|undo`: a tab with the widgets on a main form of Dynamics 365.

`apply` puts two web resources into the environment (the page, and Microsoft's sign-in library that it needs), adds a tab to
the form and publishes both. `undo` takes them away. Both may be repeated; with `--dry-run` they print what they would send.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import sys
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from scripts.dataverse import formxml
from scripts.dataverse.webapi import NEVER_SENT, WebApi, WebApiError
from scripts.sign_in import token_source

PAGE_TYPE, SCRIPT_TYPE = 1, 3  # webresourcetype
MAIN_FORM = 2
TABLES = ("account", "contact", "lead", "opportunity", "incident")
_TEMPLATE = Path(__file__).with_name("form.html")
_SHOWN = 80  # characters of a long text in a dry run


class FormError(Exception):
    """There is no such form, or it cannot be changed."""


class Page(NamedTuple):
    """What the page has to know: the app's address and client id, tenant, client id of the page's own registration."""

    app: str
    audience: str
    tenant: str
    form_client: str
    prefix: str = "new"

    def html(self) -> bytes:
        """The page with all values in their places."""
        text = _TEMPLATE.read_text(encoding="utf-8")
        for name, value in self._asdict().items():
            text = text.replace(f"{{{name}}}", value)
        return text.encode()

    def resources(self, library: bytes) -> dict[str, tuple[int, bytes]]:
        """Name -> type and content of the web resources."""
        folder = f"{self.prefix}_/rapport"
        return {
            f"{folder}/msal-browser.min.js": (SCRIPT_TYPE, library),
            f"{folder}/form.html": (PAGE_TYPE, self.html()),
        }


def apply(api: WebApi, page: Page, library: bytes, table: str, form: str, language: int = 1033) -> None:
    """Make the web resources, add the tab to each main form of that name (all if empty), publish. Raises FormError."""
    forms = _forms(api, table, form)
    made = [_resource(api, name, *about) for name, about in page.resources(library).items()]
    for row in forms:
        text = formxml.with_tab(row["formxml"], f"{page.prefix}_/rapport/form.html", language)
        if text != row["formxml"]:
            api.write("PATCH", f"systemforms({row['formid']})", {"formxml": text})
    _publish(api, table, made)


def undo(api: WebApi, prefix: str) -> int:
    """Take the tab off every form, publish, and delete the web resources; how many forms there were."""
    changed = 0
    for table in TABLES:
        rows = [(row, formxml.without_tab(row["formxml"])) for row in _all_forms(api, table)]
        found = [(row, text) for row, text in rows if text is not None]
        for row, text in found:
            api.write("PATCH", f"systemforms({row['formid']})", {"formxml": text})
        if found:
            _publish(api, table, [])
        changed += len(found)
    for name in (f"{prefix}_/rapport/form.html", f"{prefix}_/rapport/msal-browser.min.js"):
        if id := _resource_id(api, name):
            api.write("DELETE", f"webresourceset({id})")
    return changed


def _all_forms(api: WebApi, table: str) -> list[dict[str, Any]]:
    query = f"systemforms?$select=formid,name,formxml&$filter=objecttypecode eq '{table}' and type eq {MAIN_FORM}"
    return [row for row in api.pages(query) if row.get("formxml")]


def _forms(api: WebApi, table: str, form: str) -> list[dict[str, Any]]:
    rows = _all_forms(api, table)
    found = [row for row in rows if form in ("", row["name"])]
    if not found:
        names = ", ".join(sorted({row["name"] for row in rows})) or "none"
        raise FormError(f"{table} has no main form {form!r}. There are: {names}.")
    return found


def _resource_id(api: WebApi, name: str) -> str | None:
    rows = api.get(f"webresourceset?$select=webresourceid&$filter=name eq '{name}'").rows
    return str(rows[0]["webresourceid"]) if rows else None


def _resource(api: WebApi, name: str, kind: int, content: bytes) -> str:
    encoded = base64.b64encode(content).decode()
    if id := _resource_id(api, name):
        api.write("PATCH", f"webresourceset({id})", {"content": encoded})
        return id
    body = {
        "name": name,
        "displayname": f"Rapport {name.rpartition('/')[2]}",
        "webresourcetype": kind,
        "content": encoded,
    }
    return api.write("POST", "webresourceset", body)


def _publish(api: WebApi, table: str, resources: list[str]) -> None:
    listed = "".join(f"<webresource>{{{UUID(id)}}}</webresource>" for id in resources if id != NEVER_SENT)
    parts = f"<entities><entity>{table}</entity></entities><webresources>{listed}</webresources>"
    api.write("POST", "PublishXml", {"ParameterXml": f"<importexportxml>{parts}</importexportxml>"})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scripts.dataverse.form", description=__doc__)
    given = os.environ.get
    parser.add_argument("action", choices=("apply", "undo"))
    parser.add_argument("--crm", required=True, help="address of the environment, https://contoso.crm4.dynamics.com")
    parser.add_argument("--app", default="", help="address of the app, https://NAME.azurewebsites.net")
    parser.add_argument(
        "--audience", default=given("RAPPORT_AUTH_CLIENT_ID", ""), help="client id of the app's registration"
    )
    parser.add_argument("--tenant", default=given("AZURE_TENANT_ID", ""), help="id of the tenant")
    parser.add_argument("--form-client", default="", help="client id of the page's own registration (single page)")
    parser.add_argument("--msal", type=Path, help="file msal-browser.min.js of the npm package @azure/msal-browser")
    parser.add_argument("--table", choices=TABLES, default="opportunity")
    parser.add_argument("--form", default="", help="name of the main form; all of the table if left out")
    parser.add_argument("--prefix", default="new", help="customisation prefix of your publisher")
    parser.add_argument("--language", type=int, default=1033, help="language code of the tab's label")
    parser.add_argument("--dry-run", action="store_true", help="print what would be sent, send nothing")
    arguments = parser.parse_args()
    needed = ("app", "audience", "tenant", "form_client", "msal")
    if arguments.action == "apply" and (missing := [name for name in needed if not getattr(arguments, name)]):
        parser.error(f"apply needs {', '.join('--' + name.replace('_', '-') for name in missing)}")
    return arguments


def shortened(method: str, path: str, body: Any) -> str:
    """A request as a dry run shows it, without the bulk of pages and forms."""
    shown = {
        name: value if len(str(value)) <= _SHOWN else f"{str(value)[:_SHOWN]}…" for name, value in (body or {}).items()
    }
    return json.dumps({"method": method, "path": path, **({"body": shown} if body else {})}, ensure_ascii=False)


def main() -> None:
    """Do what is asked."""
    given = _arguments()
    crm = given.crm.rstrip("/")
    api = WebApi(crm, token_source(f"{crm}/.default", "RAPPORT_CRM_TOKEN"), dry_run=given.dry_run)
    api.tell = lambda method, path, body: print(shortened(method, path, body))
    try:
        if given.action == "undo":
            print(f"{undo(api, given.prefix)} forms", file=sys.stderr)
            return
        page = Page(given.app.rstrip("/"), given.audience, given.tenant, given.form_client, given.prefix)
        apply(api, page, given.msal.read_bytes(), given.table, given.form, given.language)
    except (WebApiError, FormError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
