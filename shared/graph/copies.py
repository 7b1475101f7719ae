"""Bringing a mailbox's copies into the groups, with an index of them by mailbox so that they can be taken out again.

The index is written before the copies, and marked as done once they are placed and the records that count them are announced:
whatever breaks off in between, no copy is held that the index does not know, and what was not placed or not announced is so by
the next try. A copy's revision is the time, in
milliseconds, of the answer that it was read from, so a slow reader never puts an older version over a newer one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b

from msgspec import json

from shared import ingest, record_updates, tables
from shared.groups import HeldCopy
from shared.interactions import MEETING, InteractionCopy
from shared.settings import settings

TABLE = "copies"
_CHUNK = 500


def _name(copy: InteractionCopy) -> str:
    """`e|<start>|<hash>` for events, so that a window is a range of rows; `m|<hash>` for mails."""
    hashed = copy.copy_id.rpartition(":")[2]
    return f"e|{copy.at:011d}|{hashed}" if copy.kind == MEETING else f"m|{hashed}"


def _digest(copy: InteractionCopy) -> str:
    return blake2b(json.encode(copy), digest_size=12).hexdigest()


def put(
    mailbox: str,
    copies: Iterable[InteractionCopy],
    revision: int,
    known: Mapping[str, tables.Row] | None = None,
    *,
    bulk: bool = False,
) -> None:
    """Place copies that are new or changed, and have the records computed that count them, in the longer window with `bulk`.

    `known`: index rows by name where the caller has read them; without it each row is looked up. Safe to repeat.
    """
    wanted = {_name(copy): copy for copy in copies}
    if known is None:
        known = {name: row for name in wanted if (row := tables.read(TABLE, mailbox, name))}
    fresh = {name: copy for name, copy in wanted.items() if name not in known or known[name]["digest"] != _digest(copy)}
    if not fresh:
        return
    records = _leave([(known[name], _groups(copy)) for name, copy in fresh.items() if name in known], revision)
    _write(mailbox, fresh, done=False)
    by_group: dict[str, dict[str, HeldCopy]] = defaultdict(dict)
    for copy in fresh.values():
        for group in _groups(copy):
            by_group[group][copy.copy_id] = HeldCopy(revision, copy)
    _announce(records | ingest.place(by_group), bulk)
    _write(mailbox, fresh, done=True)


def _announce(records: set[str], bulk: bool) -> None:
    record_updates.announce(records, bulk=bulk or len(records) >= settings().bulk_batch)


def _groups(copy: InteractionCopy) -> set[str]:
    """Where a copy lies: under its merge key, and where an appointment without an iCalUId would look for it."""
    return {copy.merge_key, copy.alternate_key} - {""}


def _groups_of(row: tables.Row) -> set[str]:
    return {row["group"], row["alternate"]} - {""}


def drop(held: Iterable[InteractionCopy]) -> None:
    """Take copies out of the index alone; their groups are the caller's."""
    for copy in held:
        tables.delete(TABLE, copy.mailbox, _name(copy))


def _leave(rows: Iterable[tuple[tables.Row, set[str]]], revision: int) -> set[str]:
    """Take copies out of all groups but those that they are in now; the records to compute again."""
    by_group: dict[str, dict[str, HeldCopy]] = defaultdict(dict)
    for row, now in rows:
        for group in _groups_of(row) - now:
            by_group[group][row["copy"]] = HeldCopy(revision, None)
    return ingest.place(by_group) if by_group else set()


def _write(mailbox: str, copies: Mapping[str, InteractionCopy], *, done: bool) -> None:
    rows = [
        {
            "PartitionKey": mailbox, "RowKey": name, "v": 1, "copy": copy.copy_id, "group": copy.merge_key,
            "alternate": copy.alternate_key, "digest": _digest(copy) if done else "",
        }
        for name, copy in copies.items()
    ]  # fmt: skip
    tables.transact(TABLE, [("upsert", row, None) for row in rows])


def in_window(mailbox: str, start: int, end: int) -> dict[str, tables.Row]:
    """The index rows of events that start in the half-open window, by name."""
    rows = tables.query(TABLE, mailbox, f"e|{start:011d}", f"e|{end:011d}")
    return {row["RowKey"]: row for row in rows}


def remove(
    mailbox: str,
    rows: Iterable[tables.Row],
    revision: int,
    now: Mapping[str, set[str]] | None = None,
    *,
    bulk: bool = False,
) -> None:
    """Take copies out of their groups, have the records computed that counted them, and take them out of the index.

    `now`: groups by copy id in which a copy stays, though under another name: an event that moved.
    """
    for chunk in _chunks(rows):
        _announce(_leave([(row, (now or {}).get(row["copy"], set())) for row in chunk], revision), bulk)
        tables.transact(TABLE, [("delete", {"PartitionKey": mailbox, "RowKey": row["RowKey"]}, None) for row in chunk])


def are_held(mailbox: str) -> bool:
    """Whether anything is held that a mailbox told us."""
    return any(True for _ in tables.query(TABLE, mailbox, select=["RowKey"]))


def number(mailbox: str) -> int:
    """How many copies are held of what a mailbox told us."""
    return sum(1 for _ in tables.query(TABLE, mailbox, "e|", "n", ["RowKey"]))


def remove_all(mailbox: str, revision: int) -> None:
    """Take everything out that a mailbox told us."""
    remove(mailbox, tables.query(TABLE, mailbox, "e|", "n"), revision, bulk=True)


def replace_window(
    mailbox: str, start: int, end: int, copies: Iterable[InteractionCopy], revision: int, *, bulk: bool = False
) -> None:
    """Make the events that start in the window be exactly `copies`, and have the records computed that this changes.

    Only to be called with a list that was read to its end. An event that moved keeps its copy: only its row changes.
    """
    listed = [copy for copy in copies if start <= copy.at < end]
    stored = in_window(mailbox, start, end)
    put(mailbox, listed, revision, stored, bulk=bulk)
    names, now = {_name(copy) for copy in listed}, {copy.copy_id: _groups(copy) for copy in listed}
    gone = [row for name, row in stored.items() if name not in names]
    remove(mailbox, gone, revision, now, bulk=bulk)


def _chunks(rows: Iterable[tables.Row]) -> Iterator[list[tables.Row]]:
    chunk: list[tables.Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
