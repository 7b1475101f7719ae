"""A group of copies as a row of the `interactions` table: plainly, or packed where the plain form is longer than a row.

A mail to three hundred colleagues lies in three hundred mailboxes, and each copy names all three hundred. Packed, a person who
takes part is written once, a copy holds positions, and the whole is compressed: 300 copies of 300 participants are 30 KB instead
of 7 MB. Only rows that do not fit otherwise are packed, since the release before reads the plain form alone.

Even packed, a mail in thousands of mailboxes may be longer than a row (names of copies and conversations do not repeat). Then the
copies of further mailboxes are left out, always the same ones whatever came first: what the mail is stays, that it lies in so
many mailboxes too.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Mapping

from msgspec import Struct, field, msgpack
from msgspec.structs import replace

from shared import decoders, tables
from shared.errors import FormatVersionError
from shared.interactions import InteractionCopy, Participant

PLAIN, PACKED = 1, 2  # formats
_FEW = 100  # copies that fit however long they are, within what Exchange allows a mail (1,000 recipients)
_LEAST_BYTES = 39  # of a participant in the plain form
_log = logging.getLogger(__name__)

Reach = tuple[str, str]  # (partition, UTC month)


class HeldCopy(Struct, array_like=True):
    """A copy at the revision of its source; None: the source no longer has it."""

    revision: int
    copy: InteractionCopy | None


class Group(Struct, omit_defaults=True):
    """The copies under one merge key by copy id; `reached`: per interaction key (hex) where it was ever appended.

    `lent`: merge keys of the meetings to which this group's appointments were ever lent (see `shared.groups`).
    """

    copies: dict[str, HeldCopy] = field(default_factory=dict)
    revision: int = 0
    reached: dict[str, list[Reach]] = field(default_factory=dict)
    lent: list[str] = field(default_factory=list)


class Packed(Struct):
    """A group whose copies have no participants; `parts` are theirs, as positions in `people`, in the order of the copies."""

    group: Group
    people: list[Participant]
    parts: list[list[int]]


encoder = msgpack.Encoder(order="deterministic")
decoder = decoders.of_msgpack(Group)


def pack(group: Group) -> bytes:
    """The packed form."""
    positions: dict[Participant, int] = {}
    parts: list[list[int]] = []
    copies: dict[str, HeldCopy] = {}
    for name, held in sorted(group.copies.items()):
        found = held.copy.participants if held.copy else ()
        parts.append([positions.setdefault(one, len(positions)) for one in found])
        copies[name] = HeldCopy(held.revision, held.copy and replace(held.copy, participants=()))
    slim = Group(copies, group.revision, group.reached, group.lent)
    return zlib.compress(encoder.encode(Packed(slim, list(positions), parts)), 6)


def unpack(blob: bytes) -> Group:
    """The group of a packed form."""
    packed = decoders.of_msgpack(Packed).decode(zlib.decompress(blob))
    for (name, held), part in zip(sorted(packed.group.copies.items()), packed.parts, strict=True):
        if held.copy:
            participants = tuple(packed.people[position] for position in part)
            packed.group.copies[name] = HeldCopy(held.revision, replace(held.copy, participants=participants))
    return packed.group


def stored(row: tables.Row | None) -> Group:
    """The group in a row; an empty one where there is none. Raises FormatVersionError."""
    if row is None:
        return Group()
    if row["v"] == PACKED:
        return unpack(tables.unsplit(row))
    if row["v"] != PLAIN:
        raise FormatVersionError(f"interaction copies have format {row['v']}, this app reads {PLAIN} and {PACKED}")
    return decoder.decode(tables.unsplit(row))


def properties(group: Group) -> tables.Row:
    """What a group's row holds besides its keys."""
    version, blob = _encoded(group)
    return {"v": version, **tables.split(blob)}


def _encoded(group: Group) -> tuple[int, bytes]:
    parts = sum(len(held.copy.participants) for held in group.copies.values() if held.copy)
    if parts * _LEAST_BYTES <= tables.ROW_BYTES and len(blob := encoder.encode(group)) <= tables.ROW_BYTES:
        return PLAIN, blob
    return PACKED, pack(group)


def fitting(copies: Mapping[str, HeldCopy]) -> dict[str, HeldCopy]:
    """The copies that a row has room for: all of them but for the largest mails, of which mailboxes are left out.

    The CRM's copies and the sender's stay first, then those of the mailboxes with the smallest ids.
    """
    kept = dict(copies)
    if len(kept) <= _FEW:
        return kept
    while (size := len(_encoded(Group(kept))[1])) > tables.ROW_BYTES:
        ranked = sorted(kept, key=lambda name: _rank(name, kept[name]))
        kept = {name: kept[name] for name in ranked[: min(len(ranked) - 1, len(ranked) * tables.ROW_BYTES // size)]}
    if len(kept) < len(copies):
        _log.warning("copies left out: %d of %d, a row has no room for more", len(copies) - len(kept), len(copies))
    return kept


def _rank(name: str, held: HeldCopy) -> tuple[bool, bool, str]:
    copy = held.copy
    return copy is None or copy.source != "crm", copy is None or not copy.is_sender, name
