"""Similar won deals: the vectors 11-1 to 11-10 and the edges of the distance."""

from datetime import UTC, datetime

import numpy as np
import pytest

from shared.kpi.gower import CategoryField, Gower, NumberField
from shared.kpi.parameters import DAY
from shared.kpi.similar import (
    LIMIT,
    Deals,
    SimilarDealFinder,
    average,
    equal_age_instants,
    months_before,
    won_lately,
)

A = int(datetime(2026, 3, 15, 12, tzinfo=UTC).timestamp())
THIS, X, Y, Z, V, Q = range(6)


def codes(*values: str | None) -> np.ndarray:
    names = sorted({value for value in values if value is not None})
    return np.array([-1 if value is None else names.index(value) for value in values], np.int32)


def cast(amount_weight: float = 1.0) -> tuple[NumberField | CategoryField, ...]:
    """The six deals of the vectors; the first one is this deal."""
    return (
        NumberField("amount", np.array([5e4, 8e4, 5e4, 5e3, 5e5, np.nan]), amount_weight, amount=True),
        CategoryField("industry", codes("A", "A", "B", "B", "A", "A")),
        CategoryField("region", codes("EU", "EU", "EU", "US", None, None)),
        CategoryField("product", codes("P", "P", "P", "P", "P", "P")),
    )


def deals_of(fields, created=None, closed=None, won=None) -> Deals:
    n = len(fields[0].codes if isinstance(fields[0], CategoryField) else fields[0].values)
    return Deals(
        ids=np.arange(n),
        created=np.full(n, A - 100 * DAY) if created is None else np.array(created),
        closed=np.full(n, A - DAY) if closed is None else np.array(closed),
        won=np.ones(n, bool) if won is None else np.array(won),
        fields=tuple(fields),
    )


def twins(n: int, **columns) -> Deals:
    """This deal and n deals which are equal to it in every field."""
    same = np.zeros(n + 1, np.int32)
    return deals_of([CategoryField(name, same) for name in ("industry", "region", "product")], **columns)


@pytest.mark.parametrize(
    ("vector", "other", "distance", "is_similar"),
    [("11-1", X, 0.0255, True), ("11-2", Y, 0.25, True), ("11-3", Z, 0.625, False), ("11-4", V, 0.1667, True)],
)
def test_distance_of_the_vectors(vector, other, distance, is_similar):
    distances = Gower(cast(), np.arange(1, 6)).distances(THIS)
    assert round(float(distances[other - 1]), 4) == distance
    found = SimilarDealFinder(deals_of(cast()), np.arange(1, 6)).find(THIS)
    assert (other in found.nearest) is is_similar


@pytest.mark.parametrize(("vector", "other", "percent"), [("11-1", X, 97), ("11-2", Y, 75), ("11-4", V, 83)])
def test_percent_of_the_vectors(vector, other, percent):
    found = SimilarDealFinder(deals_of(cast()), np.arange(1, 6)).find(THIS)
    assert found.percent[found.nearest == other].tolist() == [percent]


def test_two_comparable_fields_are_too_few_11_5():
    assert np.isinf(Gower(cast(), np.arange(1, 6)).distances(THIS)[Q - 1])


def test_weights_count_11_6():
    distances = Gower(cast(amount_weight=2), np.arange(1, 6)).distances(THIS)
    assert [round(float(distances[other - 1]), 4) for other in (X, Y)] == [0.0408, 0.2]


@pytest.mark.parametrize(("n", "averaged"), [(9, None), (12, 12), (25, 20)])
def test_averages_are_over_at_most_twenty_11_7(n, averaged):
    # Closing one after the other makes the order, and with it the average of 1 ... n, known.
    closed = [A, *(A - DAY * k for k in range(1, n + 1))]
    found = SimilarDealFinder(twins(n, closed=closed), np.arange(1, n + 1)).find(0)
    mean = average(found, found.nearest.astype(float))
    assert n == found.n
    assert len(found.listed) == 5
    assert (averaged is None) is found.too_few
    assert averaged == (mean and mean.n)
    if averaged is not None:
        assert (averaged + 1) / 2 == mean.mean == mean.median


def test_equal_age_cuts_the_other_deal_at_this_deals_age_11_8():
    deals = twins(1, created=[A - 30 * DAY, A - 300 * DAY], closed=[A, A - 200 * DAY])
    mails = deals.created[1] + np.array([5, 20, 45]) * DAY
    (cut,) = equal_age_instants(deals, 0, np.array([1]), A)
    assert [np.count_nonzero(mails <= instant) for instant in (cut, deals.closed[1])] == [2, 3]


def test_equal_age_ends_at_closing_11_9():
    deals = twins(1, created=[A - 200 * DAY, A - 300 * DAY], closed=[A, A - 210 * DAY])
    assert equal_age_instants(deals, 0, np.array([1]), A).tolist() == [A - 210 * DAY]


def test_equal_age_of_a_deal_created_later_is_zero():
    deals = twins(1, created=[A + DAY, A - 300 * DAY])
    assert equal_age_instants(deals, 0, np.array([1]), A).tolist() == [A - 300 * DAY]


@pytest.mark.parametrize(
    ("closed", "expected"),
    [
        ("2024-03-14T12:00:00+00:00", False),  # 24 months and 1 day: 11-10
        ("2024-03-15T12:00:00+00:00", True),
        ("2026-03-15T12:00:00+00:00", True),
        ("2026-03-15T12:00:01+00:00", False),
    ],
)
def test_candidates_were_won_within_24_months_11_10(closed, expected):
    instant = int(datetime.fromisoformat(closed).timestamp())
    assert expected == (1 in won_lately(twins(1, closed=[A, instant], won=[False, True]), A))


def test_candidates_are_won_and_readable():
    deals = twins(3, won=[False, True, True, False])
    assert won_lately(deals, A).tolist() == [1, 2]
    assert won_lately(deals, A, readable=np.array([True, False, True, True])).tolist() == [2]


@pytest.mark.parametrize(
    ("as_of", "zone", "expected"),
    [
        ("2026-03-31T10:00:00+00:00", "UTC", "2026-02-28T10:00:00+00:00"),
        ("2026-03-30T22:30:00+00:00", "Europe/Berlin", "2026-02-27T23:30:00+00:00"),  # 31 March 00:30 -> 28 February
        ("2026-01-15T10:00:00+00:00", "UTC", "2025-12-15T10:00:00+00:00"),
    ],
)
def test_months_before_follows_the_local_calendar(as_of, zone, expected):
    instants = [int(datetime.fromisoformat(text).timestamp()) for text in (as_of, expected)]
    assert instants[1] == months_before(instants[0], 1, zone)


def test_ties_go_to_the_newer_closing_then_the_id():
    deals = twins(4, closed=[A, A - 3, A - 1, A - 2, A - 1])
    assert SimilarDealFinder(deals, np.arange(1, 5)).find(0).nearest.tolist() == [2, 4, 3, 1]


def test_a_won_deal_is_not_similar_to_itself():
    assert SimilarDealFinder(twins(1), np.arange(2)).find(0).nearest.tolist() == [1]


def test_no_candidate_gives_an_empty_answer():
    found = SimilarDealFinder(deals_of(cast()), np.array([], np.int64)).find(THIS)
    assert (found.n, len(found.nearest), found.too_few, average(found, np.array([]))) == (0, 0, True, None)


def test_comparable_fields_must_hold_half_of_the_weight():
    fields = [CategoryField(name, np.zeros(2, np.int32), 0.1) for name in ("a", "b", "c")]
    light = [*fields, CategoryField("d", np.array([0, -1], np.int32), 0.3)]
    heavy = [*fields, CategoryField("d", np.array([0, -1], np.int32), 0.31)]
    assert Gower(light, np.array([1])).distances(0).tolist() == [0.0]  # 0.1 + 0.1 + 0.1 is half of 0.6
    assert [np.inf] == Gower(heavy, np.array([1])).distances(0).tolist()


def test_the_limit_itself_is_similar():
    fields = [CategoryField(str(k), np.array([0, int(k < 7)], np.int32), 0.1) for k in range(20)]
    found = SimilarDealFinder(deals_of(fields), np.array([1])).find(0)
    assert (found.distances.tolist(), found.percent.tolist()) == ([LIMIT], [65])


def test_a_number_without_range_has_distance_0_and_huge_ones_are_missing():
    flat = NumberField("flat", np.array([7.0, 7.0, 7.0]))
    huge = NumberField("huge", np.array([1.0, np.inf, -1.7e308]))
    names = [CategoryField(name, np.zeros(3, np.int32)) for name in ("a", "b")]
    assert Gower([flat, huge, *names], np.array([1, 2])).distances(0).tolist() == [0.0, 0.0]


def test_the_range_includes_this_deal():
    size = NumberField("size", np.array([30.0, 10.0, 20.0]))
    names = [CategoryField(name, np.zeros(3, np.int32)) for name in ("a", "b")]
    assert Gower([size, *names], np.array([1, 2])).distances(0).tolist() == [0.333333333, 0.166666667]


def test_a_field_of_weight_0_is_not_chosen():
    fields = [CategoryField(name, np.zeros(2, np.int32)) for name in ("a", "b")]
    assert [np.inf] == Gower([*fields, CategoryField("c", np.zeros(2, np.int32), 0)], np.array([1])).distances(
        0
    ).tolist()


@pytest.mark.parametrize("weight", [-1.0, np.nan, np.inf, 0.0])
def test_weights_that_mean_nothing_are_refused(weight):
    with pytest.raises(ValueError, match="weight"):
        Gower([CategoryField("a", np.zeros(1, np.int32), weight)], np.array([0]))


def test_fields_are_named_as_matched_differing_or_missing():
    finder = SimilarDealFinder(deals_of(cast()), np.arange(1, 6))
    comparison = finder.compare_fields(THIS, V)
    assert (
        comparison.matched,
        comparison.differing,
        comparison.missing,
    ) == (("industry", "product"), ("amount",), ("region",))
    assert finder.compare_fields(THIS, X).matched == ("amount", "industry", "region", "product")


def test_null_figures_are_left_out_of_the_average():
    found = SimilarDealFinder(twins(10), np.arange(1, 11)).find(0)
    mean = average(found, np.array([1.0, 2.0, 6.0] + [np.nan] * 7))
    assert (mean.n, mean.mean, mean.median) == (3, 3.0, 2.0)
    assert average(found, np.full(10, np.nan)) is None
