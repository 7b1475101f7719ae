"""Events of Graph as copies: occurrences count, masters and private ones never, answers as the calendars know them."""

from __future__ import annotations

from typing import Any

import pytest

from shared.graph.calendar import SELECT, event_copy
from shared.interactions import ALL_DAY, ATTENDEE, CANCELLED, IN_EXCHANGE, NOT_BUSY, ORGANIZER, RESPONSES, merge

ANNA, BEN, KIM = "anna@us.example", "ben@us.example", "kim@cust.example"


def attendee(address: str, response: str = "none", type: str = "required") -> dict[str, Any]:
    return {"emailAddress": {"name": "", "address": address}, "type": type, "status": {"response": response}}


def event(**more: Any) -> dict[str, Any]:
    return {
        "id": "E=", "iCalUId": "u1", "type": "singleInstance", "organizer": {"emailAddress": {"address": ANNA}},
        "isOrganizer": False, "attendees": [attendee(KIM, "accepted"), attendee(BEN)],
        "start": {"dateTime": "2026-03-02T10:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2026-03-02T11:00:00.0000000", "timeZone": "UTC"}, "isAllDay": False, "isCancelled": False,
        "showAs": "busy", "sensitivity": "normal", "responseStatus": {"response": "notResponded"}, **more,
    }  # fmt: skip


def test_event_becomes_a_copy_of_its_calendar() -> None:
    copy = event_copy(event(), "m2", BEN)
    assert copy
    assert (copy.at, copy.end, copy.flags) == (1772445600, 1772449200, IN_EXCHANGE)
    assert (copy.merge_key, copy.alternate_key) == ("meeting:u1", f"meeting|{ANNA}|1772445600|1772449200|0")
    assert {p.address: (p.role, p.response) for p in copy.participants} == {
        ANNA: (ORGANIZER, RESPONSES["organizer"]),
        KIM: (ATTENDEE, RESPONSES["accepted"]),
        BEN: (ATTENDEE, RESPONSES["notResponded"]),
    }


def test_nothing_of_what_a_meeting_is_about_is_asked_for() -> None:
    assert not {"subject", "body", "bodyPreview", "location", "locations"} & set(SELECT.split(","))


@pytest.mark.parametrize(
    "more", [{"sensitivity": "private"}, {"sensitivity": "confidential"}, {"isDraft": True}, {"type": "seriesMaster"}]
)
def test_private_events_drafts_and_masters_are_left_out(more: dict[str, Any]) -> None:
    assert event_copy(event(**more), "m2", BEN) is None


@pytest.mark.parametrize(
    ("more", "flags"),
    [
        ({"isCancelled": True}, IN_EXCHANGE | CANCELLED),
        ({"isAllDay": True}, IN_EXCHANGE | ALL_DAY),
        ({"showAs": "oof"}, IN_EXCHANGE | NOT_BUSY),
        ({"showAs": "tentative"}, IN_EXCHANGE),
    ],
)
def test_flags(more: dict[str, Any], flags: int) -> None:
    copy = event_copy(event(**more), "m2", BEN)
    assert copy and copy.flags == flags


def test_rooms_take_no_part() -> None:
    copy = event_copy(event(attendees=[attendee("room@us.example", "accepted", "resource")]), "m2", BEN)
    assert copy and {p.address for p in copy.participants} == {ANNA, BEN}


def test_answer_of_an_attendee_is_the_organisers_word_else_the_own() -> None:
    bens = event_copy(event(responseStatus={"response": "declined"}), "m2", BEN)
    annas = event_copy(event(isOrganizer=True, attendees=[attendee(BEN, "accepted")]), "m1", ANNA)
    assert bens and annas
    [alone], [both] = merge([bens]), merge([bens, annas])
    assert next(p.response for p in alone.participants if p.address == BEN) == RESPONSES["declined"]
    assert next(p.response for p in both.participants if p.address == BEN) == RESPONSES["accepted"]


def test_occurrences_of_a_series_under_one_id_are_meetings_of_their_own() -> None:
    second = {"start": {"dateTime": "2026-03-09T10:00:00"}, "end": {"dateTime": "2026-03-09T11:00:00"}}
    copies = [event_copy(event(), "m1", ANNA), event_copy(event(id="F=", type="occurrence", **second), "m1", ANNA)]
    assert len(merge(copy for copy in copies if copy)) == 2


def test_meeting_without_an_id_is_known_by_its_four_facts() -> None:
    copy = event_copy(event(iCalUId=None), "m2", BEN)
    assert copy and copy.merge_key == f"meeting|{ANNA}|1772445600|1772449200|0" and copy.alternate_key == ""
