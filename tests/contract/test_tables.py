"""What the rest of the app relies on of table storage, on a real Azurite."""

from __future__ import annotations

import re
import threading

import pytest

from shared import tables
from shared.errors import UnavailableError
from shared.settings import settings
from tests.doubles.ports import free_port
from tests.doubles.processes import forget

pytestmark = pytest.mark.usefixtures("storage")
NAME = "state"


def row(key: str, **properties: object) -> tables.Row:
    return {"PartitionKey": "p", "RowKey": key, "v": 1, **properties}


def keys() -> list[str]:
    return [found["RowKey"] for found in tables.query(NAME, "p")]


def test_read_gives_nothing_where_nothing_is() -> None:
    assert tables.read(NAME, "p", "absent") is None


def test_write_if_inserts_only_what_is_not_there() -> None:
    assert tables.write_if(NAME, row("1", n=1), None)
    assert not tables.write_if(NAME, row("1", n=2), None)
    assert tables.read(NAME, "p", "1")["n"] == 1  # type: ignore[index]


def test_write_if_replaces_only_under_the_etag_that_was_read() -> None:
    tables.upsert(NAME, row("1", n=1, gone=True))
    held = tables.read(NAME, "p", "1")
    assert held is not None
    assert tables.write_if(NAME, row("1", n=2), held["etag"])
    assert not tables.write_if(NAME, row("1", n=3), held["etag"])
    now = tables.read(NAME, "p", "1")
    assert now is not None
    assert (now["n"], "gone" in now) == (2, False)


def test_write_if_does_not_bring_back_a_deleted_row() -> None:
    tables.upsert(NAME, row("1"))
    held = tables.read(NAME, "p", "1")
    assert held is not None
    tables.delete(NAME, "p", "1")
    assert not tables.write_if(NAME, row("1"), held["etag"])
    assert keys() == []


def test_delete_of_nothing_is_fine() -> None:
    tables.delete(NAME, "p", "absent")


def test_of_many_writers_under_one_etag_exactly_one_wins() -> None:
    tables.upsert(NAME, row("1", n=0))
    etag = tables.read(NAME, "p", "1")["etag"]  # type: ignore[index]
    won: list[int] = []

    def write(n: int) -> None:
        if tables.write_if(NAME, row("1", n=n), etag):
            won.append(n)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [tables.read(NAME, "p", "1")["n"]] == won  # type: ignore[index]


def test_a_stale_etag_refuses_the_whole_transaction() -> None:
    tables.upsert(NAME, row("1", n=1))
    stale = tables.read(NAME, "p", "1")["etag"]  # type: ignore[index]
    tables.upsert(NAME, row("1", n=2))
    tables.upsert(NAME, row("old"))
    operations: list[tables.Operation] = [
        ("write", row("new"), None), ("delete", row("old"), None), ("write", row("1", n=3), stale),
    ]  # fmt: skip
    assert not tables.transact(NAME, operations)
    assert keys() == ["1", "old"]


def test_a_row_that_is_there_refuses_the_whole_transaction() -> None:
    tables.upsert(NAME, row("2"))
    assert not tables.transact(NAME, [("write", row("1"), None), ("write", row("2"), None)])
    assert keys() == ["2"]


def test_delete_in_a_transaction_holds_to_its_etag() -> None:
    tables.upsert(NAME, row("1"))
    stale = tables.read(NAME, "p", "1")["etag"]  # type: ignore[index]
    tables.upsert(NAME, row("1", n=2))
    assert not tables.transact(NAME, [("delete", row("1"), stale)])
    assert tables.transact(NAME, [("delete", row("1"), tables.read(NAME, "p", "1")["etag"])])  # type: ignore[index]
    assert keys() == []


def test_more_rows_than_one_transaction_takes_are_all_written() -> None:
    assert tables.transact(NAME, [("upsert", row(f"{n:03d}"), None) for n in range(230)])
    assert len(keys()) == 230


def test_more_bytes_than_one_transaction_takes_are_all_written() -> None:
    blob = bytes(range(256)) * 2_500  # 640 KB
    rows = [row(str(n), **tables.split(blob)) for n in range(6)]
    assert tables.transact(NAME, [("upsert", each, None) for each in rows])
    assert [tables.unsplit(found) for found in tables.query(NAME, "p")] == [blob] * 6


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 700_000])
def test_a_blob_comes_back_whatever_its_size(size: int) -> None:
    blob = bytes(n % 251 for n in range(size))
    tables.upsert(NAME, row("1", **tables.split(blob)))
    held = tables.read(NAME, "p", "1")
    assert held is not None
    assert tables.unsplit(held) == blob


def test_storage_that_is_away_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TABLES", re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{free_port()}", settings().tables))
    forget()
    with pytest.raises(UnavailableError):
        tables.read(NAME, "p", "1")
