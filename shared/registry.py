"""The `people` table: the address or CRM party behind each person key, so that a key can be shown and be erased.

A key stands for one text for ever, so a row is written once and never changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from shared import tables
from shared.entries import person_key
from shared.interactions import Participant

TABLE = "people"
_BUCKETS = 64
_REMEMBERED = 100_000

_written: set[int] = set()
_read: dict[int, str] = {}


def remember(participants: Iterable[Participant]) -> None:
    """Note the address (or party) of everybody who is not noted yet."""
    fresh: dict[int, str] = {}
    for participant in participants:
        key = person_key(participant)
        if key not in _written:
            fresh[key] = participant.address or participant.party
    by_partition: dict[str, list[tables.Operation]] = defaultdict(list)
    for key, text in fresh.items():
        partition, row = _place(key)
        by_partition[partition].append(
            ("upsert", {"PartitionKey": partition, "RowKey": row, "v": 1, "text": text}, None)
        )
    for operations in by_partition.values():
        tables.transact(TABLE, operations)
    if len(_written) > _REMEMBERED:
        _written.clear()
    _written.update(fresh)


def texts(keys: Iterable[int]) -> dict[int, str]:
    """The address or party behind each key; keys that were erased or never noted are left out."""
    found = {}
    for key in keys:
        if key not in _read:
            row = tables.read(TABLE, *_place(key))
            if row is None:
                continue
            if len(_read) > _REMEMBERED:
                _read.clear()
            _read[key] = row["text"]
        found[key] = _read[key]
    return found


def forget(keys: Iterable[int]) -> int:
    """Delete the texts behind these keys; how many there were."""
    number = 0
    for key in keys:
        number += tables.read(TABLE, *_place(key), ["RowKey"]) is not None
        tables.delete(TABLE, *_place(key))
        _read.pop(key, None)
        _written.discard(key)
    return number


def _place(key: int) -> tuple[str, str]:
    row = f"{key:016x}"
    return tables.bucket(row, _BUCKETS), row
