"""On whom the relationship hangs."""

from __future__ import annotations

from msgspec import field

from shared.widgets.shape import PersonRef, Shape


class PersonShare(Shape, frozen=True):
    """A person's part of one side of the relationship, 0 to 1."""

    person: PersonRef
    share: float


class Concentration(Shape, frozen=True):
    """How one side of the relationship is spread over people; null without interaction, which `reason` says, and on the other
    side of a contact (`isTheContact`)."""

    shares: list[PersonShare]
    largest: float | None
    effective_number: float | None
    single_threaded: bool
    reason: str = ""


class Departure(Shape, frozen=True):
    """What is left if a colleague leaves, the one on whom most hangs unless another was asked for, and whom nobody else knows."""

    person: PersonRef
    score_now: float | None
    score_then: float | None
    grade_then: str
    handover: list[PersonRef]


class CoverRisk(Shape, frozen=True):
    """Share of the relationship that hangs on one colleague, and on one person of theirs.

    Colleagues are named to the record's owner, the owner's manager (`namedTo`: user ids, and marks of addresses) and the role
    Rapport.CoverRisk; for anybody else `person` is empty on our side, and `flags` has `namesWithheld`.
    """

    ours: Concentration
    theirs: Concentration
    if_leaves: Departure | None
    named_to: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
