"""Snapshots: all widgets of one record at one instant, from its subject and its entries. Pure; the only place that computes them.

Reading, storing and serving know nothing of figures; the core knows nothing of JSON. Here the two meet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from msgspec.structs import replace

from shared import null_reasons
from shared import widgets as w
from shared.columns import Entries
from shared.insight_widgets import counterfactuals, cover_risk, email_engagement, summary_of, without_health
from shared.kpi.contacts import Contacted, most_contacted
from shared.kpi.counts import count, ratio
from shared.kpi.freshness import Freshness, Source, freshness, recent_colleagues
from shared.kpi.health import health
from shared.kpi.hours import calendar_of
from shared.kpi.inclusion import Inclusion, include
from shared.kpi.interactions import Direction, History, Interactions, Keys, Kind
from shared.kpi.last_next import LastNext, Moment, last_next
from shared.kpi.parameters import Parameters
from shared.kpi.response import SideResponse, Spread, response
from shared.kpi.rhythm import Alarm
from shared.kpi.time_spent import hours
from shared.kpi.timeline import timeline
from shared.kpi.trend import Trend, trend
from shared.kpi.windows import Window, kpi_window, local_date, midnight
from shared.moments import instant, known_instant
from shared.never_log import logged
from shared.opt_outs import without
from shared.own_side import floored
from shared.similar_results import SimilarResult
from shared.similar_widget import similar_subjects, similar_widget
from shared.subjects import Person, Subject, anchored

KINDS = {Kind.EMAIL: "email", Kind.MEETING: "meeting", Kind.CALL: "call", Kind.TASK: "task"}
DIRECTIONS = {Direction.OUT: "out", Direction.IN: "in"}
TREND_NAMES = ("improving", "steady", "declining", "notEnough", "failed", "notApplicable")


def relevant(subject: Subject, entries: Entries) -> Entries:
    """The entries that concern the record as it is now.

    A partition also holds what it counted for people who have left the record since, or while its span was another one. Leaving
    that out here makes the answer depend on what is known, not on the order in which it became known.
    """
    facts = entries.facts
    kept, records = anchored(subject)
    chosen = np.zeros(len(facts), dtype=bool)
    outside = ~np.isin(facts.part_domain, subject.membership.internal_domains)  # only outsiders bring an interaction in
    for people, first, last in kept:
        index = facts.part_index[outside & np.isin(facts.part_person, people)]
        chosen[index[(facts.at[index] >= first) & (facts.at[index] <= last)]] = True
    for kind, key in records:
        chosen[facts.regarding_index[(facts.regarding_type == kind) & (facts.regarding_key == np.uint64(key))]] = True
    return entries if chosen.all() else entries.take(np.flatnonzero(chosen))


@dataclass(frozen=True)
class Computation:
    """One record's inclusion and history at one instant, with what is needed to name things."""

    subject: Subject
    entries: Entries
    inclusion: Inclusion
    history: History
    window: Window
    parameters: Parameters
    names: Mapping[int, Person]
    similar: SimilarResult | None = None  # of an opportunity, where similar won deals were looked for
    crm_until: int | None = None  # up to when the CRM's changes are in, where they wait in the queue
    mailboxes: Mapping[int, Source] | None = None  # how far our people's mailboxes are read, None where none may be
    held_from: int | None = None  # what is older was erased for its age; None where nothing was

    def person(self, key: int) -> w.PersonRef:
        """Who stands behind a canonical key."""
        person = self.names.get(key)
        return w.PersonRef(id=person.id, name=person.name) if person else w.PersonRef(id=f"unknown:{key:016x}", name="")

    def activity(self, key: str) -> str:
        """The CRM row of an interaction by its hexadecimal key; empty when only Exchange has it."""
        found = np.flatnonzero(self.entries.facts.key == np.bytes_(bytes.fromhex(key)))
        return str(self.entries.activity[found[0]]) if len(found) else ""


def compute(
    subject: Subject,
    entries: Entries,
    as_of: int,
    parameters: Parameters,
    texts: Callable[[Iterable[int]], dict[int, str]],
) -> Computation:
    """Decide what counts at `as_of`. `texts` gives the addresses behind keys that are nobody's in the CRM."""
    entries = logged(relevant(subject, entries), subject.membership, parameters.never_log)
    entries = without(entries, subject.opted_out, subject.membership)
    inclusion = include(entries.facts, subject.membership, as_of, parameters)
    history = inclusion.history()
    window = kpi_window(as_of, parameters)
    unnamed = sorted(set(np.unique(inclusion.person).tolist()) - subject.people.keys())
    sides = dict(zip(inclusion.person.tolist(), inclusion.internal.tolist(), strict=True)) if unnamed else {}
    found = {key: Person(text, text, "internal" if sides[key] else "external") for key, text in texts(unnamed).items()}
    return Computation(subject, entries, inclusion, history, window, parameters, {**subject.people, **found})


def snapshot(found: Computation, computed_at: int, read_at: int, version: int) -> w.RecordWidgets:
    """All widgets. `read_at`: when the data was read, up to which the CRM's own feed is complete."""
    return w.RecordWidgets(**envelope(found, computed_at, read_at, version), widgets=_widgets(found))


def envelope(found: Computation, computed_at: int, read_at: int, version: int) -> dict[str, Any]:
    """The fields of `widgets.Envelope`."""
    roster = found.subject.roster
    fresh = _freshness(found, read_at)
    flags = ["basicOnly"] * fresh.basic_only + ["partial"] * fresh.partial
    flags += ["frozen"] * (found.history.closed is not None)
    flags += ["healthHidden"] * (not found.parameters.show_health)
    return {
        "record": roster.record,
        "record_type": roster.type,
        "record_name": roster.name,
        "computed_at": instant(computed_at),
        "as_of": instant(found.history.as_of),
        "window_from": instant(found.window.start),
        "complete_from": known_instant(fresh.complete_from),
        "complete_up_to": known_instant(fresh.complete_up_to),
        "flags": flags,
        "params_version": version,
    }


def _freshness(found: Computation, read_at: int) -> Freshness:
    """Only mailboxes of people who had to do with the record lately hold it back (kpis 15)."""
    until = read_at if found.crm_until is None else min(read_at, found.crm_until)
    crm, known = Source(until, found.held_from), found.mailboxes
    mine = None if known is None else [known[k] for k in recent_colleagues(found.history).tolist() if k in known]
    return freshness(found.history.as_of, found.window.start, crm, mine)


def _widgets(found: Computation) -> w.Widgets:
    history, parameters = found.history, found.parameters
    moments = last_next(history)
    counts = count(history, found.window)
    names = {key: person.name for key, person in found.names.items()}
    contacted = most_contacted(history, found.window, names)
    spent = hours(history, found.window, parameters)
    quotients = ratio(counts)
    rest = w.Widgets(
        summary=w.Summary(sentences=[], reason=None),
        health=_health(found),
        last_interaction=_last(found, moments),
        next_interaction=w.NextInteraction(next=_moment(found, moments.next), scheduled=moments.next is not None),
        most_contacted=_contacted(found, contacted.customers, contacted.customers_total),
        most_contacted_by=_contacted(found, contacted.colleagues, contacted.colleagues_total),
        customer_interactions=w.CustomerInteractions(
            ours=w.Initiated(
                emails=counts.emails_sent, meetings=counts.meetings_sent, calls=counts.calls_made, total=counts.ours,
                conversations=counts.conversations_ours,
            ),
            theirs=w.Initiated(
                emails=counts.emails_received, meetings=counts.meetings_received, calls=counts.calls_received,
                total=counts.theirs, conversations=counts.conversations_theirs,
            ),
        ),
        volumes=w.Volumes(
            emails_sent=counts.emails_sent, emails_received=counts.emails_received, meetings_sent=counts.meetings_sent,
            meetings_received=counts.meetings_received, calls_made=counts.calls_made, calls_received=counts.calls_received,
            interactions_ours=counts.ours, interactions_theirs=counts.theirs, wider_team=history.wider_team,
        ),
        time_spent=w.TimeSpent(
            our_hours=spent.ours, their_hours=spent.theirs, our_minutes=spent.our_minutes, their_minutes=spent.their_minutes,
            face_minutes=spent.face_minutes, wider_team_minutes=spent.wider_team_minutes,
            duration_missing=spent.duration_missing, flags=["durationMissing"] * (spent.duration_missing > 0),
        ),
        sent_received_ratio=w.SentReceivedRatio(
            by_them=quotients.by_them, by_us=quotients.by_us, emails_sent=quotients.sent,
            emails_received=quotients.received, reason=_ratio_reason(quotients.sent, quotients.received),
        ),
        response_time=_response(found),
        email_engagement=email_engagement(found),
        cover_risk=cover_risk(found),
        relationship_activities=_timeline(found),
        similar_won_opportunities=similar_widget(found),
    )  # fmt: skip
    rest = floored(found, rest if parameters.show_health else replace(rest, health=without_health(rest.health)))
    return replace(rest, summary=summary_of(found, rest, similar_subjects(found.similar)))


def _last(found: Computation, moments: LastNext) -> w.LastInteraction:
    """The last interaction, and from when and after how long the silence since is an alarm (product X8)."""
    last, current = _moment(found, moments.last), _moment(found, moments.current)
    if found.history.closed is not None:
        return w.LastInteraction(last=last, current=current)
    quiet_since = last.at if last else known_instant(found.subject.roster.created_at)
    return w.LastInteraction(
        last=last, current=current, quiet_since=quiet_since, idle_after_days=found.parameters.idle_days
    )


def _ratio_reason(sent: int, received: int) -> str:
    if not sent and not received:
        return "noEmails"
    return "noEmailsSent" if not sent else "noEmailsReceived" if not received else ""


def _moment(found: Computation, moment: Moment | None) -> w.Moment | None:
    if moment is None:
        return None
    return w.Moment(
        interaction_id=moment.key,
        activity_id=found.activity(moment.key),
        kind=KINDS[moment.kind],
        at=instant(moment.at),
        end=instant(moment.end),
        direction=None if moment.direction is None else DIRECTIONS[Direction(moment.direction)],
        people=[found.person(key) for key in moment.people],
    )


def _contacted(found: Computation, people: Iterable[Contacted], total: int) -> w.MostContacted:
    return w.MostContacted(people=contacted_people(found, people), total=total)


def contacted_people(found: Computation, people: Iterable[Contacted]) -> list[w.ContactedPerson]:
    """People with their names, and whether the record itself names them."""
    return [
        w.ContactedPerson(
            person=found.person(one.person), number=one.number, emails=one.emails, meetings=one.meetings, calls=one.calls,
            last_at=instant(one.last_at), on_record=_is_on_record(found, one.person),
        )
        for one in people
    ]  # fmt: skip


def _is_on_record(found: Computation, person: int) -> bool:
    """Whether the record itself names the person; on the others the form offers "add as stakeholder?"."""
    membership = found.subject.membership
    named: list[Keys] = [membership.external, *(child.external for child in membership.children)]
    team = membership.team
    return any(np.uint64(person) in keys for keys in named) or team is None or np.uint64(person) in team


def _health(found: Computation) -> w.Health:
    created = found.subject.roster.created_at
    value = health(found.history, found.parameters, created=created)
    direction = trend(found.history, found.parameters, created=created)
    evidence, rhythm, outlook = value.evidence, value.rhythm, counterfactuals(found)
    return w.Health(
        score=value.score, score_int=value.score_int, grade=str(value.grade), state=int(value.state),
        trend=int(direction), trend_name=TREND_NAMES[Trend(direction)],
        contributions=[
            w.Contribution(name=part.name, points=part.points, value=part.value, score=part.score)
            for part in value.contributions
        ],
        evidence=w.HealthEvidence(
            interactions=evidence.interactions, signs_from_them=evidence.signs_from_them,
            frequency_days=evidence.frequency_days, periods=evidence.periods, periods_met=evidence.periods_met,
            periods_met_by_them=evidence.periods_met_by_them, decayed=evidence.decayed, expected=evidence.expected,
            active_days=rhythm.active_days, usual_gap_days=rhythm.usual_gap_days, silence_days=rhythm.silence_days,
            silence_ratio=rhythm.ratio, signers=[found.person(key) for key in evidence.signers],
            influences=[
                w.Influence(interaction_id=i.key.ljust(16, b"\0").hex(), at=instant(i.at), points=i.points)
                for i in evidence.influences
            ],
            reasons=null_reasons.of_rhythm(rhythm),
        ),
        alarm=None if rhythm.alarm is None else str(Alarm(rhythm.alarm)), frozen=value.frozen,
        counterfactuals=outlook, reasons=null_reasons.of_health(value, closed=outlook is None),
    )  # fmt: skip


def _response(found: Computation) -> w.ResponseTime:
    subject = found.subject
    calendars = {person: calendar_of(own, found.parameters) for person, own in subject.own_hours.items()}
    value = response(found.history, found.parameters, found.window, calendars, subject.owner)
    waiting = value.waiting_for_us
    key = waiting.oldest_key
    return w.ResponseTime(
        by_us=_side(value.by_us),
        by_them=_side(value.by_them),
        waiting_for_us=w.WaitingForUs(
            count=waiting.count,
            oldest_at=known_instant(waiting.oldest_at),
            oldest_interaction_id=key.ljust(16, b"\0").hex() if key is not None else None,
            oldest_business_hours=waiting.oldest_business_hours,
            flags=["assumedHours"] * (waiting.count > 0 and waiting.assumed_hours),
        ),
    )


def _side(side: SideResponse) -> w.SideResponse:
    flags = ["lowSample"] * side.low_sample + ["assumedHours"] * side.assumed_hours
    return w.SideResponse(
        replies=side.n, hours=_spread(side.hours), business_hours=_spread(side.business_hours), response_rate=side.rate,
        answerable=side.answerable, flags=flags, reasons=null_reasons.of_side(side),
    )  # fmt: skip


def _spread(spread: Spread | None) -> w.Spread | None:
    return w.Spread(mean=spread.mean, median=spread.median, p90=spread.p90) if spread else None


def _timeline(found: Computation) -> w.RelationshipActivities:
    rows, zone = timeline(found.history, found.parameters), found.parameters.reporting_zone
    since = _freshness(found, found.history.as_of).complete_from
    first_known = "" if since is None else local_date(since, zone).isoformat()
    columns = (rows.emails_sent, rows.emails_received, rows.meetings_sent, rows.meetings_received, rows.calls_made)
    days = [
        w.TimelineDay(
            date=date, emails_sent=sent, emails_received=received, meetings_sent=invited, meetings_received=joined,
            calls_made=made, calls_received=taken, known=date >= first_known,
        )
        for date, sent, received, invited, joined, made, taken in zip(rows.dates, *columns, rows.calls_received, strict=True)
    ]  # fmt: skip
    return w.RelationshipActivities(time_zone=zone, days=days)


def valid_until(found: Computation, as_of: int) -> int:
    """The instant from which the snapshot would differ for no other reason than that time has passed.

    An hour at most, since every age in the score moves; earlier where a planned meeting begins or one going on ends, and at
    the next midnight of the reporting zone.
    """
    from datetime import timedelta

    zone = found.parameters.reporting_zone
    turns = [as_of + 3_600, midnight(local_date(as_of, zone) + timedelta(days=1), zone)]
    planned: Interactions = found.history.planned
    turns += [int(at) + 1 for at in planned.at if at >= as_of]
    turns += [int(end) for end in found.history.current.end if end > as_of]
    return min(turns)
