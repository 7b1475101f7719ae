"""The parameters of the figures, with the defaults of the specification. Values only; storing and versioning live outside."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.kpi.noise import EVERY_SIGN

DAY = 86_400
HOUR = 3_600
FREQUENCY_DAYS = {"daily": 1, "weekly": 7, "biweekly": 14, "monthly": 30, "quarterly": 91}


@dataclass(frozen=True)
class Weights:
    """Weight of each kind of interaction in health; 0-5."""

    email: float = 1.0
    meeting: float = 3.0
    call: float = 2.0
    task: float = 0.0


@dataclass(frozen=True)
class Points:
    """Points of the contributions to health (kpis 8.2); each set sums to 100."""

    rhythm: float
    their_rhythm: float
    volume: float
    recency: float
    breadth: float = 0.0


@dataclass(frozen=True)
class WorkingCalendar:
    """Working intervals per weekday (0 = Monday) as (from, to) minutes after local midnight, zone and days off.

    `days_off` are ISO dates of holidays and absences. `assumed` marks the default calendar.
    """

    zone: str = "UTC"
    week: tuple[tuple[tuple[int, int], ...], ...] = (((480, 1020),),) * 5 + ((), ())
    days_off: frozenset[str] = frozenset()
    assumed: bool = False


@dataclass(frozen=True)
class OwnHours:
    """What is known of one person's working time; the default calendar fills in what is None.

    `days_off` are ISO dates of the person's own holidays and absences; those of the default calendar hold as well.
    """

    zone: str | None = None
    week: tuple[tuple[tuple[int, int], ...], ...] | None = None
    days_off: frozenset[str] = frozenset()


@dataclass(frozen=True)
class NeverLog:
    """Keys of addresses and of domains whose interactions are left out of everything."""

    people: tuple[int, ...] = ()
    domains: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.people or self.domains)


@dataclass(frozen=True)
class Parameters:
    """Everything that a figure depends on besides the interactions and `as_of`."""

    reporting_zone: str = "UTC"
    window_days: int | None = None  # None: from 1 January of the previous year; else the N local dates ending today
    timeline_days: int = 60
    weights: Weights = Weights()
    frequency: str = "weekly"  # expected communication frequency, a key of FREQUENCY_DAYS
    half_life_days: float = 60.0
    points: Points = Points(rhythm=30, their_rhythm=40, volume=20, recency=10)  # contact, lead, case
    points_with_breadth: Points = Points(rhythm=27, their_rhythm=36, volume=18, recency=9, breadth=10)
    good_from: int = 60
    fair_from: int = 40
    two_year_rule: bool = False
    minutes_to_read: float = 2.5
    minutes_to_write: float = 5.0
    longest_minutes: float = 480.0  # longer meetings, calls and tasks are cut to this
    shortest_meeting_minutes: float = 5.0
    recipient_limit: int = 20
    noise_rules: int = EVERY_SIGN  # the signs of automatic and bulk mail that count, as bits of shared.kpi.noise.Sign
    lead_in_days: int = 30  # span of an opportunity, lead or case starts this long before its creation
    strength_weights: Weights = Weights()  # in who knows whom
    strength_window_days: int = 365
    strength_half_life_days: float = 90.0
    strength_two_way: float = 1.25
    strength_one_way: float = 0.5
    strength_damping: float = 1.0  # an interaction with k others counts k^-damping
    strength_silence_half_life_days: float | None = None  # halves the sum for so long a silence; None = it does not
    strength_basic: bool = False  # who knows whom counts emails and meetings of the KPI window instead
    strength_regularity: float = 1.0  # power of each week's part of the sum; below 1, steady contact beats bursts
    cooling_ratio: float = 4.0
    lost_ratio: float = 8.0
    idle_days: int = 14
    single_thread_share: float = 0.70
    strict_own_side: bool = False  # our side's response and hours only of groups of at least 5
    email_engagement: bool = True  # whether figures of followed mails are shown
    show_health: bool = True
    never_log: NeverLog = NeverLog()
    working_calendar: WorkingCalendar = field(default_factory=lambda: WorkingCalendar(assumed=True))

    @property
    def frequency_days(self) -> int:
        """The expected frequency in days (T of kpis 8.1)."""
        return FREQUENCY_DAYS[self.frequency]
