"""Cutting old interactions out of an activity partition: whole months are deleted unread, the month at the edge is rewritten."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from msgspec import Struct

from shared import tables
from shared.columns import Entries, decode, encode
from shared.errors import UnavailableError
from shared.partitions import PAST_TAIL, TABLE, TAIL, fold_tail, month_of, read
from shared.retention import Term

_TRIES = 8


class Cut(Struct, frozen=True):
    """What to cut: interactions and counters before the term. `counted_from`: the month from which on months may still have such
    counters; those before it, but for the one at the edge, are known to have none."""

    term: Term
    counted_from: str = ""

    @property
    def edge(self) -> str:
        """The UTC month in which the interactions' term lies."""
        return month_of(self.term.interactions)

    @property
    def last(self) -> str:
        """The UTC month in which the counters' term lies: the newest that changes."""
        return month_of(self.term.events)

    def condition(self) -> str:
        """Which rows of the table may change."""
        old = f"(RowKey ge '0' and RowKey lt '{self.edge}~~')"
        counted = f"(RowKey ge '{max(self.counted_from, self.edge)}' and RowKey lt '{self.last}~~')"
        return f"({old} or {counted} or (RowKey ge '{TAIL}' and RowKey lt '{PAST_TAIL}'))"

    def concerns(self, row: str) -> bool:
        """Say whether a month's row may change."""
        month = row[:7]
        return month <= self.edge or self.counted_from <= month <= self.last


def cut(partition: str, rows: Iterable[str], wanted: Cut) -> tuple[int, bool]:
    """Bring these rows of a partition (their keys) in line with the term; how many changed, and whether anything is left in the
    partition. A tail is folded first. Repeating it changes nothing.

    Raises UnavailableError when others change the same row all the time.
    """
    names = sorted(rows)
    if any(name.startswith(TAIL) for name in names):
        fold_tail(read(partition))
        there = tables.query(TABLE, partition, first="0", select=["RowKey"])
        names = sorted(row["RowKey"] for row in there if wanted.concerns(row["RowKey"]))
    whole = [name for name in names if name[:7] < wanted.edge]
    tables.transact(TABLE, [("delete", {"PartitionKey": partition, "RowKey": name}, None) for name in whole])
    changed = len(whole) + sum(_rewritten(partition, name, wanted) for name in names[len(whole) :])
    left = changed == 0 or any(True for _ in tables.query(TABLE, partition, select=["RowKey"]))
    return changed, left


def _rewritten(partition: str, name: str, wanted: Cut) -> bool:
    for _ in range(_TRIES):
        row = tables.read(TABLE, partition, name)
        if row is None:
            return False
        entries = decode(tables.unsplit(row))
        left = _without_counters(_young(entries, wanted.term), wanted.term)
        if len(left) == len(entries) and len(left.engagement_index) == len(entries.engagement_index):
            return False
        key = {"PartitionKey": partition, "RowKey": name}
        operation: tables.Operation = ("delete", key, row["etag"])
        if len(left):
            operation = ("write", {**key, "v": row["v"], **tables.split(encode(left))}, row["etag"])
        if tables.transact(TABLE, [operation]):
            return True
    raise UnavailableError("An activity partition is being changed by too many writers.")


def _young(entries: Entries, term: Term) -> Entries:
    """What is not too old. What was removed stays for its month: its instant says only which month it left."""
    stays = (entries.facts.at >= term.interactions) | entries.removed
    if stays.all():
        return entries
    left = entries.take(np.flatnonzero(stays))
    return Entries.empty() if left.removed.all() and bool((entries.facts.at < term.interactions).all()) else left


def _without_counters(entries: Entries, term: Term) -> Entries:
    young = entries.facts.at[entries.engagement_index] >= term.events
    return replace(entries, engagement_index=entries.engagement_index[young], engagement=entries.engagement[young])
