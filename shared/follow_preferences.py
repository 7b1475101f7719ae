"""Which mails are followed at all (product E1, E2, E10): not those to somebody who does not allow it, none while the organisation
has switched the figures off.

The CRM decides at sending time; here it is made sure, whatever came first and whatever was told since. Held are keyed hashes of
contacts and leads who do not allow it, beside the tombstones; figures know of them through the directory.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from shared import tables, tombstones
from shared.changes import Change
from shared.errors import UnavailableError
from shared.keys import keys

if TYPE_CHECKING:
    from shared.states import HeldState

TABLE = tombstones.TABLE
_PARTITION = "unfollowed"
_TRIES = 8
_COUNTED = frozenset(("followed", "opens", "clicks", "links", "attachmentsDelivered", "attachmentsViewed"))


def read() -> frozenset[int]:
    """The keys of all who do not allow that mails to them are followed."""
    return frozenset(key for row in tables.query(TABLE, _PARTITION, select=["keys"]) for key in _keys(row))


def take_in(held: Iterable[HeldState]) -> set[int]:
    """Note what contacts and leads say of it; the keys of those of whom something else holds now. Repeating it is harmless."""
    changed: set[int] = set()
    for each in held:
        if each.state.entity in ("contact", "lead"):
            changed |= _note(each)
    return changed


def _note(held: HeldState) -> set[int]:
    from shared.crm.records import Contact, Lead, view
    from shared.crm.state import value

    viewed = view(held.state)
    if not isinstance(viewed, Contact | Lead) or value(held.state, "allowFollow") is None:
        return set()
    name = f"{held.state.entity}:{held.state.id}"
    shut = set() if viewed.allow_follow or viewed.deleted else {keys().party(name), *map(keys().address, viewed.emails)}
    text = ",".join(f"{key:016x}" for key in sorted(shut))
    for _ in range(_TRIES):
        row = tables.read(TABLE, _PARTITION, name)
        if row is None and not shut:
            return set()
        if row is not None and int(row["revision"]) >= held.revision:
            # The same one again: who died before telling anybody tells them now.
            return shut if int(row["revision"]) == held.revision else set()
        new = {"PartitionKey": _PARTITION, "RowKey": name, "v": 1, "revision": str(held.revision), "keys": text}
        if tables.write_if(TABLE, new, row["etag"] if row else None):
            return shut ^ set(_keys(row)) if row else shut
    raise UnavailableError("A preference is being changed by too many at once.")


def _keys(row: tables.Row) -> list[int]:
    return [int(key, 16) for key in row["keys"].split(",") if key]


def collected(changes: list[Change]) -> list[Change]:
    """Changes of activities without the counters of followed mails while the organisation does not want them; most have none."""
    if not any("followed" in change.attributes for change in changes):
        return changes
    from shared import organisation

    if organisation.in_force().email_engagement:
        return changes
    return [replace(change, attributes=_without_counters(change)) for change in changes]


def _without_counters(change: Change) -> dict[str, object]:
    return {name: value for name, value in change.attributes.items() if name not in _COUNTED}
