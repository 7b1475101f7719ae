"""One small row that says which people and which settings are in force, so that a computation can tell whether it is out of date.

A writer of users or settings changes the data first, then the stamp, then has the records computed again that it touches.
A computation reads the stamp before it reads data and once more after it has written its snapshot, and starts over if the
two differ. So a snapshot made from old people or settings is either replaced at once or seen by the writer's sweep.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from shared import tables

TABLE = "directory"
_KEY = "stamps"
_TRIES = 20


class Stamps(Struct, frozen=True):
    """`people` changes with every user or team, `parameters` with every published change of settings."""

    people: int = 0
    parameters: int = 0


def read() -> Stamps:
    """The stamps in force; zeros before anything was ever written."""
    row = tables.read(TABLE, _KEY, _KEY)
    return Stamps(row["people"], row["parameters"]) if row else Stamps()


def advance(name: str) -> Stamps:
    """Count one stamp up (`people` or `parameters`) and return the stamps now in force."""
    return _changed(lambda old: replace(old, **{name: getattr(old, name) + 1}))


def publish(parameters: int, people_too: bool) -> Stamps:
    """Put a version of the settings in force, unless it or a later one is; `people_too`: it also changes who is one of ours."""
    return _changed(
        lambda old: old if old.parameters >= parameters else Stamps(old.people + int(people_too), parameters)
    )


def _changed(change: Callable[[Stamps], Stamps]) -> Stamps:
    from shared.errors import UnavailableError

    for _ in range(_TRIES):
        row = tables.read(TABLE, _KEY, _KEY)
        old = Stamps(row["people"], row["parameters"]) if row else Stamps()
        new = change(old)
        fields = {"v": 1, "people": new.people, "parameters": new.parameters}
        etag = row["etag"] if row else None
        if new == old or tables.write_if(TABLE, {"PartitionKey": _KEY, "RowKey": _KEY, **fields}, etag):
            return new
    raise UnavailableError("The stamps are being changed by too many writers.")
