"""A record that cannot be computed: lists say so (state 6, "something went wrong") until it can."""

from __future__ import annotations

from msgspec.structs import replace

from shared import insights, recompute, stamps
from shared.errors import RetryLaterError, UnavailableError
from shared.insights import Stored
from shared.kpi.health import State
from shared.kpi.trend import Trend


def recompute_or_note(record: str, now: int) -> Stored | None:
    """Compute a record's snapshot; a failure of ours is noted in its list row, and raised for the queue to count.

    What passes by itself (UnavailableError, RetryLaterError) is no failure. Without a snapshot yet there is no row to note it in.
    """
    try:
        return recompute.recompute(record, now)
    except (UnavailableError, RetryLaterError):
        raise
    except Exception:
        version = stamps.read().parameters
        insights.change_list_row(
            record, lambda row: replace(row, state=State.FAILED, trend=Trend.FAILED, score=None, version=version), now
        )
        raise
