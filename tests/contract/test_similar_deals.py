"""Similar won deals from real storage: what is found for a deal, shown, and found again.

The won deals and what was said about them are told once for all tests of this file; each test has open deals of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import json

from shared import deal_pool_rows, insights, reading, similar_results, tables
from shared.errors import ConflictError, NotFoundError
from shared.kpi.parameters import DAY
from shared.recompute import as_of, recompute
from shared.similar_deals import refresh
from shared.similar_request import refreshed
from shared.similar_widget import similar_subjects
from tests.conftest import PERSON_KEY
from tests.doubles.processes import forget
from tests.doubles.talk import NOW, mail, row
from tests.doubles.won_deals import found_at, means, opened, talk, tell, widget, won_deals
from tests.local.azurite_process import RunningAzurite
from tests.local.bus_process import RunningBus


@pytest.fixture(scope="module", autouse=True)
def world(azurite: RunningAzurite, service_bus: RunningBus) -> Iterator[None]:
    """Thirty won deals in tables that were empty before."""
    values = {
        "TABLES": azurite.connection_string,
        "SERVICEBUS": service_bus.connection_string,
        "PERSON_KEY": PERSON_KEY,
        "TENANT_DOMAINS": "us.example",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setenv(name, value)
        forget()
        for table in tables.service().list_tables():
            tables.service().delete_table(table.name)
        tell(*won_deals(), *talk())
        deal_pool_rows.rebuild(NOW)
        yield
    forget()


def found(record: str, now: int = NOW) -> dict[str, Any]:
    """The widget after looking."""
    assert refresh([record], now) == [record]
    return widget(record, now)


def test_one_of_thirty_has_the_averages_counted_by_hand() -> None:
    shown = found(opened())
    assert (shown["n"], shown["tooFew"], shown["averaged"], shown["reason"]) == (25, False, 20, None)
    # At day 30: a mail each, 2 more of ten deals, 1 more of two; half of them met for half an hour.
    # Hours: (20 * 5 min written + 10 * 5 min + 12 * 2.5 min read + 10 * 30 min met) / 20 = 24 min for us.
    assert means(shown["equalAge"]) == {
        "activities": (20, 2.6), "emails": (20, 2.1), "meetings": (20, 0.5), "calls": (20, 0.0),
        "meetingsInitiated": (20, 0.5), "ourHours": (20, 0.4), "theirHours": (20, 0.36),
        "responseHours": (10, 2.0), "responseRate": (10, 1.0), "openRate": None,
    }  # fmt: skip
    # At closing: 0, 1, 2 or 3 more mails, 1.5 on average, and two questions that nobody answered in 14 days.
    whole = means(shown["wholeLife"])
    assert (whole["emails"], whole["activities"], whole["responseRate"]) == ((20, 3.6), (20, 4.1), (12, 0.8333))


def test_every_listed_deal_has_its_own_figures_at_both_instants() -> None:
    third = found(opened())["deals"][2]
    assert (third["record"], third["name"], third["similarityPercent"]) == ("opportunity:won03", "Won 3", 100)
    assert (third["equalAge"]["emails"], third["wholeLife"]["emails"]) == (3, 6)


def test_an_older_deal_is_compared_with_the_others_at_their_closing() -> None:
    shown = found(opened(age_days=190))  # deal 1 was won on its day 179
    assert shown["equalAge"] == shown["wholeLife"]
    assert shown["ageDays"] == 190.0


def test_a_deal_whose_creation_is_unknown_has_the_whole_life_only() -> None:
    shown = found(opened(createdAt=None))
    assert set(shown["equalAge"].values()) == {None}
    assert shown["wholeLife"]["emails"]["mean"] == 3.6


def test_this_deals_own_figures_stand_beside() -> None:
    record = opened()
    tell(mail(3, "anna", "kim", regarding=[record]))
    assert found(record)["thisDeal"]["emails"] == 1


def test_the_summary_compares_with_the_means_at_equal_age() -> None:
    record = opened()
    refresh([record], NOW)
    stored = similar_results.read(record)
    assert stored is not None
    subjects, n = similar_subjects(stored[0])
    assert n == 25
    assert subjects is not None
    assert (subjects.meetings, subjects.response_hours, subjects.response_rate) == (0.5, 2.0, 1.0)


def test_without_a_list_the_summary_has_nothing_to_compare_with() -> None:
    assert similar_subjects(None) == (None, 0)


def test_before_anything_was_found_the_widget_says_so_and_asks_for_it() -> None:
    record = opened()
    stored = recompute(record, NOW)
    assert stored is not None
    assert stored.similar_due
    shown = widget(record)
    assert (shown["reason"], shown["n"], shown["deals"], shown["equalAge"]) == ("notFoundYet", 0, [], None)


def test_other_records_have_no_such_widget_and_closed_deals_ask_for_nothing() -> None:
    assert widget("contact:kim") is None
    closed = recompute("opportunity:won01", NOW)
    assert closed is not None
    assert not closed.similar_due


def test_what_is_fresh_is_passed_over_and_found_again_before_it_is_a_week_old() -> None:
    record = opened()
    refresh([record], NOW)
    assert refresh([record], NOW + 6 * DAY - 1) == []
    assert refresh([record], NOW + 6 * DAY) == [record]
    assert found_at(record) == NOW + 6 * DAY


def test_a_changed_field_makes_it_due_and_another_attribute_does_not() -> None:
    record = opened()
    refresh([record], NOW)
    tell(row("opportunity", record.partition(":")[2], name="Renamed"))
    assert refresh([record], NOW + 60) == []
    tell(row("opportunity", record.partition(":")[2], region="APAC"))
    due = recompute(record, NOW + 60)
    assert due is not None
    assert due.similar_due
    assert found(record, NOW + 60)["deals"][0]["differing"] == ["region"]


def test_a_deal_that_is_gone_takes_its_list_with_it() -> None:
    record = opened()
    refresh([record], NOW)
    recompute(record, NOW)
    tell({"entity": "opportunity", "id": record.partition(":")[2], "version": 10**6, "operation": "delete"})
    assert recompute(record, NOW) is None
    assert similar_results.read(record) is None


def test_a_past_instant_is_found_when_it_is_asked_for_by_name() -> None:
    record = opened(age_days=50)
    instant = NOW - 30 * DAY - 3600  # 15 are won by then; the deal is an hour younger than others were when kim asked
    whole = json.decode(as_of(record, instant, NOW) or b"")["widgets"]["similarWonOpportunities"]
    assert whole["reason"] == "notFoundYet"
    query = reading.AsOfQuery(as_of=datetime.fromtimestamp(instant, UTC))
    shown = json.decode(reading.one_widget(record, reading.SIMILAR, query, NOW).body)["data"]
    assert (shown["ageDays"], means(shown["equalAge"])["emails"]) == (20.0, (15, 1.0))
    assert means(shown["wholeLife"])["responseRate"] is not None
    assert similar_results.read(record) is None


def test_a_refresh_on_demand_answers_the_widget_and_renews_the_snapshot() -> None:
    record = opened()
    recompute(record, NOW)
    answer = json.decode(refreshed(record, NOW).body)
    assert (answer["widget"], answer["data"]["n"]) == ("similarWonOpportunities", 25)
    stored = insights.read(record)
    assert stored is not None
    assert json.decode(stored.body)["widgets"]["similarWonOpportunities"]["n"] == 25


def test_a_refresh_on_demand_looks_at_most_once_a_minute() -> None:
    record = opened()
    refreshed(record, NOW)
    refreshed(record, NOW + 59)
    assert found_at(record) == NOW
    refreshed(record, NOW + 60)
    assert found_at(record) == NOW + 60


def test_a_refresh_of_a_closed_or_unknown_deal_is_refused() -> None:
    with pytest.raises(ConflictError):
        refreshed("opportunity:won01", NOW)
    with pytest.raises(NotFoundError):
        refreshed("opportunity:nobody", NOW)
