"""Rapport's own pieces under the supervisor: they start, answer, and hold on to their state over a stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest
from azure.data.tables import TableServiceClient
from azure.servicebus import ServiceBusClient, ServiceBusMessage

from local import azurite
from local.node import ROOT
from local.sample.loader import waiting_messages
from local.supervisor import rapport
from local.supervisor.folder import StateFolder
from local.supervisor.options import Options, parse
from local.supervisor.pieces import Piece, StackError
from local.supervisor.ready import token
from local.supervisor.stack import Stack, check_ports
from tests.doubles.ports import free_port

pytestmark = pytest.mark.stack
PORTS = ("host", "tables", "servicebus", "servicebus-status", "signin", "form")


def options_for(folder: Path, **further: str) -> Options:
    """Free ports and a folder of its own."""
    flags = [text for name in PORTS for text in (f"--{name}-port", str(free_port()))]
    flags += [text for name, value in further.items() for text in (f"--{name}", value)]
    return parse(["up", "--folder", str(folder), "--host", "local", *flags], {}, ("up",))[1]


@contextmanager
def running(folder: StateFolder, pieces: list[Piece]) -> Iterator[Stack]:
    with folder.locked():
        stack = Stack(folder, Event(), lambda _: None)
        try:
            stack.start(pieces)
            yield stack
        finally:
            stack.end()


def bus(options: Options, pieces: list[Piece]) -> ServiceBusClient:
    key = pieces[1].command[pieces[1].command.index("--key") + 1]
    return ServiceBusClient.from_connection_string(
        rapport.service_bus_connection_string(options.servicebus_port, key), retry_total=0
    )


def test_what_the_pieces_hold_is_there_after_stopping_and_starting_again(tmp_path: Path) -> None:
    folder, options = StateFolder(tmp_path / "stack"), options_for(tmp_path / "stack")
    folder.create()
    before = rapport.pieces(options, folder, func=False)[:3]
    with running(folder, before):
        with TableServiceClient.from_connection_string(azurite.connection_string(options.tables_port)) as tables:
            tables.create_table("people")
        with bus(options, before) as client, client.get_queue_sender("crm-changes") as sender:
            sender.send_messages(ServiceBusMessage(b"kept"))
        assert token(options.signin_url, "Rapport.Reader").count(".") == 2
        keys = rapport.answer(f"{options.signin_url}/{rapport.TENANT}/discovery/v2.0/keys")

    after = rapport.pieces(options, folder, func=False)[:3]
    with running(folder, after) as stack:
        assert [each.process.name for each in stack.running] == ["tables", "servicebus", "graph"]
        with TableServiceClient.from_connection_string(azurite.connection_string(options.tables_port)) as tables:
            assert [table.name for table in tables.list_tables()] == ["people"]
        assert waiting_messages(options.status_url) == (1, 0)
        with bus(options, after) as client, client.get_queue_receiver("crm-changes", max_wait_time=60) as receiver:
            assert [bytes(next(iter(message.body))) for message in receiver.peek_messages(5)] == [b"kept"]
        assert rapport.answer(f"{options.signin_url}/{rapport.TENANT}/discovery/v2.0/keys") == keys
    assert folder.processes() == []


def test_keys_of_a_folder_are_made_once_and_private(tmp_path: Path) -> None:
    folder, options = StateFolder(tmp_path), options_for(tmp_path)
    first, second = (rapport.pieces(options, folder, func=False)[3].environment for _ in range(2))
    assert first and second and first["PERSON_KEY"] == second["PERSON_KEY"]
    assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600


def test_the_host_sees_no_trace_of_azure_and_all_its_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBSITE_INSTANCE_ID", "x")
    environment = rapport.host_environment(options_for(tmp_path), "person", "bus", func=False)
    assert "WEBSITE_INSTANCE_ID" not in environment
    assert environment["AUTH_OPENID_CONFIGURATION"].startswith(environment["AUTH_ISSUER"])
    assert environment["SERVICEBUS"].endswith("SharedAccessKey=bus;UseDevelopmentEmulator=true;")
    assert environment["TZ"] == "UTC"


def test_func_is_demanded_and_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not rapport.uses_func(options_for(tmp_path, host="auto"))
    with pytest.raises(StackError, match="install Azure Functions Core Tools"):
        rapport.uses_func(options_for(tmp_path, host="func"))


def test_func_needs_the_standard_port_of_service_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "func"
    program.write_text("#!/bin/sh\necho 4.0\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(StackError, match="RAPPORT_SERVICEBUS_PORT"):
        rapport.uses_func(options_for(tmp_path, host="auto"))


def test_ports_of_blobs_and_queues_are_taken_with_func_only(tmp_path: Path) -> None:
    options = options_for(tmp_path)
    assert set(rapport.ports(options, func=True)) - set(rapport.ports(options, func=False)) == {
        "RAPPORT_BLOBS_PORT",
        "RAPPORT_QUEUES_PORT",
    }
    check_ports(rapport.ports(options, func=False))


def local_run(command: str, options: Options) -> subprocess.CompletedProcess[str]:
    """The command line as a script would call it."""
    return subprocess.run(
        [sys.executable, "-m", "local.run", command],
        cwd=ROOT,
        env=os.environ | options.environment(),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@contextmanager
def started(options: Options) -> Iterator[StateFolder]:
    """The whole stack in the background; stopped at the end, whatever happened."""
    folder = StateFolder(options.folder)
    try:
        begun = local_run("start", options)
        assert begun.returncode == 0, begun.stderr
        yield folder
    finally:
        local_run("stop", options)


@pytest.mark.skipif(not (ROOT / "function_app.py").exists(), reason="there is no app to run yet")
def test_start_status_stop_of_the_whole_stack(tmp_path: Path) -> None:
    options = options_for(tmp_path / "stack", sample="0")
    assert local_run("status", options).returncode == 3
    with started(options) as folder:
        ready = json.loads(folder.ready.read_text())
        assert folder.ready.stat().st_mode & 0o777 == 0o600
        assert ready["base_url"] == options.base_url
        assert set(ready["tokens"]) == {"Rapport.Reader", "Rapport.Ingest", "Rapport.Admin"}
        assert [process["name"] for process in ready["processes"]] == ["tables", "servicebus", "graph", "host", "form"]
        assert (rapport.answer(f"{options.base_url}/admin/host/status") or {})["state"] == "Running"
        assert local_run("status", options).returncode == 0
        again = local_run("start", options)
        assert again.returncode == 1 and "already" in again.stderr
        pieces = folder.processes()
    assert not any(process.is_alive() for process in pieces)
    assert not folder.ready.exists()
    assert local_run("status", options).returncode == 3
    assert local_run("stop", options).returncode == 0


@pytest.mark.skipif(not (ROOT / "function_app.py").exists(), reason="there is no app to run yet")
def test_a_killed_host_takes_the_stack_down_and_it_starts_again(tmp_path: Path) -> None:
    options = options_for(tmp_path / "stack", sample="0")
    with started(options) as folder:
        pieces, supervisor = folder.processes(), folder.supervisor()
        os.kill(next(process.pid for process in pieces if process.name == "host"), signal.SIGKILL)
        assert supervisor and supervisor.is_gone_within(60)
        assert not any(process.is_alive() for process in pieces)
        assert "host was ended by SIGKILL" in (folder.logs / "supervisor.log").read_text()
    with started(options):
        assert local_run("status", options).returncode == 0
