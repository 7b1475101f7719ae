"""List rows beside their snapshots: one transaction, no difference by folding, nothing lost between folders."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared import insights, list_store, tables
from shared.insights import Held, Stored
from shared.list_rows import ListRow
from shared.rosters import partitions_of, place

pytestmark = pytest.mark.usefixtures("storage")

NOW = 1_773_576_000


def store(id: str, now: int, **figures: object) -> bool:
    record = f"opportunity:{id}"
    row = ListRow(id=id, revision=0, name=f"Deal {id}", **figures)  # type: ignore[arg-type]
    stored = Stored(b"{}", "ffffffff", NOW)  # a tag that asks for no folding
    return insights.write_if(record, stored, b"", row, insights.held(record), now)


def remove(id: str, now: int) -> bool:
    record = f"opportunity:{id}"
    return insights.remove(record, insights.held(record), now)


def fold_all() -> list[bool]:
    return [list_store.fold(partition) for partition in partitions_of("opportunity")]


def listed(closed: bool = False) -> dict[str, float | None]:
    pack = list_store.read("opportunity", closed)
    rows = pack.rows(range(len(pack)))
    assert len({row.id for row in rows}) == len(rows)
    return {row.id: row.score for row in rows}


def test_a_snapshot_brings_its_list_row_along() -> None:
    assert store("a", NOW, score=50.0)
    assert listed() == {"a": 50.0}
    assert insights.list_row("opportunity:a") == ListRow(id="a", revision=NOW * 1000, name="Deal a", score=50.0)
    assert insights.list_row("opportunity:b") is None


def test_neither_is_written_when_the_snapshot_is_refused() -> None:
    before = insights.held("opportunity:a")
    store("a", NOW, score=50.0)
    late = ListRow(id="a", revision=0, score=1.0)
    assert not insights.write_if("opportunity:a", Stored(b"{}", "ff", NOW), b"", late, before, NOW + 9)
    assert listed() == {"a": 50.0}


def test_revisions_grow_though_the_clock_goes_back() -> None:
    store("a", NOW, score=1.0)
    store("a", NOW - 100, score=2.0)
    assert insights.held("opportunity:a").revision == NOW * 1000 + 1
    assert listed() == {"a": 2.0}


def test_lists_are_the_same_before_between_and_after_folding() -> None:
    draw = random.Random(5)
    expected: dict[str, float] = {}
    closed: dict[str, float] = {}
    for step in range(120):
        id, score = f"o{draw.randrange(25)}", float(step)
        expected.pop(id, None)
        closed.pop(id, None)
        kind = draw.random()
        if kind < 0.15:
            if insights.held(f"opportunity:{id}").etag:
                assert remove(id, NOW + step)
        else:
            store(id, NOW + step, score=score, open=kind > 0.3)
            (expected if kind > 0.3 else closed)[id] = score
        if step % 30 == 29:
            assert listed() == expected
            fold_all()
            assert listed(closed=True) == {**expected, **closed}
    assert listed() == expected
    fold_all()
    assert listed() == expected
    assert [row for p in partitions_of("opportunity") for row in tables.query("insights", p, "~0", "~1")] == []


def test_a_record_that_comes_back_is_listed_again() -> None:
    store("a", NOW, score=1.0)
    fold_all()
    remove("a", NOW + 1)
    fold_all()
    assert listed() == {}
    store("a", NOW + 2, score=3.0)
    assert listed() == {"a": 3.0}


def test_folders_and_writers_at_once_lose_nothing() -> None:
    partition = place("opportunity:x0")[0]
    ids = [id for id in (f"x{n}" for n in range(900)) if place(f"opportunity:{id}")[0] == partition][:24]

    def write(id: str) -> None:
        for score in range(3):
            store(id, NOW + score, score=float(score))

    def fold(_: int) -> bool:
        return list_store.fold(partition)

    with ThreadPoolExecutor(6) as pool:
        done = [pool.submit(write, id) for id in ids]
        folds = [pool.submit(fold, n) for n in range(20)]
        for each in done:
            each.result()
        assert any(each.result() for each in folds)
    assert listed() == dict.fromkeys(ids, 2.0)
    assert list_store.fold(partition)
    assert listed() == dict.fromkeys(ids, 2.0)


def test_an_old_folder_cannot_bring_back_what_is_gone() -> None:
    """Both read the same tail; the second writes after the record was removed and folded away."""
    store("a", NOW, score=1.0)
    partition = place("opportunity:a")[0]
    stale = list_store.fold_operations(partition)
    remove("a", NOW + 1)
    assert list_store.fold(partition)
    assert not tables.transact("insights", stale)
    assert listed() == {}


def test_sweeps_of_snapshots_do_not_see_list_rows() -> None:
    for n in range(5):
        store(f"o{n}", NOW)
    fold_all()
    store("o1", NOW + 1)
    records = {f"opportunity:o{n}" for n in range(5)}
    assert set(insights.expired(NOW)) == records
    assert sorted(insights.all_records()) == sorted(records)
    assert list(insights.naming([1])) == []


def test_nothing_stored_is_an_empty_list() -> None:
    assert listed() == {}
    assert insights.held("opportunity:a") == Held()
    assert fold_all() == [True] * 16
