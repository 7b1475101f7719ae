"""Last and next interaction."""

from __future__ import annotations

from shared.widgets.shape import PersonRef, Shape


class Moment(Shape, frozen=True):
    """One interaction. Its name is not kept here: whoever may read it asks the CRM by `activityId` (empty: Exchange only)."""

    interaction_id: str
    activity_id: str
    kind: str
    at: str
    end: str
    direction: str | None
    people: list[PersonRef]


class LastInteraction(Shape, frozen=True):
    """The last completed mail, meeting or call of the whole history, and the meeting going on now."""

    last: Moment | None
    current: Moment | None


class NextInteraction(Shape, frozen=True):
    """The next planned meeting, call or task; `scheduled` false reads "not scheduled"."""

    next: Moment | None
    scheduled: bool
