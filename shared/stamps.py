"""One small row that says which people and which settings are in force, so that a computation can tell whether it is out of date.

A writer of users or settings changes the data first, then the stamp, then has the records computed again that it touches.
A computation reads the stamp before it reads data and once more after it has written its snapshot, and starts over if the
two differ. So a snapshot made from old people or settings is either replaced at once or seen by the writer's sweep.
"""

from __future__ import annotations

from msgspec import Struct

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
    from shared.errors import UnavailableError

    for _ in range(_TRIES):
        row = tables.read(TABLE, _KEY, _KEY)
        old = {"people": row["people"], "parameters": row["parameters"]} if row else {"people": 0, "parameters": 0}
        new = {**old, name: old[name] + 1}
        if tables.write_if(TABLE, {"PartitionKey": _KEY, "RowKey": _KEY, "v": 1, **new}, row["etag"] if row else None):
            return Stamps(**new)
    raise UnavailableError("The stamps are being changed by too many writers.")
