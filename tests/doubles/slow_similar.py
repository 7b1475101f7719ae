"""Similar won deals computed one pair and one field at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """One field: `values` are texts (a category) or numbers; None = missing."""

    weight: float
    values: Sequence[str | float | None]
    amount: bool = False


def slow_distance(fields: Sequence[Field], this: int, other: int, candidates: Sequence[int]) -> float | None:
    """The distance of two deals to 9 decimals, None when they cannot be compared."""
    total = weight = 0.0
    count = 0
    for field in fields:
        mine, theirs = field.values[this], field.values[other]
        if mine is None or theirs is None:
            continue
        count += 1
        weight += field.weight
        total += field.weight * _field_distance(field, this, other, candidates)
    if count < 3 or weight < 0.5 * sum(field.weight for field in fields) - 1e-9:
        return None
    return round(total / weight, 9)


def _field_distance(field: Field, this: int, other: int, candidates: Sequence[int]) -> float:
    mine, theirs = field.values[this], field.values[other]
    if isinstance(mine, str):
        return float(mine != theirs)
    known = [_scaled(field, field.values[row]) for row in {this, *candidates} if field.values[row] is not None]
    spread = max(known) - min(known)
    return abs(_scaled(field, mine) - _scaled(field, theirs)) / spread if spread else 0.0


def _scaled(field: Field, value: float) -> float:
    return math.log10(1 + max(0.0, value)) if field.amount else value


def slow_similar(
    fields: Sequence[Field], this: int, candidates: Sequence[int], closed: Sequence[int], ids: Sequence[int]
) -> list[tuple[int, float]]:
    """All similar deals with their distance, in order."""
    found = []
    for other in candidates:
        distance = None if other == this else slow_distance(fields, this, other, candidates)
        if distance is not None and distance <= 0.35:
            found.append((other, distance))
    return sorted(found, key=lambda pair: (pair[1], -closed[pair[0]], ids[pair[0]]))
