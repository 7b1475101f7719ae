"""List rows as columns: nothing is lost, the newest holds, and orders are those of the KPI core."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import FormatVersionError
from shared.kpi.health import State
from shared.kpi.lists import COLUMNS as KPI_COLUMNS
from shared.kpi.lists import ListRow as KpiRow
from shared.kpi.lists import attention as kpi_attention
from shared.kpi.lists import by_attention, by_column
from shared.kpi.rhythm import Alarm
from shared.kpi.trend import Trend
from shared.list_order import COLUMNS, attention, order
from shared.list_packs import Pack, decode, encode, joined, newest, packed
from shared.list_rows import ALARMS, ListRow
from shared.list_rows import decode as decode_row
from shared.list_rows import encode as encode_row

AT = int(datetime(2026, 3, 15, tzinfo=UTC).timestamp())
CORE_NAME = {
    "attention": "attention", "name": "name", "health": "health", "trend": "trend", "next": "next", "last": "last",
    "hoursOurs": "hours_ours", "hoursTheirs": "hours_theirs", "updated": "updated", "waitingForUs": "waiting_for_us",
}  # fmt: skip

instants = st.none() | st.integers(AT - 5, AT + 5)
rows = st.builds(
    ListRow,
    id=st.sampled_from([f"o-{n}" for n in range(40)]),
    revision=st.integers(0, 3),
    name=st.sampled_from(["Acme", "acme", "Ärger", "Zeta\n2", ""]),
    owner=st.sampled_from(["user:u1", "team:t1", ""]),
    open=st.booleans(),
    state=st.sampled_from([0, 1, 2, 3, 4, 5, 6, 7]),
    score=st.none() | st.sampled_from([0.0, 39.5, 59.5, 100.0]),
    trend=st.integers(0, 5),
    alarm=st.integers(-1, 2),
    waiting=st.integers(0, 2),
    next_at=instants,
    last_at=instants,
    hours_ours=st.none() | st.sampled_from([0.0, 1.25]),
    hours_theirs=st.none() | st.sampled_from([0.5, 2.0]),
    computed_at=st.integers(AT, AT + 3),
    version=st.integers(0, 2),
    closes_at=instants,
    amount=st.none() | st.sampled_from([0.0, 50_000.0]),
)


def each_once(drawn: list[ListRow]) -> list[ListRow]:
    return list({row.id: row for row in drawn}.values())


@given(st.lists(rows, max_size=12))
def test_a_pack_gives_back_its_rows(drawn: list[ListRow]) -> None:
    pack = decode(encode(packed(drawn)))
    assert pack.rows(range(len(pack))) == drawn
    assert [decode_row(encode_row(row)) for row in drawn] == drawn


@given(st.lists(rows, max_size=20))
def test_the_highest_revision_of_each_id_holds_whatever_the_parts(drawn: list[ListRow]) -> None:
    best: dict[str, ListRow] = {}
    for row in drawn:
        if row.id not in best or row.revision >= best[row.id].revision:
            best[row.id] = row
    pack = newest([packed(drawn[:7]), packed(drawn[7:])])
    assert {row.id: row for row in pack.rows(range(len(pack)))} == best


def test_what_is_gone_leaves_nothing() -> None:
    pack = newest([packed([ListRow(id="a", revision=1)]), packed([ListRow(id="a", revision=2, gone=True)])])
    assert len(pack) == 0
    assert len(joined([])) == 0


def test_a_newer_format_is_not_guessed_at() -> None:
    blob = bytearray(encode(packed([])))
    blob[0] = 2
    with pytest.raises(FormatVersionError):
        decode(bytes(blob))


def core(position: int, row: ListRow) -> KpiRow:
    return KpiRow(
        key=position, name=row.name, state=State(row.state), score=row.score, trend=Trend(row.trend),
        alarm=None if row.alarm < 0 else Alarm(ALARMS[row.alarm]), waiting_for_us=row.waiting, next_at=row.next_at,
        last_at=row.last_at, hours_ours=row.hours_ours, hours_theirs=row.hours_theirs, updated_at=row.computed_at,
    )  # fmt: skip


def test_every_column_of_the_core_can_be_sorted_by() -> None:
    assert set(COLUMNS) == set(CORE_NAME)
    assert set(CORE_NAME.values()) == {*KPI_COLUMNS, "attention"}


@given(st.lists(rows, max_size=25), st.sampled_from(sorted(CORE_NAME)), st.booleans())
def test_orders_are_those_of_the_core(drawn: list[ListRow], column: str, descending: bool) -> None:
    ordered = sorted(each_once(drawn), key=lambda row: row.id)  # so that the core's last tie, the key, is the id
    pack: Pack = packed(ordered)
    twins = [core(position, row) for position, row in enumerate(ordered)]
    assert attention(pack).tolist() == [kpi_attention(row) for row in twins]
    if column == "attention":
        descending = False
    expected = by_attention(twins) if column == "attention" else by_column(twins, CORE_NAME[column], descending)
    assert order(pack, column, descending).tolist() == [row.key for row in expected]


def test_a_hundred_rows_without_any_figure_are_in_the_order_of_their_names() -> None:
    names = [f"name {n:03d}" for n in np.random.default_rng(1).permutation(100)]
    pack = packed([ListRow(id=f"o{i}", revision=1, name=name) for i, name in enumerate(names)])
    assert [pack.names[i] for i in order(pack, "health", True).tolist()] == sorted(names)
