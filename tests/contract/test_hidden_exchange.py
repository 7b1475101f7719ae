"""What only Exchange tells stays out of figures about other records too, once it may not be seen: similar deals, the quality
report, proposals about introductions. The same for what people who opted out took part in."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import json

from shared import deal_pool_rows, reading, similar_results, similar_updates, stamps, tombstones
from shared.auth import Caller
from shared.directory import directory
from shared.graph.consent import State
from shared.introduction_requests import Request
from shared.keys import keys
from shared.kpi.parameters import DAY
from shared.list_rows import COMPUTING
from shared.list_shapes import HealthRow, ListQuery, PipelineQuery
from shared.lists import batch, health_list
from shared.meetings_of_three import seen_together
from shared.pipeline_chart import pipeline
from shared.recompute import recompute
from shared.similar_deals import refresh
from shared.stored_mails import stored_mails
from tests.doubles.exchange_mails import exchange_mail, see_exchange
from tests.doubles.talk import NOW, mail, row
from tests.doubles.won_deals import means, opened, tell, widget, won_deal, won_deals

ANNA, KIM = "anna@us.example", "kim@cust.example"

pytestmark = pytest.mark.usefixtures("storage", "queues")


@pytest.fixture
def deal() -> str:
    """An open deal like 25 won ones with Kim. About each is a mail in the CRM, and one in Exchange counts for all of them."""
    told = [mail(195, "anna", "kim", regarding=[f"opportunity:won{k:02d}"]) for k in range(1, 26)]
    tell(*won_deals(0), *(won_deal(k, contactId="kim") for k in range(1, 26)), *told)
    see_exchange(State.LIVE, NOW - 10 * DAY)
    exchange_mail(190, ANNA, KIM)
    deal_pool_rows.rebuild(NOW)
    record = opened()
    assert refresh([record], NOW - 60) == [record]
    return record


def mails_of_others(shown: dict[str, Any]) -> float | None:
    averages = shown["wholeLife"]
    found = means(averages)["emails"] if averages else None
    return found[1] if found else None


def test_figures_of_similar_deals_lose_what_only_exchange_knew(deal: str) -> None:
    assert mails_of_others(widget(deal)) == 2.0
    see_exchange(State.CRM_ONLY, NOW)
    hidden = recompute(deal, NOW + 1)
    assert hidden is not None
    assert hidden.similar_due
    shown = json.decode(hidden.body)["widgets"]["similarWonOpportunities"]
    assert (shown["deals"], shown["equalAge"], shown["reason"]) == ([], None, "notFoundYet")
    assert deal in set(similar_updates.due_deals(NOW + 1))
    assert refresh([deal], NOW + 1) == [deal]
    assert mails_of_others(widget(deal, NOW + 2)) == 1.0


def test_the_list_of_a_closed_deal_is_found_again_as_of_its_own_instant(deal: str) -> None:
    assert mails_of_others(widget(deal)) == 2.0
    tell(row("opportunity", deal.partition(":")[2], status="lost", closedAt="2026-01-01T00:00:00Z"))
    assert refresh([deal], NOW) == []  # closed: it stays as it was
    see_exchange(State.CRM_ONLY, NOW)
    assert deal in set(similar_updates.due_deals(NOW + 1))
    assert refresh([deal], NOW + 1) == [deal]
    stored = similar_results.read(deal)
    assert stored is not None
    assert (stored[0].found_at, stored[1].read_at) == (NOW - 60, NOW + 1)
    assert mails_of_others(widget(deal, NOW + 2)) == 1.0
    assert refresh([deal], NOW + 3) == []


def test_what_an_opted_out_colleague_wrote_leaves_the_averages(deal: str) -> None:
    assert mails_of_others(widget(deal)) == 2.0
    tombstones.bury([keys().address(ANNA), keys().party("user:anna")], NOW)
    stamps.advance("people")
    assert widget(deal, NOW + 1)["wholeLife"] is None
    assert refresh([deal], NOW + 1) == [deal]
    assert mails_of_others(widget(deal, NOW + 2)) == 0.0


def test_a_form_that_is_opened_meanwhile_has_the_list_found(deal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recompute(deal, NOW - 30)
    see_exchange(State.CRM_ONLY, NOW)
    asked: list[str] = []
    monkeypatch.setattr(similar_updates, "announce_round", lambda: asked.append("round"))
    found = json.decode(reading.one_widget(deal, reading.SIMILAR, reading.AsOfQuery(), NOW + 1).body)["data"]
    assert (found["reason"], asked) == ("notFoundYet", ["round"])


def test_the_quality_report_reads_no_mail_that_may_not_be_seen() -> None:
    tell(*won_deals(0), mail(5, "anna", "kim"))
    see_exchange(State.LIVE, NOW)
    exchange_mail(4, KIM, ANNA)
    assert len(stored_mails(directory(stamps.read().people)).mails.at) == 2
    see_exchange(State.CRM_ONLY, NOW + 1)
    assert len(stored_mails(directory(stamps.read().people)).mails.at) == 1


def test_an_introduction_is_not_proposed_as_done_by_what_may_not_be_seen() -> None:
    tell(*won_deals(0))
    see_exchange(State.LIVE, NOW)
    exchange_mail(1, ANNA, KIM)
    request = Request(
        id="1", asker="anna", introducer="anna", target="contact:kim", target_name="Kim", created_at=NOW - 9 * DAY,
        state="accepted", answered_at=NOW - 2 * DAY,
    )  # fmt: skip
    assert seen_together(request, directory(stamps.read().people))
    see_exchange(State.CRM_ONLY, NOW + 1)
    assert not seen_together(request, directory(stamps.read().people))


NOBODY = Caller(id="x", name="", roles=frozenset(), tenant="t")


def listed(record: str, now: int) -> HealthRow:
    rows = {row.record: row for row in health_list("opportunity", ListQuery(), now, NOBODY).rows}
    (batched,) = batch("opportunity", [record.partition(":")[2]], now).rows
    assert rows[record] == batched
    return batched


def test_lists_show_no_figure_from_before_exchange_was_hidden(deal: str) -> None:
    tell(mail(2, "anna", "kim", regarding=[deal]))
    recompute(deal, NOW)
    before = listed(deal, NOW)
    assert before.last_at and before.hours_theirs is not None and before.state != COMPUTING
    see_exchange(State.CRM_ONLY, NOW + 60)
    row = listed(deal, NOW + 61)
    figures = (row.score, row.last_at, row.next_at, row.hours_ours, row.hours_theirs, row.alarm)
    assert (row.state, row.waiting_for_us, row.idle, figures) == (COMPUTING, 0, False, (None,) * 6)
    assert (row.name, row.owner) == (before.name, before.owner)
    chart = pipeline(PipelineQuery(), NOW + 61, NOBODY)
    assert [one.row for one in chart.bubbles if one.record == deal] == ["computing"]
    recompute(deal, NOW + 62)
    assert listed(deal, NOW + 62).state != COMPUTING


def test_lists_show_what_they_hold_when_exchange_is_shown_again(deal: str) -> None:
    recompute(deal, NOW)
    before = listed(deal, NOW)
    see_exchange(State.CRM_ONLY, NOW + 60)
    see_exchange(State.LIVE, NOW + 61)
    assert listed(deal, NOW) == before
