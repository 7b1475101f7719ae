"""Most contacted people beyond the first three: all of one side, page by page, computed when it is asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from shared import stamps
from shared.errors import NotFoundError
from shared.paging import seal, unseal
from shared.reading import AsOfQuery, past_instant
from shared.widgets import ContactedPerson, Envelope

Side = Literal["customers", "colleagues"]


class PeopleQuery(Struct, frozen=True, rename="camel"):
    """`side`: their people or ours; `page`: the token of the answer before, whose instant holds for all pages."""

    side: Side = "customers"
    as_of: datetime | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 25
    page: str = ""


class PeoplePage(Envelope, frozen=True):
    """People of one side by number of counted interactions in the window, most first; then the later contacted, then by name."""

    side: Side
    total: int
    people: list[ContactedPerson]
    next_page: str | None = None


class _Next(Struct, frozen=True):
    """Where the next page begins, and of which instant all pages are."""

    first: int
    as_of: int


def people(record: str, query: PeopleQuery, now: int) -> PeoplePage:
    """One page. Raises NotFoundError when there is no such record, InvalidInputError for a page of another list."""
    from shared.kpi.contacts import most_contacted
    from shared.recompute import computation
    from shared.snapshots import contacted_people, envelope

    purpose = f"people|{record}|{query.side}"
    wanted = past_instant(AsOfQuery(query.as_of), now)
    begin = unseal(query.page, _Next, purpose=purpose) if query.page else _Next(0, now if wanted is None else wanted)
    in_force = stamps.read()
    found = computation(record, begin.as_of, in_force)
    if found is None:
        raise NotFoundError(f"There is no {record.partition(':')[0]} with this id.")
    computed = found[0]
    names = {key: person.name for key, person in computed.names.items()}
    listed = most_contacted(computed.history, computed.window, names, query.limit, begin.first)
    ours = query.side == "colleagues"
    rows, total = (listed.colleagues, listed.colleagues_total) if ours else (listed.customers, listed.customers_total)
    after = begin.first + len(rows)
    return PeoplePage(
        **envelope(computed, now, now, in_force.parameters),
        side=query.side,
        total=total,
        people=contacted_people(computed, rows),
        next_page=seal(_Next(after, begin.as_of), purpose=purpose) if after < total else None,
    )
