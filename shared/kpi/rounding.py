"""How a figure leaves the core: rounded once, at output (kpis 1.3)."""

from __future__ import annotations

import math

_NANO = 1_000_000_000


def rounded(value: float, digits: int) -> float:
    """`value` to `digits` decimals (0-9): first to 9 decimals, then half away from zero; never minus zero.

    The second step counts in whole billionths, so 2.675, a little less than that in binary, gives 2.68.

    >>> rounded(2.675, 2), rounded(-0.125, 2), rounded(-0.0001, 1)
    (2.68, -0.13, 0.0)
    """
    nanos = math.floor(abs(value) * _NANO + 0.5)
    unit = 10 ** (9 - digits)
    steps = (nanos + unit // 2) // unit
    return math.copysign(steps / 10**digits, value) if steps else 0.0
