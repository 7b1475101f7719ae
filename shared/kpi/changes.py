"""The same history with one interaction more, or with some fewer: the input of every "what if"."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shared.kpi.interactions import Bools, Direction, History, Kind, Reason, Role

_ROWS = ("key", "at", "end", "kind", "direction", "reason", "flags", "minutes", "conversation", "from_them")
_PARTS = ("part_person", "part_role", "part_internal", "part_counts")
SUPPOSED = b"\xff" * 16  # the key of an interaction that has not happened; sorts after every other of its instant


@dataclass(frozen=True)
class Event:
    """An interaction that might happen: `person` is one of theirs, `colleague` one of ours (0 = not said)."""

    kind: Kind
    direction: Direction
    from_them: bool
    person: int
    colleague: int = 0


def only(history: History, kept: Bools) -> History:
    """The history of the marked interactions alone; `kept` has shape (n,)."""
    number = np.cumsum(kept) - 1
    parts = kept[history.part_index]
    columns: dict[str, Any] = {name: getattr(history, name)[kept] for name in _ROWS}
    columns |= {name: getattr(history, name)[parts] for name in _PARTS}
    return replace(history, part_index=number[history.part_index[parts]], **columns)


def at_instant(history: History, as_of: int) -> History:
    """The same interactions seen from a later instant, as if nothing happened until then.

    Raises ValueError for an earlier one: what had not happened yet has to be left out by inclusion.
    """
    if as_of < history.as_of:
        raise ValueError("a history cannot be moved back in time")
    return replace(history, as_of=as_of)


def with_event(history: History, event: Event, at: int) -> History:
    """The history at instant `at` (not before its own) when the event has just happened; a meeting has just ended."""
    moved = at_instant(history, at)
    rows: dict[str, Any] = {
        "key": SUPPOSED,
        "at": at,
        "end": at,
        "kind": event.kind,
        "direction": event.direction,
        "reason": Reason.PARTICIPANTS,
        "flags": 0,
        "minutes": 0.0,
        "conversation": 0,
        "from_them": event.from_them,
    }
    sent = event.direction == Direction.OUT
    people: dict[str, Any] = {
        "part_index": [len(history)] * 2,
        "part_person": [event.colleague, event.person],
        "part_role": [Role.FROM, Role.TO] if sent else [Role.TO, Role.FROM],
        "part_internal": [True, False],
        "part_counts": [True, True],
    }
    added = {name: [value] for name, value in rows.items()} | people
    return replace(moved, **{name: _appended(getattr(history, name), values) for name, values in added.items()})


def _appended(column: Any, values: list[Any]) -> Any:
    return np.concatenate([column, np.array(values, dtype=column.dtype)])
