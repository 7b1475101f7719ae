"""The column form of similar deals agrees with the pair-by-pair form, and keeps its promises on random deals."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.kpi.gower import CategoryField, Gower, NumberField
from shared.kpi.similar import LIMIT, LISTED, NEAREST, Deals, SimilarDealFinder, equal_age_instants
from tests.doubles.slow_similar import Field, slow_distance, slow_similar

weights = st.sampled_from([0.1, 0.5, 1.0, 2.0, 3.0])
texts = st.one_of(st.none(), st.sampled_from("abc"))
numbers = st.one_of(st.none(), st.integers(-3, 12).map(float), st.floats(-1e6, 1e6, width=32))


@st.composite
def tables(draw) -> tuple[list[Field], list[int], list[int], list[int]]:
    """Fields, candidates, closings and ids of up to 40 deals; the first one is this deal."""
    n = draw(st.integers(1, 40))
    fields = []
    for _ in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(["category", "number", "amount"]))
        values = draw(st.lists(texts if kind == "category" else numbers, min_size=n, max_size=n))
        fields.append(Field(draw(weights), values, kind == "amount"))
    candidates = sorted(draw(st.sets(st.integers(0, n - 1))))
    closed = draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    ids = draw(st.permutations(range(n)))
    return fields, candidates, closed, ids


def column(number: int, field: Field) -> CategoryField | NumberField:
    if any(isinstance(value, str) for value in field.values):
        codes = [-1 if value is None else "abc".index(value) for value in field.values]
        return CategoryField(str(number), np.array(codes, np.int32), field.weight)
    values = np.array([np.nan if value is None else value for value in field.values])
    return NumberField(str(number), values, field.weight, field.amount)


def deals(fields, closed, ids) -> Deals:
    columns = tuple(column(number, field) for number, field in enumerate(fields))
    n = len(closed)
    return Deals(np.array(ids), np.zeros(n, np.int64), np.array(closed, np.int64), np.ones(n, bool), columns)


@given(tables())
def test_distances_agree_with_the_slow_form(table):
    fields, candidates, closed, ids = table
    found = Gower(deals(fields, closed, ids).fields, np.array(candidates, np.int64)).distances(0)
    for other, distance in zip(candidates, found.tolist(), strict=True):
        expected = None if other == 0 else slow_distance(fields, 0, other, candidates)
        assert (np.inf if expected is None else expected) == distance or abs(expected - distance) < 2e-9


@given(tables())
def test_similar_deals_agree_with_the_slow_form(table):
    fields, candidates, closed, ids = table
    found = SimilarDealFinder(deals(fields, closed, ids), np.array(candidates, np.int64)).find(0)
    expected = slow_similar(fields, 0, candidates, closed, ids)
    if any(abs(distance - LIMIT) < 2e-9 for _, distance in expected):
        return  # the last of nine decimals may fall on either side
    assert found.n == len(expected)
    assert np.allclose(found.distances, [distance for _, distance in expected[:NEAREST]], atol=2e-9)
    gaps = [b[1] - a[1] for a, b in itertools.pairwise(expected)]
    if all(gap == 0 or gap > 4e-9 for gap in gaps):
        assert found.nearest.tolist() == [other for other, _ in expected[:NEAREST]]


@given(tables(), st.randoms(use_true_random=False))
def test_the_order_of_the_candidates_changes_nothing(table, random):
    fields, candidates, closed, ids = table
    shuffled = random.sample(candidates, len(candidates))
    one, other = (
        SimilarDealFinder(deals(fields, closed, ids), np.array(rows, np.int64)).find(0)
        for rows in (candidates, shuffled)
    )
    assert (one.n, one.nearest.tolist(), one.distances.tolist()) == (
        other.n,
        other.nearest.tolist(),
        other.distances.tolist(),
    )


@given(tables())
def test_ranges(table):
    fields, candidates, closed, ids = table
    found = SimilarDealFinder(deals(fields, closed, ids), np.array(candidates, np.int64)).find(0)
    assert 0 not in found.nearest
    assert len(found.nearest) == min(NEAREST, found.n) >= len(found.listed) == min(LISTED, found.n)
    assert ((found.distances >= 0) & (found.distances <= LIMIT)).all()
    assert ((found.percent >= 65) & (found.percent <= 100)).all()
    assert (np.diff(found.distances) >= 0).all()


@settings(max_examples=50)
@given(st.integers(0, 10**6), st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), max_size=20))
def test_equal_age_lies_between_creation_and_closing(age, spans):
    created = np.array([0] + [start for start, _ in spans], np.int64)
    closed = created + np.array([0] + [length for _, length in spans], np.int64)
    table = Deals(np.arange(len(created)), created, closed, np.ones(len(created), bool), ())
    others = np.arange(1, len(created))
    cuts = equal_age_instants(table, 0, others, age)
    assert ((created[others] <= cuts) & (cuts <= closed[others]) & (cuts - created[others] <= age)).all()
