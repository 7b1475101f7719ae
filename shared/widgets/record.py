"""All widgets of a record, or one, in the envelope that stands beside every number."""

from __future__ import annotations

from typing import Any

from shared.widgets.cover import CoverRisk
from shared.widgets.engagement import EmailEngagement
from shared.widgets.health import Health
from shared.widgets.moments import LastInteraction, NextInteraction
from shared.widgets.people import MostContacted
from shared.widgets.response import ResponseTime
from shared.widgets.shape import Shape
from shared.widgets.similar import SimilarWonOpportunities
from shared.widgets.summary import Summary
from shared.widgets.volumes import CustomerInteractions, RelationshipActivities, SentReceivedRatio, TimeSpent, Volumes


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
