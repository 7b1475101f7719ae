"""All widgets of a record: time and memory, beside reading its activities and beside polars: `python -m bench all_widgets`.

`widgets` is everything between the entries in memory and the snapshot's bytes: what counts and why, all figures, JSON.
`polars` and `same figures` are the part that `bench.kpi_core` has in polars, starting from what counts.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import replace

from msgspec import json

from bench.kpi_core import PARAMETERS, comparable, core, with_polars
from bench.kpi_data import AS_OF, record
from bench.measure import in_turn, show
from bench.reading import record_name
from bench.stored_record import running_tables, store
from shared import partitions, recompute, registry, stamps
from shared.columns import Entries
from shared.kpi.inclusion import include
from shared.snapshots import Computation, compute, snapshot

SIZES = (1_000, 10_000, 1_000_000)


def peak(work: Callable[[], object]) -> float:
    """MiB that the work holds at most, besides what is there before."""
    tracemalloc.start()
    work()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 2**20


def all_widgets(held: Computation, entries: Entries) -> bytes:
    """The snapshot's bytes, computed from the entries of the record's partition."""
    found = compute(held.subject, entries, AS_OF, held.parameters, registry.texts)
    return json.encode(snapshot(replace(found, mailboxes=held.mailboxes), AS_OF, AS_OF, 0))


def compare(size: int, rounds: int = 7) -> list[object]:
    """One line of the table. Raises AssertionError when polars finds other numbers."""
    name = record_name(size)
    store(name, size, as_rows=0)
    found = recompute.computation(name, AS_OF, stamps.read())
    assert found is not None
    computed, partition = found
    entries = partition.live
    assert len(entries) == size
    facts, membership = record(size)
    history = include(facts, membership, AS_OF, PARAMETERS).history()
    polars = with_polars(history)
    assert polars() == comparable(core(history)), f"polars differs at {size}"
    ways: dict[str, Callable[[], object]] = {
        "read": lambda: partitions.read(name),
        "widgets": lambda: all_widgets(computed, entries),
        "polars": polars,
        "figures": lambda: core(history),
    }
    times = {way: one.clock for way, one in in_turn(ways, rounds, seconds=6).items()}
    return [
        size, times["read"], times["widgets"], times["widgets"] / times["read"], times["figures"], times["polars"],
        times["polars"] / times["figures"], peak(ways["read"]), peak(ways["widgets"]),
    ]  # fmt: skip


def main(sizes: tuple[int, ...] = SIZES) -> None:
    """Print the table."""
    header = ["activities", "read ms", "widgets ms", "widgets/read", "same figures ms", "polars ms", "polars/figures"]
    with running_tables():
        show([*header, "read MiB", "widgets MiB"], [compare(size) for size in sizes])
