"""The pool of deals as columns: packing, joining, order; and the tag that tells when a list is due."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.deal_fields import CATEGORIES, DealValues, is_comparable, values_of
from shared.deal_pool import UNKNOWN, Pool, joined, pack, pool_of, unpack
from shared.organisation_settings import SimilarDeals
from shared.rosters import Roster
from shared.similar_results import DAY, Basis, tag_of

instants = st.one_of(st.none(), st.integers(0, 2**32))
names = st.sampled_from(["", "Food", "steel", "zażółć", " EMEA "])


@st.composite
def deals(draw: st.DrawFn) -> list[Roster]:
    ids = draw(st.lists(st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True), unique=True, max_size=20))
    return [
        Roster(
            record=f"opportunity:{id}",
            status=draw(st.sampled_from(["open", "won"])),
            created_at=draw(instants),
            closed_at=draw(instants),
            amount=draw(st.one_of(st.none(), st.floats(-1e9, 1e12))),
            fields={name: value for name in CATEGORIES if (value := draw(names))},
        )
        for id in ids
    ]


def rows(pool: Pool) -> dict[bytes, tuple[object, ...]]:
    """The pool as one tuple a deal, names instead of codes, None instead of NaN."""
    amounts = [None if amount != amount else amount for amount in pool.amount.tolist()]
    texts = [[(*each.texts, None)[code] for code in each.codes] for each in pool.categories.values()]
    columns = (pool.created.tolist(), pool.closed.tolist(), pool.won.tolist(), amounts, *texts)
    return dict(zip(pool.ids.tolist(), zip(*columns, strict=True), strict=True))


@given(deals())
def test_what_is_packed_is_unpacked(found: list[Roster]) -> None:
    pool = pool_of(found)
    assert rows(pool) == rows(unpack(pack(pool)))
    assert pack(unpack(pack(pool))) == pack(pool)


@given(deals(), st.integers(0, 20))
def test_parts_joined_are_the_whole(found: list[Roster], cut: int) -> None:
    parts = joined([pool_of(found[:cut]), pool_of(found[cut:])])
    assert rows(pool_of(found)) == rows(parts)


@given(deals())
def test_open_deals_come_with_the_values_of_their_rosters(found: list[Roster]) -> None:
    expected = {roster.record[12:]: values_of(roster) for roster in found if roster.status == "open"}
    assert expected == dict(pool_of(found).open_in_order())


def test_nothing_is_an_empty_pool() -> None:
    assert len(joined([])) == 0
    assert len(unpack(pack(joined([])))) == 0
    assert list(joined([]).open_in_order()) == []


def deal(id: str, **facts: object) -> Roster:
    return Roster(record=f"opportunity:{id}", **facts)  # type: ignore[arg-type]


def test_names_are_sorted_before_amounts() -> None:
    pool = pool_of(
        [
            deal("a", amount=9.0, fields={"industry": "Food"}),
            deal("b", amount=1.0, fields={"industry": "Steel"}),
            deal("c", amount=5.0, fields={"industry": "Food"}),
            deal("d", fields={"industry": "Food"}),
        ]
    )
    assert [id for id, _ in pool.open_in_order()] == ["c", "a", "d", "b"]


def test_an_open_deal_has_no_closing_even_if_the_crm_left_one() -> None:
    pool = pool_of([deal("a", closed_at=5), deal("b", status="won", closed_at=5)])
    assert pool.closed.tolist() == [UNKNOWN, 5]


def test_lost_deleted_and_merged_deals_take_no_part() -> None:
    assert is_comparable(deal("a"))
    assert is_comparable(deal("a", status="won"))
    assert not is_comparable(deal("a", status="lost"))
    assert not is_comparable(deal("a", gone=True))
    assert not is_comparable(deal("a", merged_into="opportunity:b"))


def test_the_values_of_the_account_stand_in_for_missing_ones() -> None:
    found = values_of(deal("a", segments={"industry": "Food", "region": "EMEA"}, fields={"region": "APAC"}))
    assert (found.names["industry"], found.names["region"], found.names["product"]) == ("food", "apac", "")


def test_the_chosen_fields_are_compared_with_their_weights() -> None:
    pool = pool_of([deal("a", amount=1.0, fields={"stage": "close"})])
    compared = pool.deals({"amount": 1.0, "stage": 2.0}).fields
    assert [(field.name, field.weight) for field in compared] == [("amount", 1.0), ("stage", 2.0)]


VALUES = DealValues(created=1, amount=5.0, names=dict.fromkeys(CATEGORIES, "x"))


def test_the_tag_follows_what_is_compared_and_nothing_else() -> None:
    settings = SimilarDeals()
    other_stage = DealValues(1, 5.0, {**VALUES.names, "stage": "y"})  # has no weight
    other_region = DealValues(1, 5.0, {**VALUES.names, "region": "y"})
    assert tag_of(VALUES, settings) == tag_of(other_stage, settings)
    others = [
        tag_of(other_region, settings),
        tag_of(DealValues(2, 5.0, VALUES.names), settings),
        tag_of(DealValues(1, None, VALUES.names), settings),
        tag_of(VALUES, SimilarDeals(threshold=0.3)),
        tag_of(VALUES, SimilarDeals(months=12)),
        tag_of(VALUES, SimilarDeals(weights={**settings.weights, "amount": 2.0})),
        tag_of(VALUES, settings),
    ]
    assert len(set(others)) == len(others)


def test_the_order_of_the_weights_is_not_in_the_tag() -> None:
    weights = SimilarDeals().weights
    turned = dict(reversed(list(weights.items())))
    assert tag_of(VALUES, SimilarDeals()) == tag_of(VALUES, SimilarDeals(weights=turned))


def test_a_list_is_due_with_another_tag_or_after_six_days() -> None:
    basis = Basis(found_at=1000, tag="a", read_at=1000)
    assert not basis.is_due("a", 1000 + 6 * DAY - 1, 0)
    assert basis.is_due("a", 1000 + 6 * DAY, 0)
    assert basis.is_due("b", 1000, 0)


def test_a_list_is_due_when_the_others_were_read_before_something_was_hidden() -> None:
    basis = Basis(found_at=1000, tag="a", read_at=1500)
    assert basis.holds(1499)
    assert not basis.holds(1500)
    assert not basis.is_due("a", 1500, 1499)
    assert basis.is_due("a", 1500, 1500)
