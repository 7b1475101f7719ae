"""Who read person-level data: reader, what about, when and what for, kept 400 days.

A reading of one record or target by one reader for one purpose is one row an hour, whatever it took. Those whom an answer names
can see it: by the keys that who knows whom notes, else by the records that name them now.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Annotated

from msgspec import Meta, Struct

from shared import insights, tables
from shared.auth import Caller
from shared.errors import UnavailableError
from shared.moments import instant
from shared.widgets import Shape

TABLE = "accesses"
KEPT_DAYS = 400
_DAY, _HOUR = 86_400, 3_600
_REMEMBERED = 100_000
_SWEPT_DAYS = 7  # a sweep that did not run is made up for within a week
_NAMES = 2_000  # in one property
_MOST_PIECES = 16
_TRIES = 8

_written: set[tuple[str, frozenset[str]]] = set()


class AccessQuery(Struct, frozen=True):
    """`days`: how far back (default 30, at most 400)."""

    days: Annotated[int, Meta(ge=1, le=KEPT_DAYS)] = 30


class Access(Shape, frozen=True):
    """One reading, to the hour: by whom, of which record, address key or domain key, and what for."""

    at: str
    reader: str
    target: str
    purpose: str


class Accesses(Shape, frozen=True):
    """Readings of data about the caller, newest first."""

    accesses: list[Access]


class ReaderCount(Shape, frozen=True):
    """How often one reader read for one purpose: different records or targets per hour."""

    reader: str
    purpose: str
    number: int


class ReaderCounts(Shape, frozen=True):
    """Counts per reader, by reader and purpose."""

    readers: list[ReaderCount]


def note(who: Caller, target: str, purpose: str, now: int, named: Iterable[int] = ()) -> None:
    """Note a reading; `named` are the keys of those whom the answer names, added to those of earlier answers of the hour.

    Raises UnavailableError when others note the same reading all the time.
    """
    names = frozenset(f"{key:016x}" for key in named)
    row_key = f"{now // _HOUR:08d}|{who.id}|{purpose}|{target.replace('/', ' ')}"
    if (row_key, names) in _written:
        return
    facts = {"reader": who.id, "name": who.name, "target": target, "purpose": purpose}
    _add({"PartitionKey": _day(now), "RowKey": row_key, "v": 1, **facts}, names)
    if len(_written) > _REMEMBERED:
        _written.clear()
    _written.add((row_key, names))


def _add(row: tables.Row, names: frozenset[str]) -> None:
    """Insert the row, or add the names to the one that is there."""
    held: tables.Row | None = None
    for _ in range(_TRIES):
        if held and names <= _named(held):
            return
        every = sorted(names | (_named(held) if held else frozenset()))
        if tables.write_if(TABLE, {**row, **_packed(every)}, held["etag"] if held else None):
            return
        held = tables.read(TABLE, row["PartitionKey"], row["RowKey"])
    raise UnavailableError("A reading is being noted by too many workers.")


def _packed(names: list[str]) -> tables.Row:
    """The names as `named`, `named1`, ...: a property holds 32,768 characters."""
    pieces = range(0, max(len(names), 1), _NAMES)
    return {f"named{i // _NAMES or ''}": "".join(names[i : i + _NAMES]) for i in pieces}


def _named(row: tables.Row) -> frozenset[str]:
    text = "".join(row.get(f"named{i or ''}") or "" for i in range(_MOST_PIECES))
    return frozenset(text[i : i + 16] for i in range(0, len(text), 16))


def of_subject(keys: Iterable[int], own: str, query: AccessQuery, now: int, targets: Iterable[str] = ()) -> Accesses:
    """What others read about the person known by these keys: answers that name the person, records that do so now, and
    questions about the person's own address. `own`: the person's id as a reader, whose readings are left out; `targets`: what
    else stands for the person (the company's mail domain, the person's own records)."""
    keys = list(keys)
    names = {f"{key:016x}" for key in keys}
    about = {*insights.naming(keys), *(f"person:{name}" for name in names), *targets}
    found = [
        Access(at=instant(int(row["RowKey"][:8]) * _HOUR), reader=row["name"] or row["reader"], target=row["target"],
               purpose=row["purpose"])
        for row in _rows(query.days, now)
        if row["reader"] != own and (row["target"] in about or not names.isdisjoint(_named(row)))
    ]  # fmt: skip
    return Accesses(sorted(found, key=lambda one: (one.at, one.reader, one.target), reverse=True))


def per_reader(query: AccessQuery, now: int) -> ReaderCounts:
    """How much each reader read."""
    counts = Counter((row["name"] or row["reader"], row["purpose"]) for row in _rows(query.days, now))
    return ReaderCounts([ReaderCount(reader, purpose, n) for (reader, purpose), n in sorted(counts.items())])


def _rows(days: int, now: int) -> Iterator[tables.Row]:
    first, last = _day(now - days * _DAY), _day(now)
    return tables.scan(TABLE, condition=f"PartitionKey ge '{first}' and PartitionKey le '{last}'")


def expire(now: int) -> None:
    """Delete what is older than 400 days."""
    for age in range(KEPT_DAYS + 1, KEPT_DAYS + 1 + _SWEPT_DAYS):
        day = _day(now - age * _DAY)
        gone = [row["RowKey"] for row in tables.query(TABLE, day, select=["RowKey"])]
        for key in gone:
            tables.delete(TABLE, day, key)


def _day(now: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(now))
