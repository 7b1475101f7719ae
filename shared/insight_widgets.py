"""Widgets that look beyond counting: what-if, cover risk, engagement, and the sentences made from all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shared import null_reasons
from shared import widgets as w
from shared.kpi.counterfactual import counterfactual
from shared.kpi.cover import Concentration, cover, departure
from shared.kpi.engagement import FollowedMails, engagement
from shared.kpi.health import Grade
from shared.kpi.rhythm import Alarm
from shared.kpi.summary import Facts, Subjects, summary
from shared.kpi.turns import answered_mails
from shared.moments import instant

if TYPE_CHECKING:
    from shared.snapshots import Computation


def without_health(health: w.Health) -> w.Health:
    """What is left of health where the organisation does not show it: that a closed record is closed."""
    nothing = w.HealthEvidence(
        interactions=0, signs_from_them=0, frequency_days=health.evidence.frequency_days, periods=0, periods_met=0,
        periods_met_by_them=0, decayed=0.0, expected=0.0, active_days=0, usual_gap_days=None, silence_days=None,
        silence_ratio=None, signers=[], influences=[], reasons=null_reasons.whole_rhythm(null_reasons.HIDDEN),
    )  # fmt: skip
    return w.Health(
        score=None, score_int=None, grade="insufficient", state=3, trend=3, trend_name="notEnough", contributions=[],
        evidence=nothing, alarm=None, frozen=health.frozen, reasons=null_reasons.whole_health(null_reasons.HIDDEN),
    )  # fmt: skip


def counterfactuals(found: Computation) -> w.Counterfactuals | None:
    """What a reply, a mail or a meeting by Friday would do; None for a closed record."""
    value = counterfactual(found.history, found.parameters)
    if value is None:
        return None
    outlooks = [
        w.Outlook(
            deed=str(o.deed), person=found.person(o.person), score=o.score,
            reason="insufficient" if o.score is None else "",
        )
        for o in value.outlooks
    ]  # fmt: skip
    reasons = null_reasons.of_counterfactual(value)
    return w.Counterfactuals(
        target=instant(value.target), now=value.now, without=value.without, outlooks=outlooks, reasons=reasons
    )


# A contact is the other side by itself: that all of it hangs on this person says nothing.
_ITS_OWN = w.Concentration([], largest=None, effective_number=None, single_threaded=False, reason="isTheContact")


def cover_risk(found: Computation, leaving: int | None = None) -> w.CoverRisk:
    """Concentration on both sides, and the simulation for one of ours, by default for who has the largest share."""
    names = {key: person.name for key, person in found.names.items()}
    value = cover(found.history, found.parameters, names)
    if leaving is None and value.ours.shares:
        leaving = value.ours.shares[0].person
    return w.CoverRisk(
        ours=_concentration(found, value.ours),
        theirs=_concentration(found, value.theirs) if found.subject.roster.type != "contact" else _ITS_OWN,
        if_leaves=None if leaving is None else _departure(found, leaving),
        named_to=list(found.subject.overseers),
    )


def _concentration(found: Computation, side: Concentration) -> w.Concentration:
    shares = [w.PersonShare(person=found.person(s.person), share=s.share) for s in side.shares[:10]]
    return w.Concentration(
        shares=shares,
        largest=side.largest,
        effective_number=side.effective_number,
        single_threaded=side.single_threaded,
        reason="" if side.shares else "noInteractions",
    )


def _departure(found: Computation, person: int) -> w.Departure:
    value = departure(found.history, found.parameters, person, found.subject.roster.created_at)
    shown = found.parameters.show_health
    return w.Departure(
        person=found.person(person),
        score_now=value.now.score if shown else None,
        score_then=value.then.score if shown else None,
        grade_then=str(value.then.grade if shown else Grade.INSUFFICIENT),
        handover=[found.person(key) for key in value.handover],
    )


def email_engagement(found: Computation) -> w.EmailEngagement:
    """Shares of followed mails from the CRM's own counters. No followed mail gives nulls, not zeros; so does `switchedOff`."""
    value = engagement(_followed(found))
    return w.EmailEngagement(
        followed=value.sent,
        delivered=value.delivered,
        opened=value.opened,
        opened_by_machine_only=value.opened_by_machine_only,
        with_links=value.with_links,
        clicked=value.clicked,
        clicked_by_machine_only=value.clicked_by_machine_only,
        attachments=value.attachments,
        attachments_viewed=value.attachments_viewed,
        replied=value.replied,
        open_rate=value.open_rate,
        click_rate=value.click_rate,
        attachment_rate=value.attachment_rate,
        reply_rate=value.reply_rate,
        flags=["machineOpensNotSeparated"] if found.parameters.email_engagement else ["switchedOff"],
        reasons=null_reasons.of_engagement(value, found.parameters.email_engagement),
    )


def _followed(found: Computation) -> FollowedMails:
    """The followed mails of the window that count for the record; none where the organisation does not want them."""
    entries, history = found.entries, found.history
    key = entries.facts.key[entries.engagement_index]
    at = entries.facts.at[entries.engagement_index]
    rows = (at >= found.window.start) & (at <= found.window.end) & np.isin(key, history.key)
    rows &= found.parameters.email_engagement
    if found.subject.not_followed and rows.any():  # one recipient who does not allow it, and a mail is not followed
        shut = np.isin(entries.facts.part_person, np.array(sorted(found.subject.not_followed), dtype=np.uint64))
        rows &= ~np.isin(entries.engagement_index, entries.facts.part_index[shut])
    counters, key = entries.engagement[rows].astype(np.int64), key[rows]
    bounced, opens, clicks, links, attachments, viewed = counters.T if len(counters) else np.empty((6, 0), np.int64)
    nobody = np.zeros(len(key), dtype=bool)
    return FollowedMails(
        delivered=bounced == 0,
        opened=opens > 0,
        opened_by_machine=nobody,
        links=links,
        clicked=clicks > 0,
        clicked_by_machine=nobody,
        attachments=attachments,
        attachments_viewed=viewed,
        replied=np.isin(key, answered_mails(history)),
    )


def summary_of(found: Computation, rest: w.Widgets, similar: tuple[Subjects | None, int]) -> w.Summary:
    """The sentences that follow from the other widgets; `similar` are the means of similar won deals and their number."""
    value = summary(_facts(rest, similar))
    sentences = [w.Sentence(id=m.id, parameters=dict(m.parameters)) for m in value.messages]
    return w.Summary(sentences=sentences, reason=value.reason)


def _facts(rest: w.Widgets, similar: tuple[Subjects | None, int]) -> Facts:
    waiting, largest = rest.response_time.waiting_for_us, rest.cover_risk.ours
    ours, theirs = rest.response_time.by_us, rest.response_time.by_them
    contact = rest.volumes.interactions_ours + rest.volumes.interactions_theirs > 0
    return Facts(
        ours=Subjects(
            meetings=rest.volumes.meetings_sent if contact else None,
            hours=rest.time_spent.our_hours if contact else None,
            open_rate=rest.email_engagement.open_rate,
            response_hours=ours.hours.median if ours.hours else None,
            response_rate=ours.response_rate,
        ),
        theirs=Subjects(
            meetings=rest.volumes.meetings_received if contact else None,
            hours=rest.time_spent.their_hours if contact else None,
            response_hours=theirs.hours.median if theirs.hours else None,
            response_rate=theirs.response_rate,
        ),
        similar=similar[0],
        similar_number=similar[1],
        alarm=Alarm(rest.health.alarm) if rest.health.alarm else None,
        silence_days=rest.health.evidence.silence_days,
        waiting=waiting.count,
        waiting_business_hours=waiting.oldest_business_hours,
        single_thread_share=largest.largest if largest.single_threaded else None,
    )
