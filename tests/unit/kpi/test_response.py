"""The vectors of section 7, and the edges around them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from shared.kpi.interactions import Direction, Flag, History, Kind, Reason, RecordType, Role
from shared.kpi.parameters import DAY, Parameters, WorkingCalendar
from shared.kpi.response import Response, SideResponse, response, spread
from shared.kpi.turns import answered_mails, asked_turns
from shared.kpi.windows import Window
from tests.doubles import histories
from tests.doubles.ages import ANNA, CLEO, KIM, LEE, A

P = Parameters(reporting_zone="Europe/Berlin")
WINDOW = int(datetime.fromisoformat("2024-12-31T23:00:00+00:00").timestamp())
OURS = (ANNA, CLEO)


def at(text: str) -> int:
    """An instant of `2026-03-02 09:00` or, for the Monday of most vectors, `09:00`; UTC."""
    full = text if " " in text else f"2026-03-02 {text}"
    return int(datetime.fromisoformat(f"{full}+00:00").timestamp())


def mail(when: int | str, sender: int, to: tuple[int, ...], cc: tuple[int, ...] = (), conversation: int = 1) -> tuple:
    return (at(when) if isinstance(when, str) else when, sender, to, cc, conversation)


def mails(*rows: tuple, as_of: int = A, kind: Kind = Kind.EMAIL) -> History:
    ordered = sorted(rows, key=lambda row: row[0])
    people = []
    for index, (_, sender, to, cc, _) in enumerate(ordered):
        people += [(index, sender, Role.FROM), *((index, p, Role.TO) for p in to), *((index, p, Role.CC) for p in cc)]
    n = len(ordered)
    when = np.array([row[0] for row in ordered], dtype=np.int64)
    outgoing = np.array([row[1] in OURS for row in ordered], dtype=bool)
    person = np.array([row[1] for row in people], dtype=np.uint64)
    return History(
        as_of=as_of,
        type=RecordType.CONTACT,
        key=np.array([index.to_bytes(16, "big") for index in range(1, n + 1)], dtype="S16"),
        at=when,
        end=when,
        kind=np.full(n, kind, dtype=np.uint8),
        direction=np.where(outgoing, Direction.OUT, Direction.IN).astype(np.uint8),
        reason=np.full(n, Reason.PARTICIPANTS, dtype=np.uint8),
        flags=np.zeros(n, dtype=np.uint32),
        minutes=np.zeros(n),
        conversation=np.array([row[4] for row in ordered], dtype=np.uint64),
        from_them=~outgoing,
        part_index=np.array([row[0] for row in people], dtype=np.int64),
        part_person=person,
        part_role=np.array([row[2] for row in people], dtype=np.uint8),
        part_internal=np.isin(person, OURS),
        part_counts=np.ones(len(people), dtype=bool),
    )


def asks(when: int | str, conversation: int = 1) -> tuple:
    return mail(when, KIM, (ANNA,), conversation=conversation)


def replies(when: int | str, conversation: int = 1) -> tuple:
    return mail(when, ANNA, (KIM,), conversation=conversation)


def by_us(*rows: tuple, **settings: object) -> SideResponse:
    return measure(*rows, **settings).by_us


def measure(*rows: tuple, calendars=None, owner: int = ANNA, as_of: int = A) -> Response:
    return response(mails(*rows, as_of=as_of), P, Window(WINDOW, as_of), calendars, owner)


def test_7_1_one_answer():
    found = by_us(asks("09:00"), replies("10:30"))
    assert (found.n, found.hours.mean, found.business_hours.mean, found.low_sample) == (1, 1.5, 1.5, True)
    assert found.assumed_hours


def test_7_2_mails_of_one_side_are_one_turn():
    found = by_us(asks("09:00"), asks("10:00"), replies("11:00"))
    assert (found.n, found.hours.mean) == (1, 2.0)


def test_7_3_a_weekend_lies_between():
    found = by_us(asks("2026-03-06 15:30"), replies("2026-03-09 08:00"))
    assert (found.hours.mean, found.business_hours.mean) == (64.5, 1.5)


def test_7_4_copies_ask_nothing():
    found = by_us(mail("09:00", KIM, (LEE,), cc=(ANNA,)), replies("10:00"))
    assert (found.n, found.hours, found.business_hours, found.rate) == (0, None, None, None)


@pytest.mark.parametrize(("answer", "n"), [("2026-02-09 09:00:00", 1), ("2026-02-09 09:00:01", 0)])
def test_7_5_thirty_days_at_most(answer, n):
    found = by_us(asks("2026-01-10 09:00:00"), replies(answer))
    assert n == found.n
    assert n == 0 or found.hours.mean == 720.0


def test_7_6_rate_leaves_out_turns_younger_than_two_weeks():
    answered = [row for c in (1, 2, 3) for row in (asks(A - 40 * DAY, c), replies(A - 39 * DAY, c))]
    found = by_us(*answered, asks(A - 20 * DAY, 4), asks(A - 5 * DAY, 5))
    assert (found.rate, found.answerable, found.n) == (0.75, 4, 3)


@pytest.mark.parametrize(("age", "rate"), [(14 * DAY - 3600, None), (14 * DAY, 0.0)])
def test_7_7_an_open_turn_counts_after_two_weeks(age, rate):
    assert rate == by_us(asks(A - age)).rate


def test_7_8_an_answer_after_two_weeks_still_answers():
    assert by_us(asks(A - 20 * DAY)).rate == 0.0
    assert by_us(asks(A - 20 * DAY), replies(A + 5 * DAY), as_of=A + 5 * DAY).rate == 1.0


@pytest.mark.parametrize(
    ("hours", "expected"),
    [([1, 2, 3, 4, 100], (22.0, 3.0, 100.0)), (range(1, 11), (5.5, 5.5, 9.0))],
    ids=["7-9", "7-10"],
)
def test_spread(hours, expected):
    conversations = enumerate(hours, start=1)
    start = at("2026-01-05 09:00")
    found = by_us(*(row for c, h in conversations for row in (asks(start, c), replies(start + h * 3600, c))))
    assert expected == (found.hours.mean, found.hours.median, found.hours.p90)
    assert found.low_sample == (found.n < 5)


def test_7_11_automatic_mails_are_not_counted_and_answer_nothing():
    talk = {"conversation": "a"}
    automatic = Flag.IN_EXCHANGE | Flag.COMPLETED | Flag.AUTOMATIC
    items = [
        histories.email("2026-03-02T09:00Z", "anna", to=["kim"], **talk),
        histories.email("2026-03-02T09:01Z", "kim", to=["anna"], flags=automatic, **talk),
        histories.email("2026-03-02T14:00Z", "kim", to=["anna"], **talk),
    ]
    found = response(histories.history(*items, of=histories.contact("kim")), P, Window(WINDOW, A))
    assert (found.by_them.n, found.by_them.hours.mean) == (1, 5.0)


def test_7_12_a_holiday_lies_between():
    calendar = WorkingCalendar(zone="Europe/Berlin", days_off=frozenset({"2026-05-01"}))
    rows = (asks("2026-04-30 15:00"), replies("2026-05-04 07:00"))
    found = by_us(*rows, calendars={ANNA: calendar}, as_of=at("2026-05-05 00:00"))
    assert (found.hours.mean, found.business_hours.mean, found.assumed_hours) == (88.0, 1.0, False)


def test_7_13_the_clock_changes_between():
    found = by_us(asks("2026-03-27 15:00"), replies("2026-03-30 07:00"), as_of=at("2026-04-01 00:00"))
    assert (found.hours.mean, found.business_hours.mean) == (64.0, 2.0)


def test_7_14_the_hours_of_who_answers():
    new_york = WorkingCalendar(zone="America/New_York", week=(((540, 1020),),) * 5 + ((), ()))
    rows = (mail("2026-03-10 09:00", KIM, (CLEO,)), mail("2026-03-10 14:00", CLEO, (KIM,)))
    found = by_us(*rows, calendars={CLEO: new_york})
    assert (found.hours.mean, found.business_hours.mean) == (5.0, 1.0)


def test_7_15_nobody_works_at_night():
    found = by_us(asks("2026-03-03 21:00"), replies("2026-03-03 22:00"))
    assert (found.hours.mean, found.business_hours.mean) == (1.0, 0.0)


def test_7_16_conversations_are_apart():
    found = by_us(asks("09:00", 1), replies("12:00", 1), asks("09:10", 2), replies("09:20", 2))
    assert (found.hours.mean, found.hours.median) == (1.58, 1.58)


def test_7_17_a_turn_belongs_where_it_asks():
    found = by_us(asks(WINDOW - 60), replies(WINDOW + 60))
    assert (found.n, found.rate) == (0, None)


def test_7_18_the_other_side_is_one_side():
    found = by_us(asks("09:00"), mail("09:30", ANNA, (LEE,)))
    assert (found.n, found.hours.mean) == (1, 0.5)


def test_waiting_for_us_lists_open_turns_of_30_days():
    found = measure(asks(A - 30 * DAY, 1), asks(A - 30 * DAY - 1, 2), asks("2026-03-13 15:00", 3), replies(A - DAY, 3))
    assert found.waiting_for_us.count == 1
    assert found.waiting_for_us.oldest_at == A - 30 * DAY


def test_waiting_is_measured_in_the_owners_hours():
    found = measure(asks("2026-03-13 15:00")).waiting_for_us
    assert (found.oldest_business_hours, found.assumed_hours) == (1.0, True)
    early = WorkingCalendar(zone="UTC", week=(((0, 1440),),) * 7)
    assert measure(asks("2026-03-13 15:00"), calendars={ANNA: early}).waiting_for_us.oldest_business_hours == 45.0


def test_nothing_waits_when_nothing_was_asked():
    found = measure(replies("09:00")).waiting_for_us
    assert (found.count, found.oldest_at, found.oldest_key, found.oldest_business_hours) == (0, None, None, None)


def test_mails_without_conversation_stand_alone():
    assert by_us(asks("09:00", 0), replies("10:00", 0)).n == 0


def test_meetings_never_answer():
    calls = mails(replies("10:00"), kind=Kind.CALL)
    assert len(asked_turns(calls)) == 0


def test_answered_mails_are_ours_in_answered_turns():
    found = mails(replies("09:00"), replies("09:30"), asks("10:00"), replies("11:00"), replies("12:00", 2))
    assert answered_mails(found).tolist() == found.key[:2].tolist()


def test_no_mail_gives_nothing():
    found = measure()
    assert tuple(vars(found.by_us).values()) == (0, None, None, True, False, 0, None)
    assert spread(np.array([], dtype=np.int64)) is None


def test_default_calendar_that_somebody_set_keeps_its_zone():
    parameters = replace(P, working_calendar=WorkingCalendar(zone="America/New_York"))
    found = response(mails(asks("2026-03-10 12:00"), replies("2026-03-10 13:00")), parameters, Window(WINDOW, A)).by_us
    assert (found.business_hours.mean, found.assumed_hours) == (1.0, False)
