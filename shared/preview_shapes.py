"""What a preview of settings is asked and answers."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from shared.organisation_settings import Document, OrganisationSettings, RecordType
from shared.widgets import Shape


class PreviewRequest(Document, frozen=True):
    """The settings to try, of which record types (none: all five), and how many records to compute at most."""

    settings: OrganisationSettings
    types: tuple[RecordType, ...] = ()
    most_records: Annotated[int, Meta(ge=1, le=2000)] = 300


class GradeShares(Shape, frozen=True):
    """Percent of the records in each grade; they add up to 100.0."""

    good: float
    fair: float
    poor: float
    insufficient: float


class Move(Shape, frozen=True):
    """One record whose score or grade would change."""

    record: str
    name: str
    score_before: float | None
    score_after: float | None
    grade_before: str
    grade_after: str


class TypePreview(Shape, frozen=True):
    """One record type. Shares before and after are of the same `computed` records; null where there is none.

    `sampled`: these are fewer than the `open` records of the type, drawn by a hash of their ids, so the shares are estimates.
    `changed` counts the computed records whose grade would change.
    """

    type: str
    open: int
    computed: int
    sampled: bool
    before: GradeShares | None
    after: GradeShares | None
    changed: int


class Foretelling(Shape, frozen=True):
    """Had the scores of `horizonDays` ago told which records would have contact since? On the computed records with a score then.

    AUC: 0.5 is chance, 1 is best. `change` = after − before, `low` and `high` its 95 % interval: an interval around 0 means that
    these records do not tell the two apart. Null with `reason`: `tooFew` (below 30 records that had contact, or that had not),
    `onlyLimits` (grade limits change no score).
    """

    horizon_days: int
    alive: int
    ended: int
    auc_before: float | None = None
    auc_after: float | None = None
    change: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""


class Preview(Shape, frozen=True):
    """What the settings would do beside those in force (`paramsVersion`); nothing is saved.

    `moves`: of the computed records those whose score would move most, most first; where a score appears or vanishes it
    moves by its whole size.
    """

    params_version: int
    as_of: str
    types: list[TypePreview]
    moves: list[Move]
    foretelling: Foretelling
