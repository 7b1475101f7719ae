"""What is held about a person, page by page: for the person, and for who answers requests of people from outside.

The parts follow one another: about, accesses, figures, copies. Each page is bounded in what it reads, so that no request takes
longer than a request may; a token says where the next one begins.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from shared import access_log, looking_up, personal_facts, personal_subject, stamps
from shared.access_log import Access, AccessQuery
from shared.auth import Caller
from shared.directory import directory
from shared.errors import InvalidInputError
from shared.moments import instant
from shared.paging import seal, unseal
from shared.personal_data_shapes import OwnDataQuery, Part, PersonalData, PersonalDataRequest
from shared.personal_subject import Held

PURPOSE = "personal data"
MOST_ACCESSES = 5_000


class _Page(Struct, frozen=True):
    """Where the next page begins: of this person, in this part, at this place of it."""

    person: str
    part: Part
    place: tuple[str, int, str] = ("", 0, "")


def own(who: Caller, query: OwnDataQuery, now: int) -> PersonalData:
    """A page about the caller. Raises ForbiddenError for a caller who is none of our people, InvalidInputError for a bad page."""
    caller = looking_up.own(who)
    ours = directory(stamps.read().people)
    address = caller.address if ours.is_internal(caller.address, "") else ""
    return _page(personal_subject.of_ours(caller.user, address, ours, (who.id,)), who, query.page, now)


def of_address(request: PersonalDataRequest, who: Caller, now: int) -> PersonalData:
    """A page about whoever has the address; noted in the access log. Raises InvalidInputError for no address, or a bad page."""
    person = personal_subject.of_address(request.address)
    access_log.note(who, person.anchors[0], PURPOSE, now, person.keys)
    return _page(person, who, request.page, now)


def _page(person: Held, who: Caller, token: str, now: int) -> PersonalData:
    state = unseal(token, _Page, purpose=PURPOSE) if token else _Page(person.id, "about")
    if state.person != person.id:
        raise InvalidInputError("the page is one of another person", "$.page")
    parts = {"about": _about, "accesses": _accesses, "figures": _figures, "copies": _copies}
    content, following = parts[state.part](person, who, state, now)
    next_page = seal(following, purpose=PURPOSE) if following else None
    return PersonalData(at=instant(now), part=state.part, subject=person.shown(), next_page=next_page, **content)


Found = tuple[dict[str, Any], _Page | None]


def _about(person: Held, who: Caller, state: _Page, now: int) -> Found:
    return {"about": personal_facts.about(person, now)}, _Page(person.id, "accesses")


def _accesses(person: Held, who: Caller, state: _Page, now: int) -> Found:
    own = person.readers[0] if person.readers else ""
    everything = AccessQuery(days=access_log.KEPT_DAYS)
    read: list[Access] = access_log.of_subject(person.keys, own, everything, now, person.logged_as).accesses
    start = state.place[1]
    more = start + MOST_ACCESSES
    following = _Page(person.id, "accesses", ("", more, "")) if len(read) > more else _Page(person.id, "figures")
    return {"accesses": read[start:more]}, following


def _figures(person: Held, who: Caller, state: _Page, now: int) -> Found:
    from shared import personal_figures

    record, at, key = state.place
    start = personal_figures.Place(record, at, key) if record else personal_figures.Place()
    found = personal_figures.page(person, who, start, now)
    place = found.following
    following = _Page(person.id, "figures", (place.record, place.at, place.key)) if place else None
    content = {"interactions": found.interactions, "acquaintances": found.acquaintances}
    return content, following or _Page(person.id, "copies")


def _copies(person: Held, who: Caller, state: _Page, now: int) -> Found:
    from shared import personal_copies

    found = personal_copies.page(person, personal_copies.Place(state.place[1], state.place[2]))
    place = found.following
    return {"copies": found.copies}, _Page(person.id, "copies", ("", place.partition, place.after)) if place else None
