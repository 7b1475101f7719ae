"""An appointment of the CRM without an iCalUId and the same meeting in calendars are one interaction, whoever comes first."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator

import pytest

from shared import ingest, partitions
from shared.changes import parse_batch
from shared.graph import copies
from shared.graph.calendar import event_copy
from shared.interactions import InteractionCopy
from shared.keys import keys
from shared.kpi.interactions import Flag, Interactions
from shared.membership import person_anchor
from tests.doubles.mailboxes import ANNA, BEN, KIM, tell_the_crm

START, END, LATER = "2026-03-02T10:00:00", "2026-03-02T11:00:00", "2026-03-04T10:00:00"
_revisions = itertools.count(1)


@pytest.fixture(autouse=True)
def crm(storage: object, queues: object) -> Iterator[None]:
    tell_the_crm()
    yield


def appoint(status: str = "completed", **more: object) -> None:
    """The CRM tells of the meeting, regarding the deal."""
    facts = {
        "start": f"{START}Z", "end": f"{END}Z", "organizer": {"address": ANNA}, "attendees": [{"address": KIM}],
        "regarding": ["opportunity:c1"], "status": status, **more,
    }  # fmt: skip
    change = {
        "entity": "appointment",
        "id": "p1",
        "version": next(_revisions),
        "operation": "upsert",
        "attributes": facts,
    }
    ingest.take_in(parse_batch(json.dumps({"changes": [change]}).encode()))


def meeting(mailbox: str, owner: str, uid: str = "u1", start: str = START, end: str = END) -> InteractionCopy:
    people = [{"emailAddress": {"address": address}, "status": {"response": "accepted"}} for address in (KIM, BEN)]
    event = {
        "id": f"{mailbox}-{uid}", "iCalUId": uid, "organizer": {"emailAddress": {"address": ANNA}}, "attendees": people,
        "start": {"dateTime": start}, "end": {"dateTime": end},
    }  # fmt: skip
    copy = event_copy(event, mailbox, owner)
    assert copy
    return copy


def calendar(mailbox: str, owner: str, *found: InteractionCopy) -> None:
    copies.replace_window(mailbox, 0, 1 << 32, found, next(_revisions))


def with_kim() -> Interactions:
    facts = partitions.read(person_anchor(keys().address(KIM))).live.facts
    deal = partitions.read("opportunity:c1").live.facts
    assert sorted(facts.key.tolist()) == sorted(deal.key.tolist())
    return facts


def test_they_join_whoever_comes_first() -> None:
    seen = []
    steps = (
        appoint,
        lambda: calendar("m1", ANNA, meeting("m1", ANNA)),
        lambda: calendar("m2", BEN, meeting("m2", BEN)),
    )
    for order in itertools.permutations(steps):
        for step in order:
            step()
        facts = with_kim()
        seen.append((facts.key.tolist(), facts.flags.tolist(), facts.sources.tolist(), facts.regarding_key.tolist()))
        calendar("m1", ANNA)
        calendar("m2", BEN)
        appoint(status="open")
    [first, *others] = seen
    assert all(other == first for other in others)
    assert first[1] == [Flag.COMPLETED | Flag.IN_CRM | Flag.IN_EXCHANGE] and first[2] == [3] and len(first[3]) == 1


def test_a_cancelled_appointment_cancels_the_meeting() -> None:
    calendar("m1", ANNA, meeting("m1", ANNA))
    appoint()
    appoint(status="cancelled")
    assert (with_kim().flags & Flag.CANCELLED).tolist() == [Flag.CANCELLED]


def test_when_the_meeting_leaves_the_calendars_the_appointment_stands_alone() -> None:
    appoint()
    calendar("m1", ANNA, meeting("m1", ANNA))
    calendar("m1", ANNA)
    assert with_kim().flags.tolist() == [Flag.COMPLETED | Flag.IN_CRM]
    calendar("m1", ANNA, meeting("m1", ANNA))
    assert with_kim().sources.tolist() == [2]


def test_a_meeting_that_moved_leaves_the_appointment_behind_and_takes_it_back() -> None:
    appoint()
    calendar("m1", ANNA, meeting("m1", ANNA))
    calendar("m1", ANNA, meeting("m1", ANNA, start=LATER, end="2026-03-04T11:00:00"))
    assert sorted(with_kim().sources.tolist()) == [1, 1]
    appoint(start=f"{LATER}Z", end="2026-03-04T11:00:00Z")
    assert with_kim().sources.tolist() == [2]


def test_where_two_meetings_fit_the_appointment_joins_none() -> None:
    appoint()
    calendar("m1", ANNA, meeting("m1", ANNA), meeting("m1", ANNA, "u2"))
    assert sorted(with_kim().sources.tolist()) == [1, 1, 1]
    calendar("m1", ANNA, meeting("m1", ANNA, "u2"))
    assert with_kim().sources.tolist() == [2]


def test_an_appointment_that_learns_its_id_stays_one_meeting() -> None:
    appoint()
    calendar("m1", ANNA, meeting("m1", ANNA))
    appoint(iCalUId="u1")
    assert with_kim().sources.tolist() == [2]
