"""Users, groups and the members of groups, in pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from local.graph.calls import Answer, Call
from local.graph.odata import link, page_size, selected, skip
from local.graph.world import World

USER = ("id", "displayName", "mail", "userPrincipalName", "givenName", "surname", "jobTitle", "accountEnabled")
MORE = (*USER, "department", "proxyAddresses", "userType", "manager")
GROUP = ("id", "displayName", "mail", "mailEnabled", "securityEnabled")
DIRECTORY_PAGE = 100


def _user_json(user: dict[str, Any], names: Sequence[str] | None) -> dict[str, Any]:
    known = {"accountEnabled": True, "proxyAddresses": [f"SMTP:{user['mail']}"]} | user
    return {name: known.get(name) for name in dict.fromkeys(("id", *(names or USER[:4])))}


def _paged(world: World, call: Call, found: list[dict[str, Any]]) -> Answer:
    size, start = page_size(call) if "$top" in call.query else DIRECTORY_PAGE, skip(call)
    body: dict[str, Any] = {"value": found[start : start + size]}
    if len(found) > start + size:
        body["@odata.nextLink"] = link(call, world.behaviour.foreignLinks, skip=start + size)
    return Answer(body=body)


async def list_users(world: World, call: Call) -> Answer:
    names = selected(call, MORE)
    return _paged(world, call, [_user_json(user, names) for user in world.directory.users(call.tenant)])


async def get_user(world: World, call: Call, key: str) -> Answer:
    return Answer(body=_user_json(world.directory.user(key, call.tenant), selected(call, MORE)))


def _group_json(group: dict[str, Any]) -> dict[str, Any]:
    return {name: group.get(name) for name in GROUP}


async def list_groups(world: World, call: Call) -> Answer:
    selected(call, GROUP)
    return _paged(world, call, [_group_json(group) for group in world.directory.groups(call.tenant)])


async def get_group(world: World, call: Call, key: str) -> Answer:
    selected(call, GROUP)
    return Answer(body=_group_json(world.directory.group(key, call.tenant)))


async def transitive_members(world: World, call: Call, key: str) -> Answer:
    """Everybody in the group and in the groups within it, users and groups, each once."""
    names, found = selected(call, MORE), []
    for kind, member in world.directory.members(world.directory.group(key, call.tenant)):
        body = _user_json(member, names) if kind == "user" else _group_json(member)
        found.append({"@odata.type": f"#microsoft.graph.{kind}", **body})
    return _paged(world, call, found)
