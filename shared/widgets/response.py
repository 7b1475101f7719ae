"""How fast and how often the two sides answer."""

from __future__ import annotations

from msgspec import field

from shared.widgets.shape import Shape


class Spread(Shape, frozen=True):
    """Mean, median and 90th percentile in hours."""

    mean: float
    median: float
    p90: float


class SideResponse(Shape, frozen=True):
    """How one side answers the other; null where nothing was answered or answerable, or withheld (`privacyFloor`): `reasons`
    has the code of each null by the name of its field."""

    replies: int
    hours: Spread | None
    business_hours: Spread | None
    response_rate: float | None
    answerable: int
    flags: list[str]
    reasons: dict[str, str] = field(default_factory=dict)


class WaitingForUs(Shape, frozen=True):
    """Their mails of the last 30 days that nobody of ours has answered.

    Business hours go by the owner's calendar; `assumedHours` says that not all of it is known.
    """

    count: int
    oldest_at: str | None
    oldest_interaction_id: str | None
    oldest_business_hours: float | None
    flags: list[str] = field(default_factory=list)


class ResponseTime(Shape, frozen=True):
    """Response of both sides; the median is the headline, the mean the figure that other products show."""

    by_us: SideResponse
    by_them: SideResponse
    waiting_for_us: WaitingForUs
