"""A record that cannot be computed: lists and widgets say so (state 6, "something went wrong") until it can."""

from __future__ import annotations

import logging

from msgspec import Raw, json
from msgspec.structs import replace

from shared import decoders, insights, null_reasons, recompute, stamps
from shared.errors import RetryLaterError, UnavailableError
from shared.insights import Stored
from shared.kpi.health import Grade, State
from shared.kpi.trend import Trend

_log = logging.getLogger(__name__)
_OBJECT = decoders.of_json(dict[str, Raw])
_FAILED: dict[str, object] = {
    "score": None, "scoreInt": None, "grade": Grade.INSUFFICIENT, "state": State.FAILED, "trend": Trend.FAILED,
    "trendName": "failed", "contributions": [], "alarm": None, "counterfactuals": None,
    "reasons": null_reasons.whole_health("failed"),
}  # fmt: skip


def recompute_or_note(record: str, now: int) -> Stored | None:
    """Compute a record's snapshot; a failure of ours is noted in its list row, and raised for the queue to count.

    What passes by itself (UnavailableError, RetryLaterError) is no failure.
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


def recompute_or_tell(record: str, now: int) -> tuple[Stored | None, bool]:
    """Compute a record's snapshot for a caller; where that fails, the last one whose health says so, and True.

    Its other figures are those of its own `computedAt`. Without a last one the failure is raised: no figure can be said.
    """
    try:
        return recompute_or_note(record, now), False
    except (UnavailableError, RetryLaterError):
        raise
    except Exception:
        last = insights.read(record)
        if last is None:
            raise
        _log.exception("a record cannot be computed; its last snapshot is told, with health as failed")
        return replace(last, body=_with_failed_health(last.body)), True


def _with_failed_health(body: bytes) -> bytes:
    envelope = _OBJECT.decode(body)
    widgets = _OBJECT.decode(envelope["widgets"])
    health = {**_OBJECT.decode(widgets["health"]), **_FAILED}
    return json.encode({**envelope, "widgets": {**widgets, "health": health}})
