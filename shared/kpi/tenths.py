"""Parts that add up to their total when each is shown with one decimal (kpis 8.3)."""

from __future__ import annotations

from collections.abc import Sequence

_NANO = 1_000_000_000
_TENTH = _NANO // 10


def tenths(parts: Sequence[float]) -> tuple[float, tuple[float, ...]]:
    """The total of the parts and the parts themselves, each to one decimal, so that the shown parts add up to the shown total.

    The parts (>= 0) are rounded to 9 decimals and cut to tenths; the tenths missing to the total (rounded half up) go to the
    largest remainders, the earlier part first. No parts give 0.0 and nothing.

    >>> tenths([10.44, 13.94, 12.24, 10.0])
    (46.6, (10.5, 13.9, 12.2, 10.0))
    """
    nanos = [round(part * _NANO) for part in parts]
    total = (sum(nanos) + _TENTH // 2) // _TENTH
    whole = [nano // _TENTH for nano in nanos]
    by_remainder = sorted(range(len(nanos)), key=lambda i: -(nanos[i] % _TENTH))
    for i in by_remainder[: total - sum(whole)]:
        whole[i] += 1
    return total / 10, tuple(count / 10 for count in whole)
