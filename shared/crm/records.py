"""Typed views of the CRM's records and people. A view never fails for want of an attribute: unknown is None or empty."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from shared.crm.state import EntityState, members


class _View(Struct, frozen=True, kw_only=True):
    """What every view has; of a deleted row nothing else is known. `merged_into` is the surviving row's id or empty."""

    id: str
    name: str = ""
    deleted: bool = False
    merged_into: str = ""


class Account(_View, frozen=True, kw_only=True):
    """A company. Owners are `user:<id>` or `team:<id>`; other ids are bare; instants are whole seconds UTC."""

    owner: str = ""
    primary_contact_id: str = ""
    parent_account_id: str = ""
    active: bool = True
    created_at: int | None = None
    industry: str = ""
    region: str = ""


class Contact(_View, frozen=True, kw_only=True):
    """A person at a customer, with all addresses in normal form."""

    emails: tuple[str, ...] = ()
    account_id: str = ""
    job_title: str = ""
    owner: str = ""
    active: bool = True
    created_at: int | None = None
    allow_follow: bool = True


class Lead(_View, frozen=True, kw_only=True):
    """A possible customer; `status` is open, qualified or disqualified."""

    emails: tuple[str, ...] = ()
    company_name: str = ""
    owner: str = ""
    status: str = "open"
    created_at: int | None = None
    closed_at: int | None = None
    team: tuple[str, ...] = ()
    stakeholders: tuple[str, ...] = ()
    allow_follow: bool = True


class Opportunity(_View, frozen=True, kw_only=True):
    """A deal; `status` is open, won or lost; `team` are user ids, `stakeholders` contact ids, both sorted."""

    account_id: str = ""
    contact_id: str = ""
    owner: str = ""
    status: str = "open"
    created_at: int | None = None
    closed_at: int | None = None
    estimated_close_at: int | None = None
    amount: float | None = None
    currency: str = ""
    industry: str = ""
    region: str = ""
    product: str = ""
    stage: str = ""
    team: tuple[str, ...] = ()
    stakeholders: tuple[str, ...] = ()


class Case(_View, frozen=True, kw_only=True):
    """A case; `status` is open, resolved or cancelled."""

    account_id: str = ""
    contact_id: str = ""
    owner: str = ""
    status: str = "open"
    created_at: int | None = None
    closed_at: int | None = None
    priority: str = ""
    team: tuple[str, ...] = ()
    stakeholders: tuple[str, ...] = ()


class User(_View, frozen=True, kw_only=True):
    """One of our people. `working_hours`: weekday (`mon`) -> intervals of local `HH:MM`; None = not known."""

    emails: tuple[str, ...] = ()
    title: str = ""
    active: bool = True
    roles: tuple[str, ...] = ()
    manager_id: str = ""
    time_zone: str = ""
    working_hours: dict[str, list[list[str]]] | None = None
    days_off: tuple[str, ...] = ()


class Team(_View, frozen=True, kw_only=True):
    """A team of users; `members` are user ids."""

    members: tuple[str, ...] = ()


class Role(_View, frozen=True, kw_only=True):
    """A security role of the CRM. One of the same name may stand under several ids, one for each business unit."""


_VIEWS: dict[str, type[_View]] = {
    "account": Account,
    "contact": Contact,
    "lead": Lead,
    "opportunity": Opportunity,
    "case": Case,
    "user": User,
    "team": Team,
    "role": Role,
}
_LISTS = frozenset(("team", "stakeholders", "members", "roles"))
_ADDRESS_COLUMNS = ("email1", "email2", "email3")


def view(state: EntityState) -> Account | Contact | Lead | Opportunity | Case | User | Team | Role:
    """Return the typed view of a record, user, team or role. Raises ValueError for an activity."""
    kind = _VIEWS.get(state.entity)
    if kind is None:
        raise ValueError(f"{state.entity} is no record, user or team")
    facts = {name: held for name, (_, held) in state.attributes.items() if held is not None}
    given: dict[str, Any] = {}
    for field, name in _NAMES[kind].items():
        if field in _LISTS:
            given[field] = members(state, name)
        elif field == "emails":
            given[field] = _emails(facts)
        elif field == "active":
            given[field] = facts.get("active", True) and facts.get("state") != "inactive"
        elif name in facts:
            given[field] = tuple(facts[name]) if field == "days_off" else facts[name]
    merged_into = state.merged[1] if state.merged else ""
    viewed: Any = kind(id=state.id, deleted=state.deleted is not None, merged_into=merged_into, **given)
    return viewed  # type: ignore[no-any-return]


def _emails(facts: dict[str, Any]) -> tuple[str, ...]:
    columns = [facts[name] for name in _ADDRESS_COLUMNS if name in facts]
    return tuple(dict.fromkeys([*columns, *facts.get("emails", ())]))


def _camel(field: str) -> str:
    first, *rest = field.split("_")
    return first + "".join(word.title() for word in rest)


def _names(kind: type[_View]) -> dict[str, str]:
    own = [field for field in kind.__struct_fields__ if field not in ("id", "deleted", "merged_into")]
    return {field: "ownerId" if field == "owner" else _camel(field) for field in own}


_NAMES = {kind: _names(kind) for kind in _VIEWS.values()}
