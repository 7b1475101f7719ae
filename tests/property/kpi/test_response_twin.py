"""Response and business hours against their slow twins, on random mails and calendars."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.kpi.hours import working_seconds
from shared.kpi.interactions import Direction, History, Role
from shared.kpi.parameters import DAY, HOUR, WorkingCalendar
from shared.kpi.turns import asked_turns
from tests.doubles import slow_response
from tests.doubles.ages import ANNA, BEN, KIM, LEE, A, Contact, history, mail_in, mail_out, meeting

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Pacific/Apia",
]


@st.composite
def conversations(draw: st.DrawFn) -> Contact:
    """Mails on few instants, so that equal instants are met, in few conversations."""
    if draw(st.integers(0, 9)) == 0:
        return meeting(draw(st.integers(0, 40)))
    age = draw(st.integers(0, 60 * 4)) / 4
    make, sender, to = draw(
        st.sampled_from(
            [
                (mail_out, ANNA, KIM),
                (mail_out, BEN, LEE),
                (mail_in, KIM, ANNA),
                (mail_in, LEE, KIM),
                (mail_out, ANNA, BEN),
            ]
        )
    )
    return make(age, sender=sender, to=(to,), conversation=draw(st.integers(0, 3)))


def slow_mails(found: History) -> list[slow_response.Mail]:
    rows = []
    for i in np.flatnonzero(found.kind == 0).tolist():
        ours = found.direction[i] == Direction.OUT
        parts = np.flatnonzero(found.part_index == i)
        sender = next(int(found.part_person[p]) for p in parts if found.part_role[p] == Role.FROM)
        named = any(found.part_role[p] == Role.TO and found.part_internal[p] != ours for p in parts)
        rows.append(
            slow_response.Mail(found.key[i], int(found.at[i]), bool(ours), sender, named, int(found.conversation[i]))
        )
    return rows


@given(st.lists(conversations(), max_size=30))
@settings(max_examples=200, deadline=None)
def test_turns_equal_the_twin(contacts):
    found = history(contacts)
    fast = asked_turns(found)
    rows = zip(
        (fast.by == Direction.OUT).tolist(),
        fast.key.tolist(),
        fast.asked_at.tolist(),
        fast.answered.tolist(),
        fast.answered_at.tolist(),
        fast.answerer.tolist(),
        strict=True,
    )
    slow = [
        (
            t.ours,
            t.key,
            t.asked_at,
            t.answer is not None,
            t.answer.at if t.answer else 0,
            t.answer.sender if t.answer else 0,
        )
        for t in slow_response.turns(slow_mails(found))
    ]
    assert sorted(slow) == sorted(rows)


@st.composite
def calendars(draw: st.DrawFn) -> WorkingCalendar:
    day = st.lists(st.integers(0, 96).map(lambda quarter: quarter * 15), min_size=0, max_size=4, unique=True).map(
        lambda bounds: tuple(zip(sorted(bounds)[::2], sorted(bounds)[1::2], strict=False))
    )
    week = tuple(draw(day) for _ in range(7))
    off = draw(
        st.sets(
            st.dates(min_value=np.datetime64("2026-01-01").item(), max_value=np.datetime64("2026-04-30").item()),
            max_size=3,
        )
    )
    return WorkingCalendar(draw(st.sampled_from(ZONES)), week, frozenset(day.isoformat() for day in off))


@given(
    calendars(),
    st.lists(st.tuples(st.integers(0, 120 * 24 * 60), st.integers(0, 35 * 24 * 60)), min_size=1, max_size=6),
)
@settings(max_examples=150, deadline=None)
def test_business_hours_equal_the_twin(calendar, spans):
    start = np.array([A - 75 * DAY + begin * 60 for begin, _ in spans])
    end = start + np.array([length * 60 for _, length in spans])
    slow = [slow_response.business_seconds(calendar, int(a), int(b)) for a, b in zip(start, end, strict=True)]
    assert slow == working_seconds(calendar, start, end).tolist()


@given(calendars(), st.integers(0, 300 * 24), st.integers(0, 30 * 24), st.integers(0, 30 * 24))
@settings(max_examples=60, deadline=None)
def test_business_hours_add_up(calendar, begin, first, second):
    """Two spans in a row are worked as long as the whole, at most its length."""
    bounds = A + np.cumsum([begin, first, second]) * HOUR
    one, two = working_seconds(calendar, bounds[:2], bounds[1:])
    whole = working_seconds(calendar, bounds[:1], bounds[2:])[0]
    assert whole == one + two
    assert 0 <= whole <= bounds[2] - bounds[0]
