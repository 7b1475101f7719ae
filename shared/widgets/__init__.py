"""The shape of what widgets answer: the app's own types, from which the OpenAPI document is made.

Numbers are rounded as the catalogue of figures says (docs/kpis.md). null = it cannot be said, 0 = it is zero. Instants are
RFC 3339 in UTC. People are named by CRM row (`contact:<id>`, `user:<id>`) or by address where the CRM has none.
"""

from __future__ import annotations

from shared.widgets.cover import Concentration, CoverRisk, Departure, PersonShare
from shared.widgets.engagement import EmailEngagement
from shared.widgets.health import Contribution, Counterfactuals, Health, HealthEvidence, Influence, Outlook
from shared.widgets.ledger import Ledger, LedgerEntry
from shared.widgets.moments import LastInteraction, Moment, NextInteraction
from shared.widgets.people import ContactedPerson, MostContacted
from shared.widgets.record import Envelope, RecordWidget, RecordWidgets, Widgets
from shared.widgets.response import ResponseTime, SideResponse, Spread, WaitingForUs
from shared.widgets.shape import PersonRef, Shape
from shared.widgets.similar import DealAverages, DealFigures, FigureAverage, SimilarDeal, SimilarWonOpportunities
from shared.widgets.summary import Sentence, Summary
from shared.widgets.volumes import (
    CustomerInteractions,
    Initiated,
    RelationshipActivities,
    SentReceivedRatio,
    TimelineDay,
    TimeSpent,
    Volumes,
)

__all__ = [
    "Concentration",
    "ContactedPerson",
    "Contribution",
    "Counterfactuals",
    "CoverRisk",
    "CustomerInteractions",
    "DealAverages",
    "DealFigures",
    "Departure",
    "EmailEngagement",
    "Envelope",
    "FigureAverage",
    "Health",
    "HealthEvidence",
    "Influence",
    "Initiated",
    "LastInteraction",
    "Ledger",
    "LedgerEntry",
    "Moment",
    "MostContacted",
    "NextInteraction",
    "Outlook",
    "PersonRef",
    "PersonShare",
    "RecordWidget",
    "RecordWidgets",
    "RelationshipActivities",
    "ResponseTime",
    "SentReceivedRatio",
    "Sentence",
    "Shape",
    "SideResponse",
    "SimilarDeal",
    "SimilarWonOpportunities",
    "Spread",
    "Summary",
    "TimeSpent",
    "TimelineDay",
    "Volumes",
    "WaitingForUs",
    "Widgets",
]
