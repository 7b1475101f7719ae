"""Where list rows lie: in the table `insights`, in the partition of the snapshots they belong to.

- A snapshot and its list row are written in one transaction, so a list costs a recomputation no call of its own and never tells
  something else than the record's form. The row goes to the tail: `~0|<id>|<revision>`.
- From time to time a tail is folded into packs, columns of some hundred rows: `~1|<shard>` of open records, `~2|<shard>` of the
  rest. A pack is written under its ETag, before the tail rows are deleted that are in it.

Readers take the newest revision of what both hold. They read the tail first: what is folded meanwhile is then seen twice, and not
overlooked. Ids of records begin with a letter or digit, so that no record's key is ever among these.
"""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from shared import exchange, list_rows, tables
from shared.list_rows import ListRow
from shared.rosters import partitions_of

if TYPE_CHECKING:
    from shared.list_packs import Pack

TABLE = "insights"
MARK = "~"
_TAIL, _OPEN, _CLOSED, _END = "~0", "~1", "~2", "~3"
_SHARDS = 16
_FOLD_ONE_IN = 64  # so long a tail is on average when it is folded
_READERS = 8


def is_list_key(row_key: str) -> bool:
    """Whether a row of the table belongs to the lists, and is no snapshot."""
    return row_key.startswith(MARK)


def tail_write(partition: str, row: ListRow) -> tables.Operation:
    """The write that belongs into the transaction of the record's snapshot."""
    key = f"{_TAIL}|{row.id}|{row.revision:015d}"
    return ("upsert", {"PartitionKey": partition, "RowKey": key, "v": 1, "row": list_rows.encode(row)}, None)


def is_fold_due(tag: str) -> bool:
    """Whether the writer of a snapshot with this tag should fold: one in 64, by the tag's own chance."""
    return int(tag[:8], 16) % _FOLD_ONE_IN == 0


def fold(partition: str) -> bool:
    """Put the tail of a partition into its packs; False when somebody else did so at the same time."""
    return tables.transact(TABLE, fold_operations(partition))


def fold_operations(partition: str) -> list[tables.Operation]:
    """What folding a partition writes and deletes, as it stands now."""
    from shared.list_packs import newest, packed

    tail = _tail(partition)
    by_shard: dict[str, list[ListRow]] = defaultdict(list)
    for _, row in tail:
        by_shard[_shard(row.id)].append(row)
    stored = _packs(partition, _OPEN, _END) if tail else {}
    operations: list[tables.Operation] = []
    for shard, rows in sorted(by_shard.items()):
        keys = f"{_OPEN}|{shard}", f"{_CLOSED}|{shard}"
        whole = newest([*(stored[key][1] for key in keys if key in stored), packed(rows)])
        is_open = whole.figures["open"]
        for key, pack in zip(keys, (whole.where(is_open), whole.where(~is_open)), strict=True):
            # An empty pack is written too: its ETag is what keeps two folders apart.
            operations.append(_pack_write(partition, key, pack, stored[key][0] if key in stored else None))
    return operations + [("delete", {"PartitionKey": partition, "RowKey": key}, None) for key, _ in tail]


def _shard(id: str) -> str:
    """Which pack of its partition an id is in. Partitions go by a hash of the id already, so this must be another one."""
    return tables.bucket(f"{id}|shard", _SHARDS)


def _pack_write(partition: str, key: str, pack: Pack, etag: str | None) -> tables.Operation:
    from shared.list_packs import encode

    return ("write", {"PartitionKey": partition, "RowKey": key, "v": 1, **tables.split(encode(pack))}, etag)


def read(kind: str, closed: bool = False) -> Pack:
    """All rows of a record type, the closed ones only where asked for; what is read does not depend on folding.

    Rows from before Exchange was hidden are being computed again, and until then they show no figures.
    """
    from shared.list_packs import joined

    with ThreadPoolExecutor(_READERS) as readers:
        packs = list(readers.map(lambda partition: _read(partition, closed), partitions_of(kind)))
    whole = joined(packs).concealed(exchange.hidden_since())
    return whole if closed else whole.where(whole.figures["open"])


def _read(partition: str, closed: bool) -> Pack:
    from shared.list_packs import joined, newest, packed

    tail = [row for _, row in _tail(partition)]
    packs = [pack for _, pack in _packs(partition, _OPEN, _END if closed else _CLOSED).values()]
    return newest([*packs, packed(tail)]) if tail else joined(packs)


def _tail(partition: str) -> list[tuple[str, ListRow]]:
    return [(row["RowKey"], list_rows.decode(row["row"])) for row in tables.query(TABLE, partition, _TAIL, _OPEN)]


def _packs(partition: str, first: str, last: str) -> dict[str, tuple[str, Pack]]:
    from shared.list_packs import decode

    rows = tables.query(TABLE, partition, first, last)
    return {row["RowKey"]: (row["etag"], decode(tables.unsplit(row))) for row in rows}
