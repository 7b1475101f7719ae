"""From changes to partitions: what the queue function of CRM changes does with a message.

Everything in it may run twice, half, late and beside itself: states and groups are joins under an ETag, entries are upserts by
key and revision, rosters start over when somebody else was faster.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain

import msgspec

from shared import (
    acquaintance_rows,
    decoders,
    follow_preferences,
    groups,
    opt_outs,
    placing,
    record_updates,
    registry,
    retention,
    roster_updates,
    stamps,
    states,
)
from shared.changes import Change
from shared.crm.activities import ACTIVITIES, copy_of
from shared.crm.state import EntityState
from shared.errors import PoisonMessageError
from shared.groups import HeldCopy
from shared.states import HeldState

MESSAGE_BYTES = 200_000  # of 256 KB that a message may have; the rest is for its properties
_CHANGES_BYTES = 2_500_000  # uncompressed: bounds the memory and the time of one message
_encoder = msgspec.json.Encoder()
_decoder = decoders.of_json(list[Change])
_OUR_PEOPLE = ("user", "team")
_ROLES = "role"  # only their names are known, and no figure depends on them


def packed(changes: Sequence[Change]) -> Iterator[bytes]:
    """The changes as bodies of queue messages, in order, each a compressed JSON list within the size limits."""
    encoded = [_encoder.encode(change) for change in changes]
    first, size = 0, 0
    for position, text in enumerate(encoded):
        if position > first and size + len(text) > _CHANGES_BYTES:
            yield from _bodies(encoded[first:position])
            first, size = position, 0
        size += len(text)
    if encoded:
        yield from _bodies(encoded[first:])


def _bodies(encoded: list[bytes]) -> Iterator[bytes]:
    body = zlib.compress(b"[" + b",".join(encoded) + b"]", 6)
    if len(body) <= MESSAGE_BYTES or len(encoded) == 1:
        yield body
        return
    middle = len(encoded) // 2
    yield from _bodies(encoded[:middle])
    yield from _bodies(encoded[middle:])


def unpacked(body: bytes) -> list[Change]:
    """The changes of a message body. Raises PoisonMessageError for bytes that `packed` never wrote."""
    try:
        return _decoder.decode(zlib.decompress(body))
    except (zlib.error, msgspec.DecodeError) as error:
        raise PoisonMessageError(f"The message holds no changes: {error}.") from None


def take_in(changes: Sequence[Change]) -> set[str]:
    """Bring states, rosters and partitions in line with the changes; the records to compute again.

    Raises UnavailableError when the storage does not answer; whatever was done then is done again by repeating.
    """
    ours = [change for change in changes if change.entity in _OUR_PEOPLE]
    records = [change for change in changes if change.entity not in (*ACTIVITIES, *_OUR_PEOPLE, _ROLES)]
    activities = [change for change in changes if change.entity in ACTIVITIES]
    to_compute: set[str] = set()
    states.take_in(change for change in changes if change.entity == _ROLES)
    if ours:
        _take_in_our_people(ours)
    if records:
        held = states.take_in(records)
        to_compute |= roster_updates.rebuild_for(held.values())
        _announce_preferences(follow_preferences.take_in(held.values()))
    if activities:
        activities = follow_preferences.collected(opt_outs.stripped_changes(activities))
        to_compute |= _take_in_activities(states.take_in(activities, _group_of).values())
    return to_compute


def _announce_preferences(changed: set[int]) -> None:
    if changed:
        stamps.advance("people")
        record_updates.announce_people(sorted(changed))


def _take_in_our_people(changes: list[Change]) -> None:
    held = states.take_in(changes)
    stamps.advance("people")
    record_updates.announce_people(keys_of_ours(held.values()), {f"{entity}:{id}" for entity, id in held})


def keys_of_ours(held: Iterable[HeldState]) -> set[int]:
    """The person keys of changed users; a team takes part in nothing itself."""
    from shared.crm.records import User, view
    from shared.directory import user_keys

    found: set[int] = set()
    for each in held:
        viewed = view(each.state)
        found |= set(user_keys(viewed)) if isinstance(viewed, User) else set()
    return found


def _group_of(state: EntityState) -> str:
    copy = copy_of(state)
    return copy.merge_key if copy else ""


def _take_in_activities(held: Collection[HeldState]) -> set[str]:
    by_group: dict[str, dict[str, HeldCopy]] = defaultdict(dict)
    for each in held:
        copy = copy_of(each.state)
        for merge_key in each.groups:
            still = copy if copy is not None and copy.merge_key == merge_key else None
            by_group[merge_key][f"{each.state.entity}:{each.state.id}"] = HeldCopy(each.revision, still)
    touched = place(by_group)
    retention.shorten(held)
    return touched


def place(by_group: Mapping[str, Mapping[str, HeldCopy]]) -> set[str]:
    """Join copies (by merge key and copy id) into their groups and bring all partitions in line; the records to compute again.

    The copies may come from the CRM or from mailboxes. Repeating it, or breaking it off and repeating it, is harmless.
    """
    return settle(groups.update(retention.kept(opt_outs.kept(by_group)), placing.reach))


def settle(placement: groups.Placement) -> set[str]:
    """Bring all partitions in line with changed groups; the records to compute again. Repeating it is harmless."""
    if placement.lent:  # appointments that belong to a meeting of Exchange
        meetings = groups.update(placement.lent, placing.reach)
        placement.interactions += meetings.interactions
        placement.removals += meetings.removals
    registry.remember(chain.from_iterable(interaction.participants for interaction, _ in placement.interactions))
    outsiders = chain.from_iterable(placing.outsiders(interaction) for interaction, _ in placement.interactions)
    acquaintance_rows.remember_domains(participant.address for participant in outsiders)
    return placing.put(placement)
