"""Grouping by key, also with keys made to collide."""

from __future__ import annotations

import numpy as np
import pytest

from shared.kpi.grouping import _MULTIPLIERS, first_of_key, group


def naive(keys: list[int]) -> list[int]:
    return [keys.index(key) for key in keys]


@pytest.mark.parametrize("number", [0, 1, 2, 100, 3000])
def test_first_of_key(number: int) -> None:
    keys = np.random.default_rng(number).integers(0, max(number // 3, 1), number, dtype=np.uint64)
    assert first_of_key(keys).tolist() == naive(keys.tolist())


def test_colliding_keys_are_told_apart() -> None:
    """Keys whose product with a multiplier is small all fall into its first slot."""
    inverses = [pow(m, -1, 1 << 64) for m in _MULTIPLIERS[:2]]
    keys = [(low * inverse) % (1 << 64) for inverse in inverses for low in range(200)] * 2
    assert first_of_key(np.array(keys, dtype=np.uint64)).tolist() == naive(keys)


def test_keys_that_collide_in_every_round_are_sorted() -> None:
    """Seven rows have 16 slots: among a million keys there are some that share a slot under all four multipliers."""
    candidates = np.arange(1, 1_000_001, dtype=np.uint64)
    for multiplier in _MULTIPLIERS:
        candidates = candidates[(candidates * np.uint64(multiplier)) >> np.uint64(60) == np.uint64(3)]
    keys = candidates[[0, 1, 2, 3, 4, 5, 0]]
    assert first_of_key(keys).tolist() == [0, 1, 2, 3, 4, 5, 0]


def test_group_numbers_by_appearance() -> None:
    first, code = group(np.array([5, 3, 5, 9, 3], dtype=np.uint64))
    assert (first.tolist(), code.tolist()) == ([0, 1, 3], [0, 1, 0, 2, 1])
