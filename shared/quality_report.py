"""The quality report: how well the score foretells on the organisation's own past. Made from the queue, read by a point read."""

from __future__ import annotations

import time

from msgspec import json

from shared import decoders, stamps, tables
from shared.directory import directory
from shared.errors import FormatVersionError, NotFoundError
from shared.moments import instant
from shared.quality_shapes import QualityReport, ScoreQuality, TieAlive

TABLE, PARTITION, LATEST, VERSION = "settings", "quality", "latest", 1
HORIZON_DAYS = 30
OURS = "rapport"
PATIENCE_SECONDS = 120.0  # for the deals; a message may take five minutes
# Other fits of our own score: no baselines.
_OWN = ("rapport", "rapport_default_points", "rapport_default")


def latest() -> QualityReport:
    """The report made last. Raises NotFoundError before the first."""
    row = tables.read(TABLE, PARTITION, LATEST)
    if row is None:
        raise NotFoundError("The quality of the score has not been measured yet.")
    if row["v"] != VERSION:
        raise FormatVersionError(f"quality reports have format {row['v']}, this app reads {VERSION}")
    return decoders.of_json(QualityReport).decode(tables.unsplit(row))


def refresh(now: int) -> QualityReport:
    """Make the report anew and keep it, also under its date."""
    from shared.deal_quality import deal_quality

    in_force = stamps.read()
    report = QualityReport(
        computed_at=instant(now),
        params_version=in_force.parameters,
        tie_alive=_tie_alive(in_force.people),
        deals=deal_quality(now, in_force, time.monotonic() + PATIENCE_SECONDS),
    )
    for key in (instant(now)[:10], LATEST):
        tables.upsert(
            TABLE, {"PartitionKey": PARTITION, "RowKey": key, "v": VERSION, **tables.split(json.encode(report))}
        )
    return report


def _tie_alive(people: int) -> TieAlive:
    from shared.kpi.quality import TooShortError, evaluate
    from shared.stored_mails import stored_mails

    stored = stored_mails(directory(people))
    scores, reason = [], ""
    try:
        results = evaluate(stored.mails, HORIZON_DAYS)
        scores = [
            ScoreQuality(
                score=one.score, auc=one.auc, average_precision=one.average_precision, brier=one.brier,
                calibration_error=one.calibration_error, n=one.n, fitted=one.fitted,
            )
            for one in results
        ]  # fmt: skip
    except TooShortError as error:
        reason = str(error)
    ours = next((one.auc for one in scores if one.score == OURS), 0.0)
    return TieAlive(
        horizon_days=HORIZON_DAYS, people=stored.people, sampled=stored.sampled, mails=len(stored.mails), scores=scores,
        better_baselines=[one.score for one in scores if one.score not in _OWN and one.auc > ours], reason=reason,
    )  # fmt: skip
