"""The organisation's settings: what administrators may change about the figures, with the defaults of the specification.

A document of settings is checked as a whole when it is read: ranges by the types, what spans several fields by `__post_init__`.
Names outside the document are refused, so that a typing error is an answer of 400 and not a setting without effect.
"""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise
from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct, field

RecordType = Literal["account", "contact", "lead", "opportunity", "case"]
Pace = Literal["daily", "weekly", "biweekly", "monthly", "quarterly"]
Attribute = Literal["industry", "region", "product", "stage", "currency", "priority"]
DealField = Literal["amount", "currency", "industry", "region", "product", "stage"]
NoiseRule = Literal["autoSubmitted", "returnPath", "sender", "calendarReply", "listId", "listUnsubscribe", "precedence"]
NOISE_RULES: tuple[NoiseRule, ...] = get_args(NoiseRule)
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Weight = Annotated[float, Meta(ge=0, le=5)]
Share = Annotated[float, Meta(ge=0, le=100)]
Minutes = Annotated[float, Meta(ge=0, le=60)]
HalfLife = Annotated[float, Meta(ge=7, le=365)]
Domain = Annotated[str, Meta(pattern=r"^[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?$", max_length=253)]

AddressOrDomain = Annotated[
    str, Meta(pattern=r"^([^\s@,;:<>()\[\]\\\"+A-Z]+@)?[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?$", max_length=320)
]

_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")


class Document(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Base of all parts: camelCase names, nothing unknown."""


class KindWeights(Document, frozen=True):
    """What one interaction of each kind weighs in health."""

    email: Weight = 1.0
    meeting: Weight = 3.0
    call: Weight = 2.0
    task: Weight = 0.0


class FrequencyRule(Document, frozen=True):
    """Another expected frequency for a record type, for a segment, or for a segment of a record type.

    A segment is all records with one value of an attribute: the record's own, else its account's (upper and lower case are one).
    """

    frequency: Pace
    record_type: RecordType | None = None
    attribute: Attribute | None = None
    value: Annotated[str, Meta(max_length=200)] = ""

    def __post_init__(self) -> None:
        if self.record_type is None and self.attribute is None:
            raise ValueError("a frequency rule names a recordType, an attribute, or both")
        if (self.attribute is None) != (not self.value.strip()):
            raise ValueError("an attribute and a value go together")


class GradeLimits(Document, frozen=True):
    """The least whole score of a grade; below Fair is Poor."""

    good: Annotated[int, Meta(ge=1, le=99)] = 60
    fair: Annotated[int, Meta(ge=1, le=99)] = 40

    def __post_init__(self) -> None:
        if self.good <= self.fair:
            raise ValueError("good must be above fair")


class ContributionPoints(Document, frozen=True):
    """The most that each contribution may add to the score; together 100."""

    rhythm: Share
    their_rhythm: Share
    volume: Share
    recency: Share
    breadth: Share = 0.0

    def __post_init__(self) -> None:
        total = self.rhythm + self.their_rhythm + self.volume + self.recency + self.breadth
        if abs(total - 100) > 1e-9:
            raise ValueError(f"the points add up to {total:g}, not to 100")


class WorkingTime(Document, frozen=True):
    """Default working hours, in the reporting time zone, of people whose own are not known; holidays as dates."""

    hours: dict[Weekday, list[tuple[str, str]]] = field(
        default_factory=lambda: {day: [("08:00", "17:00")] for day in WEEKDAYS[:5]}
    )
    holidays: tuple[date, ...] = ()

    def __post_init__(self) -> None:
        for day, intervals in self.hours.items():
            ends = [clock for interval in intervals for clock in interval]
            if not all(_CLOCK.fullmatch(clock) for clock in ends):
                raise ValueError(f"{day}: times are HH:MM, up to 24:00")
            if any(later <= earlier for earlier, later in pairwise(ends)):
                raise ValueError(f"{day}: intervals follow one another and do not touch")


class Alarms(Document, frozen=True):
    """When silence is worth a word: days without activity, where wanted by record type, and silence beside the usual gap."""

    idle_days: Annotated[int, Meta(ge=1, le=365)] = 14
    idle_days_of_type: dict[RecordType, Annotated[int, Meta(ge=1, le=365)]] = {}
    cooling: Annotated[float, Meta(ge=2, le=50)] = 4.0
    probably_lost: Annotated[float, Meta(ge=2, le=50)] = 8.0

    def __post_init__(self) -> None:
        if self.probably_lost <= self.cooling:
            raise ValueError("probablyLost must be above cooling")


class SimilarDeals(Document, frozen=True):
    """What won deals are compared by: fields with their weights, the largest distance, and how long ago they may have closed."""

    weights: dict[DealField, Annotated[float, Meta(ge=0, le=10)]] = field(
        default_factory=lambda: dict.fromkeys(("amount", "industry", "region", "product", "currency"), 1.0)
    )
    threshold: Annotated[float, Meta(ge=0.05, le=0.8)] = 0.35
    months: Annotated[int, Meta(ge=6, le=60)] = 24

    def __post_init__(self) -> None:
        if sum(weight > 0 for weight in self.weights.values()) < 3:
            raise ValueError("at least 3 fields need a weight: fewer make no deal similar")


class WhoKnowsWhom(Document, frozen=True):
    """How the strength is made (docs/who-knows-whom.md); `basic` counts emails and meetings of the window instead, without
    calls and decay."""

    half_life_days: HalfLife = 90.0
    window_days: Annotated[int, Meta(ge=30, le=1825)] = 365
    one_way: Annotated[float, Meta(gt=0, le=1.25)] = 0.5
    damping: Annotated[float, Meta(ge=0, le=2)] = 1.0
    regularity: Annotated[float, Meta(ge=0.1, le=1)] = 1.0
    silence_half_life_days: HalfLife | None = None
    basic: bool = False


class Retention(Document, frozen=True):
    """How many days interactions are held, and the counters of followed mails (docs/privacy.md)."""

    interaction_days: Annotated[int, Meta(ge=30, le=1825)] = 760
    email_event_days: Annotated[int, Meta(ge=30, le=1825)] = 400


class AccountUnion(Document, frozen=True):
    """What an account counts besides its contacts and opportunities: its cases, its child accounts and all that is theirs."""

    cases: bool = False
    child_accounts: bool = False


class Introductions(Document, frozen=True):
    """How often one colleague may be asked in 30 days, how long a request stands, and whether the asker changes the order."""

    asker_specific_order: bool = True
    most_per_introducer: Annotated[int, Meta(ge=1, le=20)] = 3
    expiry_days: Annotated[int, Meta(ge=1, le=60)] = 14


class OrganisationSettings(Document, frozen=True):
    """The whole document. Everything has a default, so `{}` is the specification's own."""

    weights: KindWeights = KindWeights()
    frequency: Pace = "weekly"
    frequency_rules: Annotated[tuple[FrequencyRule, ...], Meta(max_length=200)] = ()
    half_life_days: HalfLife = 60.0
    grades: GradeLimits = GradeLimits()
    points: ContributionPoints = ContributionPoints(rhythm=30, their_rhythm=40, volume=20, recency=10)
    points_with_breadth: ContributionPoints = ContributionPoints(
        rhythm=27, their_rhythm=36, volume=18, recency=9, breadth=10
    )
    rolling_window_days: Annotated[int, Meta(ge=30, le=1095)] | None = None
    timeline_days: Annotated[int, Meta(ge=1, le=365)] = 60
    reporting_time_zone: Annotated[str, Meta(max_length=64)] = "UTC"
    working_time: WorkingTime = field(default_factory=WorkingTime)
    minutes_to_read: Minutes = 2.5
    minutes_to_write: Minutes = 5.0
    longest_meeting_hours: Annotated[float, Meta(ge=1, le=24)] = 8.0
    recipient_limit: Annotated[int, Meta(ge=2, le=500)] = 20
    noise_rules: Annotated[tuple[NoiseRule, ...], Meta(max_length=7)] = NOISE_RULES
    internal_domains: Annotated[tuple[Domain, ...], Meta(max_length=1000)] = ()
    never_log: Annotated[tuple[AddressOrDomain, ...], Meta(max_length=10_000)] = ()
    account_union: AccountUnion = AccountUnion()
    lead_in_days: Annotated[int, Meta(ge=0, le=365)] = 30
    alarms: Alarms = Alarms()
    single_thread_percent: Annotated[float, Meta(ge=50, le=100)] = 70.0
    two_year_rule: bool = False
    strict_own_side: bool = False
    lookup_role: bool = False
    email_engagement: bool = True
    show_health: bool = True
    similar_deals: SimilarDeals = field(default_factory=SimilarDeals)
    who_knows_whom: WhoKnowsWhom = WhoKnowsWhom()
    introductions: Introductions = Introductions()
    retention: Retention = Retention()
    exchange_keep_days: Annotated[int, Meta(ge=0, le=90)] = 14

    def __post_init__(self) -> None:
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

        try:
            ZoneInfo(self.reporting_time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("reportingTimeZone is a name of the IANA list, such as Europe/Berlin") from None
        if self.points.breadth:
            raise ValueError("points has no breadth: that belongs to accounts and opportunities (pointsWithBreadth)")
