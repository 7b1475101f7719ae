"""What a ready stack tells the world: `ready.json` for programs, a few lines to paste for people."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping, Sequence

from local.supervisor.folder import StateFolder, write_private
from local.supervisor.options import Options
from local.supervisor.processes import Process

ROLES = ("Rapport.Reader", "Rapport.Ingest", "Rapport.Admin")
TOKEN_SECONDS = 12 * 3_600
WIDGETS = "/api/records/{type}/{id}/widgets"


def token(signin_url: str, *roles: str) -> str:
    """A bearer token with these roles, signed by the sign-in simulator, good for 12 hours; named after the first."""
    wanted = {"roles": roles, "lifetime": TOKEN_SECONDS, "name": f"Sample {roles[0].rpartition('.')[2]}"}
    body = json.dumps(wanted).encode()
    request = urllib.request.Request(f"{signin_url}/control/token", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return str(json.load(response)["access_token"])


def widgets_url(options: Options, record_type: str, record_id: str) -> str:
    return options.base_url + WIDGETS.format(type=record_type, id=record_id)


def write_ready(
    folder: StateFolder, options: Options, records: Mapping[str, str], processes: Sequence[Process]
) -> None:
    """Say that all is up and loaded. The file holds tokens, so that nobody else may read it."""
    content = {
        "base_url": options.base_url,
        "form_url": options.form_url,
        "tokens": {role: token(options.signin_url, role) for role in ROLES},
        "records": dict(records),
        "processes": [{"name": process.name, "pid": process.pid} for process in processes],
    }
    write_private(folder.ready, content)


def how_to_use(folder: StateFolder, options: Options, records: Mapping[str, str]) -> str:
    """Addresses, and commands that work as they are; the token is read from the file, never printed."""
    file = folder.ready
    lines = [
        "",
        "Rapport is ready.",
        f"  sample form    {options.form_url}",
        f"  lists          {options.form_url}/lists",
        f"  my data        {options.form_url}/me",
        f"  administration {options.form_url}/admin",
        f"  app            {options.base_url}",
        f"  API document   {options.base_url}/api/openapi.json",
        f"  sign-in        {options.signin_url}",
        f"  queue depths   {options.status_url}/queues",
        f"  tables         http://127.0.0.1:{options.tables_port}",
        f"  tokens, ids    {file}",
        "",
        "Try:",
        f"""  TOKEN=$(python3 -c 'import json; print(json.load(open("{file}"))["tokens"]["Rapport.Reader"])')""",
    ]
    order = sorted(records, key=lambda kind: (kind == "opportunity", kind))
    lines += [f'  curl -s -H "Authorization: Bearer $TOKEN" {widgets_url(options, k, records[k])}' for k in order]
    return "\n".join([*lines, "", "Ctrl-C, or `python -m local.run stop`, stops everything."])
