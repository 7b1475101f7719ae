"""Columns of Dataverse tables as attributes of the plain format; what is not named here, subjects and bodies above all, is
never kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from shared.crm.dataverse_values import (
    address,
    choice,
    code,
    count,
    direction,
    first_party,
    headers,
    id_of,
    minutes,
    moment,
    name_or_id,
    no,
    number,
    owner,
    parties,
    regarding,
    text,
    thread,
    yes,
)

_Columns = dict[str, tuple[str, Callable[[Any], Any]]]
# The second of two columns for one attribute wins unless it is null.
_NAMED: _Columns = {"ownerid": ("ownerId", owner), "createdon": ("createdAt", moment)}
_NAMED |= {"overriddencreatedon": ("createdAt", moment)}
_ADDRESSES: _Columns = {f"emailaddress{n}": (f"email{n}", address) for n in (1, 2, 3)}
_ADDRESSES |= {"fullname": ("name", text), "followemail": ("allowFollow", yes)}
_ACTIVITY: _Columns = {"regardingobjectid": ("regarding", regarding)}
_MAIL: _Columns = {"from": ("from", first_party), "to": ("to", parties)}
_DURATION: _Columns = {"actualdurationminutes": ("durationMinutes", minutes), "scheduledend": ("due", moment)}

_COLUMNS: dict[str, _Columns] = {
    "account": _NAMED
    | {
        "name": ("name", text),
        "primarycontactid": ("primaryContactId", id_of("contact")),
        "parentaccountid": ("parentAccountId", id_of("account")),
        "industrycode": ("industry", code),
        "address1_country": ("region", text),
    },
    "contact": _NAMED
    | _ADDRESSES
    | {"parentcustomerid": ("accountId", id_of("account")), "jobtitle": ("jobTitle", text)},
    "lead": _NAMED | _ADDRESSES | {"companyname": ("companyName", text)},
    "opportunity": _NAMED
    | {
        "name": ("name", text),
        "customerid": ("accountId", id_of("account")),
        "parentaccountid": ("accountId", id_of("account")),
        "parentcontactid": ("contactId", id_of("contact")),
        "estimatedclosedate": ("estimatedCloseAt", moment),
        "estimatedvalue": ("amount", number),
        "transactioncurrencyid": ("currency", name_or_id),
        "stepname": ("stage", text),
        "actualclosedate": ("closedAt", moment),
    },
    "incident": _NAMED
    | {
        "title": ("name", text),
        "customerid": ("accountId", id_of("account")),
        "primarycontactid": ("contactId", id_of("contact")),
        "prioritycode": ("priority", code),
    },
    "systemuser": {
        "fullname": ("name", text),
        "internalemailaddress": ("email1", address),
        "jobtitle": ("title", text),
        "title": ("title", text),
        "isdisabled": ("active", no),
        "parentsystemuserid": ("managerId", id_of("user")),
    },
    "team": {"name": ("name", text)},
    "role": {"name": ("name", text)},
    "email": _ACTIVITY
    | _MAIL
    | {
        "cc": ("cc", parties),
        "senton": ("sentAt", moment),
        "messageid": ("messageId", text),
        "inreplyto": ("inReplyTo", text),
        "conversationindex": ("conversationId", thread),
        "internetmessageheaders": ("headers", headers),
        "isemailfollowed": ("followed", yes),
        "opencount": ("opens", count),
        "linksclickedcount": ("clicks", count),
        "attachmentopencount": ("attachmentsViewed", count),
    },
    "appointment": _ACTIVITY
    | {
        "organizer": ("organizer", first_party),
        "requiredattendees": ("attendees", parties),
        "optionalattendees": ("optionalAttendees", parties),
        "scheduledstart": ("start", moment),
        "scheduledend": ("end", moment),
        "isalldayevent": ("allDay", yes),
        "globalobjectid": ("iCalUId", text),
        "ismapiprivate": ("private", yes),
    },
    "phonecall": _ACTIVITY
    | _MAIL
    | _DURATION
    | {
        "directioncode": ("direction", direction),
        "actualstart": ("start", moment),
        "actualend": ("end", moment),
        "leftvoicemail": ("noAnswer", yes),
    },
    "task": _ACTIVITY | _DURATION | {"ownerid": ("owner", owner), "actualend": ("completedAt", moment)},
}

_ACTIVE = ("state", {0: "active", 1: "inactive"})
_ACTIVITY_STATES = ("status", {0: "open", 1: "completed", 2: "cancelled", 3: "open"})  # 3: scheduled
_STATES: dict[str, tuple[str, dict[int, str]]] = {
    "account": _ACTIVE,
    "contact": _ACTIVE,
    "lead": ("status", {0: "open", 1: "qualified", 2: "disqualified"}),
    "opportunity": ("status", {0: "open", 1: "won", 2: "lost"}),
    "incident": ("status", {0: "open", 1: "resolved", 2: "cancelled"}),
    "email": ("status", {0: "draft", 1: "sent", 2: "cancelled"}),
    "appointment": _ACTIVITY_STATES,
    "phonecall": _ACTIVITY_STATES,
    "task": _ACTIVITY_STATES,
}
_MAIL_STATUS = dict(
    enumerate(("draft", "sent", "sent", "received", "cancelled", "pending", "pending", "failed"), start=1)
)
_CLOSABLE = frozenset(("lead", "opportunity", "incident"))


def columns_of(table: str) -> tuple[str, ...]:
    """The columns of a table that are read, by their logical names; raises KeyError for a table that means nothing here.

    >>> columns_of("team")
    ('name',)
    """
    state = ("statecode", "statuscode") if table == "email" else ("statecode",) if table in _STATES else ()
    return (*_COLUMNS[table], *state)


def attributes_of(table: str, written: Mapping[str, Any], image: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """Return the plain attributes that the written columns of a table say, completed by those of a post image.

    `at` is when the operation happened. An image tells what holds, not what happened, so it says nothing about closing.
    """
    held = _attributes(table, image)
    held.pop("closedAt", None)
    given = _attributes(table, written)
    return held | given | _closing(table, given, written, at)


def _attributes(table: str, columns: Mapping[str, Any]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for column, (attribute, read) in _COLUMNS[table].items():
        if column in columns and (columns[column] is not None or attribute not in given):
            given[attribute] = read(columns[column])
    return given | _customer(columns, given) | _status(table, columns)


def _customer(columns: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """A customer may be an account or a contact; the columns that say only one of them go before it."""
    found = id_of("contact")(columns.get("customerid"))
    return {"contactId": found} if found and not given.get("contactId") else {}


def _status(table: str, columns: Mapping[str, Any]) -> dict[str, Any]:
    if table == "email" and (status := _MAIL_STATUS.get(choice(columns.get("statuscode")) or 0)):
        return {"status": status}
    attribute, words = _STATES.get(table, ("", {}))
    state = choice(columns.get("statecode"))
    return {attribute: words[state]} if state in words else {}


def _closing(table: str, given: Mapping[str, Any], columns: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """The closing instant: of the operation that closes, or the closing date where that is more than a day earlier.

    A closing date has no time of day; taken alone it would leave out what happened on the day before the deal closed.
    """
    if table not in _CLOSABLE or "status" not in given:
        return {}
    if given["status"] == "open":
        return {"closedAt": None}
    dated = moment(columns.get("actualclosedate"))
    closed = {"closedAt": dated if dated and at - dated > timedelta(days=1) else at}
    revenue = number(columns.get("actualvalue"))
    return closed | ({"amount": revenue} if revenue is not None and given["status"] == "won" else {})
