"""Bringing a mailbox's copies into the groups, with an index of them by mailbox so that they can be taken out again.

The index is written before the copies and marked as done after them: whatever breaks off in between, no copy is held that
the index does not know, and a copy that was not placed is placed by the next try. A copy's revision is the time, in
milliseconds, of the answer that it was read from, so a slow reader never puts an older version over a newer one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b

from msgspec import json

from shared import ingest, tables
from shared.groups import HeldCopy
from shared.interactions import MEETING, InteractionCopy

TABLE = "copies"
_CHUNK = 500


def _name(copy: InteractionCopy) -> str:
    """`e|<start>|<hash>` for events, so that a window is a range of rows; `m|<hash>` for mails."""
    hashed = copy.copy_id.rpartition(":")[2]
    return f"e|{copy.at:011d}|{hashed}" if copy.kind == MEETING else f"m|{hashed}"


def _digest(copy: InteractionCopy) -> str:
    return blake2b(json.encode(copy), digest_size=12).hexdigest()


def put(
    mailbox: str, copies: Iterable[InteractionCopy], revision: int, known: Mapping[str, str] | None = None
) -> set[str]:
    """Place copies that are new or changed; the records to compute again.

    `known`: digests by row name where the caller has read them; without it each row is looked up. Safe to repeat.
    """
    wanted = {_name(copy): copy for copy in copies}
    if known is None:
        known = {name: digest for name in wanted if (digest := _known(mailbox, name))}
    fresh = {name: copy for name, copy in wanted.items() if known.get(name) != _digest(copy)}
    if not fresh:
        return set()
    _write(mailbox, fresh, done=False)
    records = _place({name: HeldCopy(revision, copy) for name, copy in fresh.items()}, fresh)
    _write(mailbox, fresh, done=True)
    return records


def _known(mailbox: str, name: str) -> str:
    row = tables.read(TABLE, mailbox, name, ["digest"])
    return str(row["digest"]) if row else ""


def _write(mailbox: str, copies: Mapping[str, InteractionCopy], *, done: bool) -> None:
    rows = [
        {
            "PartitionKey": mailbox, "RowKey": name, "v": 1, "copy": copy.copy_id, "group": copy.merge_key,
            "digest": _digest(copy) if done else "",
        }
        for name, copy in copies.items()
    ]  # fmt: skip
    tables.transact(TABLE, [("upsert", row, None) for row in rows])


def _place(held: Mapping[str, HeldCopy], copies: Mapping[str, InteractionCopy]) -> set[str]:
    by_group: dict[str, dict[str, HeldCopy]] = defaultdict(dict)
    for name, copy in copies.items():
        by_group[copy.merge_key][copy.copy_id] = held[name]
    return ingest.place(by_group)


def in_window(mailbox: str, start: int, end: int) -> dict[str, tables.Row]:
    """The index rows of events that start in the half-open window, by name."""
    rows = tables.query(TABLE, mailbox, f"e|{start:011d}", f"e|{end:011d}")
    return {row["RowKey"]: row for row in rows}


def remove(mailbox: str, rows: Iterable[tables.Row], revision: int) -> set[str]:
    """Take copies out of their groups and out of the index; the records to compute again."""
    records: set[str] = set()
    for chunk in _chunks(rows):
        by_group: dict[str, dict[str, HeldCopy]] = defaultdict(dict)
        for row in chunk:
            by_group[row["group"]][row["copy"]] = HeldCopy(revision, None)
        records |= ingest.place(by_group)
        tables.transact(TABLE, [("delete", {"PartitionKey": mailbox, "RowKey": row["RowKey"]}, None) for row in chunk])
    return records


def remove_all(mailbox: str, revision: int) -> set[str]:
    """Take everything out that a mailbox told us; the records to compute again."""
    return remove(mailbox, tables.query(TABLE, mailbox, "e|", "n"), revision)


def replace_window(mailbox: str, start: int, end: int, copies: Iterable[InteractionCopy], revision: int) -> set[str]:
    """Make the events that start in the window be exactly `copies`; the records to compute again.

    Only to be called with a list that was read to its end. An event that moved keeps its copy: only its row changes.
    """
    listed = [copy for copy in copies if start <= copy.at < end]
    stored = in_window(mailbox, start, end)
    records = put(mailbox, listed, revision, {name: row["digest"] for name, row in stored.items()})
    names, moved = {_name(copy) for copy in listed}, {copy.copy_id: copy.merge_key for copy in listed}
    gone = [row for name, row in stored.items() if name not in names]
    still = [row for row in gone if moved.get(row["copy"]) == row["group"]]
    tables.transact(TABLE, [("delete", {"PartitionKey": mailbox, "RowKey": row["RowKey"]}, None) for row in still])
    return records | remove(mailbox, [row for row in gone if row not in still], revision)


def _chunks(rows: Iterable[tables.Row]) -> Iterator[list[tables.Row]]:
    chunk: list[tables.Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
