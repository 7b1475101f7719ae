"""Edges of time and of people: what docs/kpis.md states of each, on all widgets of a record."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.kpi.interactions import Reason
from shared.kpi.parameters import Parameters
from shared.snapshots import snapshot
from shared.widgets import Widgets
from tests.doubles.computations import computed, entries_of
from tests.doubles.histories import BERLIN, DAY, A, Item, World, email, instant, meeting

HOUR = 3_600


def at(when: str, *items: Item, parameters: Parameters = BERLIN) -> Widgets:
    """All widgets of contact kim at an instant."""
    moment = instant(when)
    return snapshot(computed(entries_of(items), parameters, as_of=moment), moment, moment, 1).widgets


@pytest.mark.parametrize(
    ("day", "first", "hours", "later"),
    [
        ("2026-03-29", "2026-03-28T23:00Z", 23, "2026-04-02T12:00Z"),
        ("2026-10-25", "2026-10-24T22:00Z", 25, "2026-10-29T12:00Z"),
    ],
)
def test_a_day_on_which_the_clock_changes_has_its_own_number_of_hours(
    day: str, first: str, hours: int, later: str
) -> None:
    mails = [email(instant(first) + hour * HOUR, "kim", ["anna"]) for hour in range(-1, hours + 1)]
    found = at(later, *mails)
    counts = {one.date: one.emails_received for one in found.relationship_activities.days}
    assert (len(counts), counts[day], found.volumes.emails_received) == (60, hours, hours + 2)
    assert sum(counts.values()) == hours + 2


def test_what_if_looks_at_friday_five_o_clock_of_the_wall_across_a_clock_change() -> None:
    weekly = [email(A + (4 - 7 * week) * DAY, "kim", ["anna"]) for week in range(12)]
    targets = [at(when, *weekly).health.counterfactuals for when in ("2026-03-24T12:00Z", "2026-03-28T12:00Z")]
    assert [one.target for one in targets if one] == ["2026-03-27T16:00:00Z", "2026-04-03T15:00:00Z"]


def test_a_leap_day_is_a_day_like_others() -> None:
    leap = email("2028-02-29T10:00Z", "kim", ["anna"])
    found = at("2028-03-01T12:00Z", leap, email("2028-02-28T10:00Z", "kim", ["anna"]))
    assert [(one.date, one.emails_received) for one in found.relationship_activities.days][-3:] == [
        ("2028-02-28", 1), ("2028-02-29", 1), ("2028-03-01", 0),
    ]  # fmt: skip
    for days, counted in ((365, 0), (366, 1)):  # the 366 dates that end with 28 February 2029 begin with the leap day
        year = replace(BERLIN, window_days=days)
        assert at("2029-02-28T12:00Z", leap, parameters=year).volumes.emails_received == counted


def test_an_empty_history_has_zeros_where_nothing_was_and_nulls_where_nothing_can_be_said() -> None:
    found = at("2026-03-15T12:00Z")
    volumes, health, response = found.volumes, found.health, found.response_time
    assert {getattr(volumes, name) for name in volumes.__struct_fields__} == {0}
    assert (found.time_spent.our_hours, found.time_spent.their_hours) == (0.0, 0.0)
    assert (found.sent_received_ratio.by_them, found.sent_received_ratio.by_us) == (None, None)
    assert (health.score, health.state, health.trend, health.alarm, health.evidence.silence_days) == (
        None,
        4,
        3,
        None,
        None,
    )
    assert (response.by_us.hours, response.by_us.response_rate, response.by_them.hours) == (None, None, None)
    assert (response.waiting_for_us.count, response.waiting_for_us.oldest_business_hours) == (0, None)
    assert (found.email_engagement.open_rate, found.cover_risk.ours.largest, found.cover_risk.if_leaves) == (None,) * 3
    assert (found.last_interaction.last, found.next_interaction.scheduled) == (None, False)
    assert (found.summary.sentences, found.summary.reason) == ([], "insufficient")
    assert sum(one.emails_received for one in found.relationship_activities.days) == 0


def weekly(outgoing: bool) -> list[Item]:
    """A mail a week for a year, the last one three days ago, each a conversation of its own."""
    ages = range(3, 364, 7)
    if outgoing:
        return [email(A - age * DAY, "anna", ["kim"], conversation=f"c{age}") for age in ages]
    return [email(A - age * DAY, "kim", ["anna"], conversation=f"c{age}") for age in ages]


def test_a_history_of_our_mails_alone_earns_nothing_for_their_rhythm() -> None:
    found = at("2026-03-15T12:00Z", *weekly(outgoing=True))
    parts = {part.name: part.score for part in found.health.contributions}
    assert (found.health.score, parts["rhythm"], parts["theirRhythm"]) == (54.8, 30.0, 0.0)
    assert (found.sent_received_ratio.by_them, found.sent_received_ratio.by_us) == (0.0, None)
    assert (found.response_time.by_us.hours, found.response_time.by_us.response_rate) == (None, None)
    assert (found.response_time.by_them.hours, found.response_time.by_them.response_rate) == (None, 0.0)
    assert found.response_time.by_them.answerable == 50  # the two mails younger than 14 days may still be answered
    assert found.response_time.waiting_for_us.count == 0


def test_a_history_of_their_mails_alone_waits_for_us() -> None:
    found = at("2026-03-15T12:00Z", *weekly(outgoing=False))
    parts = {part.name: part.score for part in found.health.contributions}
    assert (parts["rhythm"], parts["theirRhythm"]) == (30.0, 40.0)
    assert (found.sent_received_ratio.by_them, found.sent_received_ratio.by_us) == (None, 0.0)
    assert (found.response_time.by_us.hours, found.response_time.by_us.response_rate) == (None, 0.0)
    assert found.response_time.waiting_for_us.count == 4  # of the last 30 days
    assert found.summary.sentences[0].id.startswith("summary.waiting")


def test_a_hundred_thousand_mails_of_one_day_are_one_day_of_contact() -> None:
    start = instant("2026-02-23T08:00Z")  # twenty days ago
    pairs = (("anna", ["kim"]), ("kim", ["anna"]))
    found = at("2026-03-15T12:00Z", *(email(start + n % 10_000, *pairs[n % 2]) for n in range(100_000)))
    parts = {part.name: part.score for part in found.health.contributions}
    assert (found.volumes.emails_sent, found.volumes.emails_received) == (50_000, 50_000)
    assert [one.emails_sent for one in found.relationship_activities.days if one.emails_sent] == [50_000]
    assert (found.time_spent.our_hours, found.most_contacted.people[0].number) == (6250.0, 100_000)
    assert parts == {"rhythm": 3.2, "theirRhythm": 4.3, "volume": 20.0, "recency": 7.4}
    assert (found.health.score, found.health.evidence.active_days, found.health.alarm) == (34.9, 1, None)
    assert found.health.grade == "poor"


@pytest.mark.parametrize(
    ("when", "meetings", "current"),
    [
        ("2026-03-09T22:29Z", 0, False),
        ("2026-03-09T23:30Z", 0, True),
        ("2026-03-10T00:29Z", 0, True),
        ("2026-03-10T00:30Z", 1, False),
    ],
)
def test_a_meeting_across_midnight_counts_from_its_end_on_the_day_of_its_start(
    when: str, meetings: int, current: bool
) -> None:
    """23:30 on 9 March to 01:30 on 10 March in Berlin."""
    late = meeting("2026-03-09T22:30Z", "anna", ["kim"], minutes=120)
    found = at(when, late)
    assert (found.volumes.meetings_sent, found.last_interaction.current is not None) == (meetings, current)
    assert found.time_spent.face_minutes == 120.0 * meetings
    days = {one.date: one.meetings_sent for one in found.relationship_activities.days if one.meetings_sent}
    assert days == ({"2026-03-09": 1} if meetings else {})


def test_who_is_in_both_camps_is_ours() -> None:
    """Ben is one of ours and, with the same address, a contact: mail among us stays among us."""
    world = World()
    mails = [email(A - 2 * DAY, "anna", ["ben"]), email(A - DAY, "anna", ["ben", "kim"])]
    ben, kim = (computed(entries_of(mails), of=world.contact(name)) for name in ("ben", "kim"))
    assert ben.inclusion.reason.tolist() == [Reason.INTERNAL_ONLY, Reason.NO_PERSON_OF_INTEREST]
    assert kim.inclusion.reason.tolist() == [Reason.INTERNAL_ONLY, Reason.PARTICIPANTS]
    found = snapshot(kim, A, A, 1).widgets
    assert [one.number for one in found.most_contacted.people] == [1]
    assert found.most_contacted_by.total == 2


def test_a_colleague_who_writes_from_a_customers_domain_is_one_of_ours() -> None:
    """His address is a user's, his domain theirs: the address decides."""
    world = World(aliases={"ben.old@cust.example": "ben"})
    sent = email(A - DAY, "ben.old@cust.example", ["kim"])
    found = computed(entries_of([sent]), of=world.contact("kim"))
    assert snapshot(found, A, A, 1).widgets.volumes.emails_sent == 1
