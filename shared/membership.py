"""The `membership` index: which records count an anchor, an anchor being an external person or a record that is regarded.

Rows are only ever added. A record that no longer counts an anchor goes on getting its interactions and leaves them out when it
computes, since what counts is decided there; so nothing that was missed has to be found again when people come back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from shared import tables

TABLE = "membership"
_BUCKETS = 64


def person_anchor(key: int) -> str:
    """The anchor, and at the same time the partition, of an external person.

    >>> person_anchor(255)
    'person:00000000000000ff'
    """
    return f"person:{key:016x}"


def announce(growth: Mapping[str, Iterable[str]]) -> None:
    """Note which new anchors each record counts. Whoever appends to an anchor from now on appends to the record too."""
    by_partition: dict[str, list[tables.Operation]] = defaultdict(list)
    for record, anchors in growth.items():
        for anchor in anchors:
            partition = tables.bucket(anchor, _BUCKETS)
            by_partition[partition].append(
                ("upsert", {"PartitionKey": partition, "RowKey": f"{anchor}|{record}", "v": 1}, None)
            )
    for operations in by_partition.values():
        tables.transact(TABLE, operations)


def records(anchors: Iterable[str]) -> dict[str, list[str]]:
    """The records that count each anchor. Read it after appending to the anchors' own partitions, never before."""
    return {anchor: list(_records(anchor)) for anchor in dict.fromkeys(anchors)}


def _records(anchor: str) -> Iterable[str]:
    for row in tables.query(TABLE, tables.bucket(anchor, _BUCKETS), f"{anchor}|", f"{anchor}}}", ["RowKey"]):
        yield row["RowKey"].partition("|")[2]


def copy_history(growth: Mapping[str, Iterable[str]]) -> None:
    """Put what the anchors' partitions hold into the records'. Call it after `announce`; repeating changes nothing."""
    from shared import partitions
    from shared.columns import Entries, joined, newest

    read: dict[str, Entries] = {}
    for record, anchors in growth.items():
        found = []
        for anchor in anchors:
            if anchor != record:
                if anchor not in read:
                    read[anchor] = partitions.read(anchor).entries
                found.append(read[anchor])
        history = newest(joined(found))
        if len(history):
            partitions.fold(record, history)
