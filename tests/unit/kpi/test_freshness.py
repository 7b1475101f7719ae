"""Vectors of kpis 15."""

from __future__ import annotations

from shared.kpi.freshness import Source, freshness, recent_colleagues
from tests.doubles.histories import DAY, A, email, history, instant, person

AS_OF, START = instant("2026-03-15T12:06Z"), instant("2025-01-01T00:00Z")
CRM, ANNA, BEN = (Source(instant(f"2026-03-15T{time}Z")) for time in ("12:05", "12:03", "11:10"))


def test_vector_15_1_the_earliest_watermark_counts() -> None:
    found = freshness(AS_OF, START, CRM, [ANNA, BEN])
    assert (found.complete_up_to, found.partial) == (instant("2026-03-15T11:10Z"), True)


def test_vector_15_2_mailbox_without_interaction_holds_nothing_back() -> None:
    """Ben's only mail to the customer is older than 365 days, so his mailbox is not asked."""
    record = history(email(A - 366 * DAY, "ben", ["kim"]), email(A - 365 * DAY, "anna", ["kim"]))
    assert recent_colleagues(record).tolist() == [person("anna")]
    mailboxes = {person("anna"): ANNA, person("ben"): BEN}
    found = freshness(AS_OF, START, CRM, [mailboxes[key] for key in recent_colleagues(record).tolist()])
    assert (found.complete_up_to, found.partial) == (instant("2026-03-15T12:03Z"), False)


def test_vector_15_3_disabled_mailboxes_leave_the_crm() -> None:
    found = freshness(AS_OF, START, CRM, None)
    assert (found.complete_up_to, found.basic_only, found.partial) == (CRM.watermark, True, False)


def test_vector_15_4_coverage_that_starts_inside_the_window() -> None:
    start = instant("2025-06-01T00:00Z")
    found = freshness(AS_OF, START, CRM, [Source(ANNA.watermark, start), Source(ANNA.watermark, START)])
    assert (found.partial, found.complete_from) == (True, start)


def test_lag_of_exactly_thirty_minutes_is_allowed() -> None:
    assert not freshness(AS_OF, START, Source(AS_OF - 1800), []).partial
    assert freshness(AS_OF, START, Source(AS_OF - 1801), []).partial
    assert not freshness(AS_OF, START, Source(AS_OF - 1801), [], allowed_lag=3600).partial


def test_source_that_was_never_read_makes_partial() -> None:
    found = freshness(AS_OF, START, CRM, [Source(None)])
    assert (found.complete_up_to, found.partial) == (None, True)


def test_nobody_is_recent_without_interactions() -> None:
    assert recent_colleagues(history()).tolist() == []
