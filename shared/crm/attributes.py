"""The attributes that each entity may have, and their normal form. docs/crm-ingestion.md explains them one by one.

Each class below is a schema: absent = untouched, null = cleared, anything else must have the stated type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias, TypeVar, get_args, get_type_hints

from msgspec import UNSET, Struct, UnsetType, field
from msgspec.structs import fields

from shared import decoders
from shared.crm.values import (
    Address,
    Addresses,
    Amount,
    Count,
    Dates,
    Headers,
    Hours,
    Id,
    Ids,
    Instant,
    InvalidPartError,
    Minutes,
    Owner,
    Parties,
    Regarding,
    Sender,
    Text,
    Zone,
)

_T = TypeVar("_T")
Maybe: TypeAlias = _T | UnsetType | None


class _Schema(Struct, forbid_unknown_fields=True, rename="camel"):
    """Base of all schemas."""


class _Record(_Schema):
    name: Maybe[Text] = UNSET
    owner_id: Maybe[Owner] = UNSET
    created_at: Maybe[Instant] = UNSET


class AccountSchema(_Record):
    primary_contact_id: Maybe[Id] = UNSET
    parent_account_id: Maybe[Id] = UNSET
    state: Maybe[Literal["active", "inactive"]] = UNSET
    industry: Maybe[Text] = UNSET
    region: Maybe[Text] = UNSET


class ContactSchema(_Record):
    emails: Maybe[Addresses] = UNSET
    email1: Maybe[Address] = UNSET
    email2: Maybe[Address] = UNSET
    email3: Maybe[Address] = UNSET
    account_id: Maybe[Id] = UNSET
    job_title: Maybe[Text] = UNSET
    state: Maybe[Literal["active", "inactive"]] = UNSET
    allow_follow: Maybe[bool] = UNSET


class _Deal(_Record):
    team: Maybe[Ids] = UNSET
    stakeholders: Maybe[Ids] = UNSET
    closed_at: Maybe[Instant] = UNSET


class LeadSchema(_Deal):
    emails: Maybe[Addresses] = UNSET
    email1: Maybe[Address] = UNSET
    email2: Maybe[Address] = UNSET
    email3: Maybe[Address] = UNSET
    company_name: Maybe[Text] = UNSET
    status: Maybe[Literal["open", "qualified", "disqualified"]] = UNSET
    allow_follow: Maybe[bool] = UNSET


class OpportunitySchema(_Deal):
    account_id: Maybe[Id] = UNSET
    contact_id: Maybe[Id] = UNSET
    status: Maybe[Literal["open", "won", "lost"]] = UNSET
    estimated_close_at: Maybe[Instant] = UNSET
    amount: Maybe[Amount] = UNSET
    currency: Maybe[Text] = UNSET
    industry: Maybe[Text] = UNSET
    region: Maybe[Text] = UNSET
    product: Maybe[Text] = UNSET
    stage: Maybe[Text] = UNSET


class CaseSchema(_Deal):
    account_id: Maybe[Id] = UNSET
    contact_id: Maybe[Id] = UNSET
    status: Maybe[Literal["open", "resolved", "cancelled"]] = UNSET
    priority: Maybe[Text] = UNSET


class UserSchema(_Schema):
    name: Maybe[Text] = UNSET
    emails: Maybe[Addresses] = UNSET
    email1: Maybe[Address] = UNSET
    email2: Maybe[Address] = UNSET
    email3: Maybe[Address] = UNSET
    title: Maybe[Text] = UNSET
    active: Maybe[bool] = UNSET
    roles: Maybe[Ids] = UNSET
    manager_id: Maybe[Id] = UNSET
    time_zone: Maybe[Zone] = UNSET
    working_hours: Maybe[Hours] = UNSET
    days_off: Maybe[Dates] = UNSET


class TeamSchema(_Schema):
    name: Maybe[Text] = UNSET
    members: Maybe[Ids] = UNSET


class RoleSchema(_Schema):
    name: Maybe[Text] = UNSET


class _Activity(_Schema):
    regarding: Maybe[Regarding] = UNSET
    private: Maybe[bool] = UNSET


class EmailSchema(_Activity):
    from_: Maybe[Sender] = field(default=UNSET, name="from")
    to: Maybe[Parties] = UNSET
    cc: Maybe[Parties] = UNSET
    status: Maybe[Literal["draft", "pending", "sent", "received", "failed", "cancelled"]] = UNSET
    sent_at: Maybe[Instant] = UNSET
    message_id: Maybe[Text] = UNSET
    conversation_id: Maybe[Text] = UNSET
    in_reply_to: Maybe[Text] = UNSET
    headers: Maybe[Headers] = UNSET
    followed: Maybe[bool] = UNSET
    bounced: Maybe[bool] = UNSET
    opens: Maybe[Count] = UNSET
    clicks: Maybe[Count] = UNSET
    links: Maybe[Count] = UNSET
    attachments_delivered: Maybe[Count] = UNSET
    attachments_viewed: Maybe[Count] = UNSET


class AppointmentSchema(_Activity):
    organizer: Maybe[Sender] = UNSET
    attendees: Maybe[Parties] = UNSET
    optional_attendees: Maybe[Parties] = UNSET
    start: Maybe[Instant] = UNSET
    end: Maybe[Instant] = UNSET
    all_day: Maybe[bool] = UNSET
    status: Maybe[Literal["open", "completed", "cancelled"]] = UNSET
    ical_uid: Maybe[Text] = field(default=UNSET, name="iCalUId")
    show_as: Maybe[Literal["free", "tentative", "busy", "oof", "workingElsewhere", "unknown"]] = UNSET
    sensitivity: Maybe[Literal["normal", "personal", "private", "confidential"]] = UNSET


class PhonecallSchema(_Activity):
    from_: Maybe[Sender] = field(default=UNSET, name="from")
    to: Maybe[Parties] = UNSET
    direction: Maybe[Literal["in", "out"]] = UNSET
    start: Maybe[Instant] = UNSET
    end: Maybe[Instant] = UNSET
    due: Maybe[Instant] = UNSET
    duration_minutes: Maybe[Minutes] = UNSET
    status: Maybe[Literal["open", "completed", "cancelled"]] = UNSET
    no_answer: Maybe[bool] = UNSET


class TaskSchema(_Activity):
    owner: Maybe[Owner] = UNSET
    due: Maybe[Instant] = UNSET
    completed_at: Maybe[Instant] = UNSET
    duration_minutes: Maybe[Minutes] = UNSET
    status: Maybe[Literal["open", "completed", "cancelled"]] = UNSET


SCHEMAS: dict[str, type[_Schema]] = {
    "account": AccountSchema,
    "contact": ContactSchema,
    "lead": LeadSchema,
    "opportunity": OpportunitySchema,
    "case": CaseSchema,
    "user": UserSchema,
    "team": TeamSchema,
    "role": RoleSchema,
    "email": EmailSchema,
    "appointment": AppointmentSchema,
    "phonecall": PhonecallSchema,
    "task": TaskSchema,
}
_PEOPLE = {"team": "user", "stakeholders": "contact"}
RELATIONSHIPS: dict[str, dict[str, str]] = {
    "lead": _PEOPLE,
    "opportunity": _PEOPLE,
    "case": _PEOPLE,
    "team": {"members": "user"},
    "user": {"roles": "role"},
}

_Field = tuple[str, str, Callable[[Any], Any] | None]


def normal_attributes(entity: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes, as plain Python values with datetimes as instants, in their normal form.

    Raises msgspec.ValidationError for a wrong type, InvalidPartError for a wrong value.
    """
    return normal_form(entity, decoders.convert(given, SCHEMAS[entity]))


def normal_form(entity: str, checked: Struct) -> dict[str, Any]:
    """Return the given attributes of a schema's instance in their normal form, by the names of the plain format.

    Of a private activity only `private` remains: nothing else of it may be stored. Raises InvalidPartError.
    """
    normal: dict[str, Any] = {}
    for attribute, name, function in _FIELDS[entity]:
        value = getattr(checked, attribute)
        if value is not UNSET:
            normal[name] = value if function is None or value is None else _applied(function, value, name)
    return _without_private_facts(normal)


def _applied(function: Callable[[Any], Any], value: Any, name: str) -> Any:
    try:
        return function(value)
    except InvalidPartError as error:
        raise InvalidPartError(str(error), f".{name}{error.path}") from None
    except ValueError as error:
        raise InvalidPartError(str(error), f".{name}") from None


def _without_private_facts(normal: dict[str, Any]) -> dict[str, Any]:
    sensitivity = normal.pop("sensitivity", None)
    private = normal.get("private") is True or sensitivity in ("private", "confidential")
    return {"private": True} if private else normal


def _fields_of(schema: type[_Schema]) -> list[_Field]:
    hints = get_type_hints(schema, include_extras=True)
    return [(f.name, f.encode_name, _normaliser(hints[f.name])) for f in fields(schema)]


def _normaliser(hint: Any) -> Callable[[Any], Any] | None:
    for choice in get_args(hint):
        for meta in getattr(choice, "__metadata__", ()):
            if meta.extra:
                function: Callable[[Any], Any] = meta.extra["normal"]
                return function
    return None


_FIELDS = {entity: _fields_of(schema) for entity, schema in SCHEMAS.items()}
