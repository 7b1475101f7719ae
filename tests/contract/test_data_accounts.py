"""Tables spread over several accounts: each partition lives in one of them, and nobody who reads can tell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared import tables
from shared.entity_queries import rows
from tests.doubles.processes import forget
from tests.local.azurite_process import RunningAzurite, running_azurite

PARTITIONS = [f"account:{number:03d}" for number in range(60)]


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAzurite]:
    with running_azurite(tmp_path_factory.mktemp("second"), in_memory=True) as running:
        yield running


@pytest.fixture
def both(storage: RunningAzurite, second: RunningAzurite, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two accounts in the settings, the first of them empty."""
    forget()
    monkeypatch.setenv("TABLES", f"{storage.connection_string} {second.connection_string}")
    for table in tables.more_services()[0].list_tables():
        tables.more_services()[0].delete_table(table.name)
    yield
    forget()


def fill() -> None:
    for partition in PARTITIONS:
        assert tables.transact(
            "activities", [("write", {"PartitionKey": partition, "RowKey": key, "n": 1}, None) for key in "ab"]
        )


@pytest.mark.usefixtures("both")
def test_partitions_are_spread_and_whole() -> None:
    fill()
    held = [{row["PartitionKey"] for row in rows(one, "activities")} for one in tables.accounts()]
    assert held[0] | held[1] == set(PARTITIONS)
    assert held[0] & held[1] == set()
    assert min(map(len, held)) > len(PARTITIONS) // 4


@pytest.mark.usefixtures("both")
def test_every_way_of_reading_and_writing_finds_its_account() -> None:
    fill()
    for partition in PARTITIONS:
        row = tables.read("activities", partition, "a")
        assert row is not None
        assert tables.write_if("activities", {"PartitionKey": partition, "RowKey": "a", "n": 2}, row["etag"])
        assert not tables.write_if("activities", {"PartitionKey": partition, "RowKey": "a", "n": 3}, row["etag"])
        tables.upsert("activities", {"PartitionKey": partition, "RowKey": "c", "n": 4})
        tables.delete("activities", partition, "b")
        assert [(one["RowKey"], one["n"]) for one in tables.query("activities", partition)] == [("a", 2), ("c", 4)]


@pytest.mark.usefixtures("both")
def test_a_scan_gives_all_rows_in_the_order_of_one_account() -> None:
    fill()
    assert [(row["PartitionKey"], row["RowKey"]) for row in tables.scan("activities")] == [
        (partition, key) for partition in PARTITIONS for key in "ab"
    ]


@pytest.mark.usefixtures("storage")
def test_one_account_is_the_rule(second: RunningAzurite, tmp_path: Path) -> None:
    assert len(tables.accounts()) == 1
    assert {tables.account(partition) for partition in PARTITIONS} == {tables.requests()}
