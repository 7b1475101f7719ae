"""Time and memory of finding the similar won deals of one deal among 100,000: `python -m bench.similar`."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np

from shared.kpi.gower import CategoryField, NumberField
from shared.kpi.similar import Deals, SimilarDealFinder, won_lately

AS_OF = 1_773_576_000
DAY = 86_400


def deals_of(n: int, seed: int = 1) -> Deals:
    """`n` won deals with eight fields, a tenth of the values missing."""
    rng = np.random.default_rng(seed)
    missing = [rng.random(n) < 0.1 for _ in range(8)]
    categories = [
        CategoryField(f"category{k}", np.where(missing[k], -1, rng.integers(0, 5 * (k + 1), n)).astype(np.int32))
        for k in range(5)
    ]
    amounts = NumberField("amount", np.where(missing[5], np.nan, rng.lognormal(10, 1.5, n)), amount=True)
    numbers = [NumberField(f"number{k}", np.where(missing[k], np.nan, rng.normal(size=n))) for k in (6, 7)]
    closed = AS_OF - rng.integers(0, 700, n) * DAY
    return Deals(np.arange(n), closed - 90 * DAY, closed, np.ones(n, bool), (*categories, amounts, *numbers))


def main() -> None:
    """Prints one line per size: milliseconds to prepare and per deal, and the peak of memory."""
    for n in (1_000, 10_000, 100_000):
        deals = deals_of(n)
        start = time.perf_counter()
        finder = SimilarDealFinder(deals, won_lately(deals, AS_OF))
        prepared = time.perf_counter()
        asked = 50
        found = list(finder.find_each(range(asked)))
        done = time.perf_counter()
        tracemalloc.start()
        finder.find(0)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        print(
            f"{n:>7,} deals x 8 fields: prepare {1e3 * (prepared - start):.1f} ms, one deal "
            f"{1e3 * (done - prepared) / asked:.2f} ms, peak of a pass {peak / 2**20:.1f} MiB, "
            f"similar on average {np.mean([one.n for one in found]):.0f}"
        )


if __name__ == "__main__":
    main()
