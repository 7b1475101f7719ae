"""The vectors of section 10, and the edges around them."""

from __future__ import annotations

import numpy as np
import pytest

from shared.kpi.engagement import Engagement, FollowedMails, engagement, with_events
from shared.kpi.machine_events import EventKind, Events, Network, is_machine

HOUR = 3600


def followed(number: int, **columns) -> FollowedMails:
    """Delivered mails without anything, and the named columns."""
    marks = ("opened", "opened_by_machine", "clicked", "clicked_by_machine", "replied")
    given = {name: np.zeros(number, dtype=bool) for name in marks}
    given |= {name: np.zeros(number, dtype=np.int64) for name in ("links", "attachments", "attachments_viewed")}
    given["delivered"] = np.ones(number, dtype=bool)
    return FollowedMails(**(given | {name: np.array(values) for name, values in columns.items()}))


def events(*rows: tuple, mail: int = 0) -> Events:
    """Rows of (seconds after delivery at 0, kind, link, network, head)."""
    at, kind, link, network, head = zip(*rows, strict=True)
    return Events(
        np.full(len(rows), mail),
        np.array(kind, dtype=np.uint8),
        np.array(at, dtype=np.int64),
        np.array(link),
        np.array(network, dtype=np.uint8),
        np.array(head, dtype=bool),
    )


def opened(at: int, network: Network = Network.OTHER) -> tuple:
    return (at, EventKind.OPEN, 0, network, False)


def clicked(at: int, link: int = 0, network: Network = Network.OTHER, head: bool = False) -> tuple:
    return (at, EventKind.CLICK, link, network, head)


def machines(*rows: tuple, links: int = 1) -> list[bool]:
    return is_machine(events(*rows), np.array([0]), np.array([links])).tolist()


def test_10_1_machine_opens_are_apart():
    mails = followed(
        10,
        delivered=[False] + [True] * 9,
        opened=[False] + [True] * 4 + [False] * 5,
        opened_by_machine=[False] * 5 + [True] * 2 + [False] * 3,
    )
    found = engagement(mails)
    assert (found.open_rate, found.opened, found.delivered, found.sent) == (0.4444, 4, 9, 10)
    assert found.opened_by_machine_only == 2


def test_10_2_machine_clicks_are_apart():
    mails = followed(3, links=[1, 2, 3], clicked=[True, False, False], clicked_by_machine=[False, True, False])
    found = engagement(mails)
    assert (found.click_rate, found.clicked_by_machine_only) == (0.3333, 1)


def test_10_3_no_denominator_no_share():
    assert engagement(followed(2)).attachment_rate is None
    nothing = engagement(followed(0))
    assert (nothing.open_rate, nothing.click_rate, nothing.attachment_rate, nothing.reply_rate) == (None,) * 4
    assert nothing == Engagement(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, None, None, None, None)


def test_10_4_a_sweep_over_all_links_is_a_machine():
    assert machines(clicked(20, 0), clicked(22, 1), clicked(24, 2), links=3) == [True] * 3


def test_10_5_a_human_opens_after_the_machine():
    rows = events(opened(3), opened(2 * HOUR))
    machine = is_machine(rows, np.array([0]), np.array([0]))
    assert machine.tolist() == [True, False]
    nobody = np.zeros(1, dtype=bool)
    none = np.zeros(1, dtype=np.int64)
    mails = with_events(np.ones(1, dtype=bool), none, (none, none), nobody, rows, machine)
    found = engagement(mails)
    assert (found.opened, found.open_rate, found.opened_by_machine_only, found.clicked) == (1, 1.0, 0, 0)


def test_10_6_outlook_on_the_web_opens_for_a_human():
    assert machines(opened(600, Network.MICROSOFT)) == [False]


def test_10_7_unfollowed_mails_are_in_no_rate():
    """Only followed mails are in the input; an answered one among two gives one half."""
    assert engagement(followed(2, replied=[True, False])).reply_rate == 0.5


@pytest.mark.parametrize(
    ("row", "machine"),
    [
        (opened(10), True),
        (opened(11), False),
        (opened(HOUR, Network.PREFETCHING_PROXY), True),
        (clicked(5), True),
        (clicked(6), False),
        (clicked(HOUR, head=True), True),
        (clicked(HOUR, network=Network.MICROSOFT), True),
        (clicked(HOUR, network=Network.PREFETCHING_PROXY), False),
    ],
)
def test_rules_one_by_one(row, machine):
    assert machines(row) == [machine]


@pytest.mark.parametrize(
    ("rows", "links", "machine"),
    [
        ([clicked(20, 0), clicked(22, 1)], 2, [False] * 2),
        ([clicked(20, 0), clicked(22, 1), clicked(31, 2)], 3, [False] * 3),
        ([clicked(20, 0), clicked(22, 1), clicked(30, 2), clicked(HOUR, 1)], 3, [True, True, True, False]),
        ([clicked(20, 0), clicked(22, 1), clicked(24, 1)], 3, [False] * 3),
    ],
    ids=["two links are no sweep", "too slow", "a later click is human", "one link is missing"],
)
def test_sweeps(rows, links, machine):
    assert machines(*rows, links=links) == machine


def test_bounced_mails_count_in_nothing_but_sent():
    mails = followed(1, delivered=[False], opened=[True], links=[3], clicked=[True], attachments=[2], replied=[True])
    assert engagement(mails) == Engagement(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, None, None, None, None)


def test_attachments_are_counted_one_by_one():
    found = engagement(followed(2, attachments=[3, 1], attachments_viewed=[1, 0]))
    assert (found.attachments, found.attachments_viewed, found.attachment_rate) == (4, 1, 0.25)


def test_an_attachment_viewed_again_is_viewed_once():
    found = engagement(followed(2, attachments=[1, 2], attachments_viewed=[7, 1]))
    assert (found.attachments, found.attachments_viewed, found.attachment_rate) == (3, 2, 0.6667)


def test_no_events_are_fine():
    empty = Events(*(np.empty(0, dtype=dtype) for dtype in ("i8", "u1", "i8", "i8", "u1", "?")))
    assert is_machine(empty, np.array([0]), np.array([3])).tolist() == []
