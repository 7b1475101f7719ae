"""A request for an introduction: its states, who may move it where, and how many one introducer carries. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from shared.errors import ConflictError, ForbiddenError

DAY = 86_400
LOAD_DAYS = 30
BLOCK_DAYS = 90
CLAIM_SECONDS = 300  # a mail that is being sent for longer than this has lost its sender
OPEN = frozenset(("unclear", "requested", "accepted"))

# (from, to) -> who may do it by hand. Sending, and time, do the rest.
MOVES = {
    ("draft", "requested"): ("asker",),
    ("unclear", "requested"): ("asker",),
    ("unclear", "draft"): ("asker",),
    ("requested", "accepted"): ("introducer",),
    ("requested", "declined"): ("introducer",),
    ("requested", "cancelled"): ("asker",),
    ("accepted", "cancelled"): ("asker",),
    ("accepted", "done"): ("asker", "introducer"),
}


class Request(Struct, frozen=True, kw_only=True):
    """One request as stored. Asker and introducer are user ids; `target` is a record or an address; instants 0 = not yet.

    `outbox`: planned, claimed, sent, refused or unknown; `note` says why a mail was refused. `not_before`: when a mail that
    Exchange did not take then is sent again by itself.
    """

    id: str
    asker: str
    introducer: str
    target: str
    target_name: str
    company: str = ""
    record: str = ""
    record_name: str = ""
    reason: str = ""
    language: str = "en"
    created_at: int
    state: str = "draft"
    outbox: str = "planned"
    note: str = ""
    claimed_at: int = 0
    requested_at: int = 0
    expires_at: int = 0
    answered_at: int = 0
    closed_at: int = 0
    not_before: int = 0


def at(request: Request, now: int) -> Request:
    """The request as time has left it: expired, or a mail whose fate nobody will tell any more."""
    if request.state == "requested" and now >= request.expires_at:
        return replace(request, state="expired", closed_at=request.expires_at)
    if request.outbox == "claimed" and now >= request.claimed_at + CLAIM_SECONDS:
        return replace(request, state="unclear", outbox="unknown", requested_at=request.claimed_at)
    return request


def moved(request: Request, to: str, by: str, now: int, expiry_days: int) -> Request:
    """The request moved by hand. Raises ConflictError where the state forbids it, ForbiddenError where this user may not."""
    request = at(request, now)
    roles = {role for role in ("asker", "introducer") if getattr(request, role) == by}
    allowed = MOVES.get((request.state, to))
    if allowed is None or request.outbox == "claimed":
        raise ConflictError(f"A request that is {request.state} cannot become {to}.")
    if roles.isdisjoint(allowed):
        raise ForbiddenError(f"Only the {' or the '.join(allowed)} can do this.")
    if to == "requested":
        return requested(request, now, expiry_days)
    if to == "draft":
        return replace(request, state="draft", outbox="planned", requested_at=0, not_before=0)
    if to in ("accepted", "declined"):
        closed = now if to == "declined" else 0
        return replace(request, state=to, answered_at=now, closed_at=closed)
    return replace(request, state=to, closed_at=now)


def requested(request: Request, now: int, expiry_days: int) -> Request:
    """The request from the moment that the introducer has been asked."""
    return replace(request, state="requested", requested_at=now, expires_at=now + expiry_days * DAY, note="")


def claimed(request: Request, now: int) -> Request:
    """The request whose mail is about to be sent. Raises ConflictError unless it is a draft that nobody is sending."""
    request = at(request, now)
    if request.state != "draft" or request.outbox == "claimed":
        raise ConflictError(f"A request that is {request.state} and {request.outbox} cannot be sent.")
    return replace(request, outbox="claimed", claimed_at=now, not_before=0)


def after_sending(
    request: Request, outcome: str, note: str, now: int, expiry_days: int, not_before: int = 0
) -> Request:
    """The claimed request after `sent`, `refused`, `planned` (refused for now, until `not_before`) or `unknown`."""
    if outcome == "sent":
        return replace(requested(request, now, expiry_days), outbox="sent")
    if outcome == "unknown":
        return replace(request, state="unclear", outbox="unknown", requested_at=now, note=note)
    return replace(request, outbox=outcome, note=note, not_before=not_before)


def load(requests: Iterable[Request], now: int) -> list[Request]:
    """The requests that an introducer carries: open ones, those on their way, and those younger than 30 days."""
    return [
        one
        for one in (at(request, now) for request in requests)
        if one.outbox == "claimed" or one.state in OPEN or one.requested_at > now - LOAD_DAYS * DAY
    ]


def free_from(requests: Iterable[Request], most: int, now: int) -> int | None:
    """When the introducer may be asked again: `now` below the cap; None while nothing tells (accepted and not done)."""
    ends = sorted(_end(request, now) for request in load(requests, now))
    if len(ends) < most:
        return now
    end = ends[len(ends) - most]
    return None if end == _NEVER else end


_NEVER = 2**53


def _end(request: Request, now: int) -> int:
    young = (request.requested_at or now) + LOAD_DAYS * DAY
    if request.state in ("accepted", "unclear"):
        return _NEVER
    return max(young, request.expires_at) if request.state == "requested" else young


def blocked_until(requests: Sequence[Request], asker: str, target: str) -> int:
    """Until when an asker may not ask for the same target after a refusal; 0 if never refused."""
    ends = [
        r.answered_at + BLOCK_DAYS * DAY
        for r in requests
        if r.state == "declined" and (r.asker, r.target) == (asker, target)
    ]
    return max(ends, default=0)


def outcomes(requests: Iterable[Request], now: int) -> dict[str, int]:
    """How many requests are in each state."""
    counts: dict[str, int] = {}
    for request in requests:
        state = at(request, now).state
        counts[state] = counts.get(state, 0) + 1
    return dict(sorted(counts.items()))
