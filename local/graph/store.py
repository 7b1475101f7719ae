"""Everything that outlives the process, in one SQLite file: documents, users, items with their changes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from local.graph.errors import SimulatorError

FILE = "graph.sqlite"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
  kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS changes (seq INTEGER PRIMARY KEY AUTOINCREMENT, user TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS changes_of_user ON changes (user, at);
CREATE TABLE IF NOT EXISTS items (
  n INTEGER PRIMARY KEY, user TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, moving_id TEXT NOT NULL,
  ordinal INTEGER NOT NULL, folder TEXT NOT NULL, at INTEGER NOT NULL, until INTEGER NOT NULL,
  entered INTEGER NOT NULL, changed INTEGER NOT NULL, body TEXT NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS item_by_id ON items (user, id);
CREATE INDEX IF NOT EXISTS item_by_moving_id ON items (user, moving_id);
CREATE INDEX IF NOT EXISTS items_by_time ON items (user, kind, folder, at, n);
CREATE INDEX IF NOT EXISTS items_by_change ON items (user, kind, folder, changed);
CREATE TABLE IF NOT EXISTS removals (
  seq INTEGER PRIMARY KEY, user TEXT NOT NULL, kind TEXT NOT NULL, folder TEXT NOT NULL, n INTEGER NOT NULL,
  moving_id TEXT NOT NULL, reason TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS removals_of_folder ON removals (user, kind, folder, seq);
"""


class Store:
    """Rows and documents. A document is a JSON value under (kind, id). Raises SimulatorError for a file in use."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / FILE
        self.db = sqlite3.connect(self.path, isolation_level=None, timeout=0.5)
        self.db.row_factory = sqlite3.Row
        try:
            # Exclusive: a second simulator on the same file would answer from a state that is not its own.
            self.db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self.db.execute("PRAGMA journal_mode = WAL")
            self.db.execute("PRAGMA synchronous = NORMAL")
            self.db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            self.db.close()
            raise SimulatorError(f"{self.path} cannot be used: {error}") from error

    def close(self) -> None:
        self.db.close()

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        return self.db.execute(sql, values).fetchall()

    def one(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self.db.execute(sql, values).fetchone()
        return row

    def get(self, kind: str, key: str, default: Any = None) -> Any:
        row = self.one("SELECT body FROM documents WHERE kind = ? AND id = ?", (kind, key))
        return json.loads(row["body"]) if row else default

    def all(self, kind: str) -> dict[str, Any]:
        rows = self.rows("SELECT id, body FROM documents WHERE kind = ? ORDER BY id", (kind,))
        return {row["id"]: json.loads(row["body"]) for row in rows}

    def put(self, kind: str, key: str, value: Any) -> None:
        self.put_all(kind, [(key, value)])

    def put_all(self, kind: str, entries: Iterable[tuple[str, Any]]) -> None:
        rows = [(kind, key, json.dumps(value)) for key, value in entries]
        self.db.executemany("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", rows)

    def drop(self, kind: str, key: str) -> None:
        self.db.execute("DELETE FROM documents WHERE kind = ? AND id = ?", (kind, key))

    def drop_all(self, kind: str) -> None:
        self.db.execute("DELETE FROM documents WHERE kind = ?", (kind,))

    def next_change(self, user: str, at: float) -> int:
        """The number of a new change in this mailbox; numbers grow over all mailboxes and are never used again."""
        seq = self.db.execute("INSERT INTO changes (user, at) VALUES (?, ?)", (user, at)).lastrowid
        assert seq is not None
        return seq

    def last_change(self, user: str, until: float) -> int:
        """The number of the mailbox's newest change at or before `until`; 0 without one."""
        row = self.one("SELECT max(seq) AS seq FROM changes WHERE user = ? AND at <= ?", (user, until))
        return int(row["seq"] or 0) if row else 0
