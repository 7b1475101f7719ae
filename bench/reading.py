"""Read and recompute a record from our partition, and from one row per activity in the same Azurite: `python -m bench reading`.

`rows` are read by the client library, as its documentation shows it, and `our reader` is the app's own leaner query over the
same rows. Both ways then read roster and people and make all widgets by the same code, and must give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench import activity_rows
from bench.kpi_data import AS_OF
from bench.measure import Cost, in_turn, show
from bench.stored_record import running_tables, store
from shared import partitions, recompute
from shared.columns import Entries

SIZES = (100, 1_000, 10_000, 100_000)
SAMPLED = 10_000


def record_name(size: int) -> str:
    """The record of this size.

    >>> record_name(100)
    'opportunity:00000000-0000-4000-8000-000000000100'
    """
    return f"opportunity:00000000-0000-4000-8000-{size:012d}"


def from_partition(name: str) -> bytes:
    """All widgets as the app reads and computes them."""
    body = recompute.as_of(name, AS_OF, AS_OF)
    assert body is not None
    return body


def from_rows(name: str) -> bytes:
    """The same, with one row per activity in place of the partition, read by the client library."""
    with partitions_from(activity_rows.read):
        return from_partition(name)


@contextmanager
def partitions_from(read: Callable[[str], Entries]) -> Iterator[None]:
    """Whatever reads a partition meanwhile gets its entries from `read`."""
    ours = partitions.read
    partitions.read = lambda name, with_ids=True: partitions.Partition(name, read(name))
    try:
        yield
    finally:
        partitions.read = ours


def compare(size: int, rounds: int = 5, sample: int = SAMPLED) -> list[list[object]]:
    """Two lines of the table: reading alone, and reading with everything up to the snapshot's bytes.

    Raises AssertionError when the two ways differ in a byte.
    """
    name, sampled = record_name(size), min(size, sample)
    store(name, size, sampled)
    assert sampled < size or from_partition(name) == from_rows(name), f"the two ways differ at {size}"
    ways: dict[str, Callable[[], object]] = {
        "partition": lambda: partitions.read(name),
        "rows": lambda: activity_rows.read(name),
        "our reader": lambda: activity_rows.read(name, activity_rows.by_our_reader),
        "whole": lambda: from_partition(name),
    }
    found = in_turn(ways, rounds, seconds=6)
    rows, ours = (_times(found[way], size / sampled) for way in ("rows", "our reader"))
    partition, whole = found["partition"], found["whole"]
    # What follows the reading is the same code with the same input: it is measured once, with the partition.
    rest = Cost(whole.clock - partition.clock, whole.cpu - partition.cpu)
    return [
        _line("read", size, partition, rows, ours),
        _line("and recompute", size, whole, _plus(rows, rest), _plus(ours, rest)),
    ]


def _times(one: Cost, factor: float) -> Cost:
    return Cost(one.clock * factor, one.cpu * factor)


def _plus(one: Cost, other: Cost) -> Cost:
    return Cost(one.clock + other.clock, one.cpu + other.cpu)


def _line(what: str, size: int, partition: Cost, rows: Cost, our_reader: Cost) -> list[object]:
    times = (rows.clock / partition.clock, rows.cpu / partition.cpu, our_reader.clock / partition.clock)
    return [size, what, partition.clock, partition.cpu, rows.clock, rows.cpu, *times]


def main(sizes: tuple[int, ...] = SIZES) -> None:
    """Print the table."""
    header = ("activities", "", "ms", "CPU ms", "rows ms", "rows CPU ms", "times", "times CPU", "times by our reader")
    with running_tables():
        show(header, [line for size in sizes for line in compare(size)])
    print(
        f"Above {SAMPLED:,} activities only so many are rows, and their cost is multiplied: Azurite takes minutes to load more."
    )
