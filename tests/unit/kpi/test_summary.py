"""The vectors 13-1, 13-2 and 13-6, and the order of the sentences. Plural forms are tested with the catalogues."""

from __future__ import annotations

import pytest

from shared.kpi.rhythm import Alarm
from shared.kpi.summary import Facts, Subjects, summary

ALL = Subjects(meetings=5, hours=10, open_rate=0.4, response_hours=2.0, response_rate=0.9)
LESS = Subjects(meetings=2, hours=12.4, open_rate=0.444, response_hours=2.04, response_rate=0.8)


def said(facts: Facts) -> list[tuple[str, dict]]:
    return [(message.id, dict(message.parameters)) for message in summary(facts).messages]


def test_13_1_more_meetings_than_the_customer():
    facts = Facts(ours=Subjects(meetings=5), theirs=Subjects(meetings=2))
    assert said(facts) == [("summary.meetings.more", {"n": 3, "other": "customer"})]


def test_13_2_similar_deals_are_rounded_before_comparing():
    facts = Facts(
        ours=Subjects(meetings=5), theirs=Subjects(meetings=1), similar=Subjects(meetings=4.5), similar_number=10
    )
    assert said(facts) == [("summary.meetings.equal", {"n": 0, "other": "similar"})]


def test_13_6_nothing_known():
    found = summary(Facts())
    assert (found.messages, found.reason) == ((), "insufficient")


def test_subjects_in_order_with_their_digits():
    assert said(Facts(ours=ALL, similar=LESS, similar_number=12)) == [
        ("summary.meetings.more", {"n": 3, "other": "similar"}),
        ("summary.hours.fewer", {"n": 2, "other": "similar"}),
        ("summary.openRate.fewer", {"n": 4, "other": "similar"}),
        ("summary.responseHours.equal", {"n": 0, "other": "similar"}),
        ("summary.responseRate.more", {"n": 10, "other": "similar"}),
    ]


def test_response_hours_keep_one_decimal():
    facts = Facts(ours=Subjects(response_hours=3.46), theirs=Subjects(response_hours=2.0))
    assert said(facts) == [("summary.responseHours.more", {"n": 1.5, "other": "customer"})]


def test_nine_similar_deals_are_too_few():
    facts = Facts(
        ours=Subjects(meetings=5), theirs=Subjects(meetings=5), similar=Subjects(meetings=1), similar_number=9
    )
    assert said(facts) == [("summary.meetings.equal", {"n": 0, "other": "customer"})]


def test_two_alarms_at_most_and_five_sentences():
    facts = Facts(
        ours=ALL,
        similar=LESS,
        similar_number=10,
        alarm=Alarm.COOLING,
        silence_days=30.9,
        waiting=2,
        waiting_business_hours=7.0,
        single_thread_share=0.7333,
    )
    ids = [id for id, _ in said(facts)]
    assert ids == [
        "summary.cooling",
        "summary.waiting",
        "summary.meetings.more",
        "summary.hours.fewer",
        "summary.openRate.fewer",
    ]
    assert said(facts)[:2] == [("summary.cooling", {"n": 30}), ("summary.waiting", {"n": 2, "hours": 7})]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts(alarm=Alarm.PROBABLY_LOST, silence_days=61.0), ("summary.probablyLost", {"n": 61})),
        (Facts(single_thread_share=0.7333), ("summary.singleThread", {"n": 73})),
        (Facts(alarm=Alarm.NONE, silence_days=1.0, single_thread_share=1.0), ("summary.singleThread", {"n": 100})),
    ],
)
def test_alarms_one_by_one(facts, expected):
    assert said(facts) == [expected]


def test_an_unknown_side_is_left_out():
    assert said(Facts(ours=ALL, theirs=Subjects(hours=1))) == [("summary.hours.more", {"n": 9, "other": "customer"})]
