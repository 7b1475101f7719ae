"""Similar won deals against a real store: `python -m bench.similar_rounds [DEALS]`, default 20,000.

Measures a round (reading all rosters, packing and writing the pool, telling what is due), what a process holds of it, and
a batch of open deals that resemble each other, with 40 interactions in each won deal that they meet. Rosters and partitions
are written directly, as the pipeline would leave them.
"""

from __future__ import annotations

import base64
import os
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.local.azurite_process import running_azurite

NOW = 1_773_576_000
DAY = 86_400
OPEN_SHARE = 0.6
BATCH = 50  # deals; the app takes 200, for which as many neighbours again would have to be stored first
INTERACTIONS = 40
KINDS = {"currency": 3, "industry": 12, "region": 5, "product": 8}


def rosters_of(n: int, seed: int = 1) -> Iterator[Any]:
    """`n` opportunities, six of ten open, the others won within two years."""
    from shared.rosters import Roster

    rng = np.random.default_rng(seed)
    fields = {name: rng.integers(0, number, n) for name, number in KINDS.items()}
    amounts, ages, is_open = rng.lognormal(10, 1.5, n), rng.integers(30, 400, n), rng.random(n) < OPEN_SHARE
    closed = rng.integers(0, 700, n)
    for k in range(n):
        created = NOW - int(ages[k] + (0 if is_open[k] else closed[k])) * DAY
        yield Roster(
            record=f"opportunity:{k:08d}-0000-4000-8000-{k:012d}",
            name=f"Deal {k}",
            status="open" if is_open[k] else "won",
            created_at=created,
            closed_at=None if is_open[k] else NOW - int(closed[k]) * DAY,
            owner="user:u1",
            amount=round(float(amounts[k]), 2),
            fields={name: f"{name} {values[k]}" for name, values in fields.items()},
        )


def store_rosters(found: Iterable[Any]) -> None:
    from shared import rosters, tables

    buckets: dict[str, list[Any]] = {}
    for roster in found:
        buckets.setdefault(rosters.place(roster.record)[0], []).append(roster)
    for partition, deals in buckets.items():
        rows = (
            {"PartitionKey": partition, "RowKey": rosters.place(r.record)[1], "v": rosters.VERSION, **rosters.packed(r)}
            for r in deals
        )
        tables.transact("records", (("upsert", row, None) for row in rows))


def store_interactions(records: Iterable[Any]) -> None:
    """Mails and meetings over the life of each deal, regarding it, folded into months."""
    from shared import partitions
    from shared.columns import Entries
    from shared.keys import keys
    from shared.kpi.interactions import Flag, Interactions, RecordType

    domains = [keys().domain("us.example"), keys().domain("cust.example")]
    people = [keys().address("anna@us.example"), keys().address("kim@cust.example")]
    for roster in records:
        rng = np.random.default_rng(roster.created_at)
        n = INTERACTIONS
        at = np.sort(rng.integers(roster.created_at, roster.closed_at, n))
        kind = (rng.random(n) < 0.2).astype("u1")  # mails, one in five a meeting
        outgoing = rng.integers(0, 2, n)
        sides = np.stack([1 - outgoing, outgoing], axis=1).ravel()
        facts = Interactions(
            key=np.array([rng.bytes(15) + b"k" for _ in range(n)], dtype="S16"), at=at, end=at + kind.astype("i8") * 1800,
            kind=kind, flags=np.full(n, int(Flag.COMPLETED | Flag.IN_CRM), "u4"), minutes=np.zeros(n),
            conversation=rng.integers(1, 9, n).astype("u8"), sources=np.ones(n, "u1"),
            part_index=np.repeat(np.arange(n), 2), part_person=np.array(people, "u8")[sides],
            part_domain=np.array(domains, "u8")[sides], part_role=np.tile(np.array([0, 1], "u1"), n),
            part_response=np.zeros(2 * n, "u1"), regarding_index=np.arange(n),
            regarding_type=np.full(n, int(RecordType.OPPORTUNITY), "u1"),
            regarding_key=np.full(n, keys().record(roster.record), "u8"),
        )  # fmt: skip
        entries = Entries(facts, np.ones(n, "u4"), np.zeros(n, "?"), np.full(n, "", dtype=object))
        partitions.fold(roster.record, entries)


class Counted:
    """Counts the rows that each table gives while it is in place."""

    def __init__(self) -> None:
        self.rows: Counter[str] = Counter()

    def __enter__(self) -> Counted:
        from shared import tables

        self._tables, self._read, self._query = tables, tables.read, tables.query

        def read(name: str, *given: Any) -> Any:
            self.rows[name] += 1
            return self._read(name, *given)

        def query(name: str, *given: Any, **named: Any) -> Any:
            for row in self._query(name, *given, **named):
                self.rows[name] += 1
                yield row

        tables.read, tables.query = read, query  # type: ignore[assignment]
        return self

    def __exit__(self, *_: object) -> None:
        self._tables.read, self._tables.query = self._read, self._query


def measured(title: str, work: Callable[[], Any]) -> Any:
    """Do the work and print its time, CPU, rows read by table, and the process's peak memory."""
    with Counted() as counted:
        start, cpu = time.perf_counter(), time.process_time()
        answer = work()
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{title}: {seconds:.2f} s, {cpu:.2f} s CPU, rows read {dict(counted.rows)}, peak {peak:.0f} MiB", flush=True)
    return answer


def main(n: int) -> None:
    """Prints one line a step."""
    from shared import deal_pool_rows, similar_results, similar_updates, tables
    from shared.similar_deals import refresh

    found = {roster.record: roster for roster in rosters_of(n)}
    store_rosters(found.values())
    due = measured(f"round over {n:,} opportunities", lambda: list(similar_updates.due_deals(NOW)))
    stored = [len(tables.unsplit(row)) for row in tables.query("similar", deal_pool_rows.PARTITION)]
    print(f"  {len(due):,} due; the pool has {len(stored)} rows, {sum(stored) / 2**20:.1f} MiB")
    measured("reading the pool", deal_pool_rows.read)
    measured("reading it again", deal_pool_rows.read)
    batch = due[len(due) // 2 :][:BATCH]
    refresh(batch, NOW)
    results = [result[0] for record in batch if (result := similar_results.read(record))]
    met = {deal.record for result in results for deal in result.deals}
    store_interactions(found[record] for record in met)
    similar = np.mean([result.n for result in results])
    title = (
        f"batch of {len(batch)} ({similar:.0f} similar each, {len(met)} neighbours, {INTERACTIONS} interactions each)"
    )
    measured(title, lambda: refresh(batch, NOW, even_if_fresh=True))
    measured("one deal on demand", lambda: refresh(batch[:1], NOW, even_if_fresh=True))


if __name__ == "__main__":
    os.environ.update(PERSON_KEY=base64.b64encode(b"x" * 32).decode(), TENANT_DOMAINS="us.example")
    with tempfile.TemporaryDirectory() as folder, running_azurite(Path(folder), in_memory=True) as azurite:
        os.environ["TABLES"] = azurite.connection_string
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
