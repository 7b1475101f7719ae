import json
from typing import Any

import pytest

from shared.changes import Change, parse_batch
from shared.crm.activities import Engagement, copy_of, engagement_of
from shared.crm.state import EntityState, merged_state
from shared.interactions import (
    ALL_DAY,
    ATTENDEE,
    AUTOMATIC,
    BULK,
    CALL,
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
    merge,
)
from shared.noise import AUTO_SUBMITTED, LIST_ID, SENDER

START = "2026-03-02T10:00:00Z"
TEN = 1_772_445_600
ANNA = {"address": "anna@us.example", "name": "Anna", "party": "user:u1"}
KIM = {"address": "Kim@cust.example", "party": "contact:c1"}


def state_of(entity: str, *writes: dict[str, Any]) -> EntityState:
    state: EntityState | None = None
    for version, attributes in enumerate(writes):
        change = {"entity": entity, "id": "x1", "version": version, "operation": "upsert", "attributes": attributes}
        (parsed,) = parse_batch(json.dumps({"changes": [change]}).encode())
        state = merged_state(state, parsed)
    assert state is not None
    return state


def copy_from(entity: str, *writes: dict[str, Any]) -> InteractionCopy | None:
    return copy_of(state_of(entity, *writes))


def test_a_mail_with_everything() -> None:
    copy = copy_from(
        "email",
        {
            "from": ANNA,
            "to": [KIM],
            "cc": [{"address": "lee@cust.example"}],
            "status": "sent",
            "sentAt": START,
            "messageId": " <1@us.example> ",
            "conversationId": "T1",
            "inReplyTo": "<0@cust.example>",
            "regarding": ["opportunity:o1"],
        },
        {"followed": True},
    )
    assert copy == InteractionCopy(
        copy_id="email:x1",
        source="crm",
        merge_key="mail:<1@us.example>",
        kind=EMAIL,
        at=TEN,
        end=TEN,
        flags=IN_CRM | COMPLETED,
        conversation="crm:T1",
        conversations=("crm:T1", "mail:<0@cust.example>", "mail:<1@us.example>"),
        participants=(
            Participant("anna@us.example", "Anna", "user:u1", FROM, 0),
            Participant("kim@cust.example", "", "contact:c1", TO, 0),
            Participant("lee@cust.example", "", "", CC, 0),
        ),
        regarding=("opportunity:o1",),
        version=1,
        engagement=(0, 0, 0, 0, 0, 0),
    )


def test_an_answer_and_the_mail_it_answers_share_a_conversation() -> None:
    first = copy_from("email", {"sentAt": START, "messageId": "<1@us.example>"})
    answer = copy_from("email", {"sentAt": START, "messageId": "<2@x.example>", "inReplyTo": "<1@us.example>"})
    assert first is not None
    assert answer is not None
    assert first.conversation == answer.conversation == "mail:<1@us.example>"


@pytest.mark.parametrize("status", ["draft", "pending", "failed"])
def test_mail_that_has_not_left_is_no_interaction(status: str) -> None:
    assert copy_from("email", {"sentAt": START, "status": status}) is None


def test_mail_without_a_time_is_no_interaction_yet() -> None:
    assert copy_from("email", {"from": ANNA, "status": "sent"}) is None
    assert copy_from("email", {"from": ANNA, "status": "sent"}, {"sentAt": START}) is not None


@pytest.mark.parametrize(
    ("attributes", "flags"),
    [
        ({}, COMPLETED),
        ({"status": "received"}, COMPLETED),
        ({"status": "cancelled"}, CANCELLED),
        ({"headers": {"List-Id": "x"}}, COMPLETED | BULK | LIST_ID),
        ({"headers": {"Auto-Submitted": "auto-replied"}}, COMPLETED | AUTOMATIC | AUTO_SUBMITTED),
        ({"from": {"address": "no-reply@cust.example"}}, COMPLETED | AUTOMATIC | SENDER),
        ({"to": [{"address": "no-reply@cust.example"}]}, COMPLETED),
    ],
)
def test_flags_of_mail(attributes: dict[str, Any], flags: int) -> None:
    copy = copy_from("email", {"sentAt": START} | attributes)
    assert copy is not None
    assert copy.flags == IN_CRM | flags


def test_an_appointment() -> None:
    copy = copy_from(
        "appointment",
        {
            "organizer": ANNA,
            "attendees": [{**KIM, "response": "declined"}, {"address": "room@us.example", "resource": True}],
            "optionalAttendees": [{"address": "ben@us.example"}],
            "start": START,
            "end": "2026-03-02T11:00:00Z",
            "iCalUId": "U1",
            "status": "completed",
            "regarding": ["account:a1"],
        },
    )
    assert copy is not None
    assert (copy.kind, copy.at, copy.end, copy.merge_key) == (MEETING, TEN, TEN + 3600, "meeting:U1")
    assert copy.flags == IN_CRM | COMPLETED
    assert copy.participants == (
        Participant("anna@us.example", "Anna", "user:u1", ORGANIZER, RESPONSES["organizer"]),
        Participant("kim@cust.example", "", "contact:c1", ATTENDEE, RESPONSES["declined"]),
        Participant("ben@us.example", "", "", ATTENDEE, 0),
    )


def test_an_appointment_without_ical_uid_is_named_by_its_four_facts() -> None:
    copy = copy_from("appointment", {"organizer": ANNA, "start": START, "end": START, "allDay": True})
    assert copy is not None
    assert copy.merge_key == f"meeting|anna@us.example|{TEN}|{TEN}|1"
    assert copy.flags == IN_CRM | ALL_DAY


def test_an_appointment_never_ends_before_it_starts() -> None:
    copy = copy_from("appointment", {"start": START, "end": "2026-03-02T09:00:00Z"})
    assert copy is not None
    assert copy.end == copy.at


def test_private_and_deleted_rows_are_no_interactions() -> None:
    state = state_of("appointment", {"start": START}, {"sensitivity": "private"}, {"start": START, "private": False})
    assert copy_of(state) is None
    mail = merged_state(state_of("email", {"sentAt": START}), Change("email", "x1", 0, "delete"))
    assert copy_of(mail) is None
    assert copy_of(EntityState("email", "x1", links={"team": {"u": (1, True)}})) is None
    assert copy_of(state_of("contact", {"name": "Kim"})) is None


@pytest.mark.parametrize(
    ("attributes", "at", "flags"),
    [
        ({"status": "completed", "start": START, "end": "2026-03-02T10:12:00Z"}, TEN, COMPLETED),
        ({"status": "completed", "end": START, "due": "2026-03-01T00:00:00Z"}, TEN, COMPLETED),
        ({"status": "completed", "due": START}, None, COMPLETED),
        ({"due": START}, TEN, 0),
        ({"due": START, "direction": "out"}, TEN, CALL_OUT),
        ({"status": "cancelled", "due": START}, TEN, CANCELLED),
        ({"status": "completed", "start": START, "noAnswer": True}, TEN, COMPLETED | NO_ANSWER),
    ],
)
def test_calls(attributes: dict[str, Any], at: int | None, flags: int) -> None:
    copy = copy_from("phonecall", attributes | {"from": ANNA, "to": [KIM], "durationMinutes": 12})
    assert (None if copy is None else copy.at) == at
    if copy is not None:
        assert (copy.kind, copy.minutes, copy.flags) == (CALL, 12.0, IN_CRM | flags)
        assert [p.role for p in copy.participants] == [FROM, TO]


@pytest.mark.parametrize(
    ("attributes", "at"),
    [
        ({"status": "completed", "completedAt": START}, TEN),
        ({"status": "completed", "due": START}, None),
        ({"due": START}, TEN),
        ({}, None),
    ],
)
def test_tasks(attributes: dict[str, Any], at: int | None) -> None:
    copy = copy_from("task", {"owner": "user:u1"} | attributes)
    assert (None if copy is None else copy.at) == at
    if copy is not None:
        assert (copy.kind, copy.participants) == (TASK, (Participant("", "", "user:u1", FROM, 0),))


def test_the_copy_of_a_crm_activity_merges_alone() -> None:
    copy = copy_from("email", {"sentAt": START, "from": ANNA, "to": [KIM]})
    assert copy is not None
    (found,) = merge([copy])
    assert (found.activity_id, found.sources, found.participants) == ("email:x1", 1, copy.participants)


def test_engagement_of_followed_mails_only() -> None:
    followed = {"followed": True, "status": "sent", "sentAt": START, "opens": 3, "clicks": 1, "links": 2}
    assert engagement_of(state_of("email", followed)) == Engagement(TEN, False, 3, 1, 2, 0, 0)
    assert engagement_of(state_of("email", followed, {"bounced": True})) == Engagement(TEN, True, 3, 1, 2, 0, 0)
    assert engagement_of(state_of("email", followed, {"followed": False})) is None
    assert engagement_of(state_of("email", followed, {"status": "draft"})) is None
    assert engagement_of(state_of("email", followed, {"sentAt": None})) is None
    assert engagement_of(state_of("task", {"due": START})) is None
