"""Which deals are compared, and by which of their values."""

from __future__ import annotations

from msgspec import Struct

from shared.rosters import Roster

AMOUNT = "amount"
CATEGORIES = ("currency", "industry", "region", "product", "stage")


class DealValues(Struct, frozen=True):
    """What a deal is compared by: amount and names of things, "" = missing; and its creation, which makes its age."""

    created: int | None
    amount: float | None
    names: dict[str, str]  # all CATEGORIES


def is_comparable(roster: Roster) -> bool:
    """Whether a deal takes part: open deals look for similar ones, won deals are found."""
    return roster.status in ("open", "won") and not roster.gone and not roster.merged_into


def values_of(roster: Roster) -> DealValues:
    """The values of a deal, where it has none of its own those of its account (most CRMs keep industry and region there).

    For names, upper and lower case are one and spaces around do not count.

    >>> values_of(Roster(record="opportunity:1", fields={"region": " EMEA "})).names["region"]
    'emea'
    """
    given = {**roster.segments, **roster.fields}
    names = {name: given.get(name, "").strip().casefold() for name in CATEGORIES}
    return DealValues(roster.created_at, roster.amount, names)
