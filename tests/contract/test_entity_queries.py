"""Our reading of query answers gives what the client library gives, on a real Azurite."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bench.stored_record import running_tables
from shared import tables

NAME = "activities"
PARTITION = "p'q ä+é&%"
ROWS: list[tables.Row] = [
    {
        "PartitionKey": PARTITION, "RowKey": f"{i:05d}'", "v": 1, "data0": b"\x00\xff" * i, "half": i / 2, "whole": 2.0,
        "big": 2**40 + i, "even": i % 2 == 0, "text": "ü'&", "empty": "",
    }
    for i in range(1_100)  # more than one page
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def stored() -> Iterator[None]:
    with running_tables():
        assert tables.transact(NAME, [("write", row, None) for row in ROWS])
        assert tables.transact(NAME, [("write", {**ROWS[0], "PartitionKey": "other"}, None)])
        yield


def by_the_library(**asked: Any) -> list[tables.Row]:
    found = tables.table(NAME).query_entities("PartitionKey eq @p", parameters={"p": PARTITION}, **asked)
    return [{**_plain(entity), "etag": entity.metadata["etag"]} for entity in found]


def _plain(entity: tables.Row) -> tables.Row:
    # 64-bit numbers come as a pair of value and type; what was asked for and is not there comes as None.
    return {name: value[0] if isinstance(value, tuple) else value for name, value in entity.items()}


def test_rows_are_those_of_the_library() -> None:
    ours = list(tables.query(NAME, PARTITION))
    assert ours == by_the_library()
    assert [{name: row[name] for name in ROWS[0]} for row in ours] == ROWS


def test_chosen_properties_are_those_of_the_library() -> None:
    ours = list(tables.query(NAME, PARTITION, select=["RowKey", "data0", "absent"]))
    assert ours == by_the_library(select=["RowKey", "data0", "absent"])
    assert len(ours) == len(ROWS)


def test_range_includes_its_first_and_not_its_last_key() -> None:
    found = tables.query(NAME, PARTITION, "00003'", "00007'")
    assert [row["RowKey"] for row in found] == ["00003'", "00004'", "00005'", "00006'"]


def test_scan_gives_all_partitions() -> None:
    assert len(list(tables.scan(NAME, ["RowKey"]))) == len(ROWS) + 1


def test_unknown_partition_gives_nothing() -> None:
    assert list(tables.query(NAME, "nobody")) == []


def test_one_row_is_that_of_the_library() -> None:
    entity = tables.table(NAME).get_entity(PARTITION, ROWS[7]["RowKey"])
    assert tables.read(NAME, PARTITION, ROWS[7]["RowKey"]) == {**_plain(entity), "etag": entity.metadata["etag"]}
    found = tables.read(NAME, PARTITION, ROWS[7]["RowKey"], ["RowKey", "data0"])
    assert found == {"RowKey": ROWS[7]["RowKey"], "data0": ROWS[7]["data0"], "etag": entity.metadata["etag"]}


def test_row_that_is_not_there_is_none() -> None:
    assert tables.read(NAME, PARTITION, "nobody") is None
