"""Vectors 8-20 to 8-22, and what trend says without enough contact."""

from __future__ import annotations

import pytest

from shared.kpi.parameters import DAY, Parameters
from shared.kpi.trend import Trend, differences, trend, trend_of
from tests.doubles.ages import A, aged, both, history, mail_in, weeks

P = Parameters()
WALKS = {
    "8-20a": ([0.0] * 12 + [5.0, 5.0], Trend.IMPROVING),
    "8-20b": ([0.0] * 13 + [6.0], Trend.STEADY),
    "8-20c": ([0.0] * 12 + [4.9, 5.0], Trend.STEADY),
    "8-21a": ([6.0] * 10 + [3.0] * 4, Trend.IMPROVING),
    "8-21b": ([6.0] * 10 + [3.0, 1.0, 3.0, 3.0], Trend.STEADY),
    "8-22a": ([0.0] * 11 + [-6.0, -7.0, -4.0], Trend.DECLINING),
    "8-22b": ([6.0] * 7 + [-6.0] * 7, Trend.DECLINING),
    "8-22c": ([6.0] * 12 + [-6.0, 6.0], Trend.STEADY),
    "insufficient at the end": ([6.0] * 13 + [None], Trend.NOT_ENOUGH),
    "a gap parts the pair": ([0.0] * 11 + [6.0, None, 6.0], Trend.STEADY),
    "a gap resets": ([6.0] * 10 + [None, 3.0, 3.0, 3.0], Trend.STEADY),
}


@pytest.mark.parametrize(("deltas", "expected"), WALKS.values(), ids=WALKS)
def test_walk(deltas, expected):
    assert expected == trend_of(deltas)


def test_steady_contact_is_steady_and_silence_declines():
    assert trend(history(weeks()), P) == Trend.STEADY
    assert trend(history(weeks(30)), P) == Trend.DECLINING


def test_new_life_improves():
    assert trend(history([*weeks(100), *both([1, 4, 8, 12, 15, 20, 24])]), P) == Trend.IMPROVING


def test_insufficient_28_days_before_says_not_enough():
    assert trend(history(both([1, 8, 15, 41])), P) == Trend.NOT_ENOUGH
    assert trend(history(both([1, 8, 40, 42])), P) != Trend.NOT_ENOUGH


def test_trend_of_nothing_is_not_enough():
    assert trend(history([]), P) == Trend.NOT_ENOUGH
    assert differences(history([]), P, A) == (None,) * 14


def test_earlier_instant_equals_history_of_that_instant():
    later = history([*aged(weeks(), 50), mail_in(1)])
    then = history(weeks(), as_of=A - 50 * DAY)
    assert differences(then, P, then.as_of) == differences(later, P, A - 50 * DAY)
