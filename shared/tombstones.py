"""Tombstones: keyed hashes of who has opted out. They stay, so that nothing of these people is kept again; nothing else is in
them."""

from __future__ import annotations

import time
from collections.abc import Iterable

from shared import tables

TABLE = "optouts"
_TOMBSTONES, _CHANGED = "tombstones", "changed"
_KEPT_SECONDS = 20.0

_held: tuple[tuple[frozenset[int], int], float] | None = None


def bury(gone: Iterable[int], now: int) -> None:
    """Set tombstones for these keys."""
    rows = [{"PartitionKey": _TOMBSTONES, "RowKey": f"{key:016x}", "v": 1} for key in gone]
    _change([("upsert", row, None) for row in rows], now)


def lift(back: Iterable[int], now: int) -> None:
    """Take tombstones away: what arrives from now on is kept again. What was erased does not come back."""
    rows = [{"PartitionKey": _TOMBSTONES, "RowKey": f"{key:016x}"} for key in back]
    there = read()
    _change([("delete", row, "*") for row in rows if int(row["RowKey"], 16) in there], now)


def _change(operations: list[tables.Operation], now: int) -> None:
    global _held
    changed = {"PartitionKey": _TOMBSTONES, "RowKey": _CHANGED, "v": 1, "at": str(now)}
    tables.transact(TABLE, [*operations, ("upsert", changed, None)])
    _held = None


def read() -> frozenset[int]:
    """All keys under which nobody may be known any more, read now."""
    return _stored()[0]


def changed_at() -> int:
    """When somebody last opted out or came back, 0 for never; known at most 20 seconds late. Older snapshots do not hold."""
    return _recent()[1]


def changed_at_now() -> int:
    """The same, read now: for what is about to be stored and shown for longer than that."""
    row = tables.read(TABLE, _TOMBSTONES, _CHANGED, ["at"])
    return int(row["at"]) if row else 0


def _recent() -> tuple[frozenset[int], int]:
    global _held
    if _held is None or _held[1] < time.monotonic():
        _held = _stored(), time.monotonic() + _KEPT_SECONDS
    return _held[0]


def _stored() -> tuple[frozenset[int], int]:
    rows = {row["RowKey"]: row for row in tables.query(TABLE, _TOMBSTONES)}
    changed = rows.pop(_CHANGED, None)
    return frozenset(int(name, 16) for name in rows), int(changed["at"]) if changed else 0


def recent() -> frozenset[int]:
    """The tombstones as known at most 20 seconds late: enough for what arrives, because the figures look by themselves."""
    return _recent()[0]
