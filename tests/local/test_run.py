"""Rapport's own pieces under the supervisor: they start, answer, and hold on to their state over a stop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest
from azure.data.tables import TableServiceClient
from azure.servicebus import ServiceBusClient, ServiceBusMessage

from local import azurite
from local.sample.loader import waiting_messages
from local.supervisor import rapport
from local.supervisor.folder import StateFolder
from local.supervisor.options import Options, parse
from local.supervisor.pieces import Piece, StackError
from local.supervisor.ready import token
from local.supervisor.stack import Stack, check_ports
from tests.local.azurite_process import free_port

pytestmark = pytest.mark.stack
PORTS = ("host", "tables", "servicebus", "servicebus-status", "signin")


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
        assert [each.process.name for each in stack.running] == ["tables", "servicebus", "signin"]
        with TableServiceClient.from_connection_string(azurite.connection_string(options.tables_port)) as tables:
            assert [table.name for table in tables.list_tables()] == ["people"]
        assert waiting_messages(options.status_url) == (1, 0)
        with bus(options, after) as client, client.get_queue_receiver("crm-changes", max_wait_time=5) as receiver:
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
