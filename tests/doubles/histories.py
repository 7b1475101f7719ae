"""The cast of the specification's vectors, and one line an interaction: `email("2026-03-02T09:00Z", "kim", to=["anna"])`.

Internal: anna (record owner), ben (on the deal's sales team), cleo (on no team), all `@us.example`. External: kim (the
opportunity's contact), lee (its stakeholder), max (primary contact of the account only), all `@cust.example`. A name without
an `@` is one of the cast; any other address stands for itself. Record ids are names too: "O", "O2", "Cust", "kim".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np

from shared.kpi.inclusion import include
from shared.kpi.interactions import Flag, History, Interactions, Keys, Kind, Membership, RecordType, Response, Role
from shared.kpi.parameters import Parameters

OURS = ("anna", "ben", "cleo", "dora")
THEIRS = ("kim", "lee", "max", "pat")
A = int(datetime(2026, 3, 15, 12, tzinfo=UTC).timestamp())  # a Sunday
BERLIN = Parameters(reporting_zone="Europe/Berlin")
DAY = 86_400


def instant(text: str | int) -> int:
    """Seconds since 1970 of an ISO text such as `2026-03-02T09:00Z`; a number stays."""
    return text if isinstance(text, int) else int(datetime.fromisoformat(text).timestamp())


def address(name: str) -> str:
    """The address of one of the cast; an address stays."""
    return name if "@" in name else f"{name}@{'us' if name in OURS else 'cust'}.example"


def key(text: str) -> int:
    """A stable 64-bit key of a text."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def person(name: str) -> int:
    """The key of a person (and of the person's main address)."""
    return key(address(name))


def record(kind: RecordType, name: str) -> int:
    """The key of a record, e.g. `record(RecordType.OPPORTUNITY, "O")`."""
    return key(f"{kind.name}:{name}")


def keys(values: Iterable[int]) -> Keys:
    """Sorted distinct keys as an array."""
    return np.array(sorted(set(values)), dtype=np.uint64)


@dataclass(frozen=True)
class Part:
    """One participation."""

    address: str
    role: Role
    response: Response = Response.NONE


@dataclass(frozen=True)
class Item:
    """One interaction, before it becomes columns."""

    kind: Kind
    at: int
    end: int
    parts: tuple[Part, ...]
    flags: Flag = Flag.COMPLETED | Flag.IN_CRM
    minutes: float = 0.0
    conversation: str = ""
    regarding: tuple[tuple[RecordType, str], ...] = ()
    id: str = ""
    sources: int = 1


TYPES = {"C": RecordType.CASE, "L": RecordType.LEAD, "O": RecordType.OPPORTUNITY}


def about(names: Sequence[str]) -> tuple[tuple[RecordType, str], ...]:
    """Record types by name: "Cust" is an account, one of the cast a contact, else the first letter (O, L, C) says it."""
    found = []
    for name in names:
        if name == "Cust":
            found.append((RecordType.ACCOUNT, name))
        else:
            found.append((RecordType.CONTACT if name in THEIRS else TYPES[name[0]], name))
    return tuple(found)


def _parts(role: Role, names: Sequence[str]) -> tuple[Part, ...]:
    return tuple(Part(address(name), role) for name in names)


def email(
    at: str | int,
    sender: str,
    to: Sequence[str] = (),
    cc: Sequence[str] = (),
    regarding: Sequence[str] = (),
    conversation: str = "",
    flags: Flag = Flag.COMPLETED | Flag.IN_EXCHANGE,
    id: str = "",
) -> Item:
    """A mail from `sender`."""
    when = instant(at)
    parts = _parts(Role.FROM, [sender]) + _parts(Role.TO, to) + _parts(Role.CC, cc)
    return Item(Kind.EMAIL, when, when, parts, flags, 0.0, conversation, about(regarding), id)


def meeting(
    start: str | int,
    organizer: str,
    attendees: Sequence[str] = (),
    minutes: float = 30,
    declined: Sequence[str] = (),
    regarding: Sequence[str] = (),
    flags: Flag = Flag.IN_EXCHANGE,
    id: str = "",
) -> Item:
    """A meeting of `organizer` with `attendees`, among them those who `declined`."""
    when = instant(start)
    parts = list(_parts(Role.ORGANIZER, [organizer]))
    for name in attendees:
        parts.append(Part(address(name), Role.ATTENDEE, Response.DECLINED if name in declined else Response.ACCEPTED))
    end = when + round(minutes * 60)
    return Item(Kind.MEETING, when, end, tuple(parts), flags, float(minutes), "", about(regarding), id)


def call(
    at: str | int,
    caller: str | Sequence[str],
    called: Sequence[str] = (),
    minutes: float = float("nan"),
    regarding: Sequence[str] = (),
    flags: Flag = Flag.COMPLETED | Flag.IN_CRM,
    id: str = "",
) -> Item:
    """A call; without `minutes` its duration is missing. `flags=Flag.IN_CRM` makes it open, due `at`."""
    when = instant(at)
    callers = [caller] if isinstance(caller, str) else caller
    parts = _parts(Role.FROM, callers) + _parts(Role.TO, called)
    return Item(Kind.CALL, when, when, parts, flags, float(minutes), "", about(regarding), id)


def task(
    at: str | int,
    owner: str,
    minutes: float = float("nan"),
    regarding: Sequence[str] = (),
    flags: Flag = Flag.COMPLETED | Flag.IN_CRM,
    id: str = "",
) -> Item:
    """A task of `owner`, completed (or, open, due) `at`."""
    when = instant(at)
    return Item(Kind.TASK, when, when, _parts(Role.FROM, [owner]), flags, float(minutes), "", about(regarding), id)


def _id(item: Item, number: int) -> bytes:
    return hashlib.blake2b((item.id or f"#{number}").encode(), digest_size=16).digest().replace(b"\0", b"\1")


def interactions(*items: Item) -> Interactions:
    """The column bundle of these items, sorted as the contract says. An `id` fixes the key; otherwise the position does."""
    keyed = sorted((item.at, _id(item, number), item) for number, item in enumerate(items))
    rows = [item for _, _, item in keyed]
    parts = [(index, part) for index, item in enumerate(rows) for part in item.parts]
    about = [(index, *regarded) for index, item in enumerate(rows) for regarded in item.regarding]
    return Interactions(
        key=np.array([name for _, name, _ in keyed], dtype="S16"),
        at=np.array([item.at for item in rows], dtype=np.int64),
        end=np.array([item.end for item in rows], dtype=np.int64),
        kind=np.array([item.kind for item in rows], dtype=np.uint8),
        flags=np.array([item.flags for item in rows], dtype=np.uint32),
        minutes=np.array([item.minutes for item in rows], dtype=np.float64),
        conversation=np.array([key(i.conversation) if i.conversation else 0 for i in rows], dtype=np.uint64),
        sources=np.array([item.sources for item in rows], dtype=np.uint8),
        part_index=np.array([index for index, _ in parts], dtype=np.int64),
        part_person=np.array([key(part.address) for _, part in parts], dtype=np.uint64),
        part_domain=np.array([key(part.address.rpartition("@")[2]) for _, part in parts], dtype=np.uint64),
        part_role=np.array([part.role for _, part in parts], dtype=np.uint8),
        part_response=np.array([part.response for _, part in parts], dtype=np.uint8),
        regarding_index=np.array([index for index, _, _ in about], dtype=np.int64),
        regarding_type=np.array([kind for _, kind, _ in about], dtype=np.uint8),
        regarding_key=np.array([record(kind, name) for _, kind, name in about], dtype=np.uint64),
    )


@dataclass(frozen=True)
class World:
    """What all memberships of a test share: extra addresses of people, and who and which domains are ours."""

    aliases: dict[str, str] = field(default_factory=dict)  # address -> one of the cast
    domains: tuple[str, ...] = ("us.example",)
    staff: tuple[str, ...] = OURS

    def membership(
        self,
        kind: RecordType,
        name: str,
        external: Sequence[str],
        team: Sequence[str] | None = None,
        created: str | int | None = None,
        closed: str | int | None = None,
        children: tuple[Membership, ...] = (),
        merged: Sequence[str] = (),
        when_regarding: Sequence[str] = (),
    ) -> Membership:
        """One record's membership; `merged` names records merged into it."""
        known = {address(each): each for each in (*OURS, *THEIRS)} | self.aliases
        pairs = sorted((key(text), person(each)) for text, each in known.items())
        return Membership(
            type=kind,
            key=record(kind, name),
            record_keys=keys(record(kind, each) for each in (name, *merged)),
            persons=np.array([pair[0] for pair in pairs], dtype=np.uint64),
            canonical=np.array([pair[1] for pair in pairs], dtype=np.uint64),
            internal=keys(person(each) for each in self.staff),
            internal_domains=keys(key(each) for each in self.domains),
            external=keys(person(each) for each in external),
            team=None if team is None else keys(person(each) for each in team),
            created=None if created is None else instant(created),
            closed=None if closed is None else instant(closed),
            children=children,
            when_regarding=keys(person(each) for each in when_regarding),
        )

    def contact(self, name: str) -> Membership:
        """One of their people."""
        return self.membership(RecordType.CONTACT, name, [name])

    def opportunity(
        self,
        name: str = "O",
        external: Sequence[str] = ("kim", "lee"),
        team: Sequence[str] = ("anna", "ben"),
        created: str | int | None = "2024-06-01T00:00Z",
        closed: str | int | None = None,
    ) -> Membership:
        """The deal of the vectors, old enough for any of their dates; max is its account's primary contact."""
        return self.membership(RecordType.OPPORTUNITY, name, external, team, created, closed, when_regarding=["max"])

    def lead(self, external: Sequence[str] = ("lee",), team: Sequence[str] = ("anna",)) -> Membership:
        """The lead "L" of anna."""
        return self.membership(RecordType.LEAD, "L", external, team, "2024-06-01T00:00Z")

    def account(self, *children: Membership, contacts: Sequence[str] = ("kim", "lee", "max")) -> Membership:
        """The account "Cust": its contacts, then the records given (by default the opportunity "O")."""
        below = tuple(self.contact(name) for name in contacts) + (children or (self.opportunity(),))
        return self.membership(RecordType.ACCOUNT, "Cust", contacts, children=below)


WORLD = World()
contact, opportunity, lead, account = WORLD.contact, WORLD.opportunity, WORLD.lead, WORLD.account


def history(
    *items: Item,
    of: Membership | None = None,
    as_of: int = A,
    parameters: Parameters = BERLIN,
    closed: int | None = None,
) -> History:
    """The History of the record `of` (by default the account) out of these items."""
    membership = of or account()
    if closed is not None:
        membership = replace(membership, closed=closed)
    return include(interactions(*items), membership, as_of, parameters).history()
