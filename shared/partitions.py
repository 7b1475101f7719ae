"""Activity partitions: a record's or a person's interactions as months and a tail, in the table `activities`.

- A month is one row (`2026-11`, continued as `2026-11~001` when it passes 700 KB) of columns: every interaction that starts in
  that UTC month.
- The tail has one row for what was appended at once (`!|<hash of the content>`): an upsert that never contends, that reads
  nothing first, and that changes nothing when it is repeated. A first load touches most records with every message; to put each
  message's entries into their months would read and write the same months again and again.
- `fold` puts entries into their months under the months' ETags and deletes the tail rows in the same transaction, so a crash
  leaves either the old state or the new one. A recomputation folds a long tail, the nightly sweep every tail.

Readers take the union, so it does not matter for any number how far folding has come.
"""

from __future__ import annotations

import threading
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import groupby

import numpy as np

from shared import tables
from shared.columns import Entries, decode, encode, joined, live, newest
from shared.errors import UnavailableError
from shared.kpi.interactions import Instants

TABLE = "activities"
TAIL = "!|"  # sorts before every month: a fold between two pages of one query hides nothing from the reader
PAST_TAIL = "!}"
TAIL_LIMIT = 64  # rows of tail from which reading costs more than folding once
_TRIES = 8
_locks = [threading.Lock() for _ in range(64)]

Row = tuple[str, str]  # (RowKey, ETag)


@dataclass(frozen=True)
class Partition:
    """What is stored under one partition key, and where, so that it can be folded."""

    name: str
    entries: Entries  # newest revision of each key, removed ones included
    tail: list[Row] = field(default_factory=list)
    pending: Entries = field(default_factory=Entries.empty)  # what the tail holds

    @property
    def live(self) -> Entries:
        """The entries that are not removed."""
        return live(self.entries)


def month_of(at: int) -> str:
    """The UTC month of an instant.

    >>> month_of(0)
    '1970-01'
    """
    return str(np.datetime64(at, "s").astype("datetime64[M]"))


def months_of(at: Instants) -> list[str]:
    """The UTC month of each instant."""
    return np.datetime_as_string(at.astype("datetime64[s]"), unit="M").tolist()  # type: ignore[no-any-return]


def read(name: str, with_ids: bool = True) -> Partition:
    """Everything of a partition, in one query. An unknown partition is an empty one."""
    parts: dict[str, list[Entries]] = defaultdict(list)
    tail_rows, tail = [], []
    for row in tables.query(TABLE, name):
        entries = decode(tables.unsplit(row), with_ids)
        if row["RowKey"].startswith(TAIL):
            tail_rows.append((row["RowKey"], row["etag"]))
            tail.append(entries)
        else:
            parts[row["RowKey"].split("~")[0]].append(entries)
    everything = joined([*map(_whole, parts.values()), *tail])
    # Months follow one another and are sorted inside: only a tail makes sorting necessary.
    return Partition(name, newest(everything) if tail else everything, tail_rows, joined(tail))


def append(name: str, entries: Entries) -> None:
    """Write the entries as one tail row, or as few as they fit in. Repeating it changes nothing, in one call or in two."""
    if len(entries):
        tables.transact(TABLE, [("upsert", _tail_row(name, blob), None) for blob in _blobs(entries)])


def _tail_row(name: str, blob: bytes) -> tables.Row:
    key = f"{TAIL}{blake2b(blob, digest_size=16).hexdigest()}"
    return {"PartitionKey": name, "RowKey": key, "v": 1, **tables.split(blob)}


def fold(name: str, entries: Entries, tail: Iterable[Row] = ()) -> None:
    """Put entries into their months, deleting the given tail rows, whose content must be among `entries`.

    Another writer's change in between makes it read again. Raises UnavailableError when that happens too often.
    """
    tail = list(tail)
    with _locks[hash(name) % len(_locks)]:  # workers of one process need not refuse each other
        _fold(name, entries, tail)


def _fold(name: str, entries: Entries, tail: list[Row]) -> None:
    for _ in range(_TRIES):
        wanted = _by_month(entries)
        changed = _changed(wanted, _stored_months(name, wanted))
        if _write(name, changed, [_delete(name, row) for row in tail]):
            return
        there = {row["RowKey"]: row["etag"] for row in tables.query(TABLE, name, TAIL, PAST_TAIL, ["RowKey"])}
        tail = [(row, etag) for row, etag in tail if there.get(row) == etag]
    raise UnavailableError("An activity partition is being changed by too many writers.")


def fold_tail(partition: Partition, more: Entries | None = None) -> None:
    """Fold the whole tail of a partition that was just read, and more entries with it."""
    fold(partition.name, joined([partition.pending, more or Entries.empty()]), partition.tail)


def with_tail() -> Iterator[str]:
    """The names of the partitions that have a tail now; one scan of the table's keys."""
    there = f"RowKey ge '{TAIL}' and RowKey lt '{PAST_TAIL}'"
    for name, _ in groupby(tables.scan(TABLE, ["PartitionKey"], there), key=lambda row: str(row["PartitionKey"])):
        yield name


def _by_month(entries: Entries) -> dict[str, Entries]:
    positions: dict[str, list[int]] = defaultdict(list)
    for position, month in enumerate(months_of(entries.facts.at)):
        positions[month].append(position)
    return {month: entries.take(np.array(chosen)) for month, chosen in positions.items()}


def _stored_months(name: str, wanted: Iterable[str]) -> dict[str, tuple[list[Row], Entries]]:
    """The rows and entries of the wanted months, by one query over their range."""
    months = sorted(wanted)
    if not months:
        return {}
    rows: dict[str, list[Row]] = defaultdict(list)
    parts: dict[str, list[Entries]] = defaultdict(list)
    for row in tables.query(TABLE, name, months[0], months[-1] + "~~"):
        month = row["RowKey"].split("~")[0]
        if month in months:
            rows[month].append((row["RowKey"], row["etag"]))
            parts[month].append(decode(tables.unsplit(row)))
    return {month: (rows[month], _whole(parts[month])) for month in rows}


def _whole(parts: list[Entries]) -> Entries:
    # Parts of a long month may overlap where replacing them was broken off.
    return newest(joined(parts)) if len(parts) > 1 else parts[0]


def _changed(
    wanted: Mapping[str, Entries], stored: Mapping[str, tuple[list[Row], Entries]]
) -> dict[str, tuple[list[Row], Entries]]:
    """The months that the wanted entries change: their rows now, and what they are to hold."""
    changed = {}
    for month, entries in wanted.items():
        rows, old = stored.get(month, ([], Entries.empty()))
        new = newest(joined([old, entries]))
        same = len(new) == len(old) and np.array_equal(new.revision, old.revision)
        if not (same and np.array_equal(new.removed, old.removed)):  # else the same change came twice
            changed[month] = (rows, new)
    return changed


def _write(name: str, months: Mapping[str, tuple[list[Row], Entries]], deletes: list[tables.Operation]) -> bool:
    """Write months, each in one transaction, and the deletes after them or with them; False when somebody else was faster."""
    together: list[tables.Operation] = []
    size = 0
    for month, (rows, entries) in months.items():
        blobs = list(_blobs(entries))
        operations = _in_place(name, month, rows, blobs)
        bulk = sum(map(tables.bulk_of, operations))
        if bulk > tables.TRANSACTION_BYTES:
            if not _replaced(name, month, rows, blobs):
                return False
            continue
        if size + bulk > tables.TRANSACTION_BYTES or len(together) + len(operations) > tables.TRANSACTION_ROWS:
            if not tables.transact(TABLE, together):
                return False
            together, size = [], 0
        together += operations
        size += bulk
    return tables.transact(TABLE, [*together, *deletes])


def _in_place(name: str, month: str, rows: list[Row], blobs: list[bytes]) -> list[tables.Operation]:
    etags = dict(rows)
    names = [month if part == 0 else f"{month}~{part:03d}" for part in range(len(blobs))]
    stale = [_delete(name, row) for row in rows if row[0] not in names]
    writes = [_month_row(name, row, blob) for row, blob in zip(names, blobs, strict=True)]
    return [*stale, *(("write", row, etags.get(row["RowKey"])) for row in writes)]


def _replaced(name: str, month: str, rows: list[Row], blobs: list[bytes]) -> bool:
    """Write a month that no transaction can hold into rows of new names, then delete the old ones in one transaction.

    Broken off in between, both are there, and readers take each interaction once.
    """
    generation = uuid.uuid4().hex
    for part, blob in enumerate(blobs):
        tables.upsert(TABLE, _month_row(name, f"{month}~{generation}{part:03d}", blob))
    return tables.transact(TABLE, [_delete(name, row) for row in rows])


def _month_row(name: str, row: str, blob: bytes) -> tables.Row:
    return {"PartitionKey": name, "RowKey": row, "v": 1, **tables.split(blob)}


def _delete(name: str, row: Row) -> tables.Operation:
    return ("delete", {"PartitionKey": name, "RowKey": row[0]}, row[1])


def _blobs(entries: Entries) -> Iterator[bytes]:
    """The month in as many blobs as the row limit asks for."""
    blob = encode(entries)
    if len(blob) <= tables.ROW_BYTES or len(entries) == 1:
        yield blob
        return
    pieces = -(-len(blob) // (tables.ROW_BYTES * 3 // 4))
    for piece in np.array_split(np.arange(len(entries)), pieces):
        yield from _blobs(entries.take(piece))
