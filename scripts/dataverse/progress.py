"""How far a load has come, in a SQLite file: what makes it resumable, and able to tell what has gone since.

Written after each page, once the app has taken the page's changes. A load that is killed in between sends a page again,
which changes nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS about (crm TEXT, app TEXT);
CREATE TABLE IF NOT EXISTS tables (
    name TEXT PRIMARY KEY, pass INTEGER NOT NULL DEFAULT 1, next TEXT NOT NULL DEFAULT '', delta TEXT NOT NULL DEFAULT '',
    whole INTEGER NOT NULL DEFAULT 0, read INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS held (
    name TEXT, id TEXT, pass INTEGER NOT NULL, closed INTEGER, joined TEXT, pair TEXT, PRIMARY KEY (name, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS held_pairs ON held (pair) WHERE pair IS NOT NULL;
CREATE TABLE IF NOT EXISTS sets (kind TEXT, id TEXT, members TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
"""


class OtherLoadError(Exception):
    """The file belongs to a load from or to somewhere else."""


@dataclass(frozen=True)
class State:
    """Of one table: number of the present pass over all rows, where it goes on, where changes go on, whether it was read
    as a whole at least once, and how many rows this pass has read.
    """

    number: int = 1
    next: str = ""
    delta: str = ""
    whole: bool = False
    read: int = 0


class Joined(NamedTuple):
    """The two rows that a connection joins, as (entity, id), the version at which it did, and whether it holds (is active)."""

    ends: tuple[tuple[str, str], tuple[str, str]]
    version: int
    holds: bool = True

    @property
    def pair(self) -> str:
        """The two rows whichever way the connection names them: Dataverse keeps one row for each way."""
        return json.dumps(sorted(self.ends))


@dataclass(frozen=True)
class Held:
    """What is remembered of a row: when it was first seen closed, and what a connection joins."""

    id: str
    closed: datetime | None = None
    joined: Joined | None = None


def _joined(text: str) -> Joined:
    (first, second), version, holds = json.loads(text)
    return Joined((tuple(first), tuple(second)), version, holds)


class Progress:
    """The file at `path`; made when it is not there. Raises OtherLoadError when it belongs to another load."""

    def __init__(self, path: Path, crm: str, app: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = sqlite3.connect(path)
        self._file.executescript(_SCHEMA)
        about = self._file.execute("SELECT crm, app FROM about").fetchone()
        if about is None:
            with self._file:
                self._file.execute("INSERT INTO about VALUES (?, ?)", (crm, app))
        elif about != (crm, app):
            self._file.close()
            raise OtherLoadError(f"{path} belongs to a load from {about[0]} to {about[1]}: give another --state.")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def state(self, name: str) -> State:
        """How far a table is."""
        row = self._file.execute("SELECT pass, next, delta, whole, read FROM tables WHERE name = ?", (name,)).fetchone()
        return State(row[0], row[1], row[2], bool(row[3]), row[4]) if row else State()

    def held(self, name: str, ids: Iterable[str]) -> dict[str, Held]:
        """What is remembered of rows, by id; those that were never seen are left out."""
        found = {}
        for id in ids:
            row = self._file.execute("SELECT closed, joined FROM held WHERE name = ? AND id = ?", (name, id)).fetchone()
            if row:
                closed = None if row[0] is None else datetime.fromtimestamp(row[0], UTC)
                found[id] = Held(id, closed, _joined(row[1]) if row[1] else None)
        return found

    def page(self, name: str, state: State, rows: Iterable[Held], gone: Iterable[str]) -> None:
        """Remember a page that the app has taken: where to go on, its rows, and which are gone."""
        with self._file:
            for held in rows:
                closed = None if held.closed is None else int(held.closed.timestamp())
                joined = json.dumps(held.joined) if held.joined else None
                pair = held.joined.pair if held.joined and held.joined.holds else None
                row = (name, held.id, state.number, closed, joined, pair)
                self._file.execute("INSERT OR REPLACE INTO held VALUES (?, ?, ?, ?, ?, ?)", row)
            self._file.executemany("DELETE FROM held WHERE name = ? AND id = ?", [(name, id) for id in gone])
            self._write(name, state)

    def joined_by(self, pair: str) -> set[str]:
        """The ids of all connections that hold and join the same two rows, such as two roles of one person."""
        return {row[0] for row in self._file.execute("SELECT id FROM held WHERE pair = ?", (pair,))}

    def restart(self, name: str) -> State:
        """Begin a new pass over all rows, because the link to what changed no longer holds or there is none."""
        state = State(self.state(name).number + 1, whole=True)
        with self._file:
            self._write(name, state)
        return state

    def unseen(self, name: str, state: State) -> list[Held]:
        """The rows that the present pass did not meet: they have gone."""
        query = "SELECT id FROM held WHERE name = ? AND pass < ? ORDER BY id"
        ids = [row[0] for row in self._file.execute(query, (name, state.number))]
        return list(self.held(name, ids).values())

    def _write(self, name: str, state: State) -> None:
        values = (name, state.number, state.next, state.delta, int(state.whole), state.read)
        self._file.execute("INSERT OR REPLACE INTO tables VALUES (?, ?, ?, ?, ?, ?)", values)

    def sets(self, kind: str) -> dict[str, list[str]]:
        """The sets of a kind as last sent, such as the members of each team."""
        rows = self._file.execute("SELECT id, members FROM sets WHERE kind = ?", (kind,))
        return {id: json.loads(members) for id, members in rows}

    def keep_sets(self, kind: str, sets: dict[str, list[str]]) -> None:
        """Remember the sets of a kind in the place of what was there."""
        with self._file:
            self._file.execute("DELETE FROM sets WHERE kind = ?", (kind,))
            rows = [(kind, id, json.dumps(members)) for id, members in sets.items()]
            self._file.executemany("INSERT INTO sets VALUES (?, ?, ?)", rows)
