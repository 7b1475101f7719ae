"""The orders in which lists can be read, on columns: the same as `shared.kpi.lists`, for a hundred thousand rows at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from shared.kpi.health import State
from shared.kpi.interactions import Codes, Floats, Indices
from shared.kpi.lists import Attention
from shared.kpi.trend import Trend
from shared.list_packs import Pack
from shared.list_rows import ALARMS

_COOLING, _LOST = ALARMS.index("cooling"), ALARMS.index("probably_lost")


def attention(pack: Pack) -> Codes:
    """(n,) the most pressing reason of each row, as `kpi.lists.attention` gives it."""
    figures = pack.figures
    tests = (
        (Attention.WAITING_FOR_US, figures["waiting"] > 0),
        (Attention.DECLINING, figures["trend"] == Trend.DECLINING),
        (Attention.POOR, figures["state"] == State.POOR),
        (Attention.COOLING, figures["alarm"] == _COOLING),
        (Attention.PROBABLY_LOST, figures["alarm"] == _LOST),
    )
    found = np.full(len(pack), Attention.NONE, dtype=np.uint8)
    for reason, holds in tests:  # the most pressing last, so that it stays
        found[holds] = reason
    return found


def order(pack: Pack, column: str, descending: bool) -> Indices:
    """(n,) positions in the order of a column of `COLUMNS`; rows without a value stand last in both directions.

    Equal values: newer contact, then name without regard to upper and lower case, then id. Raises KeyError for another column.
    """
    value = COLUMNS[column](pack)
    missing = np.isnan(value)
    first = np.where(missing, 0.0, -value if descending else value)
    last = pack.figure("last_at")
    recent = np.where(np.isnan(last), np.inf, -last)
    found = np.lexsort((recent, first, missing))
    return _ties_by_name(pack, found, np.stack([missing[found], first[found], recent[found]]))


def _ties_by_name(pack: Pack, found: Indices, keys: Floats) -> Indices:
    """Rows that are equal by all keys, put in the order of their names and ids."""
    new = np.append(True, (keys[:, 1:] != keys[:, :-1]).any(axis=0))[: len(found)]
    bounds = np.append(np.flatnonzero(new), len(found))
    for run in np.flatnonzero(np.diff(bounds) > 1).tolist():
        rows = slice(int(bounds[run]), int(bounds[run + 1]))
        found[rows] = sorted(found[rows].tolist(), key=lambda i: (pack.names[i].casefold(), pack.ids[i]))
    return found


def _name_rank(pack: Pack) -> Floats:
    """(n,) the rank of each name; equal names have equal ranks."""
    folded = [name.casefold() for name in pack.names]
    rank = {name: number for number, name in enumerate(sorted(set(folded)))}
    return np.array([rank[name] for name in folded], dtype=np.float64)


def _trend_rank(pack: Pack) -> Floats:
    """(n,) declining 0, steady 1, improving 2; else NaN."""
    by_code = np.full(len(Trend), np.nan)
    by_code[[Trend.DECLINING, Trend.STEADY, Trend.IMPROVING]] = (0.0, 1.0, 2.0)
    return np.take(by_code, pack.figures["trend"])


COLUMNS: dict[str, Callable[[Pack], Floats]] = {
    "attention": lambda pack: attention(pack).astype(np.float64),
    "name": _name_rank,
    "health": lambda pack: pack.figure("score"),
    "trend": _trend_rank,
    "next": lambda pack: pack.figure("next_at"),
    "last": lambda pack: pack.figure("last_at"),
    "hoursOurs": lambda pack: pack.figure("hours_ours"),
    "hoursTheirs": lambda pack: pack.figure("hours_theirs"),
    "updated": lambda pack: pack.figure("computed_at"),
    "waitingForUs": lambda pack: pack.figure("waiting"),
}
