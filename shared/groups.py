"""The `interactions` table: all copies of one item under their merge key, and which partitions the item ever reached.

A group's copies carry the revision of the row they came from (the CRM row's, a mailbox item's), so an older copy never
replaces a newer one whatever the order of arrival. The group's own revision counts its changes and travels with the entries
that are appended to partitions.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b

from msgspec import Struct, field

from shared import group_rows, table_limits, tables
from shared.errors import RowTooLargeError, UnavailableError
from shared.group_rows import Group as Group
from shared.group_rows import HeldCopy as HeldCopy
from shared.group_rows import Reach as Reach
from shared.interactions import Interaction, InteractionCopy, merge

TABLE = "interactions"
VERSION = group_rows.PLAIN
_TRIES = 8
_log = logging.getLogger(__name__)


class Placement(Struct):
    """What is to be in the partitions after a change: interactions at their revision, and where they must not be any more."""

    interactions: list[tuple[Interaction, int]]
    removals: list[tuple[bytes, int, Reach]]  # key, revision, where
    lent: dict[str, dict[str, HeldCopy]] = field(default_factory=dict)  # for other groups, by merge key and copy id


LENT = "lent:"


def update(changed: Mapping[str, Mapping[str, HeldCopy]], reach: Callable[[Interaction], Iterable[Reach]]) -> Placement:
    """Join copies (by merge key and copy id) into their groups; what partitions must hold now.

    `reach` tells where an interaction goes, as far as that follows from itself. The placement is the whole of each group,
    not only what changed, so that repeating an update that broke off completes it.
    """
    by_partition: dict[str, list[str]] = defaultdict(list)
    rows = {merge_key: _row_key(merge_key) for merge_key in changed}
    for merge_key, row in rows.items():
        by_partition[tables.bucket(row)].append(merge_key)
    groups: dict[str, tuple[Group, list[Interaction]]] = {}
    for partition, merge_keys in by_partition.items():
        groups |= _update(partition, {rows[key]: changed[key] for key in merge_keys}, reach)
    return _placement(groups, reach)


Moved = dict[str, dict[str, HeldCopy]]  # for other groups, by merge key and copy id


def rewrite(
    partition: str,
    row: str,
    change: Callable[[InteractionCopy], InteractionCopy | None],
    reach: Callable[[Interaction], Iterable[Reach]],
) -> tuple[Placement, Moved] | None:
    """Change all copies of a stored group, at the revisions that they have; what partitions must hold then, and the copies
    that belong to another group now. None when the change leaves the group as it is.
    """
    for _ in range(_TRIES):
        held = tables.read(TABLE, partition, row)
        group = group_rows.stored(held)
        copies, moved = _changed(row, group.copies, change)
        if copies == group.copies or held is None:
            return None
        group = Group(copies, group.revision + 1, group.reached, group.lent)
        joined, interactions = _joined(row, group, {}, reach)
        write = _write(partition, row, joined, held)
        if write is None or tables.transact(TABLE, [write]):
            return _placement({row: (joined, interactions)}, reach), moved
    raise UnavailableError("The copies of an interaction are being changed by too many writers.")


def _changed(
    row: str, copies: Mapping[str, HeldCopy], change: Callable[[InteractionCopy], InteractionCopy | None]
) -> tuple[dict[str, HeldCopy], Moved]:
    changed, moved = dict(copies), defaultdict[str, dict[str, HeldCopy]](dict)
    for name, held in copies.items():
        if held.copy is None or (new := change(held.copy)) == held.copy:
            continue
        same = new and (new.merge_key, new.alternate_key) == (held.copy.merge_key, held.copy.alternate_key)
        stays = new and (same or row in (_row_key(new.merge_key), _row_key(new.alternate_key)))
        changed[name] = HeldCopy(held.revision, new if stays else None)
        if new and not stays and _row_key(held.copy.merge_key) == row:
            moved[new.merge_key][name] = HeldCopy(held.revision, new)
    return changed, dict(moved)


def _row_key(merge_key: str) -> str:
    return blake2b(merge_key.encode(), digest_size=16).hexdigest()


def _update(
    partition: str, changed: Mapping[str, Mapping[str, HeldCopy]], reach: Callable[[Interaction], Iterable[Reach]]
) -> dict[str, tuple[Group, list[Interaction]]]:
    stored: dict[str, tables.Row | None] = dict.fromkeys(changed)  # first load: most are new, so try to insert
    for _ in range(_TRIES):
        joined = {row: _joined(row, group_rows.stored(stored[row]), copies, reach) for row, copies in changed.items()}
        writes = {row: _write(partition, row, group, stored[row]) for row, (group, _) in joined.items()}
        left_out = {row: reason for row, write in writes.items() if write and (reason := _too_large(write))}
        for row, reason in left_out.items():
            writes[row] = None if stored[row] else _noted(partition, row, reason)
        if tables.transact(TABLE, [write for write in writes.values() if write]):
            return {row: group for row, group in joined.items() if row not in left_out}
        stored = {row: tables.read(TABLE, partition, row) for row in changed}
    raise UnavailableError("The copies of an interaction are being changed by too many writers.")


def _joined(
    row: str, group: Group, copies: Mapping[str, HeldCopy], reach: Callable[[Interaction], Iterable[Reach]]
) -> tuple[Group, list[Interaction]]:
    newer = {}
    for name, copy in copies.items():
        held = group.copies.get(name)
        if held is None or copy.revision > held.revision:
            newer[name] = copy
    all_copies = group_rows.fitting({**group.copies, **newer})
    own, host = _split(row, all_copies)
    interactions = [] if host else merge(own)
    reached = dict(group.reached)
    for interaction in interactions:
        name = interaction.key.hex()
        reached[name] = sorted({*reached.get(name, ()), *reach(interaction)})
    lent = sorted({*group.lent, host}) if host else group.lent
    return Group(all_copies, group.revision + bool(newer), reached, lent), interactions


def _split(row: str, copies: Mapping[str, HeldCopy]) -> tuple[list[InteractionCopy], str]:
    """The copies that make up this group's interactions, and the meeting to which they are lent instead, if there is one.

    A CRM appointment without an iCalUId lies under its four facts (organiser, start, end, all-day), the Exchange meeting under
    its id. A mailbox's copy is therefore kept under the four facts as well, as a host: where exactly one meeting has them, the
    appointments lying there join it, by copies of them in the meeting's own group. Whichever side comes later sees the other.
    """
    held = {name: each.copy for name, each in copies.items() if each.copy is not None}
    hosts = {copy.merge_key for copy in held.values() if copy.alternate_key and _row_key(copy.alternate_key) == row}
    facts = {(copy.alternate_key, copy.at) for copy in held.values() if copy.alternate_key}
    own = [
        copy
        for name, copy in held.items()
        if copy.merge_key not in hosts and not (name.startswith(LENT) and (copy.merge_key, copy.at) not in facts)
    ]
    lends = len(hosts) == 1 and own and all(copy.source == "crm" for copy in own)
    return own, next(iter(hosts)) if lends else ""


def _loans(row: str, group: Group) -> Iterable[tuple[str, dict[str, HeldCopy]]]:
    """What other groups must hold of this one's appointments: the present host them all, earlier ones nothing any more."""
    own, host = _split(row, group.copies)
    names = [name for name, held in group.copies.items() if held.copy is None or held.copy.source == "crm"]
    for meeting in group.lent:
        borrowed = {copy.copy_id: copy for copy in own} if meeting == host else {}
        # With the lender in the name: an appointment that moves is given by one group and taken away by another.
        yield meeting, {f"{LENT}{row}:{name}": HeldCopy(group.revision, borrowed.get(name)) for name in names}


def _write(partition: str, row: str, group: Group, stored: tables.Row | None) -> tables.Operation | None:
    new = group_rows.properties(group)
    if stored and stored["v"] == new["v"] and tables.unsplit(stored) == tables.unsplit(new):
        return None
    return ("write", {"PartitionKey": partition, "RowKey": row, **new}, stored["etag"] if stored else None)


def _too_large(write: tables.Operation) -> str:
    """Why a group does not go into a row; empty where it does. It is left as it was, so that it holds up none of the others."""
    try:
        table_limits.check(write)
    except RowTooLargeError as error:
        _log.error("left out: a mail or meeting, %s", error.detail)
        return error.detail
    return ""


def _noted(partition: str, row: str, reason: str) -> tables.Operation:
    """A group of nothing, which says in its row why."""
    return ("write", {"PartitionKey": partition, "RowKey": row, **group_rows.properties(Group()), "left": reason}, None)


def _placement(
    groups: Mapping[str, tuple[Group, list[Interaction]]], reach: Callable[[Interaction], Iterable[Reach]]
) -> Placement:
    placement = Placement([], [])
    for row, (group, interactions) in groups.items():
        for meeting, copies in _loans(row, group):
            placement.lent.setdefault(meeting, {}).update(copies)
        placement.interactions += [(interaction, group.revision) for interaction in interactions]
        now = {interaction.key.hex(): set(reach(interaction)) for interaction in interactions}
        for name, places in group.reached.items():
            gone = [place for place in places if place not in now.get(name, set())]
            placement.removals += [(bytes.fromhex(name), group.revision, place) for place in gone]
    return placement
