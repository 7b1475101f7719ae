"""The `insights` table: one ready-made snapshot per record, read by one point read and replaced only under its ETag."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b

from msgspec import Struct

from shared import tables
from shared.errors import FormatVersionError
from shared.rosters import place

TABLE = "insights"
VERSION = 1


class Stored(Struct, frozen=True):
    """A snapshot as stored: the JSON, a tag of its bytes for HTTP, and until when it holds by itself."""

    body: bytes
    tag: str
    valid_until: int
    similar_due: bool = False  # of an opportunity just computed: its list of similar won deals must be found again


def read(record: str) -> Stored | None:
    """The stored snapshot of a record, None if there is none."""
    row = tables.read(TABLE, *place(record))
    if row is None or "tag" not in row:
        return None
    if row["v"] != VERSION:
        raise FormatVersionError(f"snapshots have format {row['v']}, this app reads {VERSION}")
    return Stored(tables.unsplit(row), row["tag"], row["validUntil"])


def etag(record: str) -> str | None:
    """The ETag of the snapshot's row, None if there is none. Read it before anything that the snapshot is made from."""
    row = tables.read(TABLE, *place(record), ["RowKey"])
    return row["etag"] if row else None


def write_if(record: str, body: bytes, valid_until: int, people: bytes, etag: str | None) -> bool:
    """Store a snapshot unless somebody stored another one since `etag` was read; False then.

    `people` are the keys of everybody in it (little-endian uint64), by which `naming` finds the records a person is on.
    """
    partition, row = place(record)
    tag = blake2b(body, digest_size=12).hexdigest()
    new = {"PartitionKey": partition, "RowKey": row, "v": VERSION, "tag": tag, "validUntil": valid_until}
    return tables.write_if(TABLE, {**new, **tables.split(people, "people"), **tables.split(body)}, etag)


def remove(record: str) -> None:
    """Delete the snapshot of a record that is gone."""
    tables.delete(TABLE, *place(record))


def naming(keys: Iterable[int]) -> Iterator[str]:
    """The records whose snapshot names any of these people; one scan of the table's smallest columns."""
    wanted = {key.to_bytes(8, "little") for key in keys}
    for row in tables.scan(TABLE, ["PartitionKey", "RowKey", *(f"people{i}" for i in range(4))]):
        people = tables.unsplit(row, "people")
        if any(people[i : i + 8] in wanted for i in range(0, len(people), 8)):
            yield f"{row['PartitionKey'].partition('|')[0]}:{row['RowKey']}"


def expired(now: int) -> Iterator[str]:
    """The records whose snapshot no longer holds by itself."""
    for row in tables.scan(TABLE, ["PartitionKey", "RowKey", "validUntil"]):
        if row["validUntil"] <= now:
            yield f"{row['PartitionKey'].partition('|')[0]}:{row['RowKey']}"
