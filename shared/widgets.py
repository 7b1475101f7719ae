"""The shape of what widgets answer: the app's own types, from which the OpenAPI document is made.

Numbers are rounded as the catalogue of figures says (docs/kpis.md). null = it cannot be said, 0 = it is zero. Instants are
RFC 3339 in UTC. People are named by CRM row (`contact:<id>`, `user:<id>`) or by address where the CRM has none.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field


class Shape(Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of all answers: camelCase names."""


class PersonRef(Shape, frozen=True):
    """A person in an answer."""

    id: str
    name: str


class Moment(Shape, frozen=True):
    """One interaction. Its name is not kept here: whoever may read it asks the CRM by `activityId` (empty: Exchange only)."""

    interaction_id: str
    activity_id: str
    kind: str
    at: str
    end: str
    direction: str | None
    people: list[PersonRef]


class LastInteraction(Shape, frozen=True):
    """The last completed mail, meeting or call of the whole history, and the meeting going on now."""

    last: Moment | None
    current: Moment | None


class NextInteraction(Shape, frozen=True):
    """The next planned meeting, call or task; `scheduled` false reads "not scheduled"."""

    next: Moment | None
    scheduled: bool


class ContactedPerson(Shape, frozen=True):
    """A person, the number of counted interactions in the window, by kind, and the latest of them."""

    person: PersonRef
    number: int
    emails: int
    meetings: int
    calls: int
    last_at: str
    on_record: bool


class MostContacted(Shape, frozen=True):
    """The first three people of one side, and how many there are in all."""

    people: list[ContactedPerson]
    total: int


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


class Spread(Shape, frozen=True):
    """Mean, median and 90th percentile in hours."""

    mean: float
    median: float
    p90: float


class SideResponse(Shape, frozen=True):
    """How one side answers the other; null where nothing was answered or answerable, or withheld (`privacyFloor`)."""

    replies: int
    hours: Spread | None
    business_hours: Spread | None
    response_rate: float | None
    answerable: int
    flags: list[str]


class WaitingForUs(Shape, frozen=True):
    """Their mails of the last 30 days that nobody of ours has answered."""

    count: int
    oldest_at: str | None
    oldest_interaction_id: str | None
    oldest_business_hours: float | None


class ResponseTime(Shape, frozen=True):
    """Response of both sides; the median is the headline, the mean the figure that other products show."""

    by_us: SideResponse
    by_them: SideResponse
    waiting_for_us: WaitingForUs


class Contribution(Shape, frozen=True):
    """One named part of the score: `score` of at most `points`; the scores add up to the score exactly."""

    name: str
    points: float
    value: float
    score: float


class Influence(Shape, frozen=True):
    """An interaction, and by how many points the score would be lower without it."""

    interaction_id: str
    at: str
    points: float


class HealthEvidence(Shape, frozen=True):
    """What the score was made of (docs/health.md)."""

    interactions: int
    signs_from_them: int
    frequency_days: int
    periods: int
    periods_met: int
    periods_met_by_them: int
    decayed: float
    expected: float
    active_days: int
    usual_gap_days: float | None
    silence_days: float | None
    silence_ratio: float | None
    signers: list[PersonRef]
    influences: list[Influence]


class Outlook(Shape, frozen=True):
    """What one deed would do: `score` at the target instant if it happens then; null = still insufficient."""

    deed: str
    person: PersonRef
    score: float | None


class Counterfactuals(Shape, frozen=True):
    """The score now, at `target` if nothing happens, and at `target` for each deed; all by the same function."""

    target: str
    now: float | None
    without: float | None
    outlooks: list[Outlook]


class Health(Shape, frozen=True):
    """Relationship health. `state` and `trend` are the choice values of Dynamics 365; null score = insufficient."""

    score: float | None
    score_int: int | None
    grade: str
    state: int
    trend: int
    trend_name: str
    contributions: list[Contribution]
    evidence: HealthEvidence
    alarm: str | None
    frozen: bool
    counterfactuals: Counterfactuals | None = None


class EmailEngagement(Shape, frozen=True):
    """What became of the followed mails of the window. A share is null when nothing could be opened, clicked, viewed or answered.

    The CRM's own counters do not tell machines from people: `machineOpensNotSeparated` says so.
    """

    followed: int
    delivered: int
    opened: int
    opened_by_machine_only: int
    with_links: int
    clicked: int
    clicked_by_machine_only: int
    attachments: int
    attachments_viewed: int
    replied: int
    open_rate: float | None
    click_rate: float | None
    attachment_rate: float | None
    reply_rate: float | None
    flags: list[str]


class PersonShare(Shape, frozen=True):
    """A person's part of one side of the relationship, 0 to 1."""

    person: PersonRef
    share: float


class Concentration(Shape, frozen=True):
    """How one side of the relationship is spread over people; null without interaction."""

    shares: list[PersonShare]
    largest: float | None
    effective_number: float | None
    single_threaded: bool


class Departure(Shape, frozen=True):
    """What is left if the colleague on whom most hangs leaves, and whom nobody else knows."""

    person: PersonRef
    score_now: float | None
    score_then: float | None
    grade_then: str
    handover: list[PersonRef]


class CoverRisk(Shape, frozen=True):
    """Share of the relationship that hangs on one colleague, and on one person of theirs.

    Colleagues are named to the record's owner, the owner's manager (`namedTo`: user ids, and marks of addresses) and the role
    Rapport.CoverRisk; for anybody else `person` is empty on our side, and `flags` has `namesWithheld`.
    """

    ours: Concentration
    theirs: Concentration
    if_leaves: Departure | None
    named_to: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)


class Sentence(Shape, frozen=True):
    """A sentence without its words: an id of the catalogue, its parameters, and the text where a language was asked for."""

    id: str
    parameters: dict[str, int | float | str]
    text: str | None = None
    language: str | None = None


class Summary(Shape, frozen=True):
    """Up to five sentences made from facts; `reason` says why there are none."""

    sentences: list[Sentence]
    reason: str | None


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


class Envelope(Shape, frozen=True):
    """What stands beside every number: when it was computed, for which instant, and from which stretch of data."""

    record: str
    record_type: str
    record_name: str
    computed_at: str
    as_of: str
    window_from: str
    complete_from: str | None
    complete_up_to: str | None
    flags: list[str]
    params_version: int


class Widgets(Shape, frozen=True):
    """All widgets of a record by name."""

    summary: Summary
    health: Health
    last_interaction: LastInteraction
    next_interaction: NextInteraction
    most_contacted: MostContacted
    most_contacted_by: MostContacted
    customer_interactions: CustomerInteractions
    volumes: Volumes
    time_spent: TimeSpent
    sent_received_ratio: SentReceivedRatio
    response_time: ResponseTime
    email_engagement: EmailEngagement
    cover_risk: CoverRisk
    relationship_activities: RelationshipActivities
    similar_won_opportunities: SimilarWonOpportunities | None = None  # opportunities only


class RecordWidgets(Envelope, frozen=True):
    """The answer for all widgets of a record."""

    widgets: Widgets


class RecordWidget(Envelope, frozen=True):
    """The answer for one widget of a record; the shape of `data` is the widget's own."""

    widget: str
    data: Any


class LedgerEntry(Shape, frozen=True):
    """One interaction of a record: counted or not, with exactly one reason. `noise`: its signs of automatic or bulk mail."""

    interaction_id: str
    activity_id: str
    kind: str
    at: str
    end: str
    direction: str
    counted: bool
    reason: str
    through: list[str] = field(default_factory=list)
    in_window: bool = True
    sources: int = 1
    minutes: float | None = None
    people: list[dict[str, str]] = field(default_factory=list)
    noise: list[str] = field(default_factory=list)


class Ledger(Envelope, frozen=True):
    """What is behind the numbers of a record, newest first, page by page. `noise`: how many carry each sign of noise."""

    total: int
    counted: int
    reasons: dict[str, int]
    noise: dict[str, int]
    activities: list[LedgerEntry]
    next_page: str | None = None
