"""Vectors 8-1 to 8-19 and 8-23 to 8-25, and the edges around them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.kpi.health import Grade, State, health, score_int, state_of_score
from shared.kpi.interactions import RecordType
from shared.kpi.parameters import DAY, Parameters, Weights
from shared.kpi.rhythm import Alarm, rhythm
from shared.kpi.trend import Trend, trend
from tests.doubles import histories
from tests.doubles.ages import (
    KIM,
    LEE,
    MAX,
    PAT,
    QUIN,
    A,
    aged,
    both,
    call_in,
    history,
    mail_in,
    mail_out,
    meeting,
    weeks,
)

P = Parameters()
MONTHLY = both(range(5, 336, 30))
X = [mail_out(2), mail_in(5), meeting(9), call_in(20), mail_out(33), mail_in(40)]

SCORES = {
    "8-1": (weeks(), P, [30.0, 40.0, 18.6, 10.0], 98.6, State.GOOD),
    "8-2": ([c for c in weeks() if not c.sign], P, [30.0, 0.0, 14.8, 10.0], 54.8, State.FAIR),
    "8-3": (weeks(30), P, [21.6, 28.8, 17.2, 4.5], 72.1, State.GOOD),
    "8-4": (weeks(61), P, [15.6, 20.8, 14.9, 0.0], 51.3, State.FAIR),
    "8-5": (weeks(61), replace(P, half_life_days=30.0), [8.2, 11.0, 9.8, 0.0], 29.0, State.POOR),
    "8-6": (weeks(120), P, [7.5, 10.0, 9.9, 0.0], 27.4, State.POOR),
    "8-7": (MONTHLY, P, [7.8, 10.4, 10.1, 10.0], 38.3, State.POOR),
    "8-8": (MONTHLY, replace(P, frequency="monthly"), [30.0, 40.0, 18.5, 10.0], 98.5, State.GOOD),
    "8-9": (both([1, 8, 15]), P, [10.4, 13.9, 12.2, 10.0], 46.5, State.FAIR),
    "8-10": ([meeting(age) for age in range(3, 53, 7)], P, [23.0, 30.7, 19.1, 10.0], 82.8, State.GOOD),
    "8-11": ([mail_in(2), mail_out(9), mail_in(16), mail_out(23)], P, [13.3, 9.3, 9.1, 10.0], 41.7, State.FAIR),
    "8-12": (X, P, [15.6, 17.2, 14.6, 10.0], 57.4, State.FAIR),
    "8-13": (
        both(half + 0.5 for half in range(30)),
        replace(P, frequency="daily"),
        [30.0, 40.0, 18.7, 10.0],
        98.7,
        State.GOOD,
    ),
}


@pytest.mark.parametrize(("contacts", "parameters", "parts", "score", "state"), SCORES.values(), ids=SCORES)
def test_score_and_contributions(contacts, parameters, parts, score, state):
    result = health(history(contacts), parameters)
    assert parts == [part.score for part in result.contributions]
    assert (score, state) == (result.score, result.state)


def test_score_int_of_vector_8_9_is_47():
    assert health(history(both([1, 8, 15])), P).score_int == 47


@pytest.mark.parametrize(
    ("people", "breadth", "total"), [(1, 0.0, 88.8), (2, 5.0, 93.8), (3, 10.0, 98.8), (5, 10.0, 98.8)]
)
def test_breadth_vector_8_14(people, breadth, total):
    """W with the mails of them spread over B people, all of whom wrote in the last 90 days."""
    writers = [KIM, LEE, MAX, PAT, QUIN][:people]
    theirs = [mail_in(3 + 7 * week, sender=writers[week % people]) for week in range(52)]
    ours = [mail_out(3 + 7 * week) for week in range(52)]
    result = health(history(ours + theirs, record=RecordType.OPPORTUNITY), P)
    assert [27.0, 36.0, 16.8, 9.0, breadth] == [part.score for part in result.contributions]
    assert total == result.score
    assert tuple(writers) == result.evidence.signers


def test_breadth_counts_senders_of_mails_and_all_who_met():
    contacts = [
        mail_in(89.9, sender=KIM),
        mail_in(90, sender=PAT),
        mail_out(2, to=[QUIN]),
        meeting(5, theirs=[LEE, MAX]),
    ]
    result = health(history(contacts, record=RecordType.ACCOUNT), P)
    assert result.evidence.signers == (KIM, LEE, MAX)


def test_states_without_a_score_vector_8_15():
    assert health(history(both([20])), P).state == State.NOT_ENOUGH
    nothing = health(history([]), P)
    assert (
        nothing.state,
        nothing.score,
        nothing.score_int,
        nothing.contributions,
    ) == (State.NO_CLOSED_ACTIVITIES, None, None, ())
    assert nothing.grade == Grade.INSUFFICIENT


@pytest.mark.parametrize(("oldest", "graded"), [(14 - 1 / DAY, False), (14.0, True)])
def test_history_of_two_weeks_vector_8_16(oldest, graded):
    result = health(history([mail_out(1), mail_in(2), mail_out(3), mail_in(oldest)]), P)
    assert graded == (result.score is not None)
    assert graded == (result.state != State.NOT_ENOUGH)


@pytest.mark.parametrize(
    ("score", "state", "whole"), [(59.5, State.GOOD, 60), (59.4, State.FAIR, 59), (39.5, State.FAIR, 40)]
)
def test_limits_apply_to_the_whole_number_vector_8_17(score, state, whole):
    assert (state, whole) == (state_of_score(score, P), score_int(score))


def test_closed_record_keeps_its_last_score_vector_8_18():
    closed = A - 14 * DAY
    after = [mail_in(2)]
    result = health(history([*aged(weeks(), 14), *after], record=RecordType.OPPORTUNITY, closed=closed), P)
    then = health(history(weeks(), as_of=closed, record=RecordType.OPPORTUNITY), P)
    assert result.frozen and not then.frozen
    assert (then.score, then.contributions, closed) == (result.score, result.contributions, result.as_of)
    assert trend(history(weeks(), closed=closed), P) == Trend.NOT_APPLICABLE


def test_account_counts_one_interaction_once_vector_8_19():
    """3-6: the account counts one mail through kim, lee, max and O."""
    item = histories.email("2026-03-02T09:00Z", "anna", to=["kim", "lee", "max"], regarding=["O"])
    result = health(histories.history(item, of=histories.account()), P)
    assert result.evidence.interactions == 1


@pytest.mark.parametrize(
    ("ages", "ratio", "alarm"),
    [
        ([30, 37, 44, 51], 4.29, Alarm.COOLING),
        ([61, 68, 75, 82], 8.71, Alarm.PROBABLY_LOST),
        ([9, 10, 11, 12], 4.5, Alarm.COOLING),
        ([7, 8, 9, 10], 3.5, Alarm.NONE),
        ([60, 90, 120], 8.57, None),
    ],
    ids=["8-23a", "8-23b", "8-24a", "8-24b", "8-25"],
)
def test_alarm(ages, ratio, alarm):
    result = rhythm(history([mail_out(age) for age in ages]), P)
    assert (ratio, alarm) == (result.ratio, result.alarm)


def test_alarm_of_no_interaction_cannot_be_said():
    result = rhythm(history([]), P)
    assert (
        result.active_days,
        result.usual_gap_days,
        result.silence_days,
        result.ratio,
        result.alarm,
    ) == (0, None, None, None, None)


def test_two_year_rule_only_where_it_is_on():
    created = A - 731 * DAY
    assert health(history(weeks()), P, created=created).state == State.GOOD
    ruled = replace(P, two_year_rule=True)
    assert health(history(weeks()), ruled, created=created).state == State.OLDER_THAN_TWO_YEARS
    assert health(history(weeks()), ruled, created=A - 730 * DAY).state == State.GOOD
    assert trend(history(weeks()), ruled, created=created) == Trend.NOT_ENOUGH


def test_meeting_counts_from_its_end():
    contacts = [*both([20, 27]), meeting(1 / 24, hours=2)]
    assert health(history(contacts), P).evidence.interactions == 4
    assert health(history([*both([20, 27]), meeting(1 / 24, hours=1)]), P).evidence.interactions == 5


def test_interactions_older_than_730_days_are_forgotten():
    assert health(history(both([729.999])), P).evidence.interactions == 2
    assert health(history(both([730])), P).evidence.interactions == 0


def test_kinds_without_weight_do_not_exist():
    parameters = replace(P, weights=Weights(email=0.0))
    assert health(history([*weeks(), meeting(3)]), parameters).evidence.interactions == 1


def test_later_instant_than_the_history_is_refused():
    with pytest.raises(ValueError, match="after the history's own"):
        health(history(weeks()), P, as_of=A + 1)


def test_evidence_of_vector_8_9():
    evidence = health(history(both([1, 8, 15])), P).evidence
    assert (evidence.interactions, evidence.signs_from_them, evidence.frequency_days) == (6, 3, 7)
    assert (evidence.periods, evidence.periods_met, evidence.periods_met_by_them) == (12, 3, 3)
    assert (evidence.decayed, evidence.expected) == (5.48, 7.99)


def test_influences_name_the_newest_sign_first():
    """In 8-9 each mail of theirs is the only sign of its week; the newest week is worth most."""
    found = health(history(both([1, 8, 15])), P).evidence.influences
    assert [influence.at for influence in found[:3]] == [A - DAY, A - 8 * DAY, A - 15 * DAY]
    assert len(found) == 5
    assert [influence.points for influence in found[:3]] == [6.4, 5.9, 5.5]


def test_influences_of_nothing_are_none():
    assert health(history([]), P).evidence.influences == ()
