"""Rounding of kpis 1.3."""

from __future__ import annotations

import math

import pytest

from shared.kpi.rounding import rounded


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        (2.675, 2, 2.68),
        (0.125, 2, 0.13),
        (-0.125, 2, -0.13),
        (1.005, 2, 1.01),
        (0.123449999, 4, 0.1234),
        (0.12344999999999999, 4, 0.1235),  # 0.123450000 at 9 decimals
        (0.12345, 4, 0.1235),
        (2.2916666666666665, 2, 2.29),
        (-0.04, 1, 0.0),
        (59.5, 0, 60.0),
        (0.4499999996, 1, 0.5),  # 0.450000000 at 9 decimals
        (1e12, 2, 1e12),
    ],
)
def test_rounded(value: float, digits: int, expected: float) -> None:
    assert rounded(value, digits) == expected


def test_zero_is_never_negative() -> None:
    assert math.copysign(1, rounded(-1e-9, 2)) == 1.0
