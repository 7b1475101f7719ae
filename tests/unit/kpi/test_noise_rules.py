"""Signs of noise, and the rules that decide which of them count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shared.kpi.interactions import Flag, Interactions
from shared.kpi.noise import EVERY_SIGN, Sign, is_automatic, is_bulk

FLAGS = [
    Sign.LIST_ID | Flag.BULK,
    Sign.LIST_ID | Sign.PRECEDENCE | Flag.BULK,
    Sign.SENDER | Flag.AUTOMATIC,
    Flag.BULK | Flag.AUTOMATIC,  # a copy that tells its verdict alone
    Flag.COMPLETED,
]


@pytest.mark.parametrize(
    ("off", "automatic", "bulk"),
    [
        (0, [0, 0, 1, 1, 0], [1, 1, 0, 1, 0]),
        (Sign.LIST_ID, [0, 0, 1, 1, 0], [0, 1, 0, 1, 0]),
        (Sign.LIST_ID | Sign.PRECEDENCE, [0, 0, 1, 1, 0], [0, 0, 0, 1, 0]),
        (Sign.SENDER, [0, 0, 0, 1, 0], [1, 1, 0, 1, 0]),
    ],
)
def test_rules_that_are_off_let_the_past_count(off: int, automatic: list[int], bulk: list[int]) -> None:
    facts = replace(Interactions.empty(), flags=np.array([int(flags) for flags in FLAGS], np.uint32))
    rules = EVERY_SIGN & ~int(off)
    assert is_automatic(facts, rules).astype(int).tolist() == automatic
    assert is_bulk(facts, rules).astype(int).tolist() == bulk
