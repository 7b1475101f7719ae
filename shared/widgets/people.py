"""Most contacted, and most contacted by."""

from __future__ import annotations

from shared.widgets.shape import PersonRef, Shape


class ContactedPerson(Shape, frozen=True):
    """A person, the number of counted interactions in the window, by kind, and the latest of them."""

    person: PersonRef
    number: int
    emails: int
    meetings: int
    calls: int
    last_at: str
    on_record: bool


class MostContacted(Shape, frozen=True):
    """The first three people of one side, and how many there are in all."""

    people: list[ContactedPerson]
    total: int
