"""The `consent` table: the state in force, changed by compare-and-set, and the record of every transition."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from msgspec import Struct, json

from shared import decoders, tables, telemetry
from shared.errors import UnavailableError
from shared.graph.consent import Consent, Transition

TABLE = "consent"
_KEY, _STATE = "consent", "state"
_TRIES = 8
_FRESH_SECONDS = 20.0
_decoder = decoders.of_json(Consent)
_held: tuple[Consent, float] | None = None


class Event(Struct, frozen=True):
    """A transition that happened: when, its name, from which state to which, and who caused it (an id, or "timer")."""

    at: int
    name: str
    before: str
    after: str
    by: str


def read() -> Consent:
    """The consent in force; disabled when there never was one."""
    row = tables.read(TABLE, _KEY, _STATE)
    return _decoder.decode(row["consent"]) if row else Consent()


def recent() -> Consent:
    """The same, read at most 20 seconds ago: for what is asked often and must follow a change within a minute."""
    global _held
    if _held is None or _held[1] < time.monotonic():
        _held = read(), time.monotonic() + _FRESH_SECONDS
    return _held[0]


def change(step: Callable[[Consent], Transition | None], now: int, by: str) -> Transition | None:
    """Apply a step to the state in force and record it; None when it changes nothing. Of two at once, exactly one wins.

    The other one's step is asked again, with the new state. Raises UnavailableError when others win all the time.
    """
    global _held
    for _ in range(_TRIES):
        row = tables.read(TABLE, _KEY, _STATE)
        before = _decoder.decode(row["consent"]) if row else Consent()
        done = step(before)
        if done is None or done.consent == before:
            return None
        state = {"PartitionKey": _KEY, "RowKey": _STATE, "v": 1, "consent": json.encode(done.consent).decode()}
        event = Event(now, done.name, before.state, done.consent.state, by)
        history = {
            "PartitionKey": _KEY,
            "RowKey": f"t|{now:011d}|{time.time_ns()}",
            "v": 1,
            "event": json.encode(event).decode(),
        }
        if tables.transact(TABLE, [("write", state, row["etag"] if row else None), ("upsert", history, None)]):
            _held = None
            telemetry.count("rapport.consent", transition=done.name)
            return done
    raise UnavailableError("The consent is being changed by too many at once.")


def history() -> Iterator[Event]:
    """All transitions, oldest first."""
    for row in tables.query(TABLE, _KEY, "t|", "t}"):
        yield decoders.of_json(Event).decode(row["event"])
