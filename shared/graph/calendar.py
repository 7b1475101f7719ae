"""Events of Graph as copies of interactions: occurrences and exceptions, never series masters; private ones never."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.graph.mail import copy_id, participant
from shared.graph.times import instant_of
from shared.interactions import (
    ALL_DAY,
    ATTENDEE,
    CANCELLED,
    IN_EXCHANGE,
    MEETING,
    NOT_BUSY,
    ORGANIZER,
    RESPONSES,
    InteractionCopy,
    Participant,
    meeting_alternate_key,
    meeting_key,
)

SELECT = (
    "id,iCalUId,type,seriesMasterId,organizer,isOrganizer,attendees,start,end,isAllDay,isCancelled,isDraft,showAs,"
    "sensitivity,responseStatus,hideAttendees"
)
UTC_TIMES = 'outlook.timezone="UTC"'
_NOT_BUSY = frozenset(("free", "oof", "workingElsewhere"))
_PRIVATE = frozenset(("private", "confidential"))


def is_private(event: Mapping[str, Any]) -> bool:
    """Whether nothing of the event may be kept but that there was one."""
    return event.get("sensitivity") in _PRIVATE


def event_copy(event: Mapping[str, Any], mailbox: str, owner: str) -> InteractionCopy | None:
    """The copy that a calendar holds of a meeting; None for drafts, series masters and private events.

    `owner`: the mailbox's own address in normal form. An organiser counts as accepted; the owner's own answer stands in
    `responseStatus`, the others' are dependable in the organiser's calendar, which `is_sender` marks.
    """
    if is_private(event) or event.get("isDraft") or event.get("type") == "seriesMaster":
        return None
    name = copy_id(mailbox, str(event["id"]))
    start, end = instant_of(event["start"]["dateTime"]), instant_of(event["end"]["dateTime"])
    people = _people(event, owner)
    organizer = next((p.address for p in people if p.role == ORGANIZER), "")
    all_day, uid = bool(event.get("isAllDay")), str(event.get("iCalUId") or "")
    return InteractionCopy(
        copy_id=name,
        source="exchange",
        merge_key=meeting_key(uid, organizer, start, end, all_day, name),
        alternate_key=meeting_alternate_key(organizer, start, end, all_day) if uid else "",
        kind=MEETING,
        at=start,
        end=end,
        flags=_flags(event, all_day),
        participants=people,
        mailbox=mailbox,
        owner=owner,
        is_sender=bool(event.get("isOrganizer")) or organizer == owner,
    )


def _flags(event: Mapping[str, Any], all_day: bool) -> int:
    # Being seen in a calendar is what makes a meeting held once it is over; the figures decide that (kpis 2.3).
    flags = IN_EXCHANGE | (CANCELLED if event.get("isCancelled") else 0)
    flags |= ALL_DAY if all_day else 0
    return flags | (NOT_BUSY if event.get("showAs") in _NOT_BUSY else 0)


def _people(event: Mapping[str, Any], owner: str) -> tuple[Participant, ...]:
    found: dict[str, Participant] = {}
    if (organizer := participant(event.get("organizer"), ORGANIZER, RESPONSES["organizer"])) is not None:
        found[organizer.address] = organizer
    for attendee in event.get("attendees") or ():
        response = RESPONSES.get((attendee.get("status") or {}).get("response", ""), 0)
        if attendee.get("type") != "resource" and (person := participant(attendee, ATTENDEE, response)) is not None:
            found.setdefault(person.address, person)
    own = RESPONSES.get((event.get("responseStatus") or {}).get("response", ""), 0)
    held = found.get(owner)
    if held is None:
        found[owner] = Participant(owner, "", "", ATTENDEE, own)
    elif held.role == ATTENDEE and own:
        found[owner] = Participant(owner, held.name, "", ATTENDEE, own)
    return tuple(found.values())
