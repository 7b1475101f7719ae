"""One record as the figures see it: its Membership, and the names behind the keys. Pure: rows in, arrays out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from shared.directory import Directory, user_keys
from shared.keys import keys
from shared.kpi.interactions import Keys, Membership, RecordType
from shared.kpi.parameters import OwnHours
from shared.rosters import IN_ACCOUNT, Roster, kept_people

TYPES = {kind.name.lower(): kind for kind in RecordType}
_TEAM_COUNTS = ("opportunity", "case")  # a lead's only colleague of interest is its owner
_NO_KEYS: Keys = np.empty(0, dtype=np.uint64)


@dataclass(frozen=True)
class Person:
    """Who stands behind a key: the CRM row (`user:<id>`, `contact:<id>`) or the bare address, and a display name."""

    id: str
    name: str
    side: str  # "internal" or "external"


@dataclass(frozen=True)
class Subject:
    """A record ready to be computed. `people` and `own_hours` go by canonical key; `owner` is 0 where nobody owns it."""

    roster: Roster
    children: tuple[Roster, ...]
    membership: Membership
    people: Mapping[int, Person]
    own_hours: Mapping[int, OwnHours] = field(default_factory=dict)
    owner: int = 0
    overseers: tuple[str, ...] = ()  # ids, and marks of addresses, of the users who own the record and their managers
    opted_out: frozenset[int] = frozenset()
    not_followed: frozenset[int] = frozenset()


@dataclass(frozen=True)
class OurKeys:
    """All keys of our people: sorted, with the canonical key and the user id of each, empty for a mailbox of no user."""

    known: Keys
    canonical: Keys
    user: tuple[str, ...]


_held: tuple[Directory, OurKeys] | None = None


def our_keys(directory: Directory) -> OurKeys:
    """The keys of the directory's users and mailboxes as arrays, worked out once per directory."""
    global _held
    if _held is None or _held[0] is not directory:
        rows: dict[int, tuple[int, str]] = {key: (key, "") for key in map(keys().address, directory.mailboxes)}
        for id in sorted(directory.users, reverse=True):
            own, *addresses = user_keys(directory.users[id])
            rows |= dict.fromkeys((own, *addresses), (own, id))
        order = sorted(rows)
        canonical = np.array([rows[key][0] for key in order], dtype=np.uint64)
        _held = directory, OurKeys(np.array(order, dtype=np.uint64), canonical, tuple(rows[key][1] for key in order))
    return _held[1]


def subject_of(roster: Roster, children: Sequence[Roster], directory: Directory, present: Keys) -> Subject:
    """The subject of a roster; `present` are the person keys that occur in its interactions.

    An address that is both ours and a contact's is ours. An address of two contacts belongs to the smaller party here.
    """
    ours = our_keys(directory)
    place = np.searchsorted(ours.known, present).clip(max=max(len(ours.known) - 1, 0))
    here = place[ours.known[place] == present] if len(ours.known) else place[:0]
    people = {int(ours.canonical[i]): _colleague(directory, ours.user[i]) for i in here if ours.user[i]}
    aliases = {int(ours.known[i]): int(ours.canonical[i]) for i in here}
    also = [roster.account_contact] if roster.account_contact else []
    for stakeholder in (*(person for each in (roster, *children) for person in each.people), *also):
        own = stakeholder.keys[0]
        people.setdefault(own, Person(stakeholder.party, stakeholder.name, "external"))
        for key in stakeholder.keys:
            aliases.setdefault(key, own)
    membership = _membership(roster, children, directory, aliases, _sorted(int(ours.canonical[i]) for i in here))
    owner = next(iter(directory.members(roster.owner)), "")
    own_hours = {key: h for key, p in people.items() if p.side == "internal" and (h := directory.own_hours(p.id[5:]))}
    owner_key = keys().party(f"user:{owner}") if owner else 0
    return Subject(
        roster, tuple(children), membership, people, own_hours, owner_key, _overseers(roster, directory),
        opted_out=directory.opted_out,
        not_followed=directory.not_followed,
    )  # fmt: skip


def _overseers(roster: Roster, directory: Directory) -> tuple[str, ...]:
    users, owners = directory.users, directory.members(roster.owner)
    overseeing = {*owners, *(users[id].manager_id for id in owners if id in users)} - {""}
    addresses = {address for id in overseeing if id in users for address in users[id].emails}
    return tuple(sorted(overseeing | {caller_mark(address) for address in addresses}))


def caller_mark(address: str) -> str:
    """By what a caller with this sign-in address is known again without reading the directory."""
    return f"{keys().address(address):016x}"


def _colleague(directory: Directory, user_id: str) -> Person:
    return Person(f"user:{user_id}", directory.name(user_id), "internal")


def _sorted(found: Iterable[int]) -> Keys:
    return np.array(sorted(set(found)), dtype=np.uint64)


def _membership(
    roster: Roster, children: Sequence[Roster], directory: Directory, aliases: Mapping[int, int], internal: Keys
) -> Membership:
    known = np.array(sorted(aliases), dtype=np.uint64)
    return Membership(
        type=TYPES[roster.type],
        key=keys().record(roster.record),
        record_keys=_sorted(map(keys().record, (roster.record, *roster.merged))),
        persons=known,
        canonical=np.array([aliases[key] for key in known.tolist()], dtype=np.uint64),
        internal=internal,
        internal_domains=_sorted(map(keys().domain, directory.domains)),
        external=_sorted(person.keys[0] for person in roster.people),
        team=_team(roster, directory),
        created=roster.created_at,
        closed=roster.closed_at,
        children=tuple(_membership(child, (), directory, aliases, internal) for child in children),
        when_regarding=_sorted([roster.account_contact.keys[0]] if roster.account_contact else []),
    )


def _team(roster: Roster, directory: Directory) -> Keys | None:
    if roster.type in ("account", "contact"):
        return None
    members = {*directory.members(roster.owner), *(roster.team if roster.type in _TEAM_COUNTS else ())}
    return _sorted(keys().party(f"user:{id}") for id in members)


def anchored(subject: Subject) -> tuple[list[tuple[Keys, int, int]], set[tuple[int, int]]]:
    """What may be in the record's ledger: keys of its external people with the span kept of them (first and last instant), and
    (type, key) of the records it is asked about."""
    rosters = (subject.roster, *subject.children)
    by_span: dict[tuple[int, int], set[int]] = defaultdict(set)
    # A case or child account that an account counts keeps for itself; contacts and deals keep for the account too.
    keeping = {subject.roster.record, *(child.record for child in subject.children if child.type not in IN_ACCOUNT)}
    for record, people, first, last in (kept for roster in rosters for kept in kept_people(roster)):
        if record in keeping:
            by_span[first, last].update(people)
    records = {(int(TYPES[r.type]), keys().record(name)) for r in rosters for name in (r.record, *r.merged)}
    return [(_sorted(people), first, last) for (first, last), people in by_span.items() if people], records
