"""Similar won deals, and the figures by which deals are compared."""

from __future__ import annotations

from msgspec import field

from shared.widgets.shape import Shape


class DealFigures(Shape, frozen=True):
    """Figures of one deal over its whole life up to an instant; null = cannot be said. Shares are 0 to 1."""

    activities: float | None
    emails: float | None
    meetings: float | None
    calls: float | None
    meetings_initiated: float | None
    our_hours: float | None
    their_hours: float | None
    response_hours: float | None
    response_rate: float | None
    open_rate: float | None


class FigureAverage(Shape, frozen=True):
    """Mean and median of a figure over the `n` deals that have it."""

    n: int
    mean: float
    median: float


class DealAverages(Shape, frozen=True):
    """The averages of every figure of `DealFigures`; null where no deal has it."""

    activities: FigureAverage | None
    emails: FigureAverage | None
    meetings: FigureAverage | None
    calls: FigureAverage | None
    meetings_initiated: FigureAverage | None
    our_hours: FigureAverage | None
    their_hours: FigureAverage | None
    response_hours: FigureAverage | None
    response_rate: FigureAverage | None
    open_rate: FigureAverage | None


class SimilarDeal(Shape, frozen=True):
    """A won deal like this one: whole percent of similarity, which fields agree, and its figures at both instants."""

    record: str
    name: str
    closed_at: str
    similarity_percent: int
    matched: list[str]
    differing: list[str]
    missing: list[str]
    equal_age: DealFigures | None
    whole_life: DealFigures


class SimilarWonOpportunities(Shape, frozen=True):
    """Won deals like this open one, and averages over the nearest 20 of `n` (docs/similar-deals.md).

    `equalAge` compares with the others when they were as old as this deal was at `foundAt`, `wholeLife` at their closing. With
    fewer than 10 there are no averages and `tooFew` says so. `reason` is `notFoundYet` until they were looked for, and
    `notAllReadable` where the caller may not read all `averagedDeals`, so that there are no averages.
    """

    n: int
    too_few: bool
    reason: str | None
    averaged: int
    deals: list[SimilarDeal]
    this_deal: DealFigures
    equal_age: DealAverages | None
    whole_life: DealAverages | None
    age_days: float | None
    found_at: str | None
    weights: dict[str, float]
    weights_version: int | None
    averaged_deals: list[str] = field(default_factory=list)
