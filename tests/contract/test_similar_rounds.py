"""Rounds over all deals, and the pool that they build: what is due, in which batches, and what a crash leaves to do."""

from __future__ import annotations

import pytest
from msgspec import json

from shared import deal_pool_rows, organisation, similar_results, similar_updates, stamps, tables
from shared.errors import FormatVersionError, PoisonMessageError
from shared.settings import settings
from shared.similar_deals import refresh
from tests.doubles.processes import forget
from tests.doubles.queued import received
from tests.doubles.talk import NOW, row
from tests.doubles.won_deals import found_at, open_deal, tell, widget, won_deal, won_deals

pytestmark = pytest.mark.usefixtures("storage", "queues")

THIS = "opportunity:this"


def listed() -> list[str]:
    """Which deals the widget names after looking."""
    refresh([THIS], NOW)
    return [deal["record"].partition(":")[2] for deal in widget(THIS)["deals"]]


def test_the_five_nearest_are_listed_with_what_agrees() -> None:
    tell(*won_deals(12), open_deal())
    tell(won_deal(3, region="APAC"), won_deal(1, product=None), won_deal(2, currency="USD", region="APAC"))
    assert listed() == ["won01", "won04", "won05", "won06", "won07"]
    first = widget(THIS)["deals"][0]
    assert (first["similarityPercent"], first["missing"], first["differing"]) == (100, ["product"], [])
    assert sorted(first["matched"]) == ["amount", "currency", "industry", "region"]
    assert widget(THIS)["n"] == 11  # two of five fields differ in deal 2: 0.4


def test_nine_are_too_few_and_have_no_averages() -> None:
    tell(*won_deals(9), open_deal())
    assert len(listed()) == 5
    shown = widget(THIS)
    assert (shown["n"], shown["tooFew"], shown["averaged"]) == (9, True, 0)
    assert (shown["equalAge"], shown["wholeLife"]) == (None, None)


def test_candidates_were_won_in_the_last_two_years() -> None:
    tell(*won_deals(3), open_deal())
    tell(won_deal(1, closedAt="2024-03-14T00:00:00Z"), won_deal(2, closedAt="2024-03-16T00:00:00Z"))
    assert listed() == ["won03", "won02"]


def test_industry_and_region_of_the_account_count_where_the_deal_has_none() -> None:
    tell(*won_deals(1), row("account", "cust", industry="FOOD ", region="EMEA"), open_deal(industry=None, region=None))
    assert listed() == ["won01"]
    assert widget(THIS)["deals"][0]["similarityPercent"] == 100


def test_a_deleted_deal_is_left_out_though_the_pool_still_has_it() -> None:
    tell(*won_deals(3), open_deal())
    deal_pool_rows.rebuild(NOW)
    tell({"entity": "opportunity", "id": "won01", "version": 10**6, "operation": "delete"})
    assert listed() == ["won02", "won03"]
    assert widget(THIS)["n"] == 2


def test_a_deal_won_by_mistake_and_opened_again_is_no_neighbour_of_itself() -> None:
    tell(*won_deals(2), won_deal(1))
    deal_pool_rows.rebuild(NOW)
    tell(row("opportunity", "won01", status="open", closedAt=None))
    assert refresh(["opportunity:won01"], NOW) == ["opportunity:won01"]
    assert [deal["record"] for deal in widget("opportunity:won01")["deals"]] == ["opportunity:won02"]


def test_other_settings_make_everything_due_and_are_kept_with_the_result() -> None:
    tell(*won_deals(1), open_deal())
    refresh([THIS], NOW)
    changed = json.decode(json.encode(organisation.settings_at(0)))
    changed["similarDeals"]["weights"]["amount"] = 3.0
    key = {"PartitionKey": organisation.PARTITION, "RowKey": organisation.row_key(1), "v": organisation.VERSION}
    tables.upsert(organisation.TABLE, {**key, **tables.split(json.encode(changed))})
    stamps.advance("parameters")
    assert refresh([THIS], NOW + 60) == [THIS]
    shown = widget(THIS, NOW + 60)
    assert (shown["weights"]["amount"], shown["weightsVersion"]) == (3.0, 1)


def _messages() -> list[bytes]:
    """What waits in the queue, taken out of it."""
    return list(received(settings().similar_updates_queue))


def _deals(body: bytes) -> tuple[str, ...]:
    return json.decode(body, type=similar_updates.SimilarUpdate).deals


def test_a_round_that_dies_in_the_middle_is_taken_up_where_it_stopped() -> None:
    everybody = [f"opportunity:open{k}" for k in range(1, 7)]
    tell(won_deal(1), *(open_deal(f"open{k}", amount=1000 * k) for k in range(1, 7)))
    _messages()
    assert similar_updates.send_round(NOW, size=2) == 6
    first, second, _ = _messages()
    similar_updates.work_off(first, NOW)
    refresh(_deals(second)[:1], NOW)
    # Here the process dies: the second batch is half done, the third was never sent. The round comes again.
    assert similar_updates.send_round(NOW + 600, size=2) == 3
    for body in (first, second, *_messages()):  # what was not completed is delivered again
        similar_updates.work_off(body, NOW + 600)
    done = {*_deals(first), _deals(second)[0]}
    assert {record: found_at(record) for record in everybody} == {
        record: NOW if record in done else NOW + 600 for record in everybody
    }
    assert similar_updates.send_round(NOW + 601) == 0


def test_deals_that_resemble_each_other_follow_one_another() -> None:
    tell(*(open_deal(f"open{k}", industry=("Food", "Steel")[k % 2]) for k in range(6)))
    assert [int(record[-1]) % 2 for record in similar_updates.due_deals(NOW)] == [0, 0, 0, 1, 1, 1]


def test_a_message_of_nonsense_is_poison() -> None:
    with pytest.raises(PoisonMessageError):
        similar_updates.work_off(b"nonsense", NOW)


def test_the_pool_holds_open_and_won_deals_and_is_kept_while_it_does_not_change() -> None:
    tell(*won_deals(2), open_deal(), row("opportunity", "lost", status="lost", closedAt="2026-01-01T00:00:00Z"))
    assert deal_pool_rows.read() is None
    deal_pool_rows.rebuild(NOW)
    pool, built_at = deal_pool_rows.read() or (None, 0)
    assert pool is not None
    assert built_at == NOW
    assert dict(zip(pool.ids.tolist(), pool.won.tolist(), strict=True)) == {
        b"won01": True, b"won02": True, b"this": False, b"deal": False
    }  # fmt: skip
    assert (deal_pool_rows.read() or (None,))[0] is pool
    tell(row("opportunity", "this", status="won", closedAt="2026-03-01T00:00:00Z"))
    deal_pool_rows.rebuild(NOW + 1)
    newer, built_at = deal_pool_rows.read() or (None, 0)
    assert newer is not None
    assert (int(newer.won.sum()), built_at) == (3, NOW + 1)


def test_a_deal_that_is_deleted_leaves_the_pool() -> None:
    tell(open_deal())
    deal_pool_rows.rebuild(NOW)
    tell({"entity": "opportunity", "id": "this", "version": 10**6, "operation": "delete"})
    deal_pool_rows.rebuild(NOW)
    pool, _ = deal_pool_rows.read() or (None, 0)
    assert pool is not None
    assert len(pool) == 0


def test_rows_of_a_newer_format_are_not_guessed_at() -> None:
    tell(open_deal(), won_deal(1))
    refresh([THIS], NOW)
    for partition, key in (similar_results.place(THIS), (deal_pool_rows.PARTITION, "0~000")):
        held = tables.read("similar", partition, key)
        assert held is not None
        tables.upsert("similar", {**{name: value for name, value in held.items() if name != "etag"}, "v": 99})
    forget()
    with pytest.raises(FormatVersionError):
        similar_results.read(THIS)
    with pytest.raises(FormatVersionError):
        deal_pool_rows.read()
