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
from shared.moments import instant
from shared.widgets import Shape

TABLE = "accesses"
KEPT_DAYS = 400
_DAY, _HOUR = 86_400, 3_600
_REMEMBERED = 100_000
_SWEPT_DAYS = 7  # a sweep that did not run is made up for within a week

_written: set[tuple[str, str]] = set()


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
    """Note a reading; `named` are the keys of those of ours whom the answer names."""
    keys = "".join(sorted(f"{key:016x}" for key in named))
    row_key = f"{now // _HOUR:08d}|{who.id}|{purpose}|{target.replace('/', ' ')}"
    if (row_key, keys) in _written:
        return
    facts = {"reader": who.id, "name": who.name, "target": target, "purpose": purpose, "named": keys}
    tables.upsert(TABLE, {"PartitionKey": _day(now), "RowKey": row_key, "v": 1, **facts})
    if len(_written) > _REMEMBERED:
        _written.clear()
    _written.add((row_key, keys))


def of_subject(keys: Iterable[int], own: Caller, query: AccessQuery, now: int) -> Accesses:
    """What others read about one of ours, known by these keys."""
    keys = list(keys)
    names = [f"{key:016x}" for key in keys]
    records = set(insights.naming(keys))
    found = [
        Access(at=instant(int(row["RowKey"][:8]) * _HOUR), reader=row["name"] or row["reader"], target=row["target"],
               purpose=row["purpose"])
        for row in _rows(query.days, now)
        if row["reader"] != own.id and (_names(row["named"], names) or row["target"] in records)
    ]  # fmt: skip
    return Accesses(sorted(found, key=lambda one: (one.at, one.reader, one.target), reverse=True))


def _names(named: str, names: list[str]) -> bool:
    held = {named[i : i + 16] for i in range(0, len(named), 16)}
    return not held.isdisjoint(names)


def per_reader(query: AccessQuery, now: int) -> ReaderCounts:
    """How much each reader read."""
    counts = Counter((row["name"] or row["reader"], row["purpose"]) for row in _rows(query.days, now))
    return ReaderCounts([ReaderCount(reader, purpose, n) for (reader, purpose), n in sorted(counts.items())])


def _rows(days: int, now: int) -> Iterator[tables.Row]:
    for age in range(days + 1):
        yield from tables.query(TABLE, _day(now - age * _DAY))


def expire(now: int) -> None:
    """Delete what is older than 400 days."""
    for age in range(KEPT_DAYS + 1, KEPT_DAYS + 1 + _SWEPT_DAYS):
        day = _day(now - age * _DAY)
        gone = [row["RowKey"] for row in tables.query(TABLE, day, select=["RowKey"])]
        for key in gone:
            tables.delete(TABLE, day, key)


def _day(now: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(now))
