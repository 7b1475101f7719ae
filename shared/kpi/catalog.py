"""Every figure by name: what it means, unit, range, which direction is good, when it is null, and the module that makes it.

Names are those of the specification and of the API. `docs/kpis.md` shows this table; a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass

NONE, HIGHER, LOWER, BALANCE = "no direction", "higher", "lower", "near 1"
NEVER = "never"
INSUFFICIENT = "the score is null"


@dataclass(frozen=True)
class Figure:
    """One figure. `range` is inclusive; `direction` says what is good; `null` says when it cannot be said."""

    name: str
    meaning: str
    unit: str
    range: str
    direction: str
    null: str
    module: str  # in shared.kpi


def _count(name: str, meaning: str, module: str = "counts", direction: str = NONE) -> Figure:
    return Figure(name, meaning, "interactions", "0 or more", direction, NEVER, module)


CATALOG: tuple[Figure, ...] = (
    _count("emailsSent", "counted mails from our side in the window"),
    _count("emailsReceived", "counted mails from their side in the window"),
    _count("meetingsSent", "held meetings organized by us, or by nobody known"),
    _count("meetingsReceived", "held meetings organized by them"),
    _count("callsMade", "completed calls that we made"),
    _count("callsReceived", "completed calls that they made"),
    _count("interactionsOurs", "mails, meetings and calls initiated by us"),
    _count("interactionsTheirs", "mails, meetings and calls initiated by them"),
    Figure("conversationsOurs", "conversations of which we wrote the first counted mail, in the window",
           "conversations", "0 or more", NONE, NEVER, "counts"),
    Figure("conversationsTheirs", "conversations of which they wrote the first counted mail, in the window",
           "conversations", "0 or more", NONE, NEVER, "counts"),
    Figure("ratioByThem", "mails received ÷ mails sent", "ratio", "0 or more", BALANCE, "no mail sent", "counts"),
    Figure("ratioByUs", "mails sent ÷ mails received", "ratio", "0 or more", BALANCE, "no mail received", "counts"),
    _count("timeline", "the six counts for each of the last local dates, today included", "timeline"),
    Figure("last", "latest counted mail, meeting or call of the whole history", "instant", "up to the instant asked about",
           "later", "no such interaction", "last_next"),
    Figure("current", "meeting that goes on", "instant", "before the instant asked about",
           NONE, "no meeting goes on", "last_next"),
    Figure("next", "earliest scheduled meeting, call or task", "instant", "from the instant asked about on",
           "earlier", "not scheduled", "last_next"),
    _count("mostContacted", "per external person: interactions of the window in which the person took part", "contacts"),
    _count("mostContactedBy", "per colleague: interactions of the window in which the colleague took part", "contacts"),
    _count("widerTeam", "interactions of the record's customers with colleagues who are not on its team, left out elsewhere",
           "inclusion"),
    Figure("hoursOurs", "time of our side: mails at flat minutes, meetings and calls × our participants",
           "hours", "0 or more", NONE, NEVER, "time_spent"),
    Figure("hoursTheirs", "time of their side: mails at flat minutes, meetings and calls once",
           "hours", "0 or more", NONE, NEVER, "time_spent"),
    Figure("faceMinutes", "durations of held meetings, once each", "minutes", "0 or more", NONE, NEVER, "time_spent"),
    Figure("widerTeamMinutes", "time of colleagues outside the record's team in counted meetings and calls; not in hoursOurs",
           "minutes", "0 or more", NONE, NEVER, "time_spent"),
    Figure("durationMissing", "calls and tasks without a duration, counted as 0 minutes",
           "interactions", "0 or more", LOWER, NEVER, "time_spent"),
    Figure("responseByUs", "time to our answers to their asked turns: mean, median, 90th percentile; elapsed, business hours",
           "hours", "0 to 720", LOWER, "nothing answered", "response"),
    Figure("responseByThem", "time to their answers to our asked turns: mean, median, 90th percentile; elapsed, business hours",
           "hours", "0 to 720", LOWER, "nothing answered", "response"),
    Figure("responseRateByUs", "their asked turns that we answered ÷ those answered or open for 14 days or more",
           "share", "0 to 1", HIGHER, "nothing answerable", "response"),
    Figure("responseRateByThem", "our asked turns that they answered ÷ those answered or open for 14 days or more",
           "share", "0 to 1", HIGHER, "nothing answerable", "response"),
    Figure("repliesByUs", "their asked turns that we answered", "turns", "0 or more", NONE, NEVER, "response"),
    Figure("repliesByThem", "our asked turns that they answered", "turns", "0 or more", NONE, NEVER, "response"),
    Figure("waitingForUs", "their asked turns of the last 30 days that we have not answered, and the oldest in business hours",
           "turns", "0 or more", LOWER, "the oldest: nothing waits", "response"),
    Figure("score", "relationship health: rhythm, their rhythm, volume, recency and, for accounts and deals, breadth",
           "points", "0 to 100", HIGHER, "fewer than 3 interactions, or the oldest younger than 14 days", "health"),
    Figure("rhythm", "part of the score: share of the expected periods with contact, recent ones counting more",
           "points", "0 to 30 (accounts, deals: 27)", HIGHER, INSUFFICIENT, "contributions"),
    Figure("theirRhythm", "part of the score: the same over periods with a sign from them",
           "points", "0 to 40 (accounts, deals: 36)", HIGHER, INSUFFICIENT, "contributions"),
    Figure("volume", "part of the score: decayed amount of contact beside the amount expected",
           "points", "0 to 20 (accounts, deals: 18)", HIGHER, INSUFFICIENT, "contributions"),
    Figure("recency", "part of the score: silence beside the relationship's usual gap",
           "points", "0 to 10 (accounts, deals: 9)", HIGHER, INSUFFICIENT, "contributions"),
    Figure("breadth", "part of the score of accounts and deals: how many of their people gave a sign in the last 90 days",
           "points", "0 to 10", HIGHER, "insufficient, or a record of another type", "breadth"),
    Figure("grade", "the score by the organization's limits: good from 60, fair from 40, else poor",
           "choice", "good, fair, poor, insufficient", "good", "never: insufficient is a grade of its own", "health"),
    Figure("influence", "by how much the score would be lower without one interaction; the five largest",
           "points", "any", HIGHER, INSUFFICIENT, "influence"),
    Figure("usualGap", "mean distance between days with contact", "days", "1 or more", LOWER,
           "fewer than 4 days with contact", "rhythm"),
    Figure("silenceDays", "time since the latest interaction of weight", "days", "0 to 730", LOWER,
           "no interaction", "rhythm"),
    Figure("trend", "score against the score 28 days before, with hysteresis",
           "choice", "improving, steady, declining", "improving", "not enough information now or 28 days before", "trend"),
    Figure("silence", "time since the latest interaction ÷ the relationship's usual gap: from 4 cooling, from 8 probably lost",
           "ratio", "0 or more", LOWER, "fewer than 4 days with contact", "rhythm"),
    Figure("counterfactual", "score at a coming instant with one more event, beside the score then without it and now",
           "points", "0 to 100", HIGHER, "the score is null", "counterfactual"),
    Figure("coverShare", "share of the relationship's decayed weight that one person carries, per side",
           "share", "0 to 1", LOWER, "no interaction", "cover"),
    Figure("effectiveNumber", "1 ÷ Σ share²: how many equal people the shares amount to",
           "people", "1 or more", HIGHER, "no interaction", "cover"),
    Figure("scoreIfLeaves", "the score without the interactions whose only colleague is the one who leaves",
           "points", "0 to 100", HIGHER, "insufficient without that colleague", "cover"),
    Figure("strength", "who knows whom: how well a colleague knows an external person or a company",
           "points", "0 to 100", HIGHER, "no contact in the last 365 days", "strength"),
    Figure("bars", "the strength on the meter: each bar a sixth of 100",
           "bars", "1 to 6", HIGHER, "no contact in the last 365 days", "strength"),
    Figure("openRate", "delivered followed mails opened by a human ÷ delivered ones",
           "share", "0 to 1", HIGHER, "nothing delivered", "engagement"),
    Figure("clickRate", "delivered followed mails with links clicked by a human ÷ delivered ones with links",
           "share", "0 to 1", HIGHER, "nothing with links delivered", "engagement"),
    Figure("attachmentRate", "followed attachments viewed ÷ followed attachments delivered",
           "share", "0 to 1", HIGHER, "no attachment delivered", "engagement"),
    Figure("replyRate", "delivered followed mails that were answered ÷ delivered ones",
           "share", "0 to 1", HIGHER, "nothing delivered", "engagement"),
    Figure("similarity", "how close a won deal is to this one, over the fields that both have",
           "percent", "0 to 100", NONE, "no field to compare", "similar"),
    Figure("similarAverage", "mean and median of a figure over the nearest 20 similar won deals, at equal age and of whole lives",
           "as the figure", "as the figure", NONE, "fewer than 10 similar deals, or none has the figure", "similar"),
    Figure("daysToClose", "local date of the estimated closing − local date of the instant asked about",
           "days", "any", NONE, "no estimated closing", "pipeline"),
    Figure("completeUpTo", "instant up to which every source of the record has been read",
           "instant", "up to the instant asked about", "later", "a source has not been read yet", "freshness"),
    Figure("completeFrom", "instant from which on every source of the record has been read",
           "instant", "any", "earlier", "all sources are read from their beginning", "freshness"),
)  # fmt: skip


def page() -> str:
    """The table of `docs/kpis.md`, one line a figure.

    >>> page().splitlines()[2].split(" | ")[0]
    '| `emailsSent`'
    """
    lines = ["| name | meaning | unit | range | good | null when |", "|---|---|---|---|---|---|"]
    for figure in CATALOG:
        columns = (f"`{figure.name}`", figure.meaning, figure.unit, figure.range, figure.direction, figure.null)
        lines.append(f"| {' | '.join(columns)} |")
    return "\n".join(lines) + "\n"
