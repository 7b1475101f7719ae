"""The `mailboxes` and `sync` tables: whose mailboxes are read, how far, and where each folder stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from shared import own_keys, tables
from shared.errors import UnavailableError
from shared.settings import settings

TABLE, SYNC = "mailboxes", "sync"
PARTITION = "mailboxes"
LEASE = "lease|"  # the rows of shared.graph.leases, in the same partitions as the folders
TOTALS = "private|"  # rows beside the mailboxes, which the same transactions change
_LISTED, _PAST_LISTED = "listed|", "listed}"
_TRIES = 8
_FIELDS = {
    "address": "address", "state": "state", "connected_at": "connectedAt", "mail_until": "mailUntil",
    "calendar_until": "calendarUntil", "mail_from": "mailFrom", "calendar_from": "calendarFrom", "target": "target",
    "not_before": "notBefore", "parked_until": "parkedUntil", "error": "error",
    "backfilled_at": "backfilledAt", "private_from": "privateFrom", "private_until": "privateUntil",
    "broke_off": "brokeOff", "hidden": "hidden",
}  # fmt: skip


class Mailbox(Struct, frozen=True, kw_only=True):
    """A mailbox that is or was read. Instants are seconds UTC, 0 = not yet.

    `state`: connected = being read; held = not read any more, what it told is kept; gone = that is erased, too.

    `mail_until`, `calendar_until`: the watermarks, start of the last complete run. `mail_from`, `calendar_from`: how far back
    the past is read; `target`: how far it shall be. `not_before`: no call until then, `parked_until`: no attempt at all until
    then. `error`: the last refusal, for people. `backfilled_at`: when the last piece of the past was read.

    `broke_off`: the time ran out in the midst of a piece of the past; how far that has come is noted beside the folders.

    `hidden`: it left the scope, and what it alone told may not be seen any more, though it is not erased yet.

    `private_from`, `private_until`: the days, as numbers since 1970, whose private events are in the organisation's totals.
    """

    id: str
    address: str
    state: Literal["connected", "held", "gone"] = "connected"
    connected_at: int = 0
    mail_until: int = 0
    calendar_until: int = 0
    mail_from: int = 0
    calendar_from: int = 0
    target: int = 0
    not_before: float = 0.0
    parked_until: int = 0
    error: str = ""
    backfilled_at: int = 0
    private_from: int = 0
    private_until: int = 0
    broke_off: bool = False
    hidden: bool = False

    @property
    def is_backfilled(self) -> bool:
        """Whether the past is read as far as it shall be, or cannot be read now for a listed reason."""
        done = 0 < self.mail_from <= self.target and 0 < self.calendar_from <= self.target
        return done or self.parked_until > 0

    @property
    def is_unfinished(self) -> bool:
        """Whether it must (still) be connected: it is not, or its connecting broke off."""
        return self.state != "connected" or not self.mail_from


def of_row(row: tables.Row) -> Mailbox:
    """The mailbox of a stored row."""
    known: dict[str, Any] = {field: row[name] for field, name in _FIELDS.items() if row.get(name) is not None}
    return Mailbox(id=row["RowKey"], **known)


def row_of(mailbox: Mailbox) -> tables.Row:
    """The row to store."""
    known = {name: getattr(mailbox, field) for field, name in _FIELDS.items()}
    return {"PartitionKey": PARTITION, "RowKey": mailbox.id, "v": 1, **known}


def read(id: str) -> Mailbox | None:
    """One mailbox; None when it was never read."""
    row = tables.read(TABLE, PARTITION, id)
    return of_row(row) if row else None


def read_all() -> list[Mailbox]:
    """All mailboxes, also those that left."""
    return [of_row(row) for row in tables.query(TABLE, PARTITION) if not row["RowKey"].startswith(TOTALS)]


def put(mailbox: Mailbox) -> None:
    """Write a mailbox, whatever is there."""
    tables.upsert(TABLE, row_of(mailbox))


def change(id: str, **fields: Any) -> Mailbox | None:
    """Set fields of a mailbox; None when there is none. Raises UnavailableError when others are faster all the time."""
    for _ in range(_TRIES):
        row = tables.read(TABLE, PARTITION, id)
        if row is None:
            return None
        changed = replace(of_row(row), **fields)
        if tables.write_if(TABLE, row_of(changed), row["etag"]):
            return changed
    raise UnavailableError("A mailbox's row is being changed by too many workers.")


class Folder(Struct, frozen=True, kw_only=True):
    """Where the reading of one mail folder stands: `link` to the next page or round; `since`: start of the round under way.

    `until`: start of the last complete round. `gap`: up to when a gap after a lost link is listed, 0 = not yet or no gap.
    """

    mailbox: str
    name: str
    link: str = ""
    since: int = 0
    until: int = 0
    gap: int = 0


def folders(mailbox: str) -> list[Folder]:
    """The folders of a mailbox that are followed."""
    return [
        Folder(
            mailbox=mailbox,
            name=row["folder"],
            link=_decrypted(row["link"]),
            since=row["since"],
            until=row["until"],
            gap=row.get("gap", 0),
        )
        for row in tables.query(SYNC, mailbox, "folder|", "folder}")
    ]


def put_folder(folder: Folder) -> None:
    """Write where a folder stands. The link is encrypted: it opens a view into the mailbox for who has a token."""
    tables.upsert(
        SYNC,
        {
            "PartitionKey": folder.mailbox, "RowKey": f"folder|{folder.name}", "v": 1, "folder": folder.name,
            "link": _cipher().encrypt(folder.link.encode()).decode() if folder.link else "",
            "since": folder.since, "until": folder.until, "gap": folder.gap,
        },
    )  # fmt: skip


def forget_folder(folder: Folder) -> None:
    """Follow a folder no longer."""
    tables.delete(SYNC, folder.mailbox, f"folder|{folder.name}")


def listed(mailbox: str) -> dict[str, tuple[int, int]]:
    """By folder, the stretch of mail that is listed already of a piece of the past that broke off."""
    return {row["folder"]: (row["start"], row["until"]) for row in tables.query(SYNC, mailbox, _LISTED, _PAST_LISTED)}


def put_listed(mailbox: str, stretches: Mapping[str, tuple[int, int]]) -> None:
    """Note them, in place of those noted before."""
    known = tables.query(SYNC, mailbox, _LISTED, _PAST_LISTED, ["PartitionKey", "RowKey"])
    wanted = {f"{_LISTED}{folder}": (folder, *stretch) for folder, stretch in stretches.items()}
    old = [row["RowKey"] for row in known if row["RowKey"] not in wanted]
    rows = [
        {"PartitionKey": mailbox, "RowKey": name, "v": 1, "folder": folder, "start": start, "until": until}
        for name, (folder, start, until) in wanted.items()
    ]
    deletes = [("delete", {"PartitionKey": mailbox, "RowKey": name}, None) for name in old]
    tables.transact(SYNC, [*deletes, *(("upsert", row, None) for row in rows)])


def forget(mailbox: str) -> None:
    """Drop folders and links of a mailbox that left. Leases stay: whoever forgets it holds them."""
    names = [row["RowKey"] for row in tables.query(SYNC, mailbox, select=["PartitionKey", "RowKey"])]
    gone = [{"PartitionKey": mailbox, "RowKey": name} for name in names if not name.startswith(LEASE)]
    tables.transact(SYNC, [("delete", row, None) for row in gone])


def _cipher() -> Any:
    import base64

    from cryptography.fernet import Fernet, MultiFernet

    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in own_keys.storing(settings(), "graph-links")])


def _decrypted(text: str) -> str:
    """The link; "" for one under a key that is gone, which is as good as lost: what came meanwhile is then read as a list."""
    from cryptography.fernet import InvalidToken

    try:
        return str(_cipher().decrypt(text.encode()).decode()) if text else ""
    except InvalidToken:
        return ""
