"""Activity partitions: a record's or a person's interactions as months and a tail, in the table `activities`.

- A month is one row (`2026-11`, continued as `2026-11~001` when it passes 700 KB) of columns: every interaction that starts in
  that UTC month.
- The tail is one row per interaction and revision (`t|2026-11|<key>|<revision>`): an upsert that never contends.
- `fold` puts entries into their months under the months' ETags and deletes the tail rows in the same transaction, so a crash
  leaves either the old state or the new one.

Readers take the union, so it does not matter for any number how far folding has come.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from shared import tables
from shared.columns import Entries, decode, encode, joined, live, newest
from shared.errors import UnavailableError
from shared.kpi.interactions import Instants

TABLE = "activities"
TAIL = "t|"
TAIL_LIMIT = 64  # rows of tail from which reading costs more than folding once
_TRIES = 8
_locks = [threading.Lock() for _ in range(64)]


@dataclass(frozen=True)
class Partition:
    """What is stored under one partition key, and where, so that it can be folded."""

    name: str
    entries: Entries  # newest revision of each key, removed ones included
    months: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # month -> its (row, ETag) parts
    folded: dict[str, Entries] = field(default_factory=dict)  # month -> what its rows hold
    tail: list[tuple[str, str]] = field(default_factory=list)  # (row, ETag)

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
    months: dict[str, list[tuple[str, str]]] = defaultdict(list)
    parts: dict[str, list[Entries]] = defaultdict(list)
    tail_rows, tail = [], []
    for row in tables.query(TABLE, name):
        entries = decode(tables.unsplit(row), with_ids)
        if row["RowKey"].startswith(TAIL):
            tail_rows.append((row["RowKey"], row["etag"]))
            tail.append(entries)
        else:
            month = row["RowKey"].split("~")[0]
            months[month].append((row["RowKey"], row["etag"]))
            parts[month].append(entries)
    folded = {month: joined(entries) for month, entries in parts.items()}
    everything = joined([*folded.values(), *tail])
    # Months follow one another and are sorted inside: only a tail makes sorting necessary.
    return Partition(name, newest(everything) if tail else everything, dict(months), folded, tail_rows)


def append(name: str, entries: Entries) -> None:
    """Write each entry as a tail row. Repeating it changes nothing."""
    tables.transact(TABLE, [("upsert", row, None) for row in _tail_rows(name, entries)])


def _tail_rows(name: str, entries: Entries) -> Iterator[tables.Row]:
    for position, month in enumerate(months_of(entries.facts.at)):
        one = entries.take(np.array([position]))
        key = entries.facts.key[position].ljust(16, b"\0").hex()
        row = f"{TAIL}{month}|{key}|{int(entries.revision[position]):010d}"
        yield {"PartitionKey": name, "RowKey": row, "v": 1, **tables.split(encode(one))}


def fold(name: str, entries: Entries, tail: Iterable[tuple[str, str]] = ()) -> None:
    """Put entries into their months, deleting the given tail rows, which must be among `entries`.

    Another writer's change in between makes it read again. Raises UnavailableError when that happens too often.
    """
    tail = list(tail)
    with _locks[hash(name) % len(_locks)]:  # workers of one process need not refuse each other
        _fold(name, entries, tail)


def _fold(name: str, entries: Entries, tail: list[tuple[str, str]]) -> None:
    for _ in range(_TRIES):
        wanted = _by_month(entries)
        stored = _stored_months(name, wanted)
        operations = _fold_operations(name, wanted, stored)
        operations += [("delete", {"PartitionKey": name, "RowKey": row}, None) for row, _ in tail]
        if not operations or tables.transact(TABLE, operations):
            return
        tail = [(row, etag) for row, etag in tail if tables.read(TABLE, name, row, ["RowKey"])]
    raise UnavailableError("An activity partition is being changed by too many writers.")


def fold_tail(partition: Partition) -> None:
    """Fold the whole tail of a partition that was just read."""
    rows = {row for row, _ in partition.tail}
    months = {row.split("|")[1] for row in rows}
    chosen = [i for i, month in enumerate(months_of(partition.entries.facts.at)) if month in months]
    fold(partition.name, partition.entries.take(np.array(chosen, dtype="i8")), partition.tail)


def _by_month(entries: Entries) -> dict[str, Entries]:
    positions: dict[str, list[int]] = defaultdict(list)
    for position, month in enumerate(months_of(entries.facts.at)):
        positions[month].append(position)
    return {month: entries.take(np.array(chosen)) for month, chosen in positions.items()}


def _stored_months(name: str, wanted: Iterable[str]) -> dict[str, tuple[list[tuple[str, str]], Entries]]:
    """The rows (with ETags) and entries of the wanted months, by one query over their range."""
    months = sorted(wanted)
    if not months:
        return {}
    rows: dict[str, list[tuple[str, str]]] = defaultdict(list)
    parts: dict[str, list[Entries]] = defaultdict(list)
    for row in tables.query(TABLE, name, months[0], months[-1] + "~~"):
        month = row["RowKey"].split("~")[0]
        if month in months:
            rows[month].append((row["RowKey"], row["etag"]))
            parts[month].append(decode(tables.unsplit(row)))
    return {month: (rows[month], joined(parts[month])) for month in rows}


def _fold_operations(
    name: str, wanted: Mapping[str, Entries], stored: Mapping[str, tuple[list[tuple[str, str]], Entries]]
) -> list[tables.Operation]:
    operations: list[tables.Operation] = []
    for month, entries in wanted.items():
        rows, old = stored.get(month, ([], Entries.empty()))
        new = newest(joined([old, entries]))
        if (
            len(new) == len(old)
            and np.array_equal(new.revision, old.revision)
            and np.array_equal(new.removed, old.removed)
        ):
            continue  # nothing new: the same change came twice
        blobs = list(_blobs(new))
        etags = dict(rows)
        stale = [row for row in etags if row not in {_row_name(month, part) for part in range(len(blobs))}]
        operations += [("delete", {"PartitionKey": name, "RowKey": row}, None) for row in stale]
        for part, blob in enumerate(blobs):
            row = _row_name(month, part)
            operations.append(
                ("write", {"PartitionKey": name, "RowKey": row, "v": 1, **tables.split(blob)}, etags.get(row))
            )
    return operations


def _row_name(month: str, part: int) -> str:
    return month if part == 0 else f"{month}~{part:03d}"


def _blobs(entries: Entries) -> Iterator[bytes]:
    """The month in as many blobs as the row limit asks for."""
    blob = encode(entries)
    if len(blob) <= tables.ROW_BYTES or len(entries) == 1:
        yield blob
        return
    pieces = -(-len(blob) // (tables.ROW_BYTES * 3 // 4))
    for piece in np.array_split(np.arange(len(entries)), pieces):
        yield from _blobs(entries.take(piece))
