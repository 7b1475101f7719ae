"""The signed link by which an introducer answers: what it holds, how long it works, and the request behind it."""

from __future__ import annotations

from msgspec import Struct

from shared import introduction_rows
from shared.errors import InvalidInputError
from shared.introduction_requests import DAY, Request, at
from shared.paging import seal, unseal

_PURPOSE = "introduction answer"
_SPARE_DAYS = 1  # between the mail's being handed out and its being sent


class Ticket(Struct, frozen=True):
    """What a signed answer link holds."""

    introducer: str
    id: str
    until: int


def link(base: str, request: Request, now: int, expiry_days: int) -> str:
    """The link of a mail that is handed out or sent now; it works as long as a request that is sent now stands."""
    until = now + (expiry_days + _SPARE_DAYS) * DAY
    return f"{base}?token={seal(Ticket(request.introducer, request.id, until), purpose=_PURPOSE)}"


def behind(token: str, now: int) -> Request | None:
    """The request behind an answer link; None for a link that is used, out of date or not ours."""
    try:
        found = unseal(token, Ticket, purpose=_PURPOSE)
    except InvalidInputError:
        return None
    request = introduction_rows.read(found.introducer, found.id)
    if request is None or now >= found.until or at(request, now).state not in ("requested", "unclear"):
        return None
    return request
