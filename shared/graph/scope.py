"""Which mailboxes the chosen roles and groups stand for: active users of ours with a mailbox of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from shared import choices, stamps
from shared.crm.records import User
from shared.directory import Directory, directory, user_keys
from shared.graph import roles
from shared.graph.calls import GraphCallError
from shared.graph.client import Graph
from shared.graph.consent import Scope
from shared.people import normal_address

_USER = {"$select": "id,displayName,mail,userPrincipalName", "$top": "100"}


class Member(Struct, frozen=True, rename="camel"):
    """A user whose mailbox is in scope: directory id, address in normal form, name for people."""

    id: str
    address: str
    name: str


def members(graph: Graph, scope: Scope) -> list[Member]:
    """The mailboxes in scope by id. People who opted out are left out, and those whom
    the CRM knows as inactive unless wanted. Raises GraphCallError."""
    our_people = directory(stamps.read().people)
    inactive = {
        address for user in our_people.users.values() if not user.active or user.deleted for address in user.emails
    }
    found: dict[str, Member] = {}
    if scope.roles:
        holders = roles.holders(scope.roles, our_people.users.values(), roles.names())
        with_role = {address for user in holders for address in user.emails}
        found |= {member.id: member for member in _users(graph, "/users") if member.address in with_role}
    for group in scope.groups:
        found |= {member.id: member for member in _users(graph, f"/groups/{group}/transitiveMembers")}
    shut = _opted_out(our_people) if scope.include_inactive else _opted_out(our_people) | inactive
    return sorted((member for member in found.values() if member.address not in shut), key=lambda member: member.id)


def of_crm(scope: Scope, our_people: Directory) -> list[Member]:
    """What the CRM knows of the same, by address: users with a chosen role under their first address; of groups, nothing."""
    found = readable(roles.holders(scope.roles, our_people.users.values(), roles.names()), scope)
    shut = _opted_out(our_people)
    listed = [Member(user.id, user.emails[0], user.name) for user in found if user.emails[0] not in shut]
    return sorted(listed, key=lambda member: member.address)


def readable(users: Iterable[User], scope: Scope) -> list[User]:
    """Those with a mail address, inactive ones only where wanted."""
    return [user for user in users if user.emails and not user.deleted and (user.active or scope.include_inactive)]


def _opted_out(our_people: Directory) -> set[str]:
    """Addresses of people who chose to be left out; nothing of theirs is read."""
    chosen = {key for key, choice in choices.standing().choices.items() if choice.opt_out}
    users = our_people.users.values()
    return {address for user in users if chosen.intersection(user_keys(user)) for address in user.emails}


def _users(graph: Graph, path: str) -> Iterator[Member]:
    try:
        for page in graph.pages(path, _USER):
            yield from filter(None, map(_member, page.get("value", ())))
    except GraphCallError as error:
        if error.status != 404:  # a group that is gone has no members
            raise


def _member(item: dict[str, Any]) -> Member | None:
    if item.get("@odata.type", "#microsoft.graph.user") != "#microsoft.graph.user":
        return None
    try:
        address = normal_address(item.get("mail") or item.get("userPrincipalName") or "")
    except ValueError:
        return None
    return Member(item["id"], address, item.get("displayName") or "")
