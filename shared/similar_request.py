"""Looking for the similar won deals of one deal because somebody asks."""

from __future__ import annotations

from shared import deal_pool_rows, rosters, similar_results, similar_updates
from shared.errors import ConflictError, NotFoundError
from shared.reading import SIMILAR, Answer, AsOfQuery, one_widget
from shared.recompute import recompute
from shared.similar_deals import refresh

LEAST_SECONDS = 60  # between two searches for one deal
POOL_DAYS = 1  # an older pool is built anew, behind the answer


def refreshed(record: str, now: int) -> Answer:
    """The widget of a deal, found now unless it was within the last minute.

    Raises NotFoundError when there is no such deal, ConflictError for one that is closed: its list stays as it was.
    """
    roster = rosters.read(record)
    if roster is None or roster.gone or roster.merged_into:
        raise NotFoundError("There is no opportunity with this id.")
    if roster.status != "open":
        raise ConflictError("The opportunity is closed; its similar won deals stay as they were last found.")
    pool = deal_pool_rows.read()
    if pool is not None and pool[1] < now - POOL_DAYS * similar_results.DAY:
        similar_updates.announce_round()
    basis, _ = similar_results.basis(record)
    if basis is None or basis.found_at <= now - LEAST_SECONDS:
        refresh([record], now, even_if_fresh=True)
    recompute(record, now)
    return one_widget(record, SIMILAR, AsOfQuery(), now)
