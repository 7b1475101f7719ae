"""The benchmark compares like with like: core, polars and pandas give the same numbers."""

from __future__ import annotations

import pytest

from bench.kpi_core import PARAMETERS, comparable, core, with_pandas, with_polars
from bench.kpi_data import AS_OF, record
from shared.kpi.inclusion import include


@pytest.mark.parametrize("size", [100, 3000])
def test_three_ways_give_the_same_numbers(size: int) -> None:
    facts, membership = record(size, seed=size)
    history = include(facts, membership, AS_OF, PARAMETERS).history()
    ours = comparable(core(history))
    assert with_polars(history)() == ours
    assert with_pandas(history)() == ours
    assert sum(ours[0][:6]) > size / 10
