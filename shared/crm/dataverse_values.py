"""Values as Dataverse serialises them, as values of the plain format.

Unlike the plain format this is tolerant: a value that makes no sense in its column counts as empty (None), because nobody
who could mend it is waiting for the answer.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import DecodeError, ValidationError, json

from shared import decoders
from shared.crm.attributes import SCHEMAS
from shared.crm.values import RECORD_TYPES, instant, normal_id
from shared.people import normal_address

ENTITIES = {name: name for name in SCHEMAS} | {"incident": "case", "systemuser": "user"}
del ENTITIES["case"], ENTITIES["user"]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WCF_DATE = re.compile(r"/Date\((-?\d+)(?:([+-])(\d\d)(\d\d))?\)/")
_PARTIES = RECORD_TYPES | {"user", "team"}
_NOBODY = frozenset(("equipment", "facility"))
_RESOURCE = 10  # participationtypemask
_THREAD_BYTES = 22  # of a conversation index; five more per answer


def pairs(value: Any) -> dict[str, Any]:
    """Return a `[{"key": ..., "value": ...}]` list as a dict."""
    return {pair["key"]: pair.get("value") for pair in value or () if "key" in pair}


def reference(value: Any) -> tuple[str, str] | None:
    """Return (entity in our words, id) of an EntityReference; None for null or a table that we do not know."""
    if not isinstance(value, Mapping) or value.get("LogicalName") not in ENTITIES or not value.get("Id"):
        return None
    return ENTITIES[value["LogicalName"]], normal_id(str(value["Id"]))


def moment(value: Any) -> datetime | None:
    """Return `/Date(ms)/` or an ISO instant as a datetime; None for what is no instant of the years 1900 to 2200."""
    if not isinstance(value, str):
        return None
    try:
        if wcf := _WCF_DATE.fullmatch(value):
            found = _EPOCH + timedelta(milliseconds=int(wcf[1]))
        else:
            found = decoders.convert(value, datetime)
            found = found if found.tzinfo else found.replace(tzinfo=UTC)  # Dataverse keeps UTC where it says no zone
        instant(found)
    except (ValidationError, ValueError, OverflowError):
        return None
    return found


def operation_moment(value: Any) -> datetime | None:
    """Return `OperationCreatedOn` as a datetime.

    It is UTC, yet serialised as if it were the server's local time: the offset has been taken off although it never
    applied, so it is put back. `/Date(1724647396000+0300)/` belongs to a row modified at 1724658196, three hours later.
    """
    found = moment(value)
    wcf = _WCF_DATE.fullmatch(value) if isinstance(value, str) else None
    if found is None or wcf is None or not wcf[2]:
        return found
    offset = timedelta(hours=int(wcf[3]), minutes=int(wcf[4]))
    return found + offset if wcf[2] == "+" else found - offset


def choice(value: Any) -> int | None:
    """Return the number of an OptionSetValue."""
    number = value.get("Value") if isinstance(value, Mapping) else value
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def text(value: Any) -> str | None:
    """A text, trimmed and cut to 1,000 characters; None when it is empty."""
    return value.strip()[:1000] or None if isinstance(value, str) else None


def yes(value: Any) -> bool | None:
    """A two-option column."""
    return value if isinstance(value, bool) else None


def no(value: Any) -> bool | None:
    """A two-option column that says the opposite of our attribute."""
    return not value if isinstance(value, bool) else None


def number(value: Any) -> float | None:
    """A number or Money."""
    amount = value.get("Value") if isinstance(value, Mapping) else value
    return float(amount) if isinstance(amount, int | float) and not isinstance(amount, bool) else None


def count(value: Any) -> int | None:
    """A number of events, 0 or more."""
    found = choice(value)
    return found if found is not None and found >= 0 else None


def minutes(value: Any) -> float | None:
    """A duration in minutes."""
    found = number(value)
    return found if found is not None and 0 <= found <= 10_000_000 else None


def code(value: Any) -> str | None:
    """An OptionSetValue as text; its label depends on the language, so the number is kept."""
    found = choice(value)
    return None if found is None else str(found)


def address(value: Any) -> str | None:
    """An e-mail address in normal form."""
    try:
        return normal_address(value) if isinstance(value, str) else None
    except ValueError:
        return None


def id_of(entity: str) -> Callable[[Any], str | None]:
    """A reader of lookups: the id if the lookup points at the entity (in our words), else None."""

    def read(value: Any) -> str | None:
        found = reference(value)
        return found[1] if found and found[0] == entity else None

    return read


def owner(value: Any) -> str | None:
    """An owner as `user:<id>` or `team:<id>`."""
    found = reference(value)
    return f"{found[0]}:{found[1]}" if found and found[0] in ("user", "team") else None


def regarding(value: Any) -> list[str]:
    """What an activity regards, as a list of at most one record."""
    found = reference(value)
    return [f"{found[0]}:{found[1]}"] if found and found[0] in RECORD_TYPES else []


def name_or_id(value: Any) -> str | None:
    """The name of a looked-up row, or its id where the name is not told."""
    return text(value.get("Name") or value.get("Id")) if isinstance(value, Mapping) else None


def direction(value: Any) -> str | None:
    """A direction column: true is outgoing."""
    return None if not isinstance(value, bool) else "out" if value else "in"


def parties(value: Any) -> list[dict[str, str]]:
    """The participants of an EntityCollection of activity parties; rooms and equipment are nobody."""
    entities = value.get("Entities") if isinstance(value, Mapping) else value
    read = [_party(entity) for entity in entities or ()]
    return [party for party in read if party]


def first_party(value: Any) -> dict[str, str] | None:
    """The one sender, caller or organiser."""
    return next(iter(parties(value)), None)


def _party(entity: Mapping[str, Any]) -> dict[str, str]:
    columns = pairs(entity.get("Attributes"))
    who = columns.get("partyid") or {}
    if choice(columns.get("participationtypemask")) == _RESOURCE or who.get("LogicalName") in _NOBODY:
        return {}
    found = reference(who)
    party = {
        "address": address(columns.get("addressused")) or address(columns.get("unresolvedpartyname")),
        "party": f"{found[0]}:{found[1]}" if found and found[0] in _PARTIES else None,
        "name": text(who.get("Name")) or text(pairs(entity.get("FormattedValues")).get("partyid")),
    }
    return {name: held for name, held in party.items() if held}


def headers(value: Any) -> dict[str, str]:
    """The headers column is JSON cut at 500 characters: `{"name": "value"}` or a list of names and values."""
    try:
        found = json.decode(value) if isinstance(value, str) else {}
    except DecodeError:
        return {}
    if isinstance(found, list):
        found = {item.get("name") or item.get("Name"): item.get("value") or item.get("Value") for item in found}
    return {str(name): str(held) for name, held in found.items()} if isinstance(found, dict) else {}


def thread(value: Any) -> str | None:
    """The part of a conversation index that all mails of a thread share, whichever way it is written."""
    index = text(value)
    if index is None:
        return None
    if re.fullmatch(r"[0-9A-Fa-f]{44,}", index):
        return index[: 2 * _THREAD_BYTES].lower()
    try:
        raw = b64decode(index, validate=True)
    except ValueError:
        return index
    return raw[:_THREAD_BYTES].hex() if len(raw) >= _THREAD_BYTES else index
