"""The stored copies of interactions that a person is on: a walk through the table of interactions, as an erasure does."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from shared import group_rows, groups, tables
from shared.entries import person_key
from shared.interactions import RESPONSES, InteractionCopy, Participant
from shared.keys import keys
from shared.moments import instant
from shared.personal_data_shapes import HeldCopyOf
from shared.personal_subject import Held

MOST_READ = 20_000  # interactions that one page goes through
MOST_FOUND = 2_000
_PARTITIONS = 16  # of the table, as `tables.bucket` names them
_KINDS = ("email", "meeting", "call", "task")
_ROLES = ("from", "to", "cc", "organizer", "attendee")
_RESPONSES = {code: name for name, code in RESPONSES.items()}


class Place(Struct, frozen=True):
    """Where the next page begins: in this partition of the table, behind this row."""

    partition: int = 0
    after: str = ""


class Copies(Struct, frozen=True):
    """A page: the copies, and where the next one begins; None at the end of the table."""

    copies: list[HeldCopyOf]
    following: Place | None


def page(person: Held, start: Place) -> Copies:
    """The copies in so many rows of the table from `start` on."""
    found: list[HeldCopyOf] = []
    read = 0
    for partition in range(start.partition, _PARTITIONS):
        after = start.after if partition == start.partition else ""
        for row in tables.query(groups.TABLE, f"{partition:x}", f"{after}!" if after else ""):
            found += _of_person(row, person)
            read += 1
            if read == MOST_READ or len(found) >= MOST_FOUND:
                return Copies(found, Place(partition, row["RowKey"]))
    return Copies(found, None)


def _of_person(row: tables.Row, person: Held) -> Iterator[HeldCopyOf]:
    """Copies that were lent to the group are in their own."""
    held = group_rows.stored(row).copies
    for copy in (each.copy for name, each in held.items() if each.copy and not name.startswith(groups.LENT)):
        own = [each for each in copy.participants if _is(each, person)]
        if own or copy.owner in person.addresses:
            yield _shown(copy, own)


def _is(participant: Participant, person: Held) -> bool:
    by_party = bool(participant.party) and keys().party(participant.party) in person.keys
    return by_party or person_key(participant) in person.keys


def _shown(copy: InteractionCopy, own: list[Participant]) -> HeldCopyOf:
    me = own[0] if own else Participant(copy.owner, "", "", -1, 0)
    return HeldCopyOf(
        id=copy.copy_id,
        source=copy.source,
        activity_id=copy.copy_id if copy.source == "crm" else "",
        mailbox=copy.mailbox,
        kind=_KINDS[copy.kind],
        at=instant(copy.at),
        end=instant(copy.end),
        address=me.address,
        name=me.name,
        role=_ROLES[me.role] if own else "mailbox",
        response=_RESPONSES.get(me.response, ""),
        regarding=list(copy.regarding),
        others=len(copy.participants) - len(own),
    )
