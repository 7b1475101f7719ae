"""Relationship health: the score, its parts and evidence, and what would change it."""

from __future__ import annotations

from msgspec import field

from shared.widgets.shape import PersonRef, Shape


class Contribution(Shape, frozen=True):
    """One named part of the score: `score` of at most `points`; the scores add up to the score exactly."""

    name: str
    points: float
    value: float
    score: float


class Influence(Shape, frozen=True):
    """An interaction, and by how many points the score would be lower without it."""

    interaction_id: str
    at: str
    points: float


class HealthEvidence(Shape, frozen=True):
    """What the score was made of (docs/health.md). `reasons`: the code of each null by the name of its field."""

    interactions: int
    signs_from_them: int
    frequency_days: int
    periods: int
    periods_met: int
    periods_met_by_them: int
    decayed: float
    expected: float
    active_days: int
    usual_gap_days: float | None
    silence_days: float | None
    silence_ratio: float | None
    signers: list[PersonRef]
    influences: list[Influence]
    reasons: dict[str, str] = field(default_factory=dict)


class Outlook(Shape, frozen=True):
    """What one deed would do: `score` at the target instant if it happens then; null = still insufficient."""

    deed: str
    person: PersonRef
    score: float | None
    reason: str = ""


class Counterfactuals(Shape, frozen=True):
    """The score now, at `target` if nothing happens, and at `target` for each deed; all by the same function."""

    target: str
    now: float | None
    without: float | None
    outlooks: list[Outlook]
    reasons: dict[str, str] = field(default_factory=dict)


class Health(Shape, frozen=True):
    """Relationship health. `state` and `trend` are the choice values of Dynamics 365; null score = insufficient. `reasons`: the
    code of each null by the name of its field."""

    score: float | None
    score_int: int | None
    grade: str
    state: int
    trend: int
    trend_name: str
    contributions: list[Contribution]
    evidence: HealthEvidence
    alarm: str | None
    frozen: bool
    counterfactuals: Counterfactuals | None = None
    reasons: dict[str, str] = field(default_factory=dict)
