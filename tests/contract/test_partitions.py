"""Months and tails: whatever is appended or folded, in whatever order and by however many, reads as the newest of each."""

from __future__ import annotations

import random
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from shared import partitions, sweeps, tables
from shared.columns import Entries, encode, joined, newest
from shared.entries import entries_of, removal
from shared.interactions import EMAIL, FROM, TO, Interaction, Participant
from shared.kpi.interactions import Bools

pytestmark = pytest.mark.usefixtures("storage")
NAME = "opportunity:1"
DAY = 86_400
NOVEMBER = 1_793_491_200  # 2026-11-01
OCTOBER = NOVEMBER - 31 * DAY


def key(number: int) -> bytes:
    return number.to_bytes(16, "big")


def mail(number: int, at: int, revision: int = 1) -> Entries:
    people = (
        Participant("anna@us.example", "", "", FROM, 0),
        Participant(f"p{number % 7}@cust.example", "", "", TO, 0),
    )
    item = Interaction(
        key=key(number), kind=EMAIL, at=at, end=at, minutes=None, flags=1, conversation=f"c{number}", conversations=(),
        participants=people, regarding=("opportunity:1",), sources=1, activity_id=f"email:{number}",
    )  # fmt: skip
    return entries_of([(item, revision)])


def read() -> bytes:
    return encode(partitions.read(NAME).live)


def live(*parts: Entries) -> bytes:
    found = newest(joined(parts))
    kept: Bools = ~found.removed
    return encode(found.take(np.flatnonzero(kept)))


def rows(prefix: str = "") -> list[str]:
    return [row["RowKey"] for row in tables.query("activities", NAME) if row["RowKey"].startswith(prefix)]


def test_unknown_partition_is_empty() -> None:
    assert len(partitions.read("opportunity:none").entries) == 0


@pytest.mark.parametrize("seed", range(4))
def test_appending_and_folding_in_any_order_read_the_same(seed: int) -> None:
    draw = random.Random(seed)
    parts = [mail(draw.randrange(12), OCTOBER + draw.randrange(60) * DAY, revision) for revision in range(1, 30)]
    told = parts * 2
    draw.shuffle(told)
    while told:
        batch = joined([told.pop() for _ in range(min(len(told), draw.randint(1, 5)))])
        draw.choice((partitions.append, partitions.fold))(NAME, batch)
        if draw.random() < 0.2:
            partitions.fold_tail(partitions.read(NAME))
    # What moved to another month leaves its old one by a removal; here only the newest revisions are asked for.
    partitions.fold_tail(partitions.read(NAME))
    assert encode(newest(partitions.read(NAME).entries)) == encode(newest(joined(parts)))


def test_folding_the_tail_changes_no_number_and_leaves_no_tail() -> None:
    parts = [mail(n, NOVEMBER + n) for n in range(150)]  # more deletes than one transaction takes
    for part in parts:
        partitions.append(NAME, part)
    before = read()
    partitions.fold_tail(partitions.read(NAME))
    assert read() == before == live(*parts)
    assert rows() == ["2026-11"]


def test_what_is_appended_at_once_is_one_row_however_often_it_comes() -> None:
    batch = joined([mail(n, OCTOBER + n * DAY) for n in range(60)])
    for _ in range(2):
        partitions.append(NAME, batch)
    assert len(rows(partitions.TAIL)) == len(rows()) == 1
    assert read() == live(batch)


def test_the_nightly_sweep_folds_every_tail() -> None:
    for name in (NAME, "person:1"):
        partitions.append(name, joined([mail(n, OCTOBER + n * DAY) for n in range(60)]))
        partitions.append(name, mail(99, NOVEMBER))
    before = read()
    assert sweeps.fold_tails(60) == 2
    assert rows() == ["2026-10", "2026-11"] and read() == before
    assert sweeps.fold_tails(60) == 0


def test_repeating_a_fold_writes_nothing() -> None:
    partitions.fold(NAME, joined([mail(n, NOVEMBER + n) for n in range(5)]))
    etags = [row["etag"] for row in tables.query("activities", NAME)]
    partitions.fold(NAME, mail(3, NOVEMBER + 3))
    assert [row["etag"] for row in tables.query("activities", NAME)] == etags


def test_concurrent_folders_lose_nothing() -> None:
    parts = [mail(n, NOVEMBER + n) for n in range(40)]
    for part in parts[:10]:
        partitions.append(NAME, part)
    seen = partitions.read(NAME)

    def work(number: int) -> None:
        if number % 5 == 0:
            partitions.fold_tail(seen)
        else:
            partitions.fold(NAME, joined(parts[10 + 3 * number : 13 + 3 * number]))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(10)))
    written = [n for number in range(10) if number % 5 for n in range(10 + 3 * number, 13 + 3 * number)]
    assert read() == live(*parts[:10], *(parts[n] for n in written))


def test_what_was_appended_after_reading_survives_the_folding_of_what_was_read() -> None:
    partitions.append(NAME, mail(1, NOVEMBER))
    seen = partitions.read(NAME)
    partitions.append(NAME, mail(1, NOVEMBER + 5, revision=2))
    partitions.append(NAME, mail(2, NOVEMBER))
    partitions.fold_tail(seen)
    assert read() == live(mail(1, NOVEMBER + 5, revision=2), mail(2, NOVEMBER))


def test_tail_row_that_was_replaced_after_reading_is_not_deleted() -> None:
    partitions.append(NAME, mail(1, NOVEMBER))
    seen = partitions.read(NAME)
    partitions.append(NAME, mail(1, NOVEMBER))
    partitions.fold_tail(seen)
    assert len(rows(partitions.TAIL)) == 1
    assert read() == live(mail(1, NOVEMBER))


@pytest.mark.parametrize("fold", [True, False])
@pytest.mark.parametrize("first", ["entry", "removal"])
def test_removed_stays_removed_whatever_comes_first(first: str, fold: bool) -> None:
    write = partitions.fold if fold else partitions.append
    parts = [mail(1, NOVEMBER + DAY), removal(key(1), 2, "2026-11")]
    for part in parts if first == "entry" else reversed(parts):
        write(NAME, part)
    assert len(partitions.read(NAME).live) == 0
    partitions.fold_tail(partitions.read(NAME))
    assert len(partitions.read(NAME).live) == 0


def test_interaction_that_comes_back_at_a_later_revision_is_there() -> None:
    partitions.append(NAME, joined([removal(key(1), 2, "2026-11"), mail(1, NOVEMBER, revision=3)]))
    assert read() == live(mail(1, NOVEMBER, revision=3))


def test_what_one_anchor_keeps_stays_although_another_lets_it_go_by_the_same_change() -> None:
    for part in (mail(1, NOVEMBER, revision=2), removal(key(1), 2, "2026-11"), removal(key(1), 2, "2026-11")):
        partitions.append(NAME, part)
    assert read() == live(mail(1, NOVEMBER, revision=2))


def test_moved_interaction_leaves_its_old_month_also_when_the_tail_is_folded() -> None:
    partitions.fold(NAME, mail(1, OCTOBER))
    partitions.append(NAME, joined([removal(key(1), 2, "2026-10"), mail(1, NOVEMBER, revision=2)]))
    partitions.fold_tail(partitions.read(NAME))
    assert read() == live(mail(1, NOVEMBER, revision=2))


def test_one_call_may_name_an_entry_twice() -> None:
    partitions.append(NAME, joined([mail(1, NOVEMBER), mail(1, NOVEMBER)]))
    assert read() == live(mail(1, NOVEMBER))


def _many(count: int, first: int = 0, at: int = NOVEMBER) -> Entries:
    """Entries with people of their own, so that they compress badly."""
    one = mail(0, at)
    draw = np.random.default_rng(first)
    numbers = np.arange(first, first + count)
    many = joined([one.take(np.zeros(count, dtype="i8"))])
    facts = many.facts
    facts.key[:] = [key(int(n) + 1) for n in numbers]
    facts.at[:] = at + numbers
    facts.end[:] = facts.at
    facts.conversation[:] = draw.integers(1, 2**63, count, dtype=np.uint64)
    facts.part_person[:] = draw.integers(1, 2**63, 2 * count, dtype=np.uint64)
    facts.part_domain[:] = draw.integers(1, 2**63, 2 * count, dtype=np.uint64)
    return many


def test_month_past_the_limit_of_a_row_is_continued() -> None:
    many = _many(18_000)
    partitions.fold(NAME, many)
    assert rows() == ["2026-11", "2026-11~001"]
    assert encode(partitions.read(NAME).entries) == encode(many)


def test_month_past_the_limit_of_a_transaction_reads_whole_before_during_and_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    many, more = _many(50_000), _many(500, 100_000)
    partitions.fold(NAME, many)
    assert len(rows()) > 3 and all("~" in row for row in rows())
    # Broken off after the new rows and before the old ones go, as by a crash.
    with monkeypatch.context() as broken:
        broken.setattr(tables, "transact", _fails)
        with pytest.raises(RuntimeError):
            partitions.fold(NAME, more)
    whole = encode(newest(joined([many, more])))
    assert encode(partitions.read(NAME).entries) == whole
    partitions.fold(NAME, mail(0, NOVEMBER))
    assert encode(partitions.read(NAME).entries) == encode(newest(joined([many, more, mail(0, NOVEMBER)])))


_transact = tables.transact


def _fails(name: str, operations: Iterable[tables.Operation]) -> bool:
    operations = list(operations)
    if any(verb == "delete" for verb, _, _ in operations):
        raise RuntimeError("the power went")
    return _transact(name, operations)
