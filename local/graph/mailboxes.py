"""What happens in a mailbox: items arrive, change, move and go, and every change has a number and may be notified."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from sqlite3 import Row
from typing import Any

from local.graph.clock import Clock
from local.graph.errors import item_not_found
from local.graph.store import Store

MESSAGE, EVENT = "message", "event"
CALENDAR = "calendar"
GONE = ""  # the folder of what was deleted: rows stay, so that ids are never given twice
WELL_KNOWN = {
    "inbox": "Inbox",
    "sentitems": "Sent Items",
    "drafts": "Drafts",
    "deleteditems": "Deleted Items",
    "junkemail": "Junk Email",
    "outbox": "Outbox",
    "archive": "Archive",
    "conversationhistory": "Conversation History",
    "syncissues": "Sync Issues",
}
TEAMS_CHAT = "teamsmessagesdata"  # hidden: no folder of the list, yet its messages are in the mailbox-wide list


@dataclass(frozen=True)
class Change:
    """What happened, for the notifications: `kind` message or event; `what` created, updated or deleted."""

    user: str
    kind: str
    what: str
    row: Row | Mapping[str, Any]


def _text(length: int, *names: object) -> str:
    digest = hashlib.sha256("\x1f".join(map(str, names)).encode()).digest()
    return urlsafe_b64encode(digest).decode()[:length]


def immutable_id(user: str, ordinal: int) -> str:
    """Neighbours differ only in the case of one letter: whoever compares without case mixes them up."""
    return f"AAkALgAA{_text(36, 'item', user, ordinal // 2)}{'aA'[ordinal % 2]}AAA="


def moving_id(fixed: str, change: int) -> str:
    """The id for requests without `IdType="ImmutableId"`: another after each move."""
    return f"AAMkAG{_text(40, fixed, change)}="


def folder_id(user: str, name: str) -> str:
    return f"AAMkFolder{_text(30, 'folder', user, name)}="


class Mailboxes:
    """The items of all mailboxes. `on_change` is called after each change that Graph would notify."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock
        self.on_change: Callable[[Change], None] = lambda change: None
        rows = store.rows("SELECT user, max(ordinal) AS last FROM items GROUP BY user")
        self._last = {row["user"]: int(row["last"]) for row in rows}

    @contextmanager
    def many(self) -> Iterator[None]:
        """One transaction for many changes."""
        self.store.db.execute("BEGIN")
        try:
            yield
        except BaseException:
            self.store.db.execute("ROLLBACK")
            raise
        self.store.db.execute("COMMIT")

    def add(self, user: str, kind: str, folder: str, at: float, until: float, body: Mapping[str, Any]) -> Row:
        """A new item that is notified; `at` is its receive or start time, `until` its end (seconds since 1970)."""
        row = self.find(user, kind, self.keep(user, kind, folder, at, until, body))
        self.on_change(Change(user, kind, "created", row))
        return row

    def keep(self, user: str, kind: str, folder: str, at: float, until: float, body: Mapping[str, Any]) -> str:
        """As `add` without a notification, for what was there before anybody looked; gives the immutable id."""
        ordinal = self._last[user] = self._last.get(user, -1) + 1
        seq = self.store.next_change(user, self.clock.now())
        fixed = immutable_id(user, ordinal)
        values = (user, kind, fixed, moving_id(fixed, 0), ordinal, folder, int(at), int(until), seq, seq)
        columns = "user, kind, id, moving_id, ordinal, folder, at, until, entered, changed, body"
        marks = ", ".join("?" * 11)
        self.store.db.execute(f"INSERT INTO items ({columns}) VALUES ({marks})", (*values, json.dumps(body)))
        return fixed

    def find(self, user: str, kind: str, key: str) -> Row:
        """By either id, compared byte for byte. Raises GraphError 404."""
        row = self.store.one("SELECT * FROM items WHERE user = ? AND id = ?", (user, key))
        row = row or self.store.one("SELECT * FROM items WHERE user = ? AND moving_id = ?", (user, key))
        if row is None or row["kind"] != kind or row["folder"] == GONE:
            raise item_not_found()
        return row

    def update(self, row: Row, body: Mapping[str, Any], at: float | None = None, until: float | None = None) -> Row:
        """Merge `body` into the item; an event may also get another time."""
        seq = self.store.next_change(row["user"], self.clock.now())
        merged = json.dumps({**json.loads(row["body"]), **body})
        start, end = row["at"] if at is None else int(at), row["until"] if until is None else int(until)
        sql = "UPDATE items SET changed = ?, body = ?, at = ?, until = ? WHERE n = ?"
        self.store.db.execute(sql, (seq, merged, start, end, row["n"]))
        after = self.find(row["user"], row["kind"], row["id"])
        self.on_change(Change(row["user"], row["kind"], "updated", after))
        return after

    def move(self, row: Row, folder: str, reason: str = "deleted", what: str = "updated") -> Row:
        """To another folder: the old one's delta says `@removed` with `reason`, the moving id changes."""
        seq = self._leave(row, reason)
        sql = "UPDATE items SET folder = ?, entered = ?, changed = ?, moving_id = ? WHERE n = ?"
        self.store.db.execute(sql, (folder, seq, seq, moving_id(row["id"], seq), row["n"]))
        after = self.find(row["user"], row["kind"], row["id"])
        self.on_change(Change(row["user"], row["kind"], what, after))
        return after

    def delete(self, row: Row, reason: str = "deleted") -> None:
        """For good."""
        self._leave(row, reason)
        self.store.db.execute("UPDATE items SET folder = ? WHERE n = ?", (GONE, row["n"]))
        self.on_change(Change(row["user"], row["kind"], "deleted", row))

    def _leave(self, row: Row, reason: str) -> int:
        seq = self.store.next_change(row["user"], self.clock.now())
        values = (seq, row["user"], row["kind"], row["folder"], row["n"], row["moving_id"], reason)
        self.store.db.execute("INSERT INTO removals VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        return seq

    def folders(self, user: str) -> dict[str, str]:
        """Names of the folders with what people call them; the well-known first, then the person's own."""
        own: dict[str, str] = self.store.get("folders", user, {})
        return WELL_KNOWN | own

    def add_folders(self, user: str, names: Iterable[str]) -> None:
        own = self.store.get("folders", user, {})
        self.store.put("folders", user, own | {name.lower(): name for name in names})

    def delete_folder(self, user: str, name: str) -> None:
        """A folder of the person's own, with what is in it, for good. Raises GraphError 404 for any other."""
        own = self.store.get("folders", user, {})
        if name.lower() not in own:
            raise item_not_found()
        rows = self.store.rows("SELECT * FROM items WHERE user = ? AND folder = ?", (user, name.lower()))
        for row in rows:
            self.delete(row)
        self.store.put("folders", user, {key: title for key, title in own.items() if key != name.lower()})

    def folder(self, user: str, key: str) -> str:
        """The name of a folder by well-known name or id. Raises GraphError 404."""
        names = self.folders(user)
        found = key.lower() if key.lower() in WELL_KNOWN else None
        found = found or next((name for name in names if folder_id(user, name) == key), None)
        if found is None:
            raise item_not_found()
        return found
