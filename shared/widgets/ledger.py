"""The ledger behind the numbers."""

from __future__ import annotations

from msgspec import field

from shared.widgets.record import Envelope
from shared.widgets.shape import Shape


class LedgerEntry(Shape, frozen=True):
    """One interaction of a record: counted or not, with exactly one reason. `noise`: its signs of automatic or bulk mail."""

    interaction_id: str
    activity_id: str
    kind: str
    at: str
    end: str
    direction: str
    counted: bool
    reason: str
    through: list[str] = field(default_factory=list)
    in_window: bool = True
    sources: int = 1
    minutes: float | None = None
    people: list[dict[str, str]] = field(default_factory=list)
    noise: list[str] = field(default_factory=list)


class Ledger(Envelope, frozen=True):
    """What is behind the numbers of a record, newest first, page by page. `noise`: how many carry each sign of noise; `withheld`:
    how many of this page the caller may not read."""

    total: int
    counted: int
    reasons: dict[str, int]
    noise: dict[str, int]
    activities: list[LedgerEntry]
    next_page: str | None = None
    withheld: int = 0
