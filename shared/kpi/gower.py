"""Gower's distance over mixed fields given as columns: one row against all candidates in a handful of array operations.

Gower (1971), "A general coefficient of similarity and some of its properties", Biometrics 27: each field gives a
distance between 0 and 1, a field missing on either side is left out, the rest is a weighted mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.kpi.interactions import Bools, Floats, Indices

LEAST_FIELDS = 3  # comparable fields that two rows need
LEAST_WEIGHT = 0.5  # share of the total weight which they must hold
LARGEST = 1e300  # larger numbers count as missing, so that no difference overflows


@dataclass(frozen=True)
class CategoryField:
    """A field of names (industry, region): equal or not. `codes` (n,) int32, negative = missing."""

    name: str
    codes: NDArray[np.int32]
    weight: float = 1.0


@dataclass(frozen=True)
class NumberField:
    """A field of numbers (n,); NaN or infinite = missing. An `amount` is compared as log10(1 + v), at least 0."""

    name: str
    values: Floats
    weight: float = 1.0
    amount: bool = False


@dataclass(frozen=True)
class Comparison:
    """Names of the fields in which two rows agree, differ, or cannot be compared."""

    matched: tuple[str, ...]
    differing: tuple[str, ...]
    missing: tuple[str, ...]


class Gower:
    """Distances from any row of `fields` to the rows at `candidates` (positions); prepared once, asked for many rows.

    The range of a number is taken over the candidates and the row asked for; a range of 0 gives distance 0. A field of
    weight 0 is not chosen. Raises `ValueError` for a negative or infinite weight and when no field is left.

    >>> region = CategoryField("region", np.array([0, 0, 1], np.int32))
    >>> industry = CategoryField("industry", np.array([4, 4, 4], np.int32))
    >>> size = NumberField("size", np.array([10.0, 20.0, 30.0]))
    >>> Gower([region, industry, size], np.array([1, 2])).distances(0).tolist()  # (0 + 0 + 10/20) / 3, (1 + 0 + 1) / 3
    [0.166666667, 0.666666667]
    """

    def __init__(self, fields: Sequence[CategoryField | NumberField], candidates: Indices) -> None:
        if not all(math.isfinite(field.weight) and field.weight >= 0 for field in fields):
            raise ValueError("the weight of a field must be a finite number from 0 on")
        chosen = [field for field in fields if field.weight > 0]
        if not chosen:
            raise ValueError("a distance needs at least one field with a weight above 0")
        self.candidates = candidates
        self._columns = [_column(field, candidates) for field in chosen]
        # The tolerance lets half of a sum of decimals be half of it, whatever the order of adding.
        self._least_weight = LEAST_WEIGHT * math.fsum(field.weight for field in chosen) * (1 - 1e-12)

    def distances(self, row: int) -> Floats:
        """Distance to each candidate, 0-1 to 9 decimals; infinite where too little is comparable, and to itself."""
        part, weight = np.zeros(len(self.candidates)), np.zeros(len(self.candidates))
        count = np.zeros(len(self.candidates), np.int16)
        for column in self._columns:
            if column.all_known[row]:
                part += column.weight * column.distances(row)
                weight += column.weighted_known
                count += column.known
        enough = (count >= LEAST_FIELDS) & (weight >= self._least_weight) & (self.candidates != row)
        result = np.full(len(part), np.inf)
        np.divide(part, weight, out=result, where=enough)
        return np.round(result, 9, out=result)

    def compare_fields(self, row: int, other: int, limit: float) -> Comparison:
        """Which fields of two rows agree; a number agrees when its own distance is at most `limit`."""
        matched: list[str] = []
        differing: list[str] = []
        missing: list[str] = []
        for column in self._columns:
            distance = column.distance(row, other)
            (missing if distance is None else matched if distance <= limit else differing).append(column.name)
        return Comparison(tuple(matched), tuple(differing), tuple(missing))


class _CategoryColumn:
    """A category over all rows and over the candidates."""

    def __init__(self, field: CategoryField, candidates: Indices) -> None:
        self.name, self.weight = field.name, field.weight
        self._codes, self._candidate_codes = field.codes, field.codes[candidates]
        self.all_known: Bools = field.codes >= 0
        self.known = self.all_known[candidates]
        self.weighted_known = np.where(self.known, field.weight, 0.0)

    def distances(self, row: int) -> Floats:
        """Distance of `row` to each candidate; 0 where the candidate has no value."""
        return np.asarray((self._candidate_codes != self._codes[row]) & self.known, np.float64)

    def distance(self, row: int, other: int) -> float | None:
        """Distance of two rows; `None` when one has no value."""
        if not (self.all_known[row] and self.all_known[other]):
            return None
        return float(self._codes[row] != self._codes[other])


class _NumberColumn:
    """A number over all rows and over the candidates, on the scale on which it is compared."""

    def __init__(self, field: NumberField, candidates: Indices) -> None:
        self.name, self.weight = field.name, field.weight
        self.all_known: Bools = np.abs(field.values) <= LARGEST  # false for NaN
        values = np.where(self.all_known, field.values, 0.0)
        self._values = np.log10(1 + np.maximum(values, 0)) if field.amount else values
        self.known = self.all_known[candidates]
        self.weighted_known = np.where(self.known, field.weight, 0.0)
        kept = self._values[candidates][self.known]
        self._low, self._high = (float(kept.min()), float(kept.max())) if len(kept) else (math.inf, -math.inf)
        # The filler lies inside the range, so that its distance is finite before `known` makes it 0.
        self._candidate_values = np.where(self.known, self._values[candidates], self._low if len(kept) else 0.0)

    def distances(self, row: int) -> Floats:
        """Distance of `row` to each candidate; 0 where the candidate has no value."""
        mine = float(self._values[row])
        spread = self._spread(mine)
        if not (spread > 0 and math.isfinite(self._low)):
            return np.zeros(len(self.known))
        return np.abs(self._candidate_values - mine) / spread * self.known

    def distance(self, row: int, other: int) -> float | None:
        """Distance of two rows; `None` when one has no value."""
        if not (self.all_known[row] and self.all_known[other]):
            return None
        mine, theirs = float(self._values[row]), float(self._values[other])
        spread = self._spread(mine)
        return min(1.0, abs(mine - theirs) / spread) if spread > 0 else float(mine != theirs)

    def _spread(self, mine: float) -> float:
        return max(self._high, mine) - min(self._low, mine)


def _column(field: CategoryField | NumberField, candidates: Indices) -> _CategoryColumn | _NumberColumn:
    if isinstance(field, CategoryField):
        return _CategoryColumn(field, candidates)
    return _NumberColumn(field, candidates)
