"""Messages in one SQLite file, so that neither a stop nor a kill loses what was promised.

One transaction takes all changes of a turn. Write-ahead log with synchronous=NORMAL: a killed process loses no
committed transaction; only a power cut could. Source: https://sqlite.org/pragma.html#pragma_synchronous.
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import UUID

from local.bus.broker import Broker, Changes
from local.bus.codec import decode, encode
from local.bus.entity import Message, State
from local.bus.messages import Content

VERSION = 1
FILE = "messages.sqlite"
_log = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE messages (
  path TEXT NOT NULL, sequence INTEGER NOT NULL, content INTEGER NOT NULL, enqueued_at INTEGER NOT NULL,
  state INTEGER NOT NULL, delivery_count INTEGER NOT NULL, due_at INTEGER, expires_at INTEGER,
  lock BLOB, locked_until INTEGER NOT NULL, PRIMARY KEY (path, sequence)) WITHOUT ROWID;
CREATE TABLE contents (
  id INTEGER PRIMARY KEY, header BLOB NOT NULL, annotations BLOB NOT NULL, bare BLOB NOT NULL, message_id TEXT);
CREATE TABLE sequences (path TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE seen (
  path TEXT NOT NULL, message_id TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (path, message_id)) WITHOUT ROWID;
"""


class StoreError(Exception):
    """The file cannot be used; nothing starts in its place."""


class Store:
    """The open file. Raises StoreError when it is damaged, of a newer version or in use by another process."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / FILE
        try:
            self._db = sqlite3.connect(self.path, isolation_level=None, timeout=0.5)
            self._open()
        except sqlite3.Error as error:
            self._db.close()
            raise StoreError(f"{self.path} cannot be used: {error}") from error
        except StoreError:
            self._db.close()
            raise

    def _open(self) -> None:
        # Exclusive: a second stand-in on the same file would hand out the same messages.
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise StoreError(f"{self.path} was written by a newer version ({version}; this one reads {VERSION})")
        (verdict,) = self._db.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise StoreError(f"{self.path} is damaged: {verdict}")
        if version == 0:
            self._db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")

    def close(self) -> None:
        self._db.close()

    def load(self, broker: Broker) -> None:
        """Put everything back. Messages of a queue that left the list stay in the file, untouched."""
        try:
            self._load(broker)
        except (sqlite3.Error, ValueError) as error:
            raise StoreError(f"{self.path} is damaged: {error}") from error

    def _load(self, broker: Broker) -> None:
        with closing(self._db.cursor()) as cursor:
            (highest,) = cursor.execute("SELECT coalesce(max(id), 0) FROM contents").fetchone()
            broker.restore_numbers(highest + 1)
            for path, following in cursor.execute("SELECT path, next FROM sequences"):
                if path in broker.entities:
                    broker.restore_sequence(path, following)
                else:
                    _log.warning("%s is not in the queue list any more; its messages stay in the file", path)
            for path, message_id, at in cursor.execute("SELECT path, message_id, at FROM seen ORDER BY at"):
                if path in broker.entities:
                    broker.restore_seen(path, message_id, at)
            rows = cursor.execute(
                "SELECT path, sequence, content, header, annotations, bare, message_id, enqueued_at, state,"
                " delivery_count, due_at, expires_at, lock, locked_until"
                " FROM messages LEFT JOIN contents ON id = content ORDER BY path, sequence"
            )
            for path, *row in rows:
                if path in broker.entities:
                    broker.restore(path, _message(*row))

    def write(self, changes: Changes) -> None:
        """All of it in one transaction. Raises sqlite3.Error; then nothing of it is in the file."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._write(changes)
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _write(self, changes: Changes) -> None:
        many = self._db.executemany
        many("DELETE FROM contents WHERE id = ?", [(key,) for key, value in changes.contents.items() if value is None])
        many(
            "INSERT INTO contents VALUES (?, ?, ?, ?, ?)",
            [(key, *_content_row(value)) for key, value in changes.contents.items() if value is not None],
        )
        gone = [key for key, message in changes.messages.items() if message is None]
        many("DELETE FROM messages WHERE path = ? AND sequence = ?", gone)
        kept = [(path, *_row(message)) for (path, _), message in changes.messages.items() if message is not None]
        many("INSERT OR REPLACE INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", kept)
        many("INSERT OR REPLACE INTO sequences VALUES (?, ?)", list(changes.sequences.items()))
        forgotten = [key for key, at in changes.seen.items() if at is None]
        many("DELETE FROM seen WHERE path = ? AND message_id = ?", forgotten)
        seen = [(*key, at) for key, at in changes.seen.items() if at is not None]
        many("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", seen)


def _content_row(content: Content) -> tuple[bytes, bytes, bytes, str | None]:
    return encode(content.header), encode(content.annotations), content.bare, content.message_id


def _row(message: Message) -> tuple[int | bytes | None, ...]:
    lock = None if message.lock is None else message.lock.bytes
    return (
        message.sequence, message.content_id, message.enqueued_at, int(message.state), message.delivery_count,
        message.due_at, message.expires_at, lock, message.locked_until,
    )  # fmt: skip


def _message(
    sequence: int, content_id: int, header: bytes | None, annotations: bytes, bare: bytes, message_id: str | None,
    enqueued_at: int, state: int, delivery_count: int, due_at: int | None, expires_at: int | None,
    lock: bytes | None, locked_until: int,
) -> Message:  # fmt: skip
    if header is None:
        raise ValueError(f"message {sequence} has lost its content")
    content = Content(decode(header)[0], decode(annotations)[0], bare, message_id)
    return Message(
        sequence, content_id, content, enqueued_at, State(state), delivery_count, due_at, expires_at,
        None if lock is None else UUID(bytes=lock), locked_until,
    )  # fmt: skip
