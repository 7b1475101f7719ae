"""Rows of the `activities` table to numpy columns and back: what one month, or one tail row, holds.

A blob is `version byte | header | facts | activity ids`. The header is a fixed struct of lengths; `facts` and
`activity ids` are zlib streams of little-endian columns with fixed dtypes, so the same entries give the same bytes on every
machine. People are coded through a dictionary (a person writes many mails a month), instants as differences.

An entry is one interaction at one revision. Of two entries with one key the higher revision wins, and a removed entry
stays, so that a late copy of an older revision can never come back. Hence `newest` is commutative, associative and
idempotent, and appending needs no lock.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.errors import FormatVersionError
from shared.kpi.interactions import Bools, Flags, Indices, Interactions

VERSION = 1
COUNTERS = 6
_HEADER = struct.Struct("<BIIIIIII")  # version, n, m, q, people, followed mails, bytes of facts, bytes of ids
_FIRST_HEADER = struct.Struct("<BIIIIII")  # the first layout knew no followed mails; it is told by its length
_PER_INTERACTION = ("key", "at", "end", "kind", "flags", "minutes", "conversation", "sources")
_PER_PART = ("part_index", "part_person", "part_domain", "part_role", "part_response")
_PER_REGARDING = ("regarding_index", "regarding_type", "regarding_key")
_PER_THREAD = ("thread_index", "thread_name")
_OWNERS = ("part_index", "regarding_index", "thread_index")


@dataclass(frozen=True)
class Entries:
    """Interactions as stored: facts, revision (uint32), removed (bool) and CRM activity id (text) of each, all of length n.

    `engagement` has a row of counters for each followed mail (`engagement_index`, ascending): bounced, opens, clicks, links,
    attachments delivered, attachments viewed.
    """

    facts: Interactions
    revision: Flags
    removed: Bools
    activity: NDArray[np.object_]
    engagement_index: Indices = field(default_factory=lambda: np.empty(0, "i8"))  # (e,)
    engagement: Flags = field(default_factory=lambda: np.empty((0, COUNTERS), "u4"))  # (e, 6)

    def __len__(self) -> int:
        return len(self.facts)

    @classmethod
    def empty(cls) -> Entries:
        """No entries."""
        return cls(Interactions.empty(), np.empty(0, "u4"), np.empty(0, "?"), np.empty(0, object))

    def take(self, chosen: Indices) -> Entries:
        """The entries at these positions, in this order."""
        owner, rows = _rows_of(self.engagement_index, chosen)
        return Entries(
            take(self.facts, chosen), self.revision[chosen], self.removed[chosen], self.activity[chosen], owner,
            self.engagement[rows],
        )  # fmt: skip


def take(facts: Interactions, chosen: Indices) -> Interactions:
    """The interactions at these positions, in this order, with their participations and regardings.

    >>> take(Interactions.empty(), np.empty(0, "i8")).at.size
    0
    """
    columns = {name: getattr(facts, name)[chosen] for name in _PER_INTERACTION}
    columns |= _take_ragged(facts, _PER_PART, chosen)
    columns |= _take_ragged(facts, _PER_REGARDING, chosen)
    columns |= _take_ragged(facts, _PER_THREAD, chosen)
    return Interactions(**columns)


def _take_ragged(facts: Interactions, names: tuple[str, ...], chosen: Indices) -> dict[str, NDArray[np.generic]]:
    owner, rows = _rows_of(getattr(facts, names[0]), chosen)
    return {names[0]: owner, **{name: getattr(facts, name)[rows] for name in names[1:]}}


def _rows_of(index: Indices, chosen: Indices) -> tuple[Indices, Indices]:
    """Of ragged rows with an ascending owner `index`: the rows of the chosen owners, and the position of each one's owner."""
    first = np.searchsorted(index, chosen, "left")
    counts = np.searchsorted(index, chosen, "right") - first
    owner = np.repeat(np.arange(len(chosen)), counts)
    return owner, np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)


def joined(parts: Sequence[Entries]) -> Entries:
    """All entries one after the other; keys may repeat."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return Entries.empty()
    if len(parts) == 1:
        return parts[0]
    starts = _starts([part.facts for part in parts])
    return Entries(
        _joined_facts([part.facts for part in parts]),
        np.concatenate([part.revision for part in parts]),
        np.concatenate([part.removed for part in parts]),
        np.concatenate([part.activity for part in parts]),
        np.concatenate([part.engagement_index + start for part, start in zip(parts, starts, strict=True)]),
        np.concatenate([part.engagement for part in parts]),
    )


def _starts(parts: list[Interactions]) -> Indices:
    return np.cumsum([0] + [len(part) for part in parts[:-1]])


def _joined_facts(parts: list[Interactions]) -> Interactions:
    starts = _starts(parts)
    columns = {}
    for column in fields(Interactions):
        arrays = [getattr(part, column.name) for part in parts]
        if column.name in _OWNERS:
            arrays = [array + start for array, start in zip(arrays, starts, strict=True)]
        columns[column.name] = np.concatenate(arrays)
    return Interactions(**columns)


def newest(entries: Entries) -> Entries:
    """Each key once, at its highest revision, sorted by (`at`, `key`); removed entries are kept.

    At equal revision a removed entry loses, then the higher (`at`, `end`, `flags`) wins: a stated rule for what cannot happen.
    """
    if len(entries) == 0:
        return entries
    facts = entries.facts
    order = np.lexsort((facts.flags, facts.end, facts.at, ~entries.removed, entries.revision, facts.key))
    last = np.ones(len(order), dtype=bool)
    last[:-1] = facts.key[order][1:] != facts.key[order][:-1]
    kept = order[last]
    kept = kept[np.lexsort((facts.key[kept], facts.at[kept]))]
    if len(kept) == len(entries) and np.array_equal(kept, np.arange(len(kept))):
        return entries
    return entries.take(kept)


def live(entries: Entries) -> Entries:
    """The entries that are not removed."""
    return entries if not entries.removed.any() else entries.take(np.flatnonzero(~entries.removed))


def encode(entries: Entries) -> bytes:
    """The blob of these entries; they must be sorted by (`at`, `key`), each key once."""
    facts = entries.facts
    people, code = np.unique(np.stack([facts.part_person, facts.part_domain], axis=1), axis=0, return_inverse=True)
    n = len(facts)
    columns = [
        facts.key.astype("S16").view(np.uint8) if n else np.empty(0, np.uint8),
        np.diff(facts.at, prepend=0).astype("<i8"),
        (facts.end - facts.at).astype("<i8"),
        facts.kind.astype("u1"),
        facts.flags.astype("<u4"),
        facts.minutes.astype("<f8"),
        facts.conversation.astype("<u8"),
        facts.sources.astype("u1"),
        entries.revision.astype("<u4"),
        entries.removed.astype("u1"),
        _counts(facts.part_index, n),
        _counts(facts.regarding_index, n),
        people.astype("<u8").ravel(),
        code.ravel().astype("<u4"),
        facts.part_role.astype("u1"),
        facts.part_response.astype("u1"),
        facts.regarding_type.astype("u1"),
        facts.regarding_key.astype("<u8"),
        entries.engagement_index.astype("<u4"),
        entries.engagement.astype("<u4").ravel(),
    ]
    if len(facts.thread_index):
        # At the end, where a release that does not know them does not read: no new layout.
        columns += [_counts(facts.thread_index, n), facts.thread_name.astype("<u8")]
    packed = zlib.compress(b"".join(column.tobytes() for column in columns), 1)
    ids = zlib.compress("\n".join(entries.activity.tolist()).encode(), 1)
    followed = len(entries.engagement_index)
    sizes = (n, len(facts.part_index), len(facts.regarding_index), len(people), followed, len(packed), len(ids))
    return _HEADER.pack(VERSION, *sizes) + packed + ids


def _counts(index: Indices, n: int) -> NDArray[np.uint32]:
    return np.bincount(index, minlength=n).astype("<u4") if n else np.empty(0, "<u4")


class _Reader:
    """Takes columns one after the other out of one buffer."""

    def __init__(self, buffer: bytes) -> None:
        self.buffer, self.at = buffer, 0

    @property
    def is_at_end(self) -> bool:
        return self.at == len(self.buffer)

    def __call__(self, dtype: str, count: int) -> Any:
        column = np.frombuffer(self.buffer, dtype=dtype, count=count, offset=self.at)
        self.at += column.nbytes
        return column


def layout(blob: bytes) -> int:
    """The number of a blob's layout: 1 as `encode` writes it, 0 for the first one, which had no counters of followed mails.

    Both carry the version byte 1; their lengths tell them apart. Raises FormatVersionError for a blob that a newer version of
    the app wrote.
    """
    if blob[0] != VERSION:
        raise FormatVersionError(f"activity columns have format {blob[0]}, this app reads {VERSION}")
    *_, facts_bytes, ids_bytes = _HEADER.unpack_from(blob)
    return int(_HEADER.size + facts_bytes + ids_bytes == len(blob))


def _lengths(blob: bytes) -> tuple[int, int, int, int, int, int, int, int]:
    """n, m, q, people, followed mails, bytes of facts and of ids, and where the facts begin."""
    if layout(blob):
        _, n, m, q, people, followed, facts_bytes, ids_bytes = _HEADER.unpack_from(blob)
        return n, m, q, people, followed, facts_bytes, ids_bytes, _HEADER.size
    _, n, m, q, people, facts_bytes, ids_bytes = _FIRST_HEADER.unpack_from(blob)
    return n, m, q, people, 0, facts_bytes, ids_bytes, _FIRST_HEADER.size


def decode(blob: bytes, with_ids: bool = True) -> Entries:
    """The entries of one blob; `with_ids=False` leaves every activity id empty and saves the time of reading them.

    Raises FormatVersionError for a blob that a newer version of the app wrote.
    """
    n, m, q, people, followed, facts_bytes, ids_bytes, start = _lengths(blob)
    read = _Reader(zlib.decompress(blob[start : start + facts_bytes]))
    key = read("S16", n)
    at = np.cumsum(read("<i8", n))
    end = at + read("<i8", n)
    kind, flags, minutes = read("u1", n), read("<u4", n), read("<f8", n)
    conversation, sources, revision, removed = read("<u8", n), read("u1", n), read("<u4", n), read("u1", n)
    part_counts, regarding_counts = read("<u4", n), read("<u4", n)
    dictionary = read("<u8", people * 2).reshape(people, 2)
    code = read("<u4", m)
    positions = np.arange(n)
    part_role, part_response, regarding_type, regarding_key = (
        read("u1", m),
        read("u1", m),
        read("u1", q),
        read("<u8", q),
    )
    followed_index = read("<u4", followed).astype("i8")
    engagement = read("<u4", followed * COUNTERS).reshape(followed, COUNTERS)
    threads = np.zeros(n, "i8") if read.is_at_end else read("<u4", n)
    facts = Interactions(
        key=key, at=at, end=end, kind=kind, flags=flags, minutes=minutes, conversation=conversation, sources=sources,
        part_index=np.repeat(positions, part_counts), part_person=dictionary[code, 0], part_domain=dictionary[code, 1],
        part_role=part_role, part_response=part_response,
        regarding_index=np.repeat(positions, regarding_counts), regarding_type=regarding_type, regarding_key=regarding_key,
        thread_index=np.repeat(positions, threads), thread_name=read("<u8", int(threads.sum())),
    )  # fmt: skip
    activity = np.full(n, "", dtype=object)
    if with_ids and n:
        start += facts_bytes
        activity[:] = zlib.decompress(blob[start : start + ids_bytes]).decode().split("\n")
    return Entries(facts, revision, removed.astype(bool), activity, followed_index, engagement)
