"""What the organisation's settings do to a record's widgets, on small histories without storage."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from msgspec import structs

from shared import moments
from shared.columns import Entries
from shared.kpi.freshness import Source
from shared.kpi.parameters import NeverLog, Parameters
from shared.never_log import logged
from shared.snapshots import Computation, snapshot
from shared.widgets import RecordWidgets
from tests.doubles.computations import computed, entries_of
from tests.doubles.histories import BERLIN, DAY, A, Item, contact, email, instant, key, meeting, person

KIM = contact("kim")
COLLEAGUES = ("anna", "ben", "cleo", "dora", "eve@us.example")


def widgets(entries: Entries, parameters: Parameters = BERLIN) -> RecordWidgets:
    return snapshot(computed(entries, parameters), A, A, 1)


def weekly(ours: Iterable[str] = ("anna",), weeks: int = 12) -> list[Item]:
    """Each week a mail of kim's to one of ours in turn, answered within an hour."""
    names = list(ours)
    found = []
    for week in range(weeks):
        who, at = names[week % len(names)], A - (3 + 7 * week) * DAY
        found.append(email(at, "kim", [who], conversation=f"c{week}"))
        found.append(email(at + 3_600, who, ["kim"], conversation=f"c{week}"))
    return found


@pytest.mark.parametrize(
    ("never", "left"),
    [
        (NeverLog(), 3),
        (NeverLog(people=(person("lee"),)), 2),
        (NeverLog(domains=(key("bank.example"),)), 2),
        (NeverLog(people=(person("kim"),)), 0),
    ],
)
def test_an_interaction_with_somebody_on_the_never_log_list_is_in_no_figure(never: NeverLog, left: int) -> None:
    items = [
        email(A - 9 * DAY, "anna", ["kim"]),
        email(A - 8 * DAY, "anna", ["kim"], cc=["lee"]),
        email(A - 7 * DAY, "kim", ["anna"], cc=["lawyer@bank.example"]),
    ]
    found = computed(entries_of(items), replace(BERLIN, never_log=never))
    assert len(found.entries) == left  # the ledger reads these
    volumes = snapshot(found, A, A, 1).widgets.volumes
    assert volumes.emails_sent + volumes.emails_received == left


def test_a_listed_address_stands_for_all_of_the_person() -> None:
    party = key("party of kim")
    known = replace(
        KIM,
        persons=np.sort(np.append(KIM.persons, np.uint64(party))),
        canonical=np.insert(
            KIM.canonical, int(np.searchsorted(KIM.persons, np.uint64(party))), np.uint64(person("kim"))
        ),
    )
    entries = entries_of([email(A - DAY, "anna", ["kim"])])
    entries.facts.part_person[entries.facts.part_person == np.uint64(person("kim"))] = party
    assert len(logged(entries, known, NeverLog(people=(person("kim"),)))) == 0
    assert len(logged(entries, known, NeverLog(people=(person("lee"),)))) == 1


def test_our_side_is_withheld_where_few_stand_behind_it_and_only_where_that_is_wanted() -> None:
    strict = replace(BERLIN, strict_own_side=True)
    few, many = entries_of(weekly(COLLEAGUES[:4])), entries_of(weekly(COLLEAGUES))
    for parameters, entries in ((BERLIN, few), (strict, many)):
        shown = widgets(entries, parameters).widgets
        assert (shown.time_spent.our_hours, shown.response_time.by_us.response_rate) == (1.5, 1.0)
    held = widgets(few, strict).widgets
    assert (held.time_spent.our_hours, held.time_spent.our_minutes, held.time_spent.wider_team_minutes) == (None,) * 3
    assert held.time_spent.their_hours == 1.5
    assert (held.response_time.by_us.hours, held.response_time.by_us.response_rate) == (None, None)
    assert "privacyFloor" in held.response_time.by_us.flags and "privacyFloor" in held.time_spent.flags
    assert held.response_time.by_them == widgets(few).widgets.response_time.by_them
    assert not [s for s in held.summary.sentences if s.id.startswith(("summary.hours", "summary.response"))]


def test_answers_of_few_are_withheld_although_many_took_part() -> None:
    items = [*weekly(["anna"]), meeting(A - 5 * DAY, "anna", [*COLLEAGUES[1:], "kim"])]
    held = widgets(entries_of(items), replace(BERLIN, strict_own_side=True)).widgets
    assert held.time_spent.our_hours is not None
    assert held.response_time.by_us.hours is None


def test_health_that_is_not_shown_is_in_no_widget() -> None:
    entries = entries_of(weekly())
    hidden, shown = widgets(entries, replace(BERLIN, show_health=False)), widgets(entries)
    assert shown.widgets.health.score is not None and "healthHidden" not in shown.flags
    assert "healthHidden" in hidden.flags
    health = hidden.widgets.health
    assert (health.score, health.contributions, health.counterfactuals, health.alarm) == (None, [], None, None)
    assert hidden.widgets.time_spent == shown.widgets.time_spent
    leaving, known = hidden.widgets.cover_risk.if_leaves, shown.widgets.cover_risk.if_leaves
    assert leaving is not None and known is not None and known.score_now is not None
    assert (leaving.score_now, leaving.score_then, leaving.grade_then) == (None, None, "insufficient")
    assert leaving.handover == known.handover


def test_engagement_is_null_where_it_is_switched_off() -> None:
    entries = entries_of(weekly(), {1: (0, 2, 0, 0, 0, 0)})
    assert widgets(entries).widgets.email_engagement.open_rate == 1.0
    off = widgets(entries, replace(BERLIN, email_engagement=False)).widgets.email_engagement
    assert (off.followed, off.open_rate, off.flags) == (0, None, ["switchedOff"])


def test_days_before_everything_was_read_are_unknown_and_not_empty() -> None:
    since = instant("2026-03-01T10:00Z")
    found = replace(computed(entries_of(weekly())), mailboxes={person("anna"): Source(A, covered_from=since)})
    days = snapshot(found, A, A, 1).widgets.relationship_activities.days
    assert [day.date for day in days if not day.known] == [day.date for day in days if day.date < "2026-03-01"]
    assert all(day.known for day in widgets(entries_of(weekly())).widgets.relationship_activities.days)


def test_what_waits_for_us_says_that_the_owners_hours_are_assumed() -> None:
    waiting = widgets(entries_of([email(A - 2 * DAY, "kim", ["anna"])])).widgets.response_time.waiting_for_us
    assert (waiting.count, waiting.flags) == (1, ["assumedHours"])
    nothing = widgets(entries_of([email(A - 2 * DAY, "anna", ["kim"])])).widgets.response_time.waiting_for_us
    assert (nothing.count, nothing.flags) == (0, [])


def test_silence_is_counted_from_the_last_interaction_else_from_the_creation_of_an_open_record() -> None:
    def last(found: Computation) -> tuple[str | None, int | None]:
        shown = snapshot(found, A, A, 1).widgets.last_interaction
        return shown.quiet_since, shown.idle_after_days

    parameters = replace(BERLIN, idle_days=21)
    held, never = (computed(entries_of(items), parameters) for items in (weekly(), []))
    assert last(held) == (snapshot(held, A, A, 1).widgets.last_interaction.last.at, 21)  # type: ignore[union-attr]
    assert last(never) == (None, 21)
    created = replace(
        never, subject=replace(never.subject, roster=structs.replace(never.subject.roster, created_at=A - DAY))
    )
    assert last(created) == (moments.instant(A - DAY), 21)
    closed = replace(held, history=replace(held.history, closed=A - DAY))
    assert last(closed) == (None, None)
