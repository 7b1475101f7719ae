"""The values that attributes may have: msgspec types, each with the function that brings a value into its normal form.

A normal form is what is kept in a state: instants as whole seconds since 1970, ids and addresses in one spelling, and of a
participant only what is known. Functions raise ValueError with one sentence that does not repeat the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

from shared.interactions import RESPONSES
from shared.noise import kept_headers
from shared.people import normal_address

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:@-]{0,99}")
_GUID = re.compile(r"\{?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}?", re.IGNORECASE)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_YEARS = range(1900, 2201)
RECORD_TYPES = frozenset(("account", "contact", "lead", "opportunity", "case"))
_OWNERS = frozenset(("user", "team"))
_PARTIES = RECORD_TYPES | _OWNERS


class InvalidPartError(ValueError):
    """A part of a value is wrong; `path` leads to it from the value, such as `[2].address`."""

    def __init__(self, detail: str, path: str) -> None:
        super().__init__(detail)
        self.path = path


@lru_cache(maxsize=65_536)
def normal_id(text: str) -> str:
    """Return an id in its one spelling: a GUID in lower case without braces, any other id as it is.

    >>> normal_id("{6D81597F-0F9F-E711-8122-000D3AA2331C}")
    '6d81597f-0f9f-e711-8122-000d3aa2331c'
    """
    if guid := _GUID.fullmatch(text):
        return guid[1].lower()
    if not _ID.fullmatch(text):
        raise ValueError("an id has 1 to 100 letters, digits and . _ ~ : @ - and starts with a letter or digit")
    return text


def instant(moment: datetime) -> int:
    """Return an instant as whole seconds since 1970-01-01 UTC; fractions are cut. Years 1900 to 2200 only."""
    if moment.year not in _YEARS:
        raise ValueError("an instant lies in the years 1900 to 2200")
    return (moment - _EPOCH) // _SECOND


def _reference(text: str, entities: frozenset[str]) -> str:
    entity, _, id = text.partition(":")
    if entity not in entities:
        raise ValueError(f"a reference is <entity>:<id> with entity one of {', '.join(sorted(entities))}")
    return f"{entity}:{normal_id(id)}"


@lru_cache(maxsize=65_536)
def _party(text: str) -> str:
    return _reference(text, _PARTIES)


@lru_cache(maxsize=65_536)
def _owner(text: str) -> str:
    return _reference(text, _OWNERS)


@lru_cache(maxsize=65_536)
def _record(text: str) -> str:
    return _reference(text, RECORD_TYPES)


class Party(Struct, forbid_unknown_fields=True):
    """One participant of an activity as the CRM names it. A resource (a room) is nobody and is left out."""

    address: Annotated[str, Meta(max_length=1000)] | None = None
    name: Annotated[str, Meta(max_length=1000)] | None = None
    party: str | None = None
    response: Literal["none", "organizer", "tentativelyAccepted", "accepted", "declined", "notResponded"] = "none"
    resource: bool = False


def _participant(party: Party) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    if party.address:
        kept["address"] = _at(".address", normal_address, party.address)
    if party.party:
        kept["party"] = _at(".party", _party, party.party)
    if party.name:
        kept["name"] = party.name
    if party.response != "none":
        kept["response"] = RESPONSES[party.response]
    return kept


def _participants(parties: list[Party]) -> list[dict[str, Any]]:
    found = (_at(f"[{i}]", _participant, party) for i, party in enumerate(parties) if not party.resource)
    return [participant for participant in found if "address" in participant or "party" in participant]


def _at(path: str, function: Callable[[Any], Any], value: Any) -> Any:
    try:
        return function(value)
    except InvalidPartError as error:
        raise InvalidPartError(str(error), path + error.path) from None
    except ValueError as error:
        raise InvalidPartError(str(error), path) from None


def _each(function: Callable[[str], str]) -> Callable[[list[str]], list[str]]:
    def normal(values: list[str]) -> list[str]:
        return _distinct(_at(f"[{i}]", function, value) for i, value in enumerate(values))

    return normal


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


@lru_cache(maxsize=1024)
def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ValueError("a time zone has an IANA name such as Europe/Berlin") from None
    return name


def _hours(week: dict[str, list[tuple[str, str]]]) -> dict[str, list[list[str]]]:
    for day, intervals in week.items():
        edges = [edge for interval in intervals for edge in interval]
        if any(later <= earlier for earlier, later in pairwise(edges)):
            raise InvalidPartError("working intervals of a day ascend and do not touch", f".{day}")
    return {day: [list(interval) for interval in intervals] for day, intervals in week.items()}


def _sorted_ids(ids: list[str]) -> list[str]:
    return sorted(_each(normal_id)(ids))


def _normal(function: Callable[[Any], Any], **limits: Any) -> Meta:
    return Meta(extra={"normal": function}, **limits)


Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_Time = Annotated[str, Meta(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")]
_Date = Annotated[str, Meta(pattern=r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]

Text = Annotated[str, Meta(max_length=1000)]
Count = Annotated[int, Meta(ge=0, le=2**31)]
Amount = Annotated[float, _normal(float)]
Minutes = Annotated[float, _normal(float, ge=0, le=10_000_000)]
Instant = Annotated[datetime, _normal(instant, tz=True)]
Id = Annotated[str, _normal(normal_id)]
Ids = Annotated[list[str], _normal(_sorted_ids, max_length=10_000)]
Owner = Annotated[str, _normal(_owner)]
Regarding = Annotated[list[str], _normal(_each(_record), max_length=1000)]
Address = Annotated[str, _normal(normal_address)]
Addresses = Annotated[list[str], _normal(_each(normal_address), max_length=1000)]
Sender = Annotated[Party, _normal(_participant)]
Parties = Annotated[list[Party], _normal(_participants, max_length=5000)]
Headers = Annotated[dict[str, str], _normal(kept_headers)]
Zone = Annotated[str, _normal(_zone)]
Hours = Annotated[dict[Day, list[tuple[_Time, _Time]]], _normal(_hours)]
Dates = Annotated[list[_Date], _normal(sorted, max_length=5000)]
