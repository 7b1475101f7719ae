"""Rosters as stored: who and what each record counts, and which records refer to which rows.

A roster is kept in `records`, and once more beside the account that it belongs to (`references`), so that an account finds its
contacts, opportunities, leads and cases with one query.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from msgspec import Struct, msgpack

from shared import membership, tables
from shared.errors import FormatVersionError

VERSION = 1
RECORD_TYPES = ("account", "contact", "lead", "opportunity", "case")


class Stakeholder(Struct, frozen=True):
    """An external person of interest: the CRM row (`contact:<id>`, `lead:<id>`), name, and all keys, the person's own first."""

    party: str
    name: str
    keys: tuple[int, ...]


class Roster(Struct, frozen=True, kw_only=True):
    """One record: its facts, its people on both sides and the records merged into it. Instants are whole seconds UTC."""

    record: str  # "opportunity:<id>"
    name: str = ""
    status: str = "open"
    created_at: int | None = None
    closed_at: int | None = None
    owner: str = ""
    team: tuple[str, ...] = ()  # user ids, without the owner
    people: tuple[Stakeholder, ...] = ()
    account: str = ""  # "account:<id>", the surviving one
    merged: tuple[str, ...] = ()  # records merged into this one
    merged_into: str = ""
    gone: bool = False  # deleted in the CRM, or never heard of by itself
    estimated_close_at: int | None = None
    amount: float | None = None
    fields: dict[str, str] = {}  # what similar deals are compared by

    @property
    def type(self) -> str:
        """The record type."""
        return self.record.partition(":")[0]


_encoder = msgpack.Encoder(order="deterministic")
_decoder = msgpack.Decoder(Roster)


def place(record: str) -> tuple[str, str]:
    """PartitionKey and RowKey of a record's row."""
    kind, _, id = record.partition(":")
    return f"{kind}|{tables.bucket(id)}", id


def read(record: str) -> Roster | None:
    """The roster of a record; None if nothing was ever heard of it."""
    return _decoded(tables.read("records", *place(record)))


def every(kind: str) -> Iterator[Roster]:
    """The rosters of all records of a type. For sweeps only."""
    for number in range(16):
        for row in tables.query("records", f"{kind}|{number:x}"):
            if roster := _decoded(row):
                yield roster


def children(account: str) -> list[Roster]:
    """The contacts, opportunities, leads and cases of an account, as far as they still belong to it."""
    rosters = [roster for row in tables.query("references", account, "child|", "child}") if (roster := _decoded(row))]
    return [roster for roster in rosters if roster.account == account and not roster.gone and not roster.merged_into]


def _decoded(row: tables.Row | None) -> Roster | None:
    if row is None:
        return None
    if row["v"] != VERSION:
        raise FormatVersionError(f"rosters have format {row['v']}, this app reads {VERSION}")
    return _decoder.decode(tables.unsplit(row))


def sources(target: str) -> list[str]:
    """The records that refer to a row (`contact:<id>`), among them records merged into it."""
    return [
        row["RowKey"].partition("|")[2] for row in tables.query("references", target, "source|", "source}", ["RowKey"])
    ]


def refer(pairs: Iterable[tuple[str, str]]) -> None:
    """Note that each source (second) refers to its target (first). Do it before reading the target."""
    by_target: dict[str, list[tables.Operation]] = defaultdict(list)
    for target, source in dict.fromkeys(pairs):
        by_target[target].append(("upsert", {"PartitionKey": target, "RowKey": f"source|{source}", "v": 1}, None))
    for operations in by_target.values():
        tables.transact("references", operations)


def anchors(roster: Roster) -> list[str]:
    """What the record counts by itself: its external people, and the records merged into it. Nothing once it is gone."""
    if roster.gone:
        return []
    return [*(membership.person_anchor(key) for person in roster.people for key in person.keys), *roster.merged]


def stored(record: str) -> tuple[Roster | None, str | None]:
    """The roster of a record and the ETag of its row; (None, None) if nothing was ever heard of it."""
    row = tables.read("records", *place(record))
    return _decoded(row), row["etag"] if row else None


def write_if(roster: Roster, etag: str | None) -> bool:
    """Store the roster if the row's ETag still holds; False when somebody else was faster."""
    partition, key = place(roster.record)
    return tables.write_if("records", {"PartitionKey": partition, "RowKey": key, "v": VERSION, **packed(roster)}, etag)


def packed(roster: Roster) -> tables.Row:
    """The roster as properties of a row."""
    return tables.split(_encoder.encode(roster))
