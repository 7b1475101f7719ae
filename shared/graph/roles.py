"""Security roles of the CRM as an administrator picks them: by name, which several ids may share, or by id."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from shared import states
from shared.crm.records import Role, User, view
from shared.crm.values import normal_id
from shared.widgets import Shape


class KnownRole(Shape, frozen=True):
    """A role to choose: `role` is what a choice sends, its name where the CRM has told one, else its id.

    `ids`: all that go by this name, as Dataverse has one for each business unit. `users`: how many active users with a mail
    address have it, `inactive_users`: how many more there are who are inactive.
    """

    role: str
    ids: list[str]
    users: int
    inactive_users: int


class KnownRoles(Shape, frozen=True):
    """All roles that the CRM has told of, by name."""

    roles: list[KnownRole]


def names() -> dict[str, str]:
    """The name of every role that has one, by id."""
    viewed = map(view, states.read_all("role"))
    return {role.id: role.name.strip() for role in viewed if isinstance(role, Role) and role.name.strip()}


def matching(wanted: Iterable[str], users: Iterable[User], named: dict[str, str]) -> dict[str, frozenset[str]]:
    """The ids that each wanted role stands for: itself, and every role of that name, in whatever case.

    >>> {one: sorted(ids) for one, ids in matching(["SALES"], [], {"r1": "Sales", "r2": "sales", "r3": "Service"}).items()}
    {'SALES': ['r1', 'r2']}
    """
    known = named.keys() | {role for user in users for role in user.roles}
    by_name: dict[str, set[str]] = defaultdict(set)
    for id in known:
        by_name[named.get(id, id).casefold()].add(id)
    return {one: frozenset(by_name[one.strip().casefold()] | ({_id(one)} & known)) for one in wanted}


def _id(text: str) -> str:
    try:
        return normal_id(text.strip())
    except ValueError:  # no id, but it may be a name
        return ""


def holders(wanted: Iterable[str], users: Iterable[User], named: dict[str, str]) -> list[User]:
    """The users who have one of the wanted roles, by name or id; deleted ones have none."""
    users = [user for user in users if not user.deleted]
    ids = frozenset[str]().union(*matching(wanted, users, named).values())
    return [user for user in users if ids.intersection(user.roles)]


def known(users: Iterable[User], named: dict[str, str]) -> KnownRoles:
    """Every role that has a name or a user, and how many mailboxes choosing it would bring."""
    users = [user for user in users if not user.deleted]
    ids = named.keys() | {role for user in users for role in user.roles}
    spoken: dict[str, list[str]] = defaultdict(list)
    for id in sorted(ids, key=lambda id: (named.get(id, id), id)):
        spoken[named.get(id, id).casefold()].append(id)
    found = [_known(named.get(group[0], group[0]), group, users) for group in spoken.values()]
    return KnownRoles(roles=sorted(found, key=lambda one: (one.role.casefold(), one.role)))


def _known(role: str, ids: list[str], users: list[User]) -> KnownRole:
    having = [user for user in users if user.emails and not set(ids).isdisjoint(user.roles)]
    active = sum(user.active for user in having)
    return KnownRole(role=role, ids=sorted(ids), users=active, inactive_users=len(having) - active)
