"""A small organisation with thirty won deals, of which twenty-five are like the open one, told as changes.

Deal k (1 to 30) was created 200 days before NOW and closed 20 + k days before it. All figures can be counted by hand:

- on its day 5 anna wrote, and from day 40 on she wrote k % 4 times more;
- deals with an even k had a meeting of half an hour on day 10, which anna called;
- of deals 1 to 10, kim asked on day 20 and anna answered two hours later; of 11 and 12, kim asked on day 20 in vain.
"""

from __future__ import annotations

import itertools
from typing import Any

from msgspec import json

from shared import ingest, similar_results
from shared.changes import parse_batch
from shared.recompute import recompute
from tests.doubles.talk import NOW, mail, meeting, organisation, row, when

CREATED = 200  # days before NOW
LIKE = {"amount": 50_000, "currency": "EUR", "industry": "Food", "region": "EMEA", "product": "Line"}
UNLIKE = {"amount": 900, "currency": "USD", "industry": "Steel", "region": "APAC", "product": "Parts"}
SIMILAR, WON = 25, 30
_numbers = itertools.count(1)


def open_deal(id: str = "this", age_days: float = 30, **other: Any) -> dict[str, Any]:
    """An open deal like the first twenty-five."""
    own = {"name": id.title(), "createdAt": when(age_days), "accountId": "cust", "status": "open"}
    return row("opportunity", id, ownerId="user:anna", **{**own, **LIKE, **other})


def won_deal(k: int, **other: Any) -> dict[str, Any]:
    """Deal k itself."""
    own = {"name": f"Won {k}", "createdAt": when(CREATED), "closedAt": when(20 + k), "status": "won"}
    return row(
        "opportunity", f"won{k:02d}", ownerId="user:anna", **{**own, **(LIKE if k <= SIMILAR else UNLIKE), **other}
    )


def _talk(k: int) -> list[dict[str, Any]]:
    """What was written and said about deal k."""
    about: dict[str, Any] = {"regarding": [f"opportunity:won{k:02d}"]}

    def day(number: float) -> float:
        return CREATED - number

    told = [mail(day(5), "anna", "kim", **about)]
    told += [mail(day(40 + extra), "anna", "kim", **about) for extra in range(k % 4)]
    if k % 2 == 0:
        held = meeting(day(10), "anna", "kim")
        held["attributes"] |= about
        told.append(held)
    if k <= 12:
        told.append(mail(day(20), "kim", "anna", conversationId=f"question{k}", **about))
    if k <= 10:
        told.append(mail(day(20 + 2 / 24), "anna", "kim", conversationId=f"question{k}", **about))
    return told


def won_deals(last: int = WON) -> list[dict[str, Any]]:
    """The organisation with deals 1 to `last`, about which nothing was said."""
    return [*organisation(), *(won_deal(k) for k in range(1, last + 1))]


def talk() -> list[dict[str, Any]]:
    """All that was said about the won deals."""
    return [change for k in range(1, WON + 1) for change in _talk(k)]


def tell(*changes: dict[str, Any]) -> None:
    """Take changes in; nothing is computed."""
    ingest.take_in(parse_batch(json.encode({"changes": list(changes)})))


def opened(age_days: float = 30, **other: Any) -> str:
    """A new open deal; its record."""
    id = f"this{next(_numbers)}"
    tell(open_deal(id, age_days, **other))
    return f"opportunity:{id}"


def widget(record: str, now: int = NOW) -> dict[str, Any]:
    """The widget as a snapshot computed now shows it."""
    stored = recompute(record, now)
    assert stored is not None
    found: dict[str, Any] = json.decode(stored.body)["widgets"]["similarWonOpportunities"]
    return found


def found_at(record: str) -> int | None:
    """When the stored list was found."""
    basis, _ = similar_results.basis(record)
    return basis.found_at if basis else None


def means(column: dict[str, Any]) -> dict[str, tuple[int, float] | None]:
    """n and mean of every figure of a column of averages."""
    return {name: (one["n"], one["mean"]) if one else None for name, one in column.items()}
