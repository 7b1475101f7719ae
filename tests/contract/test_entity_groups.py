"""Our entity group transactions store what the client library's store, whatever is in keys and values."""

from __future__ import annotations

from typing import Any

import pytest

from shared import tables
from shared.entity_groups import submit

pytestmark = pytest.mark.usefixtures("storage")
OURS, THEIRS = "state", "records"

KEYS = [
    "plain",
    "it's",
    "''",
    "ünïcode 字 🙂",
    "per%cent%41",
    "a+b c",
    "semi;colon,",
    'quo"te',
    "<&>",
    "{brace}|bar",
    "=",
    "(PartitionKey='x')",
]
VALUES: dict[str, Any] = {
    "text": 'line\r\nbreak "quoted" ü 🙂 --changeset',
    "empty": "",
    "bytes": bytes(range(256)),
    "nothing": b"",
    "small": -(2**31),
    "largest": 2**31 - 1,
    "wide": 2**31,
    "widest": -(2**63),
    "half": 0.5,
    "tiny": 1e-300,
    "whole": 3.0,
    "yes": True,
    "no": False,
}


def row(key: str, **more: Any) -> tables.Row:
    return {"PartitionKey": key, "RowKey": key, **VALUES, **more}


def put(operations: list[tables.Operation]) -> int:
    return submit(tables.requests(), tables.table(OURS).table_name, operations)


def stored(name: str, key: str) -> dict[str, Any]:
    """A row as the library reads it; 64-bit numbers come with their type."""
    return dict(tables.table(name).get_entity(key, key))


@pytest.mark.parametrize("key", KEYS)
def test_rows_are_those_that_the_library_writes(key: str) -> None:
    from azure.data.tables import EdmType, EntityProperty

    typed = row(key, wide=EntityProperty(2**31, EdmType.INT64), widest=EntityProperty(-(2**63), EdmType.INT64))
    tables.table(THEIRS).submit_transaction([("create", typed)])
    assert put([("write", row(key), None)]) == 202
    assert stored(OURS, key) == stored(THEIRS, key)


@pytest.mark.parametrize("key", KEYS)
def test_every_verb_finds_its_row(key: str) -> None:
    client = tables.table(OURS)
    assert put([("upsert", row(key, n=1), None)]) == 202
    assert put([("upsert", row(key, n=2), None)]) == 202
    assert stored(OURS, key)["n"] == 2
    etag = client.get_entity(key, key).metadata["etag"]
    assert put([("write", row(key, n=3), etag)]) == 202
    assert stored(OURS, key)["n"] == 3
    assert put([("delete", row(key), None)]) == 202
    assert tables.read(OURS, key, key) is None


@pytest.mark.parametrize("others", [0, 2])
def test_the_status_is_that_of_the_operation_refused(others: int) -> None:
    """Alone it goes as a request of its own, among others in a transaction, which then writes nothing."""

    def with_others(verb: str, one: tables.Row, etag: str | None) -> list[tables.Operation]:
        more = [{**one, "RowKey": f"other {i}"} for i in range(others)]
        return [*(("upsert", each, None) for each in more), (verb, one, etag)]

    assert put(with_others("write", row("a"), None)) == 202
    for i in range(others):
        tables.delete(OURS, "a", f"other {i}")
    assert put(with_others("write", row("a"), None)) == 409
    assert put(with_others("write", row("a"), "W/\"datetime'2020-01-01T00%3A00%3A00.0000000Z'\"")) == 412
    assert put(with_others("delete", row("b"), None)) == 404
    assert [each["RowKey"] for each in tables.query(OURS, "a")] == ["a"]


def test_an_etag_that_no_longer_holds_refuses_a_delete() -> None:
    assert put([("write", row("a"), None)]) == 202
    etag = str(tables.table(OURS).get_entity("a", "a").metadata["etag"])
    assert put([("upsert", row("a", n=1), None)]) == 202
    assert put([("delete", row("a"), etag)]) == 412
    assert put([("delete", row("a"), None)]) == 202


def test_a_value_that_looks_like_an_answer_does_not_count_as_one() -> None:
    assert put([("write", row("a", text="\r\nHTTP/1.1 412 Precondition Failed\r\n"), None)]) == 202
