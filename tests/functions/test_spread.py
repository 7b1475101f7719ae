"""Work on many mailboxes is spread over a time by their ids; a few are seen to at once."""

from __future__ import annotations

import time
from contextlib import closing

import msgspec
import pytest

from shared.graph import work
from shared.graph.work import Backfill

pytestmark = pytest.mark.usefixtures("queues")
QUEUE = "graph-backfill"
NOW = int(time.time()) + 3_600


def _dues(count: int) -> dict[str, int | None]:
    """Seconds after NOW by mailbox, None for at once; read in as many looks as the client needs."""
    from shared.queues import client

    found: dict[str, int | None] = {}
    with closing(client().get_queue_receiver(QUEUE)) as receiver:
        last = 0
        while len(found) < count:
            page = receiver.peek_messages(200, sequence_number=last + 1)
            assert page
            for each in page:
                last = int(each.sequence_number or 0)
                due = each.scheduled_enqueue_time_utc
                name = msgspec.json.decode(b"".join(each.body), type=Backfill).mailbox
                found[name] = round(due.timestamp() - NOW) if due else None
    return found


def test_many_are_spread_by_their_ids() -> None:
    ids = [f"spread{number}" for number in range(200)]
    work.spread([Backfill(id) for id in ids], NOW, 600)
    dues = _dues(200)
    assert dues == {id: work.place(id, 20) or None for id in ids}
    assert len(set(dues.values())) == 20  # ten a second


def test_never_over_more_than_the_time_that_there_is() -> None:
    ids = [f"longest{number}" for number in range(100)]
    work.spread([Backfill(id) for id in ids], NOW, 3)
    assert set(_dues(100).values()) == {None, 1, 2}


def test_a_few_are_seen_to_at_once() -> None:
    work.spread([Backfill(f"few{number}") for number in range(9)], NOW, 600)
    assert set(_dues(9).values()) == {None}
