"""The bars of relationship activities: six counts for each of the last local dates (kpis 4, 5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import numpy as np

from shared.kpi.counts import KINDS, initiated
from shared.kpi.interactions import History
from shared.kpi.parameters import Parameters
from shared.kpi.windows import day_starts, local_date

Row = tuple[int, ...]


@dataclass(frozen=True)
class Timeline:
    """Numbers of interactions per local date, oldest first, all seven of the same length; today ends at `as_of`."""

    dates: tuple[str, ...]  # ISO
    emails_sent: Row
    emails_received: Row
    meetings_sent: Row
    meetings_received: Row
    calls_made: Row
    calls_received: Row


def timeline(history: History, parameters: Parameters) -> Timeline:
    """The last `timeline_days` local dates of the reporting zone including today; zeros without interactions."""
    days, zone = parameters.timeline_days, parameters.reporting_zone
    first = local_date(history.as_of, zone) - timedelta(days=days - 1)
    edges = np.searchsorted(history.at, day_starts(first, days, zone))
    rows = slice(int(edges[0]), int(edges[-1]))
    day = np.repeat(np.arange(days), np.diff(edges))
    code = day * (2 * KINDS) + initiated(history.kind[rows], history.direction[rows])
    table = np.bincount(code, minlength=days * 2 * KINDS).reshape(days, 2 * KINDS)
    return Timeline(_dates(first, days), *map(tuple, table.T[:6].tolist()))


@lru_cache(maxsize=64)
def _dates(first: date, number: int) -> tuple[str, ...]:
    return tuple((first + timedelta(days=each)).isoformat() for each in range(number))
