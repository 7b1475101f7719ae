"""Rosters as stored: who and what each record counts, and which records refer to which rows.

A roster is kept in `records`, and once more beside the account that it belongs to (`references`), so that an account finds its
contacts, opportunities, leads and cases with one query.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from msgspec import Struct, msgpack

from shared import decoders, membership, tables
from shared.errors import FormatVersionError, UnavailableError
from shared.membership import Claim

VERSION = 1
RECORD_TYPES = ("account", "contact", "lead", "opportunity", "case")
IN_ACCOUNT = ("contact", "opportunity")  # whose interactions count for their account
SPANNED = ("lead", "opportunity", "case")  # count what lies between their beginning, less a lead-in, and their end
LEAD_IN_DAYS = 30
_NEAR_DAYS = 60
_TRIES = 8
_DAY = 86_400


class Stakeholder(Struct, frozen=True):
    """An external person of interest: the CRM row (`contact:<id>`, `lead:<id>`), name, all keys (the person's own first), and
    the account that the person belongs to."""

    party: str
    name: str
    keys: tuple[int, ...]
    account: str = ""


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
    account_contact: Stakeholder | None = (
        None  # the account's primary contact, where an opportunity does not name it too
    )
    merged: tuple[str, ...] = ()  # records merged into this one
    merged_into: str = ""
    gone: bool = False  # deleted in the CRM, or never heard of by itself
    estimated_close_at: int | None = None
    amount: float | None = None
    fields: dict[str, str] = {}  # what similar deals are compared by
    segments: dict[str, str] = {}  # attribute values by which settings can differ: the record's own, else its account's
    lead_in_days: int = LEAD_IN_DAYS  # of the settings that the record's claims follow
    left: tuple[str, ...] = ()  # accounts that it once belonged to
    parted: tuple[str, ...] = ()  # records that it was once merged into
    basis: int = 0  # stands for the revisions of the rows that this follows from
    revision: int = 0  # counts the writes of this roster

    @property
    def type(self) -> str:
        """The record type."""
        return self.record.partition(":")[0]


_encoder = msgpack.Encoder(order="deterministic")
_decoder = decoders.of_msgpack(Roster)


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


def owned_by(owners: Iterable[str]) -> Iterator[str]:
    """The records that one of these users or teams owns, and their accounts, which count what these count.

    A scan of all rosters: owners change rarely.
    """
    wanted = set(owners)
    for row in tables.scan("records") if wanted else ():
        if (roster := _decoded(row)) and roster.owner in wanted:
            yield from filter(None, (roster.record, roster.account))


def places() -> list[str]:
    """The partitions of `records`: 16 per record type."""
    return [partition for kind in RECORD_TYPES for partition in partitions_of(kind)]


def partitions_of(kind: str) -> list[str]:
    """The partitions that hold the records of a type."""
    return [f"{kind}|{number:x}" for number in range(16)]


def following(place: str, after: str = "") -> Iterator[Roster]:
    """The rosters of one partition in the order of their ids, from the one after the id `after` on. For sweeps only."""
    for row in tables.query("records", place, first=f"{after}!" if after else ""):
        if roster := _decoded(row):
            yield roster


def children(account: str) -> list[Roster]:
    """The contacts and opportunities of an account, whose interactions count for it, as far as they still belong to it."""
    return beside(account, IN_ACCOUNT)


def beside(account: str, kinds: Iterable[str]) -> list[Roster]:
    """The records of these types that belong to an account now."""
    wanted = frozenset(kinds)
    rosters = [roster for row in tables.query("references", account, "child|", "child}") if (roster := _decoded(row))]
    own = [roster for roster in rosters if roster.account == account and roster.type in wanted]
    return [roster for roster in own if not roster.gone and not roster.merged_into]


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


def tell(rosters: Iterable[Roster]) -> None:
    """Put each roster beside the account that it belongs to, and beside those it has left, unless a later one is there.

    Raises UnavailableError when other writers are faster all the time.
    """
    by_account: dict[str, list[Roster]] = defaultdict(list)
    for roster in rosters:
        for account in {roster.account, *roster.left} - {""}:
            by_account[account].append(roster)
    for account, children in by_account.items():
        _tell(account, children)


def _tell(account: str, children: list[Roster]) -> None:
    # Most are told for the first time, so try to insert those.
    rows = {child.record: None if child.revision == 1 else _child(account, child.record) for child in children}
    for _ in range(_TRIES):
        later = [child for child in children if not (row := rows[child.record]) or row["n"] < child.revision]
        if tables.transact("references", [_telling(account, child, rows[child.record]) for child in later]):
            return
        rows = {child.record: _child(account, child.record) for child in children}
    raise UnavailableError("The records of an account are being changed by too many writers.")


def _child(account: str, record: str) -> tables.Row | None:
    return tables.read("references", account, f"child|{record}", ["n"])


def _telling(account: str, child: Roster, row: tables.Row | None) -> tables.Operation:
    new = {"PartitionKey": account, "RowKey": f"child|{child.record}", "v": VERSION, "n": child.revision}
    return "write", {**new, **packed(child)}, row["etag"] if row else None


def refer(pairs: Iterable[tuple[str, str]]) -> None:
    """Note that each source (second) refers to its target (first). Do it before reading the target."""
    by_target: dict[str, list[tables.Operation]] = defaultdict(list)
    for target, source in dict.fromkeys(pairs):
        by_target[target].append(("upsert", {"PartitionKey": target, "RowKey": f"source|{source}", "v": 1}, None))
    for operations in by_target.values():
        tables.transact("references", operations)


def kept_people(roster: Roster) -> Iterator[tuple[str, tuple[int, ...], int, int]]:
    """Whose interactions are kept because of this roster: the keeping record, keys of people, and the span it keeps of them."""
    first, last = near_span(roster)
    yield roster.record, tuple(key for person in roster.people for key in person.keys), first, last
    if roster.account and roster.type in IN_ACCOUNT:
        # A contact of the account brings its own claims; a deal adds only the people from elsewhere.
        others = [p for p in roster.people if roster.type == "contact" or p.account != roster.account]
        yield roster.account, tuple(key for person in others for key in person.keys), first, last


def claims(roster: Roster) -> set[Claim]:
    """What the roster makes its record, and its account, keep. Nothing once the record is gone.

    A deal keeps what lies in its span or near it, so that the ledger can tell what was just too early or too late, and not the
    whole past of people who have dealt with us for years. What regards a record is kept whenever it was.
    """
    if roster.gone:
        return set()
    found = {
        Claim(record, membership.person_anchor(key), roster.record, first, last)
        for record, keys, first, last in kept_people(roster)
        for key in keys
    }
    found |= {Claim(roster.record, merged, roster.record) for merged in roster.merged}
    if roster.account and roster.type in IN_ACCOUNT:
        found |= {Claim(roster.account, record, roster.record) for record in (roster.record, *roster.merged)}
    return found


def near_span(roster: Roster) -> tuple[int, int]:
    """From when to when a record keeps the interactions of its people: whole UTC months, for ever if it has no span."""
    if roster.type not in SPANNED:
        return -membership.ALWAYS, membership.ALWAYS
    before, after = (roster.lead_in_days + _NEAR_DAYS) * _DAY, _NEAR_DAYS * _DAY
    first = -membership.ALWAYS if roster.created_at is None else _month(roster.created_at - before)[0]
    last = membership.ALWAYS if roster.closed_at is None else _month(roster.closed_at + after)[1]
    return first, last


def _month(at: int) -> tuple[int, int]:
    """The first and the last second of an instant's UTC month."""
    day = datetime.fromtimestamp(at, UTC)
    year, month = divmod(day.year * 12 + day.month, 12)
    following = datetime(year, month + 1, 1, tzinfo=UTC)
    return int(datetime(day.year, day.month, 1, tzinfo=UTC).timestamp()), int(following.timestamp()) - 1


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
