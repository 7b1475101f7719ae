"""What lists and the pipeline chart are asked and answer."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from shared.organisation_settings import Document
from shared.widgets import Shape

Column = Literal[
    "attention", "name", "health", "trend", "next", "last", "hoursOurs", "hoursTheirs", "updated", "waitingForUs"
]
GradeName = Literal["good", "fair", "poor", "insufficient"]
TrendName = Literal["improving", "steady", "declining", "notEnough", "failed", "notApplicable"]
MOST_IDS = 200


class ListQuery(Struct, frozen=True, rename="camel"):
    """Open records of a type: `owner` (`me`, `user:<id>` for one's own id, or `team:<id>`), `grade` and `trend` narrow; `sort`
    goes with `order`.

    `page` is the `nextPage` of the answer before. Rows that change their place in between may be met twice or not at all.
    """

    sort: Column = "attention"
    order: Literal["asc", "desc"] = "asc"
    owner: Annotated[str, Meta(max_length=200)] = ""
    grade: tuple[GradeName, ...] = ()
    trend: tuple[TrendName, ...] = ()
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    page: str = ""


class BatchRequest(Document, frozen=True):
    """Ids of records of the type, at most 200."""

    ids: Annotated[tuple[str, ...], Meta(max_length=MOST_IDS)]


class BatchQuery(Struct, frozen=True):
    """`ids`: ids of records of the type, with commas between, at most 200."""

    ids: Annotated[tuple[str, ...], Meta(max_length=MOST_IDS)]


class PipelineQuery(Struct, frozen=True):
    """`owner` narrows as in lists; `limit`: the most bubbles, those of the largest revenue (1-5,000, default 1,000). The lanes
    count all."""

    owner: Annotated[str, Meta(max_length=200)] = ""
    limit: Annotated[int, Meta(ge=1, le=5000)] = 1000


class HealthRow(Shape, frozen=True):
    """One record in a list. `state` and `trend` are the choice values of Dynamics 365; null = cannot be said.

    `attention`: the most pressing reason to look at it, "none" if there is none. `idle`: no interaction for longer than the
    organisation's limit, counted from the last one, else from the record's creation.
    """

    record: str
    name: str
    owner: str
    state: int
    grade: str
    score: float | None
    score_int: int | None
    trend: int
    trend_name: str
    alarm: str | None
    attention: str
    waiting_for_us: int
    next_at: str | None
    last_at: str | None
    idle: bool
    hours_ours: float | None
    hours_theirs: float | None
    updated_at: str | None
    params_version: int


class HealthList(Shape, frozen=True):
    """One page; `total` and the numbers per grade are of all rows that pass the filters and that the caller may read.

    Both are null with the `reason` `tooManyToCheck` where the CRM cannot be asked about so many rows at once (narrow the list);
    `grades` alone with `privacyFloor` where they would be figures about fewer than five of our people.
    """

    type: str
    total: int | None
    grades: dict[str, int] | None
    rows: list[HealthRow]
    next_page: str | None = None
    reason: str | None = None


class HealthBatch(Shape, frozen=True):
    """Rows in the order of the ids, closed records included; `missing` are ids of no computed record."""

    type: str
    rows: list[HealthRow]
    missing: list[str]


class BubbleRow(Shape, frozen=True):
    """One opportunity on the chart.

    `column`: overdue (lane left of 0), dated (at `days` to close) or undated (lane at the right). `row`: scored (at its score),
    unknown (lane below the axis) or computing. `radius` is 0.1 to 1, its square goes with revenue; `hollow` = no amount.
    """

    record: str
    name: str
    owner: str
    column: str
    row: str
    days: int | None
    score: float | None
    grade: str
    revenue: float | None
    radius: float
    hollow: bool


class Lane(Shape, frozen=True):
    """Number and revenue of all opportunities in one place of the chart, by grade."""

    column: str
    row: str
    grade: str
    count: int
    revenue: float


class Pipeline(Shape, frozen=True):
    """The bubble chart: all opportunities that the caller may read, counted by lane and grade, and the bubbles of the largest
    revenue. `total` and `lanes` are null with a `reason`, as `total` and `grades` of lists."""

    time_zone: str
    as_of: str
    total: int | None
    shown: int
    lanes: list[Lane] | None
    bubbles: list[BubbleRow]
    reason: str | None = None
