"""What can be asked of a ledger: filters and a page."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct


class LedgerQuery(Struct, frozen=True, rename="camel"):
    """Filters are joined by "and". `day`: a local date of the reporting time zone; `person`: an id as answers name people;
    `reason`: a reason code; `counted`: only what counts, or only what does not; `kind`: one or more, with commas between;
    `direction`: out is from us; `inWindow`: only what lies in the window of the figures, or only what does not. `page`: the token
    of the answer before.
    """

    as_of: datetime | None = None
    day: date | None = None
    person: str = ""
    reason: str = ""
    counted: bool | None = None
    kind: tuple[Literal["email", "meeting", "call", "task"], ...] = ()
    direction: Literal["", "out", "in"] = ""
    in_window: bool | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 50
    page: str = ""
