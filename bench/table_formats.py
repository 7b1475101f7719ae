"""Table Storage through the client library and in our own wire format: transactions and queries, `python -m bench table_formats`.

The rows are like the tail of an activity partition. Both ways must leave the same rows, and read the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import count

from bench.measure import Cost, in_turn, show
from bench.stored_record import running_tables
from shared import tables

TABLE = "activities"
NUMBER = 2_000
_BLOB = bytes(range(256))


def rows_of(partition: str, number: int) -> list[tables.Row]:
    """`number` rows of some 300 bytes."""
    return [{"PartitionKey": partition, "RowKey": f"{i:06d}", "v": 1, "data0": _BLOB} for i in range(number)]


def write_by_library(rows: list[tables.Row]) -> None:
    """Insert the rows in transactions of 100 by the client library."""
    client = tables.table(TABLE)
    for start in range(0, len(rows), tables.TRANSACTION_ROWS):
        client.submit_transaction([("create", row) for row in rows[start : start + tables.TRANSACTION_ROWS]])


def write_by_us(rows: list[tables.Row]) -> None:
    """The same by the app's own transactions."""
    assert tables.transact(TABLE, [("write", row, None) for row in rows])


def read_by_library(partition: str) -> list[tables.Row]:
    """All rows of a partition by the client library."""
    return [dict(row) for row in tables.table(TABLE).query_entities("PartitionKey eq @p", parameters={"p": partition})]


def read_by_us(partition: str) -> list[tables.Row]:
    """The same by the app's own query."""
    return [{name: value for name, value in row.items() if name != "etag"} for row in tables.query(TABLE, partition)]


def compare(number: int, rounds: int = 3) -> list[list[object]]:
    """One line per kind of request and way. Raises AssertionError when what was written or read differs."""
    partitions: Iterator[str] = map("p{}".format, count())
    writes: dict[str, Callable[[], object]] = {
        "library": lambda: write_by_library(rows_of(next(partitions), number)),
        "ours": lambda: write_by_us(rows_of(next(partitions), number)),
    }
    written = in_turn(writes, rounds)
    # Every round of both ways wrote a partition of its own: they must all be equal, whoever reads them.
    for name in (f"p{i}" for i in range(int(next(partitions)[1:]))):
        assert read_by_library(name) == read_by_us(name) == rows_of(name, number), f"the two ways differ in {name}"
    reads: dict[str, Callable[[], object]] = {
        "library": lambda: read_by_library("p0"),
        "ours": lambda: read_by_us("p0"),
    }
    return [*_lines("write", number, written), *_lines("read", number, in_turn(reads, rounds))]


def _lines(what: str, number: int, found: dict[str, Cost]) -> Iterable[list[object]]:
    for way, one in found.items():
        per_row = (1e3 * one.clock / number, 1e3 * one.cpu / number)
        yield [what, way, number, *per_row, found["library"].clock / one.clock, found["library"].cpu / one.cpu]


def main(number: int = NUMBER) -> None:
    """Print the table: microseconds a row, and how many times less than the library."""
    header = ("", "by", "rows", "µs a row", "CPU µs a row", "times", "times CPU")
    with running_tables():
        show(header, compare(number))
