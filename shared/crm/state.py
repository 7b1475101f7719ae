"""The state of one CRM row, built from changes that may come doubled, late and in any order.

A state is an element of a join semilattice and a change is a small state, so taking changes in is a join: commutative,
associative, idempotent. Per attribute and per link the greater version wins; between equal versions the greater canonical
JSON does, so that every worker decides alike. Of merges and splits the newest counts, a merge before a split of the same
version. Two facts are final: a deleted row stays deleted and holds nothing else, a private one stays private and holds
nothing else.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field, json, msgpack

from shared import decoders
from shared.changes import Change
from shared.errors import FormatVersionError

PRIVATE = "private"
_FORMAT = b"\x01"

Attribute = tuple[int, Any]
Links = dict[str, tuple[int, bool]]


class EntityState(Struct):
    """What is known of one CRM row: each value with the version that wrote it.

    `links` holds single additions and removals (`relationship -> element -> (version, is a member)`) that are newer than
    the whole list of the same name in `attributes`; `members` reads both. `merged` = (version, id it was merged into, empty
    after a split).
    """

    entity: str
    id: str
    attributes: dict[str, Attribute] = field(default_factory=dict)
    links: dict[str, Links] = field(default_factory=dict)
    deleted: int | None = None
    merged: tuple[int, str] | None = None


def merged_state(state: EntityState | None, change: Change) -> EntityState:
    """Return the state with one change taken in; `None` is the state of a row never heard of."""
    changed = _state_of(change)
    return _reduced(changed) if state is None else join(state, changed)


def join(a: EntityState, b: EntityState) -> EntityState:
    """Return the least state that knows all that `a` and `b` know. Raises ValueError for states of two rows."""
    if (a.entity, a.id) != (b.entity, b.id):
        raise ValueError("states of two different rows cannot be joined")
    links = _joined_relationships(a.links, b.links) if a.links or b.links else {}
    deleted = b.deleted if a.deleted is None else a.deleted if b.deleted is None else max(a.deleted, b.deleted)
    merged = max((m for m in (a.merged, b.merged) if m is not None), default=None)
    return _reduced(EntityState(a.entity, a.id, _joined_attributes(a.attributes, b.attributes), links, deleted, merged))


def members(state: EntityState, relationship: str) -> tuple[str, ...]:
    """Return the sorted ids of a list such as `team`: the last whole list, and the links written since."""
    _, listed = state.attributes.get(relationship, (0, None))
    links = state.links.get(relationship)
    if not links:
        return tuple(sorted(set(listed or ())))
    present = set(listed or ()) | links.keys()
    return tuple(sorted(element for element in present if element not in links or links[element][1]))


def value(state: EntityState, name: str) -> Any:
    """Return the value of an attribute; None where it is unknown or was cleared."""
    held = state.attributes.get(name)
    return None if held is None else held[1]


def is_private(state: EntityState) -> bool:
    """Say whether the row was ever marked private or confidential; then nothing else of it is held."""
    return value(state, PRIVATE) is True


def encode(state: EntityState) -> bytes:
    """Return the state as bytes: a format byte and MessagePack with sorted keys; equal states give equal bytes."""
    return _FORMAT + _encoder.encode(state)


def decode(data: bytes) -> EntityState:
    """Return the state that `encode` wrote. Raises FormatVersionError for bytes of a format not known here."""
    if data[:1] != _FORMAT:
        raise FormatVersionError(f"a CRM state has format {data[:1].hex() or 'none'}; this version reads format 01")
    return _decoder.decode(memoryview(data)[1:])


_encoder = msgpack.Encoder(order="deterministic")
_decoder = decoders.of_msgpack(EntityState)


def _state_of(change: Change) -> EntityState:
    state = EntityState(change.entity, change.id)
    match change.operation:
        case "upsert":
            state.attributes = {name: (change.version, new) for name, new in change.attributes.items()}
        case "delete":
            state.deleted = change.version
        case "merge":
            state.merged = (change.version, change.into)
        case "split":
            state.merged = (change.version, "")
        case "link" | "unlink":
            write = (change.version, change.operation == "link")
            state.links = {change.relationship: {ref.id: write for ref in change.related}}
    return state


def _joined_attributes(a: dict[str, Attribute], b: dict[str, Attribute]) -> dict[str, Attribute]:
    joined = dict(a)
    for name, new in b.items():
        held = joined.get(name)
        joined[name] = new if held is None else _later(name, held, new)
    return joined


def _later(name: str, held: Attribute, new: Attribute) -> Attribute:
    if name == PRIVATE and (held[1] is True) != (new[1] is True):
        return held if held[1] is True else new
    if held[0] != new[0]:
        return held if held[0] > new[0] else new
    return held if _canonical(held) >= _canonical(new) else new


def _canonical(attribute: Attribute) -> bytes:
    return json.encode(attribute[1], order="deterministic")


def _joined_relationships(a: dict[str, Links], b: dict[str, Links]) -> dict[str, Links]:
    return {name: _joined_links(a.get(name, {}), b.get(name, {})) for name in a.keys() | b.keys()}


def _joined_links(a: Links, b: Links) -> Links:
    joined = dict(a)
    for element, new in b.items():
        held = joined.get(element)
        joined[element] = new if held is None else max(held, new)
    return joined


def _reduced(state: EntityState) -> EntityState:
    """Drop what a final fact or a newer whole list has made meaningless, so that equal knowledge is equal bytes."""
    if state.deleted is not None:
        state.attributes, state.links = {}, {}
    elif is_private(state):
        state.attributes, state.links = {PRIVATE: state.attributes[PRIVATE]}, {}
    elif state.links:
        state.links = {name: kept for name, links in state.links.items() if (kept := _newer(state, name, links))}
    return state


def _newer(state: EntityState, name: str, links: Links) -> Links:
    if name not in state.attributes:
        return links
    listed = state.attributes[name][0]
    return {element: write for element, write in links.items() if write[0] >= listed}
