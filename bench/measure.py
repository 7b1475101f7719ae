"""Measuring two ways in turn, and printing small tables.

The machine may be doing other things meanwhile. So each way runs several times, the ways take turns, and the best run counts:
a disturbance can only make a run longer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

Name = TypeVar("Name")


@dataclass(frozen=True)
class Cost:
    """Milliseconds of one run: by the clock, and of this process's CPU (what servers and disks do is not in it)."""

    clock: float
    cpu: float


def cost(work: Callable[[], object]) -> Cost:
    """What one run costs."""
    clock, cpu = time.perf_counter(), time.process_time()
    work()
    return Cost(1e3 * (time.perf_counter() - clock), 1e3 * (time.process_time() - cpu))


def in_turn(ways: Mapping[Name, Callable[[], object]], rounds: int = 5, seconds: float = 3.0) -> dict[Name, Cost]:
    """The best clock and the best CPU time of each way, over `rounds` rounds, fewer when they take longer than `seconds`."""
    runs: dict[Name, list[Cost]] = {name: [] for name in ways}
    end = time.perf_counter() + seconds
    for number in range(rounds):
        if number and time.perf_counter() > end:
            break
        for name, work in ways.items():
            runs[name].append(cost(work))
    return {name: Cost(min(one.clock for one in each), min(one.cpu for one in each)) for name, each in runs.items()}


def show(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table with right-aligned columns; numbers are rounded to three digits that say something.

    >>> show(["activities", "ms"], [[100, 1.2345], [100_000, 123.45]])
    activities    ms
           100  1.23
       100,000   123
    """
    table = [list(header), *([_text(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    for row in table:
        print("  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)), flush=True)


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
