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
    """The values of a deal; for names, upper and lower case are one and spaces around do not count.

    >>> values_of(Roster(record="opportunity:1", fields={"region": " EMEA "})).names["region"]
    'emea'
    """
    names = {name: roster.fields.get(name, "").strip().casefold() for name in CATEGORIES}
    return DealValues(roster.created_at, roster.amount, names)
