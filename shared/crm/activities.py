"""Activities of the CRM as copies of interactions, and what the CRM counted on followed mails."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import astuple

from shared.crm.state import EntityState, is_private, value
from shared.interactions import (
    ALL_DAY,
    ATTENDEE,
    CALL,
    CALL_IN,
    CALL_OUT,
    CANCELLED,
    CC,
    COMPLETED,
    EMAIL,
    FROM,
    IN_CRM,
    MEETING,
    NO_ANSWER,
    ORGANIZER,
    RESPONSES,
    TASK,
    TO,
    InteractionCopy,
    Participant,
    mail_key,
    meeting_key,
    with_verdict,
)
from shared.noise import signs

ACTIVITIES = frozenset(("email", "appointment", "phonecall", "task"))
_DIRECTIONS = {"in": CALL_IN, "out": CALL_OUT}
_MAIL_STATUS = {"sent": COMPLETED, "received": COMPLETED, "cancelled": CANCELLED}
_STATUS = {"completed": COMPLETED, "cancelled": CANCELLED}
_NOT_ON_THE_WAY = frozenset(("draft", "pending", "failed"))


class Engagement(Struct, frozen=True):
    """What the CRM counted on one mail it followed (kpis 10); its opens and clicks do not tell machines from people."""

    sent_at: int
    bounced: bool
    opens: int
    clicks: int
    links: int
    attachments_delivered: int
    attachments_viewed: int


def copy_of(state: EntityState) -> InteractionCopy | None:
    """Return the CRM's copy of an interaction; None for a deleted or private row, for what is no activity, and for an
    activity without the time that its kind needs (a draft mail, a call of which only the participants are known yet).
    """
    if state.deleted is not None or state.entity not in ACTIVITIES or is_private(state):
        return None
    facts = {name: held for name, (_, held) in state.attributes.items() if held is not None}
    return _READERS[state.entity](state, facts)


def engagement_of(state: EntityState) -> Engagement | None:
    """Return the counters of a followed mail that was sent; None for any other row."""
    if state.entity != "email" or state.deleted is not None or value(state, "followed") is not True:
        return None
    if value(state, "status") != "sent" or value(state, "sentAt") is None:
        return None
    counts = [
        value(state, name) or 0 for name in ("opens", "clicks", "links", "attachmentsDelivered", "attachmentsViewed")
    ]
    return Engagement(value(state, "sentAt"), value(state, "bounced") is True, *counts)


def _email(state: EntityState, facts: dict[str, Any]) -> InteractionCopy | None:
    at = facts.get("sentAt")
    if at is None or facts.get("status") in _NOT_ON_THE_WAY:
        return None
    people = _part(facts.get("from"), FROM) + _parts(facts.get("to"), TO) + _parts(facts.get("cc"), CC)
    sender = people[0].address if people and people[0].role == FROM else ""
    names = _conversations(facts)
    copy_id = f"email:{state.id}"
    noise = with_verdict(signs(facts.get("headers", {}), sender))
    return InteractionCopy(
        copy_id=copy_id,
        source="crm",
        merge_key=mail_key(facts.get("messageId", ""), copy_id),
        kind=EMAIL,
        at=at,
        end=at,
        flags=IN_CRM | _MAIL_STATUS.get(facts.get("status", "sent"), 0) | noise,
        conversation=names[0] if names else "",
        conversations=names,
        participants=people,
        regarding=tuple(facts.get("regarding", ())),
        version=_version(state),
        engagement=_counters(engagement_of(state)),
    )


def _counters(engagement: Engagement | None) -> tuple[int, ...]:
    return tuple(map(int, astuple(engagement)[1:])) if engagement else ()


def _conversations(facts: dict[str, Any]) -> tuple[str, ...]:
    """The CRM's own conversation first; a reply names the mail it answers, so that a first mail and its answers meet."""
    names = {"conversationId": "crm:", "inReplyTo": "mail:", "messageId": "mail:"}
    return tuple(prefix + facts[name].strip() for name, prefix in names.items() if facts.get(name, "").strip())


def _appointment(state: EntityState, facts: dict[str, Any]) -> InteractionCopy | None:
    start = facts.get("start")
    if start is None:
        return None
    end = max(start, facts.get("end", start))
    all_day = facts.get("allDay") is True
    organizers = _part(facts.get("organizer"), ORGANIZER, RESPONSES["organizer"])
    organizer = (organizers[0].address or organizers[0].party) if organizers else ""
    copy_id = f"appointment:{state.id}"
    return InteractionCopy(
        copy_id=copy_id,
        source="crm",
        merge_key=meeting_key(facts.get("iCalUId", ""), organizer, start, end, all_day, copy_id),
        kind=MEETING,
        at=start,
        end=end,
        flags=IN_CRM | _STATUS.get(facts.get("status", "open"), 0) | (ALL_DAY if all_day else 0),
        participants=organizers
        + _parts(facts.get("attendees"), ATTENDEE)
        + _parts(facts.get("optionalAttendees"), ATTENDEE),
        regarding=tuple(facts.get("regarding", ())),
        version=_version(state),
    )


def _phonecall(state: EntityState, facts: dict[str, Any]) -> InteractionCopy | None:
    flags = IN_CRM | _STATUS.get(facts.get("status", "open"), 0) | _DIRECTIONS.get(facts.get("direction", ""), 0)
    at = _first_of(facts, ("start", "end") if flags & COMPLETED else ("due", "start", "end"))
    people = _part(facts.get("from"), FROM) + _parts(facts.get("to"), TO)
    return _timed(state, facts, CALL, at, flags | (NO_ANSWER if facts.get("noAnswer") else 0), people)


def _task(state: EntityState, facts: dict[str, Any]) -> InteractionCopy | None:
    flags = IN_CRM | _STATUS.get(facts.get("status", "open"), 0)
    at = _first_of(facts, ("completedAt",) if flags & COMPLETED else ("due",))
    people = (Participant("", "", facts["owner"], FROM, 0),) if "owner" in facts else ()
    return _timed(state, facts, TASK, at, flags, people)


def _timed(
    state: EntityState, facts: dict[str, Any], kind: int, at: int | None, flags: int, people: tuple[Participant, ...]
) -> InteractionCopy | None:
    if at is None:
        return None
    copy_id = f"{state.entity}:{state.id}"
    return InteractionCopy(
        copy_id=copy_id,
        source="crm",
        merge_key=copy_id,
        kind=kind,
        at=at,
        end=at,
        minutes=facts.get("durationMinutes"),
        flags=flags,
        participants=people,
        regarding=tuple(facts.get("regarding", ())),
        version=_version(state),
    )


def _part(party: dict[str, Any] | None, role: int, response: int = 0) -> tuple[Participant, ...]:
    if not party or not ("address" in party or "party" in party):
        return ()
    get = party.get
    return (Participant(get("address", ""), get("name", ""), get("party", ""), role, response or get("response", 0)),)


def _parts(parties: list[dict[str, Any]] | None, role: int) -> tuple[Participant, ...]:
    return tuple(part for party in parties or () for part in _part(party, role))


def _first_of(facts: dict[str, Any], names: tuple[str, ...]) -> int | None:
    return next((facts[name] for name in names if name in facts), None)


def _version(state: EntityState) -> int:
    return max(version for version, _ in state.attributes.values())


_READERS = {"email": _email, "appointment": _appointment, "phonecall": _phonecall, "task": _task}
