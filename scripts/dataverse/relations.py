"""What stands in tables between tables: members of teams, roles of users, and the access teams of records; besides, what
roles are called.

They are read as a whole each time, because Dataverse does not track them, and compared with what was sent last.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import NamedTuple

from scripts.dataverse.rows import TARGET, Change, links, lookup, safe_version
from scripts.dataverse.webapi import WebApi
from shared.crm.dataverse_values import reference

Sets = dict[str, list[str]]

_PREFER = ("odata.maxpagesize=5000", f'odata.include-annotations="{TARGET}"')
_MEMBERS = "teammemberships?$select=teamid,systemuserid"
_ROLES = "systemuserrolescollection?$select=systemuserid,roleid"
_NAMES = "roles?$select=roleid,name"
_ACCESS_TEAMS = "teams?$select=teamid,_regardingobjectid_value&$filter=teamtype eq 1"


class Relations(NamedTuple):
    """Members by team, roles by user, users by record ("opportunity:<id>") of all access teams, and the one name by role."""

    members: Sets
    roles: Sets
    access: Sets
    names: Sets


def read(api: WebApi) -> tuple[Relations, datetime]:
    """The relations now, and the server's time before they were read."""
    before = api.get("WhoAmI").at
    members = _grouped(api, _MEMBERS, "teamid", "systemuserid")
    roles = _grouped(api, _ROLES, "systemuserid", "roleid")
    return Relations(members, roles, _access(api, members), _grouped(api, _NAMES, "roleid", "name")), before


def _grouped(api: WebApi, query: str, key: str, value: str) -> Sets:
    found: dict[str, set[str]] = defaultdict(set)
    for row in api.pages(query, _PREFER):
        found[row[key]].add(row[value])
    return {id: sorted(values) for id, values in found.items()}


def _access(api: WebApi, members: Sets) -> Sets:
    found: dict[str, set[str]] = defaultdict(set)
    for row in api.pages(_ACCESS_TEAMS, _PREFER):
        record = reference(lookup(row, "regardingobjectid"))
        if record:
            found[":".join(record)].update(members.get(row["teamid"], ()))
    return {record: sorted(users) for record, users in found.items()}


def changes(now: Relations, before: Relations, read_at: datetime) -> list[Change]:
    """What tells the app of the difference. Members and roles go as whole lists, access teams as single links, since a deal's
    team has other sources too.
    """
    version = safe_version(read_at)
    found = [*_lists("team", "members", now.members, before.members, version)]
    found += _lists("user", "roles", now.roles, before.roles, version)
    found += _names(now.names, before.names, version)
    for record in sorted({*now.access, *before.access}):
        there, was = set(now.access.get(record, ())), set(before.access.get(record, ()))
        found += _links("link", record, there - was, version) + _links("unlink", record, was - there, version)
    return found


def _lists(entity: str, attribute: str, now: Sets, before: Sets, version: int) -> list[Change]:
    changed = [id for id in sorted({*now, *before}) if now.get(id) != before.get(id)]
    upsert = {"entity": entity, "version": version, "operation": "upsert"}
    return [{**upsert, "id": id, "attributes": {attribute: now.get(id, [])}} for id in changed]


def _names(now: Sets, before: Sets, version: int) -> list[Change]:
    role = {"entity": "role", "version": version}
    told = [id for id in sorted(now) if now[id] != before.get(id)]
    gone = sorted(before.keys() - now.keys())
    named = [{**role, "id": id, "operation": "upsert", "attributes": {"name": now[id][0]}} for id in told]
    return [*named, *({**role, "id": id, "operation": "delete"} for id in gone)]


def _links(operation: str, record: str, users: set[str], version: int) -> list[Change]:
    entity, _, id = record.partition(":")
    return [one for user in sorted(users) for one in links(operation, version, (entity, id), ("user", user))]
