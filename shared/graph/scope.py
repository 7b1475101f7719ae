"""Which mailboxes the chosen roles and groups stand for: active users of ours with a mailbox of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from shared import stamps
from shared.directory import directory
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
    """The mailboxes in scope by id. Users whom the CRM knows as inactive are left out unless wanted. Raises GraphCallError."""
    our_people = directory(stamps.read().people)
    inactive = {
        address for user in our_people.users.values() if not user.active or user.deleted for address in user.emails
    }
    with_role = {
        address for user in our_people.users.values() if set(user.roles) & set(scope.roles) for address in user.emails
    }
    found: dict[str, Member] = {}
    if scope.roles:
        found |= {member.id: member for member in _users(graph, "/users") if member.address in with_role}
    for group in scope.groups:
        found |= {member.id: member for member in _users(graph, f"/groups/{group}/transitiveMembers")}
    kept = [member for member in found.values() if scope.include_inactive or member.address not in inactive]
    return sorted(kept, key=lambda member: member.id)


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
