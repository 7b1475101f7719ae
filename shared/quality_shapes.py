"""What the quality report answers."""

from __future__ import annotations

from shared.widgets import Shape


class ScoreQuality(Shape, frozen=True):
    """One score on the dates that are reported. AUC and average precision: 0 to 1, higher is better, AUC 0.5 is chance.

    Brier and calibration error: lower is better, after a logistic fit on the earlier dates. `fitted`: what was fitted there.
    """

    score: str
    auc: float
    average_precision: float
    brier: float
    calibration_error: float
    n: int
    fitted: dict[str, float]


class TieAlive(Shape, frozen=True):
    """Does the score foretell whether two people write to each other again within `horizonDays`?

    On the organisation's own stored mail, metadata only. `people` external people, `sampled` when these are not all.
    `betterBaselines` names the plain rules that did better than our fitted score; `reason` says why there is no score.
    """

    horizon_days: int
    people: int
    sampled: bool
    mails: int
    scores: list[ScoreQuality]
    better_baselines: list[str]
    reason: str = ""


class DealQuality(Shape, frozen=True):
    """Does the score `daysBefore` the closing tell won from lost opportunities? Areas under the ROC curve, 0.5 is chance.

    Counted are `won` and `lost` deals that had a score by then; `insufficient` had none, `sampled` when not all were looked at.
    The areas are null with `reason` "tooFew" below 30 of either. `low` and `high`: 95 % interval of our area.
    """

    days_before: int
    won: int
    lost: int
    insufficient: int
    sampled: bool
    auc: float | None
    low: float | None
    high: float | None
    auc_decay: float | None
    auc_recency: float | None
    better_baselines: list[str]
    reason: str = ""


class QualityReport(Shape, frozen=True):
    """How good the score is on the organisation's own past, beside plain rules; made weekly and on demand."""

    computed_at: str
    params_version: int
    tie_alive: TieAlive
    deals: list[DealQuality]


class QualityRequested(Shape, frozen=True):
    """The report will be made anew; look for a later `computedAt`."""

    queued: bool
