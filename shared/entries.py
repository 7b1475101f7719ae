"""Interactions as entries of activity partitions: names hashed, people and records turned into columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shared.columns import COUNTERS, Entries
from shared.interactions import Interaction, Participant
from shared.keys import keys
from shared.kpi.interactions import Interactions, RecordType
from shared.people import domain_of

_RECORD_TYPES = {kind.name.lower(): int(kind) for kind in RecordType}
_MOST_SOURCES = 255


def person_key(participant: Participant) -> int:
    """The key under which a participant takes part: the address if there is one, else the CRM party."""
    return keys().address(participant.address) if participant.address else keys().party(participant.party)


def entries_of(interactions: Sequence[tuple[Interaction, int]]) -> Entries:
    """Entries of interactions at their revisions, in the given order. None give empty arrays."""
    items = [interaction for interaction, _ in interactions]
    n = len(items)
    participants = [(i, p) for i, item in enumerate(items) for p in item.participants]
    regarding = [(i, record) for i, item in enumerate(items) for record in item.regarding]
    threads = [(i, name) for i, item in enumerate(items) for name in item.conversations if name != item.conversation]
    facts = Interactions(
        key=np.array([item.key for item in items], dtype="S16"),
        at=np.array([item.at for item in items], dtype="i8"),
        end=np.array([item.end for item in items], dtype="i8"),
        kind=np.array([item.kind for item in items], dtype="u1"),
        flags=np.array([item.flags for item in items], dtype="u4"),
        minutes=np.array([np.nan if item.minutes is None else item.minutes for item in items], dtype="f8"),
        conversation=np.array([_conversation(item) for item in items], dtype="u8"),
        sources=np.array([min(item.sources, _MOST_SOURCES) for item in items], dtype="u1"),
        part_index=np.array([i for i, _ in participants], dtype="i8"),
        part_person=np.array([person_key(p) for _, p in participants], dtype="u8"),
        part_domain=np.array([_domain(p) for _, p in participants], dtype="u8"),
        part_role=np.array([p.role for _, p in participants], dtype="u1"),
        part_response=np.array([p.response for _, p in participants], dtype="u1"),
        regarding_index=np.array([i for i, _ in regarding], dtype="i8"),
        regarding_type=np.array([_RECORD_TYPES[record.partition(":")[0]] for _, record in regarding], dtype="u1"),
        regarding_key=np.array([keys().record(record) for _, record in regarding], dtype="u8"),
        thread_index=np.array([i for i, _ in threads], dtype="i8"),
        thread_name=np.array([keys().conversation(name) for _, name in threads], dtype="u8"),
    )
    activity = np.full(n, "", dtype=object)
    activity[:] = [item.activity_id for item in items]
    revision = np.array([revision for _, revision in interactions], dtype="u4")
    followed = [i for i, item in enumerate(items) if item.engagement]
    counters = np.array([items[i].engagement for i in followed], dtype="u4").reshape(-1, COUNTERS)
    return Entries(facts, revision, np.zeros(n, dtype=bool), activity, np.array(followed, dtype="i8"), counters)


def _conversation(item: Interaction) -> int:
    return keys().conversation(item.conversation) if item.conversation else 0


def _domain(participant: Participant) -> int:
    return keys().domain(domain_of(participant.address)) if participant.address else 0


def removal(key: bytes, revision: int, month: str) -> Entries:
    """The entry that takes an interaction out of a month: no facts, only that this revision has left."""
    at = int(np.datetime64(month, "s").astype("i8"))
    gone = Interaction(
        key=key, kind=0, at=at, end=at, minutes=None, flags=0, conversation="", conversations=(), participants=(),
        regarding=(), sources=0, activity_id="",
    )  # fmt: skip
    entry = entries_of([(gone, revision)])
    return Entries(entry.facts, entry.revision, np.ones(1, dtype=bool), entry.activity)
