"""Merging copies, with the vectors of kpis 2 by their ids."""

import itertools
from typing import Any

import pytest

from shared.interactions import (
    ALL_DAY,
    ATTENDEE,
    AUTOMATIC,
    BULK,
    CALL,
    CALL_IN,
    CALL_OUT,
    CANCELLED,
    CC,
    COMPLETED,
    EMAIL,
    FROM,
    IN_CRM,
    IN_EXCHANGE,
    MEETING,
    NO_ANSWER,
    NOT_BUSY,
    ORGANIZER,
    RESPONSES,
    TASK,
    TO,
    Interaction,
    InteractionCopy,
    Participant,
    mail_key,
    meeting_alternate_key,
    meeting_key,
    merge,
)
from shared.kpi.interactions import Flag, Kind, Response, Role

TEN = 1_772_445_600  # 2026-03-02T10:00:00Z
HOUR = 3600
ANNA, BEN, KIM, LEE = "anna@us.example", "ben@us.example", "kim@cust.example", "lee@cust.example"
ACCEPTED, DECLINED, NOT_RESPONDED = RESPONSES["accepted"], RESPONSES["declined"], RESPONSES["notResponded"]


def who(address: str, role: int, response: int = 0, party: str = "", name: str = "") -> Participant:
    return Participant(address, name, party, role, response)


def mail(copy_id: str, at: int = TEN, message_id: str = "<1@us.example>", **more: Any) -> InteractionCopy:
    source: Any = "crm" if copy_id.startswith("email:") else "exchange"
    mailbox = "" if source == "crm" else copy_id.partition("/")[0]
    more = {"flags": COMPLETED | (IN_CRM if source == "crm" else IN_EXCHANGE), "participants": MAIL} | more
    key = mail_key(message_id, copy_id)
    return InteractionCopy(
        copy_id=copy_id, source=source, merge_key=key, kind=EMAIL, at=at, end=at, mailbox=mailbox, **more
    )


def meeting(copy_id: str, start: int = TEN, end: int = TEN + HOUR, uid: str = "U1", **more: Any) -> InteractionCopy:
    source: Any = "crm" if copy_id.startswith("appointment:") else "exchange"
    mailbox = "" if source == "crm" else copy_id.partition("/")[0]
    alternate = meeting_alternate_key(ANNA, start, end, False) if uid and source == "exchange" else ""
    more = {"flags": IN_CRM if source == "crm" else IN_EXCHANGE, "participants": PEOPLE} | more
    return InteractionCopy(
        copy_id=copy_id,
        source=source,
        merge_key=meeting_key(uid, ANNA, start, end, False, copy_id),
        alternate_key=alternate,
        kind=MEETING,
        at=start,
        end=end,
        mailbox=mailbox,
        owner=mailbox,
        **more,
    )


MAIL = (who(ANNA, FROM), who(KIM, TO))
PEOPLE = (who(ANNA, ORGANIZER, RESPONSES["organizer"]), who(KIM, ATTENDEE))


def merged_in_any_order(*copies: InteractionCopy) -> list[Interaction]:
    results = [merge(order) for order in itertools.permutations(copies)]
    assert all(result == results[0] for result in results)
    return results[0]


def only(*copies: InteractionCopy) -> Interaction:
    (found,) = merged_in_any_order(*copies)
    return found


def test_numbers_equal_those_of_the_figures() -> None:
    assert list(Kind) == [EMAIL, MEETING, CALL, TASK]
    assert list(Role) == [FROM, TO, CC, ORGANIZER, ATTENDEE]
    assert list(RESPONSES.values()) == list(Response)
    snake = {name.lower() for name in Response.__members__}
    assert {"".join("_" + c.lower() if c.isupper() else c for c in name) for name in RESPONSES} == snake
    flags = [
        COMPLETED,
        CANCELLED,
        IN_CRM,
        IN_EXCHANGE,
        ALL_DAY,
        NOT_BUSY,
        AUTOMATIC,
        BULK,
        NO_ANSWER,
        CALL_IN,
        CALL_OUT,
    ]
    assert flags == list(Flag)


def test_no_copies_give_no_interactions() -> None:
    assert merge([]) == []


def test_2_1_three_copies_of_one_mail() -> None:
    anna = mail(f"{ANNA}/1", is_sender=True)
    ben = mail(f"{BEN}/2", participants=(who(ANNA, FROM), who(BEN, CC)))
    crm = mail(
        "email:9",
        at=TEN + 30,
        regarding=("opportunity:o",),
        participants=(who(ANNA, FROM), who(KIM, TO, party="contact:kim")),
    )
    found = only(anna, ben, crm)
    assert found.sources == 3
    assert found.at == TEN
    assert found.regarding == ("opportunity:o",)
    assert found.activity_id == "email:9"
    assert found.participants == (who(ANNA, FROM), who(BEN, CC), who(KIM, TO, party="contact:kim"))
    assert found.flags == COMPLETED | IN_CRM | IN_EXCHANGE


def test_2_2_the_sent_minute_may_be_the_next_one() -> None:
    found = only(mail(f"{ANNA}/1", at=TEN + 59), mail("email:9", at=TEN + 60))
    assert (found.at, found.sources) == (TEN + 59, 2)


def test_2_3_a_reused_message_id_is_two_mails() -> None:
    first, second = merged_in_any_order(mail(f"{ANNA}/1"), mail(f"{ANNA}/2", at=TEN + 300))
    assert (first.at, second.at) == (TEN, TEN + 300)
    assert first.key != second.key


def test_a_group_is_measured_from_its_first_minute() -> None:
    copies = [mail(f"{ANNA}/{i}", at=TEN + 59 + 60 * i) for i in range(4)]
    assert [found.sources for found in merged_in_any_order(*copies)] == [2, 2]


def test_2_4_without_a_message_id_nothing_merges() -> None:
    assert len(merged_in_any_order(mail(f"{ANNA}/1", message_id=" "), mail(f"{BEN}/2", message_id=""))) == 2


def test_message_ids_are_trimmed_and_keep_their_case() -> None:
    assert mail_key(" <A@b> ", "x") == mail_key("<A@b>", "y")
    assert mail_key("<A@b>", "x") != mail_key("<a@b>", "x")


def test_2_5_occurrences_of_a_series_are_meetings_of_their_own() -> None:
    week = 7 * 24 * HOUR
    copies = [
        meeting(f"{box}/{n}", start=TEN + n * week, end=TEN + n * week + HOUR)
        for box in (ANNA, BEN, LEE)
        for n in (0, 1)
    ]
    first, second = merge(copies)
    assert (first.at, first.sources, second.at, second.sources) == (TEN, 3, TEN + week, 3)


def test_2_6_a_moved_meeting_has_only_its_new_start() -> None:
    moved = meeting(f"{ANNA}/1", start=TEN + 48 * HOUR, end=TEN + 49 * HOUR, version=2)
    assert only(meeting(f"{ANNA}/1", version=1), moved).at == TEN + 48 * HOUR


def test_2_7_one_completed_copy_is_enough_and_2_9_one_cancelled_copy_wins() -> None:
    exchange = meeting(f"{ANNA}/1")
    held = only(exchange, meeting("appointment:7", flags=IN_CRM | COMPLETED))
    assert held.flags == IN_CRM | IN_EXCHANGE | COMPLETED
    cancelled = only(exchange, meeting("appointment:7", flags=IN_CRM | CANCELLED))
    assert cancelled.flags & CANCELLED


def test_two_equal_versions_of_one_copy_are_decided_by_content() -> None:
    assert only(mail(f"{ANNA}/1", at=TEN), mail(f"{ANNA}/1", at=TEN + 7)).sources == 1


def test_an_appointment_without_ical_uid_joins_the_one_meeting_that_fits() -> None:
    appointment = meeting("appointment:7", uid="", regarding=("account:a",))
    alone = only(meeting(f"{ANNA}/1"))
    found = only(meeting(f"{ANNA}/1"), appointment)
    assert (found.sources, found.regarding, found.activity_id) == (2, ("account:a",), "appointment:7")
    assert found.key == alone.key


def test_an_appointment_without_ical_uid_stays_alone_where_two_fit() -> None:
    found = merged_in_any_order(
        meeting(f"{ANNA}/1", uid="U1"), meeting(f"{ANNA}/2", uid="U2"), meeting("appointment:7", uid="")
    )
    assert sorted(each.sources for each in found) == [1, 1, 1]


def test_an_appointment_of_another_time_stays_alone() -> None:
    later = meeting("appointment:7", uid="", start=TEN + 60)
    assert len(merged_in_any_order(meeting(f"{ANNA}/1"), later)) == 2


def test_without_ical_uid_and_organiser_nothing_merges() -> None:
    assert meeting_key("", "", TEN, TEN, False, "appointment:1") != meeting_key(
        "", "", TEN, TEN, False, "appointment:2"
    )


def test_the_organisers_mailbox_decides_times_and_organiser() -> None:
    organizer = meeting(f"{BEN}/1", end=TEN + 2 * HOUR, is_sender=True, participants=(who(BEN, ORGANIZER),))
    other = meeting(f"{ANNA}/1", participants=(who(LEE, ORGANIZER), who(BEN, ATTENDEE)))
    crm = meeting("appointment:7", participants=(who(KIM, ORGANIZER),))
    found = only(organizer, other, crm)
    assert found.end == TEN + 2 * HOUR
    assert found.participants == (who(BEN, ORGANIZER),)


def test_without_the_senders_mailbox_the_smallest_other_one_decides_before_the_crm() -> None:
    found = only(mail(f"{BEN}/1", at=TEN + 5), mail(f"{ANNA}/1", at=TEN + 9), mail("email:1", at=TEN))
    assert found.at == TEN + 9


@pytest.mark.parametrize(
    ("organizer_says", "kim_says", "expected"),
    [
        (ACCEPTED, DECLINED, ACCEPTED),
        (NOT_RESPONDED, DECLINED, NOT_RESPONDED),
        (0, DECLINED, DECLINED),
        (0, 0, 0),
    ],
)
def test_responses_come_from_the_organiser_else_from_the_attendee(
    organizer_says: int, kim_says: int, expected: int
) -> None:
    organizer = meeting(f"{ANNA}/1", is_sender=True, participants=(PEOPLE[0], who(KIM, ATTENDEE, organizer_says)))
    attendee = meeting(f"{KIM}/1", participants=(PEOPLE[0], who(KIM, ATTENDEE, kim_says)))
    found = only(organizer, attendee)
    assert {p.address: p.response for p in found.participants}[KIM] == expected


def test_an_attendees_own_word_goes_before_hearsay() -> None:
    hearsay = meeting(f"{BEN}/1", participants=(PEOPLE[0], who(LEE, ATTENDEE, ACCEPTED)))
    own = meeting(f"{LEE}/1", participants=(PEOPLE[0], who(LEE, ATTENDEE, DECLINED)))
    found = only(hearsay, own)
    assert {p.address: p.response for p in found.participants}[LEE] == DECLINED


def test_not_busy_holds_only_when_every_copy_says_so_and_none_is_in_the_crm() -> None:
    free = IN_EXCHANGE | NOT_BUSY
    assert only(meeting(f"{ANNA}/1", flags=free), meeting(f"{BEN}/1", flags=free)).flags & NOT_BUSY
    assert not only(meeting(f"{ANNA}/1", flags=free), meeting(f"{BEN}/1")).flags & NOT_BUSY
    assert not only(meeting(f"{ANNA}/1", flags=free), meeting("appointment:1")).flags & NOT_BUSY


def test_noise_seen_in_one_copy_marks_the_mail() -> None:
    sent = mail(f"{ANNA}/1", is_sender=True)
    assert (
        only(sent, mail(f"{BEN}/1", flags=IN_EXCHANGE | BULK | AUTOMATIC)).flags & (BULK | AUTOMATIC)
        == BULK | AUTOMATIC
    )


def test_a_person_named_twice_is_one_participant_with_the_greater_part() -> None:
    people = (who(ANNA, FROM), who(KIM, CC, name="Kim"), who(KIM, TO, party="contact:kim"), who(ANNA, TO))
    found = only(mail(f"{ANNA}/1", participants=people))
    assert found.participants == (who(ANNA, FROM), who(KIM, TO, party="contact:kim", name="Kim"))


def test_parties_without_address_are_told_apart_by_party() -> None:
    people = (who("", FROM, party="user:u"), who("", TO, party="contact:c"), who("", TO, party="contact:c"))
    assert len(only(mail("email:1", participants=people)).participants) == 2


def test_the_conversation_is_that_of_the_smallest_mailbox_else_of_the_crm() -> None:
    named = {"conversation": "a1", "conversations": ("a1",)}
    anna, crm = mail(f"{ANNA}/1", **named), mail("email:1", conversation="crm:c", conversations=("crm:c", "mail:<1>"))
    ben = mail(f"{BEN}/1", is_sender=True, conversation="b1", conversations=("b1",))
    assert only(anna, ben, crm).conversation == "a1"
    assert only(crm).conversation == "crm:c"
    assert only(anna, ben, crm).conversations == ("a1", "b1", "crm:c", "mail:<1>")
    assert only(mail(f"{ANNA}/1")).conversation == ""


def test_the_key_is_the_same_in_every_release() -> None:
    """Stored rows are found by it: a change needs a migration."""
    assert only(mail(f"{ANNA}/1")).key.hex() == "1e9c40263056f6f468ca0e0a3fb2f859"


def test_interactions_come_sorted_by_time() -> None:
    found = merge(mail(f"{ANNA}/{n}", at=TEN + 600 * n, message_id=f"<{n}>") for n in (3, 1, 2))
    assert [each.at for each in found] == [TEN + 600, TEN + 1200, TEN + 1800]


def test_calls_keep_their_minutes_and_direction() -> None:
    call = InteractionCopy(
        copy_id="phonecall:1", source="crm", merge_key="phonecall:1", kind=CALL, at=TEN, end=TEN, minutes=12.0,
        flags=IN_CRM | COMPLETED | CALL_IN,
    )  # fmt: skip
    assert (only(call).minutes, only(call).flags) == (12.0, IN_CRM | COMPLETED | CALL_IN)
