"""Measures of a score, against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.kpi.ranking import (
    area_difference,
    area_under_roc,
    average_precision,
    brier,
    calibration_error,
    fit_logistic,
)


def arrays(pairs):
    return np.array([score for score, _ in pairs], dtype=float), np.array([alive for _, alive in pairs], dtype=bool)


scored = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=40).filter(
    lambda pairs: 0 < sum(alive for _, alive in pairs) < len(pairs)
)


@given(scored)
@settings(deadline=None)
def test_area_is_the_share_of_pairs_in_the_right_order(pairs):
    alive = [score for score, positive in pairs if positive]
    ended = [score for score, positive in pairs if not positive]
    right = sum((a > b) + 0.5 * (a == b) for a in alive for b in ended)
    assert area_under_roc(*arrays(pairs)) == pytest.approx(right / (len(alive) * len(ended)))


@given(scored)
@settings(deadline=None)
def test_average_precision_is_the_mean_precision_at_each_positive(pairs):
    scores, alive = arrays(pairs)
    by_hand = [alive[scores >= score].mean() for score in scores[alive]]
    assert average_precision(scores, alive) == pytest.approx(np.mean(by_hand))


def test_one_kind_alone_has_no_curve():
    with pytest.raises(ValueError, match="positives and negatives"):
        area_under_roc(np.array([1.0, 2.0]), np.array([True, True]))
    with pytest.raises(ValueError, match="needs positives"):
        average_precision(np.array([1.0]), np.array([False]))


def test_logistic_fit_finds_the_curve_it_was_drawn_from():
    random = np.random.default_rng(7)
    scores = random.normal(50, 20, 20_000)
    truth = 1 / (1 + np.exp(-(scores - 60) / 10))
    alive = random.random(20_000) < truth
    foretold = fit_logistic(scores, alive).probability(scores)
    assert np.abs(foretold - truth).max() < 0.02
    assert calibration_error(foretold, alive) < 0.01
    assert brier(foretold, alive) == pytest.approx((truth * (1 - truth)).mean(), abs=0.005)


def test_logistic_fit_survives_separation_and_constant_scores():
    apart = fit_logistic(np.array([1.0, 2.0, 3.0, 4.0]), np.array([False, False, True, True]))
    assert apart.probability(np.array([1.0, 4.0])) == pytest.approx([0.0, 1.0], abs=1e-3)
    flat = fit_logistic(np.full(4, 5.0), np.array([True, False, False, False]))
    assert flat.probability(np.array([5.0]))[0] == pytest.approx(0.25, abs=1e-4)


def test_calibration_error_of_a_constant_is_its_distance_from_the_base_rate():
    assert calibration_error(np.full(10, 0.9), np.arange(10) < 5, groups=1) == pytest.approx(0.4)


def test_difference_of_areas_is_that_of_all_pairs_and_its_error_that_of_delong():
    random = np.random.default_rng(3)
    alive = random.random(60) < 0.4
    first, second = random.integers(0, 9, 60) + 2.0 * alive, random.integers(0, 9, 60) + 1.0 * alive

    def wins(scores, high, low):
        return (scores[high] > scores[low]) + 0.5 * (scores[high] == scores[low])

    positives, negatives = np.flatnonzero(alive), np.flatnonzero(~alive)
    pairs = np.array([[wins(first, h, n) - wins(second, h, n) for n in negatives] for h in positives])
    variance = pairs.mean(axis=1).var(ddof=1) / len(positives) + pairs.mean(axis=0).var(ddof=1) / len(negatives)
    difference, error = area_difference(first, second, alive)
    assert difference == pytest.approx(pairs.mean())
    assert difference == pytest.approx(area_under_roc(first, alive) - area_under_roc(second, alive))
    assert error == pytest.approx(variance**0.5)
    assert area_difference(first, first, alive) == (0.0, 0.0)


def test_difference_of_areas_needs_two_of_either():
    with pytest.raises(ValueError, match="two positives and two negatives"):
        area_difference(np.arange(4.0), np.arange(4.0), np.array([True, False, False, False]))
