"""States of a request for an introduction, and the load of an introducer."""

from __future__ import annotations

from itertools import product

import pytest
from msgspec.structs import replace

from shared.errors import ConflictError, ForbiddenError
from shared.introduction_requests import (
    CLAIM_SECONDS,
    DAY,
    MOVES,
    Request,
    after_sending,
    at,
    blocked_until,
    claimed,
    free_from,
    load,
    moved,
    outcomes,
)

NOW = 1_000 * DAY
STATES = ("draft", "unclear", "requested", "accepted", "declined", "expired", "cancelled", "done")


def request(state: str = "draft", **more: object) -> Request:
    facts = {"requested_at": NOW - DAY, "expires_at": NOW + 13 * DAY} if state != "draft" else {}
    given = {
        "id": "1",
        "asker": "anna",
        "introducer": "ben",
        "target": "contact:kim",
        "target_name": "Kim",
        "created_at": NOW - DAY,
    }
    return Request(**{**given, **facts, "state": state, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(("state", "to", "by"), list(product(STATES, STATES, ("anna", "ben", "cleo"))))
def test_only_the_stated_moves_are_possible_and_only_for_whom_they_are(state: str, to: str, by: str) -> None:
    role = {"anna": "asker", "ben": "introducer", "cleo": ""}[by]
    roles = MOVES.get((state, to))
    if roles is None:
        with pytest.raises(ConflictError):
            moved(request(state), to, by, NOW, 14)
    elif role not in roles:
        with pytest.raises(ForbiddenError):
            moved(request(state), to, by, NOW, 14)
    else:
        assert moved(request(state), to, by, NOW, 14).state == to


def test_a_request_expires_at_the_end_of_its_time() -> None:
    held = request("requested")
    assert at(held, held.expires_at - 1) == held
    assert (at(held, held.expires_at).state, at(held, held.expires_at).closed_at) == ("expired", held.expires_at)


def test_a_claim_is_unknown_when_nobody_has_reported_for_five_minutes() -> None:
    held = claimed(request(), NOW)
    assert at(held, NOW + CLAIM_SECONDS - 1) == held
    assert (at(held, NOW + CLAIM_SECONDS).state, at(held, NOW + CLAIM_SECONDS).outbox) == ("unclear", "unknown")


def test_a_claim_is_never_taken_twice() -> None:
    held = claimed(request(), NOW)
    for later in (NOW, NOW + CLAIM_SECONDS, NOW + DAY):
        with pytest.raises(ConflictError):
            claimed(held, later)


def test_nobody_moves_a_request_while_its_mail_is_on_the_way() -> None:
    with pytest.raises(ConflictError):
        moved(claimed(request(), NOW), "requested", "anna", NOW, 14)


@pytest.mark.parametrize(
    ("outcome", "state"), [("sent", "requested"), ("unknown", "unclear"), ("refused", "draft"), ("planned", "draft")]
)
def test_the_fate_of_the_mail_decides_the_state(outcome: str, state: str) -> None:
    after = after_sending(claimed(request(), NOW), outcome, "why", NOW, 14)
    assert (after.state, after.outbox) == (state, outcome)


def test_an_introducer_carries_what_is_open_and_what_is_young() -> None:
    old, young = {"requested_at": NOW - 31 * DAY, "expires_at": NOW - 17 * DAY}, {"requested_at": NOW - 29 * DAY}
    carried = [
        request("accepted", **old), request("declined", **young), request("cancelled", **young), request("requested"),
        claimed(request(), NOW),
    ]  # fmt: skip
    light = [request("declined", **old), request("requested", **old), request("done", **old), request()]
    assert len(load([*carried, *light], NOW)) == len(carried)


def test_the_next_free_day_is_when_enough_requests_are_old_and_closed() -> None:
    declined = [request("declined", requested_at=NOW - days * DAY) for days in (5, 10, 20)]
    assert free_from(declined[:2], 3, NOW) == NOW
    assert free_from(declined, 3, NOW) == NOW + 10 * DAY
    assert free_from([*declined, request("declined", requested_at=NOW)], 3, NOW) == NOW + 20 * DAY


def test_nobody_knows_when_accepted_requests_end() -> None:
    assert free_from([request("accepted")] * 3, 3, NOW) is None


def test_a_refusal_blocks_the_same_asker_and_target_for_90_days() -> None:
    declined = request("declined", answered_at=NOW)
    assert blocked_until([declined], "anna", "contact:kim") == NOW + 90 * DAY
    assert blocked_until([declined], "cleo", "contact:kim") == blocked_until([declined], "anna", "contact:lee") == 0


def test_outcomes_count_what_time_has_made_of_requests() -> None:
    expired = replace(request("requested"), expires_at=NOW)
    assert outcomes([request(), expired, request("done"), request("done")], NOW) == {
        "done": 2,
        "draft": 1,
        "expired": 1,
    }
