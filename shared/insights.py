"""The `insights` table: one ready-made snapshot per record, read by one point read and replaced only under its ETag."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from shared import list_rows, list_store, rosters, tables
from shared.errors import FormatVersionError
from shared.list_rows import ListRow
from shared.rosters import Roster, place

TABLE = "insights"
VERSION = 1


class Stored(Struct, frozen=True):
    """A snapshot as stored: the JSON, a tag of its bytes for HTTP, and until when it holds by itself."""

    body: bytes
    tag: str
    valid_until: int
    computed_at: int = 0
    similar_due: bool = False  # of an opportunity just computed: its list of similar won deals must be found again


def read(record: str) -> Stored | None:
    """The stored snapshot of a record, None if there is none."""
    row = tables.read(TABLE, *place(record))
    if row is None or "tag" not in row:
        return None
    if row["v"] != VERSION:
        raise FormatVersionError(f"snapshots have format {row['v']}, this app reads {VERSION}")
    return Stored(tables.unsplit(row), row["tag"], row["validUntil"], int(row["revision"]) // 1000)


def includes(record: str, at: float, now: int) -> bool:
    """Say whether the stored snapshot was begun after what was announced at `at` had been written, and still holds.

    A margin of a second covers workers whose clocks differ. A snapshot whose last computation failed holds no longer.
    """
    row = tables.read(TABLE, *place(record), ["revision", "validUntil"])
    return row is not None and now < row["validUntil"] and int(row["revision"]) // 1000 >= at + 1


class Held(Struct, frozen=True):
    """What stands in a record's place before it is computed: the row's ETag, None if there is none, and its revision."""

    etag: str | None = None
    revision: int = 0


def held(record: str) -> Held:
    """What stands in the record's place. Read it before anything that the snapshot is made from."""
    row = tables.read(TABLE, *place(record), ["revision"])
    return Held(row["etag"], int(row["revision"])) if row else Held()


def write_if(record: str, stored: Stored, people: bytes, in_lists: ListRow, before: Held, now: int) -> bool:
    """Store a snapshot and its list row together, unless somebody stored another one since `before` was read; False then.

    `people` are the keys of everybody in it (little-endian uint64), by which `naming` finds the records a person is on.
    """
    partition, key = place(record)
    in_lists = replace(in_lists, revision=_revision(before, now))
    row = {
        "PartitionKey": partition, "RowKey": key, "v": VERSION, "tag": stored.tag, "validUntil": stored.valid_until,
        "revision": str(in_lists.revision), "row": list_rows.encode(in_lists),
        **tables.split(people, "people"), **tables.split(stored.body),
    }  # fmt: skip
    written = tables.transact(TABLE, [("write", row, before.etag), list_store.tail_write(partition, in_lists)])
    if written and list_store.is_fold_due(stored.tag):
        list_store.fold(partition)
    return written


def remove(record: str, before: Held, now: int) -> bool:
    """Delete the snapshot of a record that is gone, and its list row; False when somebody else was faster."""
    partition, key = place(record)
    gone = ListRow(id=key, revision=_revision(before, now), gone=True, open=False)
    delete: tables.Operation = ("delete", {"PartitionKey": partition, "RowKey": key}, before.etag)
    return tables.transact(TABLE, [delete, list_store.tail_write(partition, gone)])


def _revision(before: Held, now: int) -> int:
    """Higher than any before, also where the row was deleted in between: not below the clock's milliseconds."""
    return max(before.revision + 1, now * 1000)


def list_row(record: str) -> ListRow | None:
    """The list row of a record, of one never computed what is known of it; None where no record is."""
    row = tables.read(TABLE, *place(record), ["row"])
    return list_rows.decode(row["row"]) if row else _awaited(record)


def _awaited(record: str) -> ListRow | None:
    roster = rosters.read(record)
    return None if roster is None or roster.gone or roster.merged_into else list_rows.awaited(roster)


def await_records(new: Iterable[Roster]) -> None:
    """Let lists say that these open records will be computed. Repeating it is harmless: whatever they say else is newer."""
    by_partition: dict[str, list[tables.Operation]] = defaultdict(list)
    for roster in new:
        if roster.status == "open" and not roster.gone and not roster.merged_into:
            partition, _ = place(roster.record)
            by_partition[partition].append(list_store.tail_write(partition, list_rows.awaited(roster)))
    for operations in by_partition.values():
        tables.transact(TABLE, operations)


def await_no_more(record: str) -> None:
    """Take a record that is gone before it was ever computed from the lists."""
    partition, key = place(record)
    tables.transact(TABLE, [list_store.tail_write(partition, ListRow(id=key, revision=2, gone=True, open=False))])


def change_list_row(record: str, change: Callable[[ListRow], ListRow], now: int) -> bool:
    """Change what lists say of a record until it is computed again, which is due at once; False when somebody was faster, and
    where no record is."""
    partition, key = place(record)
    row = tables.read(TABLE, partition, key)
    before = list_rows.decode(row["row"]) if row else _awaited(record)
    if before is None:
        return False
    row = row or {"PartitionKey": partition, "RowKey": key, "v": VERSION, "revision": "0"}
    etag = row.pop("etag", None)
    revision = _revision(Held(etag, int(row["revision"])), now)
    in_lists = replace(change(before), revision=revision)
    row |= {"validUntil": 0, "revision": str(revision), "row": list_rows.encode(in_lists)}
    return tables.transact(TABLE, [("write", row, etag), list_store.tail_write(partition, in_lists)])


def naming(keys: Iterable[int]) -> Iterator[str]:
    """The records whose snapshot names any of these people; one scan of the table's smallest columns."""
    wanted = {key.to_bytes(8, "little") for key in keys}
    for row in _scan([f"people{i}" for i in range(4)]):
        people = tables.unsplit(row, "people")
        if any(people[i : i + 8] in wanted for i in range(0, len(people), 8)):
            yield _record(row)


def all_records() -> Iterator[str]:
    """Every record that has a snapshot."""
    return map(_record, _scan([]))


def expired(now: int) -> Iterator[str]:
    """The records whose snapshot no longer holds by itself."""
    for row in _scan(["validUntil"]):
        if row["validUntil"] <= now:
            yield _record(row)


def _scan(select: list[str]) -> Iterator[tables.Row]:
    rows = tables.scan(TABLE, ["PartitionKey", "RowKey", *select])
    return (row for row in rows if not list_store.is_list_key(row["RowKey"]))


def _record(row: tables.Row) -> str:
    return f"{row['PartitionKey'].partition('|')[0]}:{row['RowKey']}"
