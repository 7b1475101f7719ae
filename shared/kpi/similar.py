"""Similar won deals: which won opportunities resemble a deal, and what is averaged over the nearest of them.

The distance is Gower's (`shared.kpi.gower`). A figure of the other deals is read at two instants: when they were as old
as this deal is now ("equal age"), and at their closing ("whole life").
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from shared.kpi.gower import CategoryField, Comparison, Gower, NumberField
from shared.kpi.interactions import Bools, Floats, Indices, Instants

MONTHS = 24  # a candidate was won within so many months
LIMIT = 0.35  # largest distance that is still similar
LEAST_DEALS = 10  # below it no averages
NEAREST = 20  # deals that averages are taken over
LISTED = 5  # deals that are named


@dataclass(frozen=True)
class Deals:
    """Opportunities as columns of length n. `ids` has any sortable dtype; `closed` is read only where `won`."""

    ids: NDArray[np.generic]
    created: Instants
    closed: Instants
    won: Bools
    fields: tuple[CategoryField | NumberField, ...]


@dataclass(frozen=True)
class SimilarDeals:
    """The similar won deals of one deal, the nearest 20 of them in order.

    `n` counts all similar deals; `nearest` are positions in `Deals`, `distances` (0 to the limit) and `percent` (similarity,
    whole percent) belong to them. No similar deal gives empty arrays.
    """

    n: int
    nearest: Indices
    distances: Floats
    percent: Indices

    @property
    def too_few(self) -> bool:
        """Fewer than 10 similar deals: no average may be shown."""
        return self.n < LEAST_DEALS

    @property
    def listed(self) -> Indices:
        """Positions of the deals that are named, at most 5."""
        return self.nearest[:LISTED]


@dataclass(frozen=True)
class Average:
    """Mean and median of a figure over the `n` nearest deals that have it."""

    n: int
    mean: float
    median: float


def months_before(as_of: int, months: int, zone: str = "UTC") -> int:
    """The same local time `months` calendar months earlier; a day which that month lacks becomes its last.

    >>> months_before(1_774_872_000, 1) - 1_772_280_000  # 30 March 2026, 12:00 -> 28 February 2026, 12:00
    0
    """
    local = datetime.fromtimestamp(as_of, UTC).astimezone(ZoneInfo(zone))
    year, month = divmod(local.year * 12 + local.month - 1 - months, 12)
    day = min(local.day, monthrange(year, month + 1)[1])
    return int(local.replace(year=year, month=month + 1, day=day).timestamp())


def won_lately(
    deals: Deals, as_of: int, readable: Bools | None = None, zone: str = "UTC", months: int = MONTHS
) -> Indices:
    """Positions of the candidates: won in the last `months` up to `as_of`, readable by the caller (`None` = all)."""
    recent = (deals.closed >= months_before(as_of, months, zone)) & (deals.closed <= as_of)
    return np.flatnonzero(deals.won & recent if readable is None else deals.won & recent & readable)


class SimilarDealFinder:
    """Finds similar deals among fixed candidates (positions in `deals`); prepared once, asked for many deals.

    `limit` is the largest distance that is still similar. Raises `ValueError` as `Gower` does.
    """

    def __init__(self, deals: Deals, candidates: Indices, limit: float = LIMIT) -> None:
        self._deals, self._limit = deals, limit
        self._gower = Gower(deals.fields, candidates)

    def find(self, deal: int) -> SimilarDeals:
        """The deals similar to `deal` (a position), itself left out: nearest, then newer closing, then id."""
        distances = self._gower.distances(deal)
        similar = np.flatnonzero(distances <= self._limit)
        n = len(similar)
        if n > NEAREST:  # only what is as near as the twentieth needs the full order
            twentieth = np.partition(distances[similar], NEAREST - 1)[NEAREST - 1]
            similar = similar[distances[similar] <= twentieth]
        rows, distance = self._gower.candidates[similar], distances[similar]
        order = np.lexsort((self._deals.ids[rows], -self._deals.closed[rows], distance))[:NEAREST]
        # Distances have 9 decimals: a tenth of the last one lifts a float just below a half to the half it stands for.
        percent = np.floor(100 * (1 - distance[order]) + 0.5 + 1e-8).astype(np.int64)
        return SimilarDeals(n, rows[order], distance[order], percent)

    def find_each(self, deals: Iterable[int]) -> Iterator[SimilarDeals]:
        """`find` for one deal after the other; memory stays that of a single pass, however many deals there are."""
        return map(self.find, deals)

    def compare_fields(self, deal: int, other: int) -> Comparison:
        """Which fields agree; a number does when its own distance is within the limit that makes a deal similar."""
        return self._gower.compare_fields(deal, other, self._limit)


def equal_age_instants(deals: Deals, deal: int, others: Indices, as_of: int) -> Instants:
    """When each of `others` was as old as `deal` is at `as_of`, or its closing if that came earlier.

    Figures of the other deals at these instants are those at equal age, at `deals.closed[others]` of the whole life.
    A deal created after `as_of` has age 0.
    """
    age = max(0, as_of - int(deals.created[deal]))
    return np.minimum(deals.created[others] + age, deals.closed[others])


def average(similar: SimilarDeals, figures: Floats) -> Average | None:
    """Mean and median of `figures`, one for each of `similar.nearest`, NaN = null; `None` if too few or all null."""
    return None if similar.too_few else mean_and_median(figures)


def mean_and_median(figures: Floats) -> Average | None:
    """Mean and median of what is known in `figures` (n,), NaN = null; `None` if nothing is.

    >>> mean_and_median(np.array([1.0, np.nan, 2.0, 6.0]))
    Average(n=3, mean=3.0, median=2.0)
    """
    known = figures[np.isfinite(figures)]
    return Average(len(known), float(np.mean(known)), float(np.median(known))) if len(known) else None
