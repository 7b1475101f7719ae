"""The `membership` index: which records claim an anchor, an anchor being an external person or a record that is regarded.

Rows are only ever added. A record that no longer claims an anchor, or claims less of it, goes on getting its interactions and
leaves them out when it computes, since what counts is decided there; so nothing that was missed has to be found again when people
come back. A claim for another span is another row, because a slow worker must not narrow what a faster one has widened.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from msgspec import Struct

from shared import tables

TABLE = "membership"
ALWAYS = 2**62  # later than every instant, and its negative earlier
_BUCKETS = 64


class Claim(Struct, frozen=True):
    """`record` keeps what `anchor` is part of, from `first` to `last`, because of `source` (itself, or a record of its own).

    Both are edges of UTC months (first and last second), so that a record has all of an anchor's month or nothing of it.
    """

    record: str
    anchor: str
    source: str
    first: int = -ALWAYS
    last: int = ALWAYS

    def covers(self, at: int) -> bool:
        """Say whether an interaction at this instant is kept."""
        return self.first <= at <= self.last


def person_anchor(key: int) -> str:
    """The anchor, and at the same time the partition, of an external person.

    >>> person_anchor(255)
    'person:00000000000000ff'
    """
    return f"person:{key:016x}"


def announce(claims: Iterable[Claim]) -> None:
    """Note the claims. Whoever appends to an anchor from now on appends to the claiming record too."""
    by_partition: dict[str, list[tables.Operation]] = defaultdict(list)
    for claim in claims:
        partition = tables.bucket(claim.anchor, _BUCKETS)
        span = "" if (claim.first, claim.last) == (-ALWAYS, ALWAYS) else f"|{claim.first}|{claim.last}"
        key = f"{claim.anchor}|{claim.record}|{claim.source}{span}"
        by_partition[partition].append(("upsert", {"PartitionKey": partition, "RowKey": key, "v": 1}, None))
    for operations in by_partition.values():
        tables.transact(TABLE, operations)


def claims_on(anchors: Iterable[str]) -> dict[str, list[Claim]]:
    """The claims on each anchor. Read them after appending to the anchors' own partitions, never before."""
    return {anchor: list(_claims_on(anchor)) for anchor in dict.fromkeys(anchors)}


def _claims_on(anchor: str) -> Iterable[Claim]:
    for row in tables.query(TABLE, tables.bucket(anchor, _BUCKETS), f"{anchor}|", f"{anchor}}}", ["RowKey"]):
        _, record, source, *span = row["RowKey"].split("|")
        yield Claim(record, anchor, source, *map(int, span))


def copy_history(claims: Iterable[Claim]) -> set[str]:
    """Put what the anchors' partitions hold into the claiming records'; the anchors that held anything.

    Call it after `announce`; repeating changes nothing.
    """
    import numpy as np

    from shared import partitions
    from shared.columns import Entries, joined

    read: dict[str, Entries] = {}
    by_record: dict[str, list[Entries]] = defaultdict(list)
    for claim in sorted(claims, key=lambda claim: (claim.record, claim.anchor, claim.source)):
        if claim.anchor == claim.record:
            continue
        if claim.anchor not in read:
            read[claim.anchor] = partitions.read(claim.anchor).entries
        history = read[claim.anchor]
        kept = np.flatnonzero((history.facts.at >= claim.first) & (history.facts.at <= claim.last))
        by_record[claim.record].append(history.take(kept))
    for record, histories in by_record.items():
        history = joined(
            histories
        )  # whole: one month's removal of a moved interaction must come along with the other's entry
        if len(history):
            partitions.fold(record, history)
    return {anchor for anchor, history in read.items() if len(history)}
