"""Up to when, and from when on, a record's figures are complete (kpis 15)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from shared.kpi.interactions import History, Keys
from shared.kpi.parameters import DAY

ALLOWED_LAG = 1_800  # seconds; in poll mode pass two poll intervals


@dataclass(frozen=True)
class Source:
    """How far one source is read: the CRM feed, or a mailbox. None as `watermark` = nothing read yet; None as `covered_from`
    = read from its beginning."""

    watermark: int | None
    covered_from: int | None = None


@dataclass(frozen=True)
class Freshness:
    """`complete_up_to` None = a source has not been read yet; `complete_from` None = from the beginning."""

    complete_up_to: int | None
    complete_from: int | None
    partial: bool
    basic_only: bool


def freshness(
    as_of: int,
    window_start: int,
    crm: Source,
    mailboxes: Iterable[Source] | None,
    allowed_lag: int = ALLOWED_LAG,
) -> Freshness:
    """The earliest watermark and the latest start of coverage among the CRM feed and `mailboxes`.

    Pass the mailboxes in scope of `recent_colleagues`; a mailbox without an interaction here holds nothing back. None as
    `mailboxes` = mailboxes are switched off: the CRM alone answers and `basic_only` says so. `partial` when a watermark is
    more than `allowed_lag` seconds behind `as_of`, or coverage starts inside the window.

    >>> freshness(1000, 0, Source(990), [Source(980, covered_from=500)])
    Freshness(complete_up_to=980, complete_from=500, partial=True, basic_only=False)
    """
    sources = [crm, *(mailboxes or ())]
    watermarks = [source.watermark for source in sources if source.watermark is not None]
    starts = [source.covered_from for source in sources if source.covered_from is not None]
    up_to = min(watermarks) if len(watermarks) == len(sources) else None
    complete_from = max(starts, default=None)
    lagging = up_to is None or as_of - up_to > allowed_lag
    late = complete_from is not None and complete_from > window_start
    return Freshness(up_to, complete_from, lagging or late, basic_only=mailboxes is None)


def recent_colleagues(history: History) -> Keys:
    """Keys of our people with an interaction on the record in the last 365 days, ascending; empty without any."""
    first = np.searchsorted(history.at, history.as_of - 365 * DAY)
    rows = slice(int(np.searchsorted(history.part_index, first)), None)
    return np.unique(history.part_person[rows][history.part_internal[rows]])
