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
    """The last completed mail, meeting or call of the whole history, and the meeting going on now.

    An open record is idle once `quietSince` (the last interaction, else the record's creation) is more than `idleAfterDays` ago.
    Both are null for a closed record, and `quietSince` where neither is known.
    """

    last: Moment | None
    current: Moment | None
    quiet_since: str | None = None
    idle_after_days: int | None = None


class NextInteraction(Shape, frozen=True):
    """The next planned meeting, call or task; `scheduled` false reads "not scheduled"."""

    next: Moment | None
    scheduled: bool
