"""Leaving out who has opted out: in figures, in what arrives, in what is held.

The figures do so from the moment a tombstone is there (`without`); what arrives is stripped before it is stored (`kept`,
`stripped_change`); `shared.erasure` takes out what is stored. An interaction with further people on both sides stays, without
that person.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from shared import stamps, tombstones
from shared.changes import Change
from shared.directory import Directory, directory
from shared.entries import person_key
from shared.groups import HeldCopy
from shared.interactions import InteractionCopy, Participant
from shared.keys import keys

if TYPE_CHECKING:
    from shared.columns import Entries
    from shared.kpi.interactions import Membership

Groups = Mapping[str, Mapping[str, HeldCopy]]  # by merge key and copy id
_PARTIES = ("from", "to", "cc", "organizer", "attendees", "optionalAttendees", "owner")


def without(entries: Entries, gone: frozenset[int], membership: Membership) -> Entries:
    """The entries without these people's participations, and without those that then lack one of the two sides."""
    from dataclasses import replace as changed

    import numpy as np

    facts = entries.facts
    leaves = np.isin(facts.part_person, np.array(sorted(gone), dtype=np.uint64))
    if not leaves.any():
        return entries
    ours = np.isin(facts.part_person, membership.persons[np.isin(membership.canonical, membership.internal)])
    ours |= np.isin(facts.part_domain, membership.internal_domains)
    size = len(facts)
    touched, with_ours, with_theirs = (
        np.bincount(facts.part_index[rows], minlength=size) > 0 for rows in (leaves, ours & ~leaves, ~ours & ~leaves)
    )
    stay = ~leaves
    columns = {name: getattr(facts, name)[stay] for name in vars(facts) if name.startswith("part_")}
    left = changed(entries, facts=changed(facts, **columns))
    return left.take(np.flatnonzero(~touched | (with_ours & with_theirs)))


def stripped(copy: InteractionCopy, gone: frozenset[int], ours: Directory) -> InteractionCopy | None:
    """A copy without these people; None if it then lacks one of the two sides."""
    left = tuple(each for each in copy.participants if not _is_gone(each, gone))
    if len(left) == len(copy.participants):
        return copy
    sides = {ours.is_internal(each.address, each.party) for each in left}
    if len(sides) < 2:
        return None
    owner = "" if copy.owner and keys().address(copy.owner) in gone else copy.owner
    names = {name for each in copy.participants if each not in left for name in (each.address, each.party)}
    merge_key = f"meeting#{copy.copy_id}" if _organizer(copy.merge_key) in names else copy.merge_key
    alternate = "" if _organizer(copy.alternate_key) in names else copy.alternate_key
    return replace(copy, participants=left, owner=owner, merge_key=merge_key, alternate_key=alternate)


def _organizer(key: str) -> str | None:
    """The organiser by whom a meeting without an iCalUId is known (`interactions.meeting_alternate_key`)."""
    kind, *facts = key.split("|")
    return facts[0] if kind == "meeting" and facts else None


def kept(by_group: Groups) -> Groups:
    """What arrives, without those who have opted out; almost always the same."""
    gone = tombstones.recent()
    if not gone:
        return by_group
    ours = directory(stamps.read().people)
    left: dict[str, dict[str, HeldCopy]] = {}
    for merge_key, copies in by_group.items():
        for name, held in copies.items():
            new = stripped(held.copy, gone, ours) if held.copy else None
            stays = new is None or merge_key in (new.merge_key, new.alternate_key)
            left.setdefault(merge_key, {})[name] = HeldCopy(held.revision, new if stays else None)
            if new and held.copy and not stays and held.copy.merge_key == merge_key:
                left.setdefault(new.merge_key, {})[name] = HeldCopy(held.revision, new)
    return left


def _is_gone(participant: Participant, gone: frozenset[int]) -> bool:
    by_party = bool(participant.party) and keys().party(participant.party) in gone
    return by_party or person_key(participant) in gone


def stripped_changes(changes: list[Change]) -> list[Change]:
    """Changes of activities without those who have opted out in their attributes."""
    gone = tombstones.recent()
    if not gone:
        return changes
    return [replace(change, attributes=stripped_attributes(change.attributes, gone)) for change in changes]


def stripped_attributes(attributes: dict[str, Any], gone: frozenset[int]) -> dict[str, Any]:
    """An activity's attributes, by name, without these people."""
    return {name: _without(value, gone) if name in _PARTIES else value for name, value in attributes.items()}


def _without(value: Any, gone: frozenset[int]) -> Any:
    if isinstance(value, list):
        return [each for each in value if _without(each, gone) is not None]
    if isinstance(value, str):
        return None if keys().party(value) in gone else value
    if not isinstance(value, dict):
        return value
    address, party = value.get("address", ""), value.get("party", "")
    named = (address and keys().address(address) in gone) or (party and keys().party(party) in gone)
    return None if named else value
