"""Bringing stored rows of an old format into the present one, while the app serves.

Every reader understands the old format, so it does not matter for any number how far this has come. A row is replaced under its
ETag: when somebody else was faster, the row is in the present format already, because nobody writes another. How far it is
stands in a row of its own, so it goes on where it stopped. docs/upgrade.md has the rules.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator

from msgspec import Struct

from shared import tables, telemetry
from shared.entity_queries import literal

PROGRESS, _PARTITION = "settings", "migration"
VERSION = 1
STEP_ROWS = 500  # after so many rows the place is remembered
_log = logging.getLogger(__name__)


class Migration(Struct, frozen=True):
    """One change of format: the table; a number that names the change for ever; what makes a present row of an old one."""

    table: str
    number: int
    renewed: Callable[[tables.Row], tables.Row | None]


class Reach(Struct, frozen=True):
    """How far a migration is: the last row visited, rows visited and rewritten so far, and whether it is done."""

    partition: str = ""
    row: str = ""
    visited: int = 0
    rewritten: int = 0
    done: bool = False


def _renewed_columns(row: tables.Row) -> tables.Row | None:
    """A month or tail row in the present layout; None if it is in it."""
    from shared import columns

    blob = tables.unsplit(row)
    if columns.layout(blob) == columns.VERSION:
        return None
    return {**tables.split(columns.encode(columns.decode(blob))), "v": row["v"]}


# In the order in which they came. A migration is removed in the release that no longer reads the old format.
MIGRATIONS = (Migration("activities", 1, _renewed_columns),)


def reach(migration: Migration) -> Reach:
    """How far a migration is."""
    row = tables.read(PROGRESS, _PARTITION, f"{migration.table}|{migration.number}")
    if row is None:
        return Reach()
    return Reach(row["place"], row["placeRow"], int(row["visited"]), int(row["rewritten"]), bool(row["done"]))


def migrate(seconds: float, clock: Callable[[], float] = time.monotonic) -> int:
    """Go on with every migration that is not done, for about so long; how many rows were rewritten."""
    ends, rewritten = clock() + seconds, 0
    for migration in MIGRATIONS:
        before = reach(migration)
        if not before.done:
            rewritten += _go_on(migration, before, lambda: clock() < ends).rewritten - before.rewritten
    return rewritten


def _go_on(migration: Migration, at: Reach, may_go_on: Callable[[], bool]) -> Reach:
    for row in _after(migration.table, at):
        rewritten = at.rewritten + _rewrite(migration, row)
        at = Reach(row["PartitionKey"], row["RowKey"], at.visited + 1, rewritten)
        if at.visited % STEP_ROWS == 0:
            _remember(migration, at)
            if not may_go_on():
                return at
    done = Reach(at.partition, at.row, at.visited, at.rewritten, done=True)
    _remember(migration, done)
    _log.info("rows migrated: %s, %d visited, %d rewritten", migration.table, at.visited, at.rewritten)
    return done


def _after(table: str, at: Reach) -> Iterator[tables.Row]:
    """The rows after a place, in the order of their keys."""
    partition, row = literal(at.partition), literal(at.row)
    later = f"PartitionKey gt {partition} or (PartitionKey eq {partition} and RowKey gt {row})"
    return tables.scan(table, condition=later if at.visited else "")


def _rewrite(migration: Migration, row: tables.Row) -> int:
    new = migration.renewed(row)
    if new is None:
        return 0
    keys = {"PartitionKey": row["PartitionKey"], "RowKey": row["RowKey"]}
    written = tables.write_if(migration.table, {**keys, **new}, row["etag"])
    telemetry.count("rapport.migrated", int(written))
    return int(written)


def _remember(migration: Migration, at: Reach) -> None:
    row = {"PartitionKey": _PARTITION, "RowKey": f"{migration.table}|{migration.number}", "v": VERSION}
    facts = {
        "place": at.partition,
        "placeRow": at.row,
        "visited": at.visited,
        "rewritten": at.rewritten,
        "done": at.done,
    }
    tables.upsert(PROGRESS, {**row, **facts})
