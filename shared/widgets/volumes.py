"""How much passed between the two sides: counts, who initiated, hours, sent to received, and day by day."""

from __future__ import annotations

from msgspec import field

from shared.widgets.shape import Shape


class Volumes(Shape, frozen=True):
    """Numbers of counted interactions of the window; sent and made = initiated by us."""

    emails_sent: int
    emails_received: int
    meetings_sent: int
    meetings_received: int
    calls_made: int
    calls_received: int
    interactions_ours: int
    interactions_theirs: int
    wider_team: int


class Initiated(Shape, frozen=True):
    """What one side initiated."""

    emails: int
    meetings: int
    calls: int
    total: int
    conversations: int


class CustomerInteractions(Shape, frozen=True):
    """Who initiated, us or them; conversations are counted by who wrote first."""

    ours: Initiated
    theirs: Initiated


class TimeSpent(Shape, frozen=True):
    """Hours and minutes invested by both sides in the window; ours are null where they are withheld (`privacyFloor`)."""

    our_hours: float | None
    their_hours: float
    our_minutes: float | None
    their_minutes: float
    face_minutes: float
    wider_team_minutes: float | None
    duration_missing: int
    flags: list[str] = field(default_factory=list)


class SentReceivedRatio(Shape, frozen=True):
    """Mails received to sent (`byThem`) and sent to received (`byUs`); null on zero with `reason`."""

    by_them: float | None
    by_us: float | None
    emails_sent: int
    emails_received: int
    reason: str = ""


class TimelineDay(Shape, frozen=True):
    """One local date of the reporting time zone. `known` is false before `completeFrom`: draw it as unknown, not as 0."""

    date: str
    emails_sent: int
    emails_received: int
    meetings_sent: int
    meetings_received: int
    calls_made: int
    calls_received: int
    known: bool = True


class RelationshipActivities(Shape, frozen=True):
    """The timeline: one row per day, oldest first."""

    time_zone: str
    days: list[TimelineDay]
