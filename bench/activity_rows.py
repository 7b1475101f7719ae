"""Reading a record whose activities are kept one per row, done well: one query, its JSON by msgspec, columns by numpy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain

import numpy as np
from msgspec import json

from bench.stored_record import PART, REGARDING, ROWS
from shared import tables
from shared.columns import Entries
from shared.kpi.interactions import Interactions

_parts = json.Decoder(list[tuple[int, int, int, int]])
_regardings = json.Decoder(list[tuple[int, int]])
_DTYPES = {"at": "i8", "end": "i8", "kind": "u1", "flags": "u4", "sources": "u1"}
_PART_DTYPES = ("u8", "u8", "u1", "u1")


def by_client(name: str) -> Iterable[tables.Row]:
    """All rows of a record by the client library, as its documentation shows it."""
    return tables.table(ROWS).query_entities("PartitionKey eq @name", parameters={"name": name})


def by_our_reader(name: str) -> Iterable[tables.Row]:
    """The same rows by the app's own query."""
    return tables.query(ROWS, name)


def read(name: str, query: Callable[[str], Iterable[tables.Row]] = by_client) -> Entries:
    """The entries of a record out of its rows, which come in order of time."""
    rows = list(query(name))
    parts = [_parts.decode(row["participants"]) for row in rows]
    about = [_regardings.decode(row["regarding"]) for row in rows]
    part_columns = zip(*chain.from_iterable(parts), strict=True)
    about_columns = zip(*chain.from_iterable(about), strict=True)
    positions = np.arange(len(rows))
    facts = Interactions(
        key=np.array([bytes.fromhex(row["RowKey"].partition("|")[2]) for row in rows], dtype="S16"),
        **{one: np.array([row[one] for row in rows], dtype) for one, dtype in _DTYPES.items()},
        minutes=np.array([row.get("minutes", np.nan) for row in rows], "f8"),
        conversation=np.array([int(row["conversation"], 16) for row in rows], "u8"),
        part_index=np.repeat(positions, [len(one) for one in parts]),
        regarding_index=np.repeat(positions, [len(one) for one in about]),
        **{f"part_{one}": np.array(c, d) for one, d, c in zip(PART, _PART_DTYPES, part_columns, strict=True)},
        **{
            f"regarding_{one}": np.array(c, d) for one, d, c in zip(REGARDING, ("u1", "u8"), about_columns, strict=True)
        },
    )
    revision = np.array([row["revision"] for row in rows], "u4")
    activity = np.empty(len(rows), dtype=object)
    activity[:] = [row["activity"] for row in rows]
    return Entries(facts, revision, np.array([row["removed"] for row in rows], dtype=bool), activity)
