"""What a question about who knows whom costs, and what an update: `python -m bench.who_knows_whom [PEOPLE]`.

PEOPLE outside (default 2,000) with 45 interactions each on average, few with many and many with few, and a mailbox of ours
that has written to all of them and, once each, to four times as many others. 20,000 gives 1,000,000 interactions and 100,000
correspondents of one mailbox (of the others only the rows: nothing else of them is asked for). In a real Azurite, whose answers
take longer than the service's, the more so the fuller it is; the interactions of six weeks keep its rows few. Rows are made by
the app's own arithmetic.

Prints one JSON line for each measurement, with few people and after the load: a question about a person (median and 99th
percentile, and what it reads), a question about a correspondent of the large mailbox, and the update after one more mail.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from bench.stored_record import app_settings, setting_up
from shared import acquaintance_rows, acquaintance_updates, membership, partitions, registry, stamps, tables, targets
from shared.acquaintance import work_out
from shared.auth import READER, Caller
from shared.columns import Entries, encode, joined
from shared.directory import Directory, directory
from shared.entries import entries_of
from shared.interactions import COMPLETED, EMAIL, FROM, IN_CRM, TO, Interaction, Participant
from shared.keys import keys
from shared.known_colleagues import AddressQuery
from shared.kpi.parameters import Parameters
from shared.who_knows_whom import View, answer
from tests.local.azurite_process import running_azurite

NOW = 1_773_576_000
DAY = 86_400
COLLEAGUES, MEAN, ASKED, UPDATED, WARM, WRITERS = 200, 46, 300, 60, 20, 4
BUSIEST = "c0@us.example"


def address(number: int) -> str:
    """Somebody outside; twenty of a company."""
    return f"p{number}@company{number // 20}.example"


def mail(key: int, sender: str, recipient: str, at: int) -> tuple[Interaction, int]:
    """One mail at its first revision."""
    people = (Participant(sender, "", "", FROM, 0), Participant(recipient, "", "", TO, 0))
    return Interaction(
        key=key.to_bytes(16, "big"), kind=EMAIL, at=at, end=at, minutes=0.0, flags=COMPLETED | IN_CRM, conversation="",
        conversations=(), participants=people, regarding=(), sources=1, activity_id=f"email:{key}",
    ), 1  # fmt: skip


def load(first: int, people: int, rng: np.random.Generator) -> int:
    """Store everybody's interactions and rows, beginning with this number; how many interactions."""
    numbers = np.maximum(rng.lognormal(0, 1.2, people), 0.02)
    numbers = np.maximum((numbers * MEAN / numbers.mean()).astype(int), 1)
    registry.remember(Participant(f"c{n}@us.example", "", "", FROM, 0) for n in range(COLLEAGUES))
    key, ours_now = 0, directory(stamps.read().people)
    pool = ThreadPoolExecutor(WRITERS)
    writing: list[Future[None]] = []
    companies: dict[str, list[tuple[str, Entries]]] = defaultdict(list)
    for person, number in enumerate(numbers.tolist(), first):
        known_by = rng.integers(1, COLLEAGUES, 4)
        ours = [BUSIEST, *(f"c{n}@us.example" for n in known_by[rng.integers(0, 4, number)])]
        at, out = NOW - rng.integers(DAY, 40 * DAY, number + 1), rng.random(number + 1) < 0.5
        mails = []
        for colleague, when, is_out in zip(ours, at.tolist(), out.tolist(), strict=True):
            pair = (colleague, address(person)) if is_out else (address(person), colleague)
            mails.append(mail(key := key + 1, *pair, when))
        companies[acquaintance_rows.company_anchor(address(person))].append((address(person), entries_of(mails)))
        writing.append(pool.submit(store, *companies[acquaintance_rows.company_anchor(address(person))][-1], ours_now))
    for person in range(first + people, first + 5 * people):
        entries = entries_of([mail(key + person, BUSIEST, address(person), NOW - DAY - (person % 40) * DAY)])
        companies[acquaintance_rows.company_anchor(address(person))].append((address(person), entries))
        writing.append(pool.submit(store, address(person), entries, ours_now, False))
    writing += [pool.submit(store_company, anchor, people_of, ours_now) for anchor, people_of in companies.items()]
    pool.shutdown()
    for one in writing:
        one.result()
    return key + 4 * people


def store(text: str, entries: Entries, ours: Directory, with_partition: bool = True) -> None:
    """A person's interactions and row."""
    own, anchor = keys().address(text), anchor_of(text)
    if with_partition:
        write_months(anchor, entries)
    known, *_ = work_out(entries, {own: own}, NOW, Parameters(), ours)
    acquaintance_rows.write(anchor, known, b"")


def store_company(anchor: str, people: list[tuple[str, Entries]], ours: Directory) -> None:
    """A company's row."""
    external = {keys().address(text): keys().address(text) for text, _ in people}
    known, *_ = work_out(joined([entries for _, entries in people]), external, NOW, Parameters(), ours)
    acquaintance_rows.write(anchor, known, b"")


def write_months(anchor: str, entries: Entries) -> None:
    """A partition that was empty before: its month rows, without first asking Azurite, which slows down as it fills."""
    months = np.array(partitions.months_of(entries.facts.at))
    rows: list[tables.Operation] = []
    for month in np.unique(months).tolist():
        blob = encode(entries.take(np.flatnonzero(months == month)))
        rows.append(("write", {"PartitionKey": anchor, "RowKey": month, "v": 1, **tables.split(blob)}, None))
    if not tables.transact(partitions.TABLE, rows):
        raise RuntimeError("the partition was there before")


def anchor_of(text: str) -> str:
    """The target of an address."""
    return membership.person_anchor(keys().address(text))


@contextmanager
def counted_requests() -> Iterator[list[str]]:
    """The tables asked while this is open, one item a request of reading."""
    asked: list[str] = []
    read, query = tables.read, tables.query
    tables.read = lambda name, *more: asked.append(name) or read(name, *more)  # type: ignore[func-returns-value]
    tables.query = lambda name, *more: asked.append(name) or query(name, *more)  # type: ignore[func-returns-value]
    try:
        yield asked
    finally:
        tables.read, tables.query = read, query


def measured(what: str, work: Callable[[int], object], times: int) -> None:
    """Print milliseconds of many calls: median and 99th percentile; and what one of them reads."""
    for number in range(WARM):
        work(number)
    with counted_requests() as asked:
        work(0)
    taken = []
    for number in range(times):
        began = time.perf_counter()
        work(number)
        taken.append(1000 * (time.perf_counter() - began))
    p50, p99 = np.percentile(taken, [50, 99]).round(1).tolist()
    reads = {name: asked.count(name) for name in sorted(set(asked))}
    print(json.dumps({"what": what, "p50_ms": p50, "p99_ms": p99, "reads": reads}), flush=True)


def ask(text: str) -> object:
    """A question as the app answers it, without HTTP and without the count of questions a day."""
    view = View(Caller(id="bench", name="", roles=frozenset({READER}), tenant="t"), NOW)
    return answer(targets.of_address(text, NOW, view.rule, view.ours), view, AddressQuery(), exact=False)


def update(text: str, number: int) -> object:
    """One more mail of somebody: kept, and the row made anew."""
    anchor, at = anchor_of(text), NOW - 3_600 - number
    partitions.append(anchor, entries_of([mail(2**64 + at * 1000 + number, "c1@us.example", text, at)]))
    return acquaintance_updates.recompute(anchor, NOW)


def measure(when: str, first: int, people: int) -> None:
    """All measurements over `people` stored ones."""
    spread = max(people // 400, 1)
    measured(f"question, {when}", lambda n: ask(address(first + n * 7 * spread % people)), ASKED)
    measured(
        f"question about one of the large mailbox, {when}",
        lambda n: ask(address(first + people + n * 3 * spread % people)),
        ASKED,
    )
    measured(f"update, {when}", lambda n: update(address(first + (n * 11 * spread + 1) % people), n), UPDATED)
    measured(
        f"update of one of the large mailbox, {when}",
        lambda n: update(address(first + people + n * 5 * spread % people), n),
        UPDATED,
    )


def main(people: int = 2_000) -> None:
    """Measure with 40 people, load the rest, measure again."""
    rng = np.random.default_rng(1)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_azurite(Path(folder), in_memory=True) as azurite,
        setting_up(app_settings(azurite)),
    ):
        load(0, 40, rng)
        measure("40 people", 0, 40)
        began, number = time.perf_counter(), load(1_000, people, rng)
        per_person = 1000 * (time.perf_counter() - began) / people
        print(
            json.dumps({"interactions": number, "people": people, "load_ms_per_person": round(per_person, 1)}),
            flush=True,
        )
        measure(f"{people} people", 1_000, people)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
