"""A deal's figures at an earlier instant follow from what counts later: the same as deciding anew at that instant."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.columns import Entries
from shared.kpi.inclusion import include
from shared.kpi.windows import Window
from shared.similar_widget import deal_figures
from shared.snapshots import Computation
from tests.doubles.histories import DAY, A, Item, interactions
from tests.property.kpi.test_figures import PARAMETERS, RECORDS, histories

NOBODY: Any = None  # whose deal it is does not matter here


def computed(drawn: list[Item], record: str, as_of: int) -> Computation:
    facts, n = interactions(*drawn), len(drawn)
    entries = Entries(facts, np.ones(n, "u4"), np.zeros(n, "?"), np.full(n, "", dtype=object))
    inclusion = include(facts, RECORDS[record], as_of, PARAMETERS)
    return Computation(NOBODY, entries, inclusion, inclusion.history(), Window(0, as_of), PARAMETERS, {})


@settings(max_examples=200, deadline=None)
@given(histories, st.sampled_from(["deal", "closed deal"]), st.integers(0, 130 * DAY), st.data())
def test_figures_at_an_earlier_instant_are_those_decided_anew(
    drawn: list[Item], record: str, before: int, data: st.DataObject
) -> None:
    edges = [edge for item in drawn for edge in (item.at, item.end, item.end - 1) if edge <= A]
    instant = data.draw(st.sampled_from(edges)) if edges and before % 2 else A - before
    assert deal_figures(computed(drawn, record, instant)) == deal_figures(computed(drawn, record, A), instant)
