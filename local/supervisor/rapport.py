"""The pieces of Rapport's own stack: tables, Service Bus, Graph with the sign-in, host, in the order in which they start."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from typing import Any

from local import azurite
from local.graph.consent import REGISTRATIONS
from local.node import ROOT
from local.supervisor.folder import StateFolder, write_private
from local.supervisor.options import Options
from local.supervisor.pieces import Piece, StackError
from local.tokens import API_CLIENT_ID, TENANT

AMQP_SASL = b"AMQP\x03\x01\x00\x00"
FUNC_SERVICEBUS_PORT = 5672  # the host's own client ignores the port of a development connection string
HEALTH_SECONDS = 5.0


def uses_func(options: Options) -> bool:
    """Whether Azure Functions Core Tools run the host. Raises StackError when they are asked for and not usable."""
    if options.host == "local":
        return False
    program = shutil.which("func")
    usable = program is not None and _runs([program, "--version"])
    if options.host == "func" and not usable:
        raise StackError("RAPPORT_HOST=func, but `func --version` does not answer: install Azure Functions Core Tools.")
    if usable and options.servicebus_port != FUNC_SERVICEBUS_PORT:
        raise StackError(f"func reaches Service Bus on port {FUNC_SERVICEBUS_PORT} only; set RAPPORT_SERVICEBUS_PORT.")
    return usable


def _runs(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def ports(options: Options, func: bool) -> dict[str, int]:
    """The ports that the stack will open, by the variable that changes each."""
    names = ["tables_port", "servicebus_port", "servicebus_status_port", "signin_port", "host_port", "form_port"]
    names += ["blobs_port", "queues_port"] if func else []
    return {f"RAPPORT_{name.upper()}": getattr(options, name) for name in names}


def pieces(options: Options, folder: StateFolder, func: bool) -> list[Piece]:
    """All five. Raises FileNotFoundError when node or Azurite is missing."""
    keys = _keys(folder)
    return [
        _tables(options, folder, func),
        _service_bus(options, folder, keys["serviceBus"]),
        _graph(options, folder),
        _host(options, folder, keys, func),
        _form(options, folder),
    ]


def _keys(folder: StateFolder) -> dict[str, str]:
    """The keys of this folder, made at its first start: the tables are worthless without the key of its person hashes."""
    file = folder.root / "keys.json"
    if not file.exists():
        random = {name: base64.b64encode(secrets.token_bytes(32)).decode() for name in ("person", "serviceBus")}
        write_private(file, random)
    loaded: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return loaded


def _tables(options: Options, folder: StateFolder, func: bool) -> Piece:
    state = folder.part("azurite")
    command = azurite.tables_command(state, options.tables_port)
    if func:
        command = azurite.storage_command(state, options.tables_port, options.blobs_port, options.queues_port)
    healthy = _tables_answer(options.tables_port)
    return Piece("tables", command, healthy, folder=ROOT, stop_signal=azurite.STOP_SIGNAL)


def _tables_answer(port: int) -> Callable[[], bool]:
    return lambda: azurite.lists_tables(port)


def _python(module: str, **flags: object) -> list[str]:
    given = [(f"--{name.replace('_', '-')}", str(value)) for name, value in flags.items() if value is not None]
    return [sys.executable, "-m", module, *(text for pair in given for text in pair)]


def _service_bus(options: Options, folder: StateFolder, key: str) -> Piece:
    command = _python(
        "local.bus",
        port=options.servicebus_port,
        folder=folder.part("servicebus"),
        queues=ROOT / "infra" / "queues.json",
        status_port=options.servicebus_status_port,
        key=key,
        lock_seconds=options.lock_seconds,
    )
    return Piece("servicebus", command, lambda: speaks_amqp(options.servicebus_port), folder=ROOT)


def speaks_amqp(port: int) -> bool:
    """Whether a server answers the SASL header of AMQP 1.0 with the same."""
    try:
        with socket.create_connection(("127.0.0.1", port), HEALTH_SECONDS) as connection:
            connection.sendall(AMQP_SASL)
            return connection.recv(len(AMQP_SASL), socket.MSG_WAITALL) == AMQP_SASL
    except OSError:
        return False


def _graph(options: Options, folder: StateFolder) -> Piece:
    """Graph and the sign-in in one process. Nobody has consented yet: that is for the administrator to try."""
    command = [*_python("local.graph", port=options.signin_port, folder=folder.part("graph")), "--no-consent"]
    command += ["--sample"] if options.sample else []
    return Piece("graph", command, lambda: answer(f"{options.signin_url}/health") is not None, folder=ROOT)


def answer(url: str) -> Any:
    """The JSON behind a local address; None when there is no such answer (yet)."""
    try:
        with urllib.request.urlopen(url, timeout=HEALTH_SECONDS) as response:
            return json.load(response)
    except (OSError, ValueError):
        return None


def _host(options: Options, folder: StateFolder, keys: dict[str, str], func: bool) -> Piece:
    if func:
        command = [str(shutil.which("func")), "start", "--port", str(options.host_port)]
    else:
        command = _python("local.host", port=options.host_port, folder=folder.part("host"), root=ROOT)

    def healthy() -> bool:
        return (answer(f"{options.base_url}/admin/host/status") or {}).get("state") == "Running"

    environment = host_environment(options, keys["person"], keys["serviceBus"], func)
    return Piece("host", command, healthy, environment=environment, folder=ROOT)


def _form(options: Options, folder: StateFolder) -> Piece:
    command = _python(
        "local.form", port=options.form_port, app=options.base_url, signin=options.signin_url, folder=folder.root
    )
    return Piece("form", command, lambda: answer(f"{options.form_url}/health") is not None, folder=ROOT)


def service_bus_connection_string(port: int, key: str) -> str:
    name = "SharedAccessKeyName=RootManageSharedAccessKey"
    return f"Endpoint=sb://localhost:{port};{name};SharedAccessKey={key};UseDevelopmentEmulator=true;"


def host_environment(options: Options, person_key: str, bus_key: str, func: bool) -> dict[str, str]:
    """The app's settings, in the environment, which wins over local.settings.json."""
    # With either of these the Python worker believes that it is in Azure.
    inherited = {k: v for k, v in os.environ.items() if k not in ("CONTAINER_NAME", "WEBSITE_INSTANCE_ID")}
    tenant = f"{options.signin_url}/{TENANT}/v2.0"
    blobs, queues = (options.blobs_port, options.queues_port) if func else (None, None)
    storage = azurite.connection_string(options.tables_port, blobs, queues)
    return inherited | {
        "CRM_CHANGES_QUEUE": "crm-changes",
        "RECORD_UPDATES_QUEUE": "record-updates",
        "PEOPLE_UPDATES_QUEUE": "people-updates",
        "GRAPH_LIFECYCLE_QUEUE": "graph-lifecycle",
        "GRAPH_DIRTY_QUEUE": "graph-dirty",
        "GRAPH_BACKFILL_QUEUE": "graph-backfill",
        "GRAPH_ENDPOINT": f"{options.signin_url}/v1.0",
        "GRAPH_LOGIN": options.signin_url,
        "GRAPH_TENANT_ID": TENANT,
        "GRAPH_CLIENT_ID": REGISTRATIONS[0].client_id,
        "GRAPH_CLIENT_SECRET": REGISTRATIONS[0].secret,
        "GRAPH_NOTIFICATION_URL": f"{options.base_url}/api",
        "CONSENT_REDIRECT_URL": f"{options.base_url}/api/consent/done",
        "ALLOWED_ORIGINS": options.form_url,
        "SIMILAR_UPDATES_QUEUE": "similar-updates",
        "TABLES": azurite.connection_string(options.tables_port),
        "SERVICEBUS": service_bus_connection_string(options.servicebus_port, bus_key),
        "AUTH_OPENID_CONFIGURATION": f"{tenant}/.well-known/openid-configuration",
        "AUTH_ISSUER": tenant,
        "AUTH_AUDIENCE": API_CLIENT_ID,
        "PERSON_KEY": person_key,
        "TENANT_DOMAINS": "us.example",
        "TZ": "UTC",
        "PYTHONFAULTHANDLER": "1",  # a crash below Python leaves its threads in host.log
        "AzureFunctionsJobHost__extensions__serviceBus__maxConcurrentCalls": "4",
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "languageWorkers__python__defaultExecutablePath": sys.executable,
        "AzureWebJobsStorage": storage if func else "UseDevelopmentStorage=true",
    }
