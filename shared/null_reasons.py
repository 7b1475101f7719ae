"""Why a figure is null: a code for every field of a widget that cannot be said, under the field's name in the answer.

A field that has a value has no code, so an empty `reasons` says that all of the block is known.
"""

from __future__ import annotations

from shared.kpi.counterfactual import Counterfactual
from shared.kpi.engagement import Engagement
from shared.kpi.health import Health, State
from shared.kpi.response import SideResponse
from shared.kpi.rhythm import Rhythm

NO_INTERACTIONS = "noInteractions"
FEW_ACTIVE_DAYS = "fewActiveDays"  # contact on fewer than four days: no usual gap of its own
HIDDEN = "healthHidden"
WITHHELD = "privacyFloor"
SCORE = {
    State.NOT_ENOUGH: "fewInteractions",  # fewer than three, or none older than 14 days
    State.NO_CLOSED_ACTIVITIES: NO_INTERACTIONS,
    State.OLDER_THAN_TWO_YEARS: "olderThanTwoYears",
}
_HEALTH = ("score", "scoreInt", "alarm", "counterfactuals")
_EVIDENCE = ("usualGapDays", "silenceDays", "silenceRatio")
_SIDE = ("hours", "businessHours", "responseRate")


def of_health(value: Health, closed: bool) -> dict[str, str]:
    """Score, alarm and outlook; a closed record has no outlook."""
    found: dict[str, str] = {}
    if value.score is None:
        found |= dict.fromkeys(("score", "scoreInt"), SCORE[value.state])
    if value.rhythm.alarm is None:
        found["alarm"] = FEW_ACTIVE_DAYS if value.rhythm.active_days else NO_INTERACTIONS
    return {**found, "counterfactuals": "closed"} if closed else found


def of_rhythm(value: Rhythm) -> dict[str, str]:
    """Usual gap and silence."""
    if not value.active_days:
        return dict.fromkeys(_EVIDENCE, NO_INTERACTIONS)
    return {"usualGapDays": FEW_ACTIVE_DAYS} if value.usual_gap_days is None else {}


def whole_health(why: str) -> dict[str, str]:
    """All of health, for one reason."""
    return dict.fromkeys(_HEALTH, why)


def whole_rhythm(why: str) -> dict[str, str]:
    """Usual gap and silence, for one reason."""
    return dict.fromkeys(_EVIDENCE, why)


def of_counterfactual(value: Counterfactual) -> dict[str, str]:
    """Scores that stay insufficient."""
    scores = {"now": value.now, "without": value.without}
    return {name: "insufficient" for name, score in scores.items() if score is None}


def of_side(value: SideResponse) -> dict[str, str]:
    """Latencies of nothing answered, the rate of nothing answerable."""
    found = dict.fromkeys(_SIDE[:2], "noAnswers") if value.hours is None else {}
    return {**found, "responseRate": "nothingAnswerable"} if value.rate is None else found


def withheld_side() -> dict[str, str]:
    """A side whose figures too few people stand behind."""
    return dict.fromkeys(_SIDE, WITHHELD)


def of_engagement(value: Engagement, shown: bool) -> dict[str, str]:
    """Rates with nothing to divide by."""
    nothing = "" if shown else "switchedOff"
    nothing = nothing or ("" if value.sent else "nothingFollowed") or ("" if value.delivered else "nothingDelivered")
    rates = {
        "openRate": (value.open_rate, nothing),
        "clickRate": (value.click_rate, nothing or "noLinks"),
        "attachmentRate": (value.attachment_rate, nothing or "noAttachments"),
        "replyRate": (value.reply_rate, nothing),
    }
    return {name: why for name, (rate, why) in rates.items() if rate is None}
