"""The `state` table: the newest known state of every CRM row, joined with each change under the row's ETag."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct, structs

from shared import tables
from shared.changes import Change
from shared.crm.state import EntityState, decode, encode, merged_state
from shared.errors import FormatVersionError, UnavailableError

TABLE = "state"
VERSION = 1
WHOLE = frozenset({"user", "team", "role"})  # read as a whole, hence one partition each
_TRIES = 8

Name = tuple[str, str]  # (entity, id)


class HeldState(Struct, frozen=True):
    """A state as stored: `revision` counts its changes, `groups` are all merge keys that the activity ever had."""

    state: EntityState
    revision: int
    groups: tuple[str, ...] = ()


def partition(entity: str, id: str) -> str:
    """The partition that holds the state of one CRM row."""
    return entity if entity in WHOLE else f"{entity}|{tables.bucket(id)}"


def read(entity: str, id: str) -> HeldState | None:
    """The state of one CRM row as stored, None if nothing was ever heard of it."""
    return _held(tables.read(TABLE, partition(entity, id), id))


def read_all(entity: str) -> list[EntityState]:
    """The states of all rows of an entity that is read as a whole (`user`, `team`, `role`)."""
    return [held.state for row in tables.query(TABLE, entity) if (held := _held(row))]


def take_in(
    changes: Iterable[Change], group_of: Callable[[EntityState], str] = lambda state: ""
) -> dict[Name, HeldState]:
    """Join the changes into the stored states; what is now held, by (entity, id), in the order of first mention.

    `group_of` gives an activity's merge key, empty where it has none. Raises UnavailableError when other writers are
    faster all the time; repeating the changes is harmless.
    """
    wanted: dict[Name, list[Change]] = defaultdict(list)
    for change in changes:
        wanted[change.entity, change.id].append(change)
    by_partition: dict[str, dict[Name, list[Change]]] = defaultdict(dict)
    for name, group in wanted.items():
        by_partition[partition(*name)][name] = group
    held: dict[Name, HeldState] = {}
    for place, rows in by_partition.items():
        held |= _take_in(place, rows, group_of)
    return {name: held[name] for name in wanted}


def rewrite(
    entity: str, id: str, change: Callable[[dict[str, Any]], dict[str, Any]], renamed: Mapping[str, str]
) -> None:
    """Change the attributes of a stored row (name to value) at the versions that they have, and the merge keys by `renamed`.

    An unknown row stays unknown.
    """
    for _ in range(_TRIES):
        row = tables.read(TABLE, partition(entity, id), id)
        held = _held(row)
        if held is None or row is None:
            return
        values = change({name: value for name, (_, value) in held.state.attributes.items()})
        attributes = {name: (version, values[name]) for name, (version, _) in held.state.attributes.items()}
        state = structs.replace(held.state, attributes=attributes)
        groups = tuple(dict.fromkeys(renamed.get(group, group) for group in held.groups))
        new = HeldState(state, held.revision, groups)
        write = _write(partition(entity, id), new, row)
        if new == held or tables.transact(TABLE, [write]):
            return
    raise UnavailableError("CRM rows are being changed by too many writers.")


def keep_only(entity: str, id: str, is_kept: Callable[[str], bool]) -> bool:
    """Drop all other attributes of a stored row, and its links, at the versions that it has; whether there were any.

    An unknown row stays unknown. Raises UnavailableError when others change it all the time.
    """
    for _ in range(_TRIES):
        row = tables.read(TABLE, partition(entity, id), id)
        held = _held(row)
        if held is None or row is None:
            return False
        attributes = {name: value for name, value in held.state.attributes.items() if is_kept(name)}
        state = structs.replace(held.state, attributes=attributes, links={})
        if state == held.state:
            return False
        if tables.transact(TABLE, [_write(partition(entity, id), structs.replace(held, state=state), row)]):
            return True
    raise UnavailableError("CRM rows are being changed by too many writers.")


def _take_in(
    place: str, wanted: Mapping[Name, list[Change]], group_of: Callable[[EntityState], str]
) -> dict[Name, HeldState]:
    # First load is the common large case: try to insert, and read only what turns out to be there.
    rows: dict[Name, tables.Row | None] = dict.fromkeys(wanted)
    for _ in range(_TRIES):
        old = {name: _held(row) for name, row in rows.items()}
        new = {name: _joined(old[name], changes, group_of) for name, changes in wanted.items()}
        changed = [name for name in wanted if new[name] != old[name]]
        if tables.transact(TABLE, [_write(place, new[name], rows[name]) for name in changed]):
            return new
        rows = {name: tables.read(TABLE, place, name[1]) for name in wanted}
    raise UnavailableError("CRM rows are being changed by too many writers.")


def _held(row: tables.Row | None) -> HeldState | None:
    if row is None:
        return None
    if row["v"] != VERSION:
        raise FormatVersionError(f"CRM states have format {row['v']}, this app reads {VERSION}")
    groups = row.get("groups") or ""
    return HeldState(decode(tables.unsplit(row)), row["revision"], tuple(groups.split("\n")) if groups else ())


def _joined(held: HeldState | None, changes: list[Change], group_of: Callable[[EntityState], str]) -> HeldState:
    state = held.state if held else None
    for change in changes:
        state = merged_state(state, change)
    assert state is not None  # noqa: S101  nobody asks for a row without a change
    if held and encode(held.state) == encode(state):
        return held
    group = group_of(state)
    groups = held.groups if held else ()
    if group and group not in groups:
        groups = (*groups, group)
    return HeldState(state, held.revision + 1 if held else 1, groups)


def _write(place: str, held: HeldState, row: tables.Row | None) -> tables.Operation:
    new: tables.Row = {"PartitionKey": place, "RowKey": held.state.id, "v": VERSION, "revision": held.revision}
    if held.groups:
        new["groups"] = "\n".join(held.groups)
    return ("write", {**new, **tables.split(encode(held.state))}, row["etag"] if row else None)
