"""Azurite as the supervisor runs it: what is written right before an orderly stop is there after it."""

from __future__ import annotations

from pathlib import Path

import pytest
from azure.data.tables import TableClient, TableServiceClient

from local import azurite
from tests.doubles.ports import free_port
from tests.local.azurite_process import running_azurite

pytestmark = pytest.mark.stack


def test_rows_written_just_before_the_stop_are_read_after_the_next_start(tmp_path: Path) -> None:
    with (
        running_azurite(tmp_path) as first,
        TableServiceClient.from_connection_string(first.connection_string) as client,
    ):
        table = client.create_table("activities")
        table.upsert_entity({"PartitionKey": "a", "RowKey": "1", "columns": b"\x00\xff"})
    assert first.running.child.returncode == 0

    with (
        running_azurite(tmp_path, first.port) as second,
        TableClient.from_connection_string(second.connection_string, "activities") as table,
    ):
        assert table.get_entity("a", "1")["columns"] == b"\x00\xff"


def test_in_memory_keeps_nothing(tmp_path: Path) -> None:
    with (
        running_azurite(tmp_path, in_memory=True) as first,
        TableServiceClient.from_connection_string(first.connection_string) as client,
    ):
        client.create_table("activities")
    with (
        running_azurite(tmp_path, in_memory=True) as second,
        TableServiceClient.from_connection_string(second.connection_string) as client,
    ):
        assert list(client.list_tables()) == []


def test_a_port_with_nothing_behind_lists_no_tables() -> None:
    assert not azurite.lists_tables(free_port())


def test_connection_string_names_only_what_runs() -> None:
    assert "Blob" not in azurite.connection_string(10002)
    assert "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;" in azurite.connection_string(10002, 10000, 10001)
