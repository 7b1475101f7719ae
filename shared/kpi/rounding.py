"""How a figure leaves the core: rounded once, at output (kpis 1.3)."""

from __future__ import annotations

import math
from fractions import Fraction

_NANO = 1_000_000_000


def rounded(value: float, digits: int) -> float:
    """`value` to `digits` decimals (0-9): first to 9 decimals, then half away from zero; never minus zero.

    Counting in whole billionths keeps both steps exact, so 2.675, a little less than that in binary, gives 2.68.

    >>> rounded(2.675, 2), rounded(-0.125, 2), rounded(-0.0001, 1)
    (2.68, -0.13, 0.0)
    """
    nanos = int(abs(Fraction(value)) * _NANO + Fraction(1, 2))
    unit = 10 ** (9 - digits)
    steps = (nanos + unit // 2) // unit
    return math.copysign(steps / 10**digits, value) if steps else 0.0
