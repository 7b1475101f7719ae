"""The calendars of the sample tenant: the CRM's appointments in the calendar of everybody of ours who takes part,
a private event a month, and a weekly team meeting with one moved occurrence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local.graph.arrivals import conversation_index
from local.graph.messages import party
from local.graph.sample_mail import Copy
from local.sample import meetings
from local.sample.cast import Cast, Clock
from local.sample.draw import between, draw, guid
from local.sample.mail import DAY, END, WEEK
from local.sample.tenant import Tenant

PRIVATE_MONTHS, TEAM_WEEKS_BACK, TEAM_WEEKS_AHEAD = 6, 12, 6
HOUR = 3_600


@dataclass(frozen=True)
class Meeting:
    """One entry in the calendar of `owner` (address); times are RFC 3339."""

    owner: str
    start: str
    end: str
    body: dict[str, Any]


def appointments(tenant: Tenant, cast: Cast, clock: Clock) -> Iterator[dict[str, Any]]:
    """The attributes of the CRM's appointments, past and planned."""
    rows = [*meetings.meetings(tenant.mails, cast, clock), *meetings.plans(tenant.opportunities, cast, clock)]
    yield from (attributes for *_, entity, _, attributes in rows if entity == "appointment")


def sample_events(tenant: Tenant, cast: Cast, clock: Clock) -> Iterator[Meeting]:
    """Everything in all calendars."""
    ours = {person.addresses[0] for person in tenant.users.values()}
    for row in appointments(tenant, cast, clock):
        yield from _copies(row, ours)
    for key, person in tenant.users.items():
        yield from _private(key, person.addresses[0], clock)
    for team in tenant.teams:
        yield from _team_meeting([tenant.users[key].addresses[0] for key in team], clock)


def _copies(row: dict[str, Any], ours: set[str]) -> Iterator[Meeting]:
    """One for each of ours; the organizer is in the list of attendees too, as the CRM has it."""
    organizer = row["organizer"]["address"]
    answers = {each["address"]: each.get("response", "none") for each in row["attendees"]}
    for owner in sorted(({organizer} | answers.keys()) & ours):
        response = "organizer" if owner == organizer else answers[owner]
        yield Meeting(owner, row["start"], row["end"], _event(row, owner == organizer, response))


def _event(row: dict[str, Any], is_organizer: bool, response: str) -> dict[str, Any]:
    return {
        "iCalUId": row["iCalUId"],
        "subject": "Meeting",
        "organizer": party(row["organizer"]["address"], row["organizer"]["name"]),
        "isOrganizer": is_organizer,
        "attendees": [_attendee(each, row["organizer"]["address"]) for each in row["attendees"]],
        "isAllDay": row["allDay"],
        "isCancelled": row["status"] == "cancelled",
        "isOnlineMeeting": draw("online", row["iCalUId"]) < 0.6,
        "responseStatus": {"response": response, "time": "0001-01-01T00:00:00Z"},
    }


def _attendee(found: dict[str, str], organizer: str) -> dict[str, Any]:
    response = "organizer" if found["address"] == organizer else found.get("response", "none")
    status = {"response": response, "time": "0001-01-01T00:00:00Z"}
    return {**party(found["address"], found["name"]), "type": "required", "status": status}


def _private(key: str, owner: str, clock: Clock) -> Iterator[Meeting]:
    for month in range(PRIVATE_MONTHS):
        start = (END // DAY - 30 * month - between(0, 9, "private", key, month)) * DAY + 17 * HOUR
        body = {
            "iCalUId": guid("private", key, month),
            "subject": "Private appointment",
            "sensitivity": "private" if month % 2 else "confidential",
            "organizer": party(owner),
            "isOrganizer": True,
            "attendees": [party("doctor@practice.example") | {"type": "required", "status": {"response": "none"}}],
        }
        yield Meeting(owner, clock.text(start), clock.text(start + HOUR), body)


def _team_meeting(team: list[str], clock: Clock) -> Iterator[Meeting]:
    """Every Monday at 9; the last one before the end was moved to Tuesday: an exception. The first of the team invites."""
    series = guid("series", team[0])
    attendees = [{"address": address, "name": address, "response": "accepted"} for address in team]
    first = END // WEEK * WEEK - TEAM_WEEKS_BACK * WEEK - 3 * DAY + 9 * HOUR  # week 0 began on a Thursday
    for owner in team:
        for week in range(TEAM_WEEKS_BACK + TEAM_WEEKS_AHEAD):
            moved = week == TEAM_WEEKS_BACK - 1
            start = first + week * WEEK + DAY * moved
            response = "organizer" if owner == team[0] else "accepted"
            body = {
                "iCalUId": guid("occurrence", team[0], week),
                "seriesICalUId": series,
                "seriesMasterId": f"AAkMaster{guid('master', owner)}",
                "type": "exception" if moved else "occurrence",
                "subject": "Team",
                "organizer": party(team[0]),
                "isOrganizer": owner == team[0],
                "attendees": [_attendee(each, team[0]) for each in attendees],
                "responseStatus": {"response": response, "time": "0001-01-01T00:00:00Z"},
            }
            yield Meeting(owner, clock.text(start), clock.text(start + HOUR // 2), body)


def invitations(tenant: Tenant, cast: Cast, clock: Clock) -> Iterator[Copy]:
    """A meeting request in the Inbox of each of ours who was invited, a day before the meeting."""
    ours = {person.addresses[0] for person in tenant.users.values()}
    for row in appointments(tenant, cast, clock):
        organizer = row["organizer"]["address"]
        sender = party(organizer, row["organizer"]["name"])
        for owner in sorted({each["address"] for each in row["attendees"]} & ours - {organizer}):
            yield Copy(
                owner,
                "inbox",
                {
                    "@odata.type": "#microsoft.graph.eventMessageRequest",
                    "meetingMessageType": "meetingRequest",
                    "internetMessageId": f"<{row['iCalUId']}.invitation@mail.example>",
                    "conversationId": guid("invitation", row["iCalUId"]),
                    "conversationIndex": conversation_index(row["iCalUId"]),
                    "subject": "Invitation",
                    "from": sender,
                    "sender": sender,
                    "toRecipients": [party(owner)],
                    "sentDateTime": row["start"],
                },
                delay=-DAY,
            )
