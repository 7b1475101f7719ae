"""Lists of messages and folders, and single messages."""

from __future__ import annotations

import json
from collections.abc import Iterable
from sqlite3 import Row
from typing import Any

from local.graph.calls import Answer, Call
from local.graph.errors import bad_request
from local.graph.mailboxes import GONE, MESSAGE, folder_id
from local.graph.messages import PROPERTIES, message_json
from local.graph.odata import Condition, filter_of, link, page_size, selected, skip
from local.graph.world import World

TIMES = frozenset({"receivedDateTime", "sentDateTime"})


async def list_messages(world: World, call: Call, user: dict[str, Any], folder: str | None = None) -> Answer:
    """Of a folder, or of the whole mailbox, Deleted Items and chat messages included."""
    names = selected(call, PROPERTIES)
    size, start = page_size(call, world.behaviour.largePage504), skip(call)
    conditions, ascending = _checked_filter(call)
    name = world.mailboxes.folder(user["id"], folder) if folder else None
    rows = _rows(world, user["id"], name, conditions, ascending, size + 1, start)
    body: dict[str, Any] = {"value": [message_json(row, call, names) for row in rows[:size]]}
    if len(rows) > size:
        body["@odata.nextLink"] = link(call, world.behaviour.foreignLinks, skip=start + size)
    return Answer(body=body)


def _checked_filter(call: Call) -> tuple[list[Condition], bool]:
    conditions = filter_of(call.query.get("$filter", ""), TIMES)
    order = call.query.get("$orderby", "receivedDateTime desc").split()
    if order[0] != "receivedDateTime" or order[1:] not in ([], ["asc"], ["desc"]):
        raise bad_request("The simulator orders messages by receivedDateTime only.", "ErrorInvalidUrlQuery")
    if "$orderby" in call.query and conditions and conditions[0].name != order[0]:
        raise bad_request("The restriction or sort order is too complex for this operation.", "InefficientFilter")
    return conditions, order[1:] != ["desc"]


def _rows(
    world: World, user: str, folder: str | None, wanted: list[Condition], ascending: bool, count: int, start: int
) -> list[Row]:
    """The window in time by index; what else is asked is compared row by row."""
    where, values = ["user = ?", "kind = ?"], [user, MESSAGE]
    where.append("folder = ?" if folder else "folder <> ?")
    values.append(folder or GONE)
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<", "eq": "=", "ne": "<>"}
    for condition in wanted:
        if condition.name == "receivedDateTime":
            where.append(f"at {signs[condition.op]} ?")
            values.append(condition.value)
    others = [condition for condition in wanted if condition.name != "receivedDateTime"]
    way = "ASC" if ascending else "DESC"
    sql = f"SELECT * FROM items WHERE {' AND '.join(where)} ORDER BY at {way}, n {way}"
    if not others:
        return world.store.rows(f"{sql} LIMIT ? OFFSET ?", (*values, count, start))
    return [row for row in world.store.rows(sql, values) if _fits(row, others)][start : start + count]


def _fits(row: Row, conditions: Iterable[Condition]) -> bool:
    body = json.loads(row["body"])
    found = {"isDraft": False, "isRead": True} | body
    for condition in conditions:
        if condition.name not in ("isDraft", "isRead", "internetMessageId", "conversationId"):
            raise bad_request(f"The simulator does not filter by {condition.name}.", "ErrorInvalidUrlQueryFilter")
        if not condition.holds(found.get(condition.name)):
            return False
    return True


async def get_message(world: World, call: Call, user: dict[str, Any], key: str) -> Answer:
    names = selected(call, PROPERTIES)
    return Answer(body=message_json(world.mailboxes.find(user["id"], MESSAGE, key), call, names))


def _folder_json(world: World, user: str, name: str, title: str) -> dict[str, Any]:
    row = world.store.one(
        "SELECT count(*) AS n FROM items WHERE user = ? AND kind = ? AND folder = ?", (user, MESSAGE, name)
    )
    return {
        "id": folder_id(user, name),
        "displayName": title,
        "parentFolderId": folder_id(user, "msgfolderroot"),
        "childFolderCount": 0,
        "unreadItemCount": 0,
        "totalItemCount": row["n"] if row else 0,
        "isHidden": False,
    }


def _folders(world: World, user: str, call: Call) -> list[dict[str, Any]]:
    found = [_folder_json(world, user, name, title) for name, title in world.mailboxes.folders(user).items()]
    names = selected(call, found[0].keys())
    return [{name: each[name] for name in each if names is None or name in ("id", *names)} for each in found]


async def list_folders(world: World, call: Call, user: dict[str, Any]) -> Answer:
    found, size, start = _folders(world, user["id"], call), page_size(call), skip(call)
    body: dict[str, Any] = {"value": found[start : start + size]}
    if len(found) > start + size:
        body["@odata.nextLink"] = link(call, world.behaviour.foreignLinks, skip=start + size)
    return Answer(body=body)


async def get_folder(world: World, call: Call, user: dict[str, Any], folder: str) -> Answer:
    name = world.mailboxes.folder(user["id"], folder)
    return Answer(body=_folder_json(world, user["id"], name, world.mailboxes.folders(user["id"])[name]))


async def folders_delta(world: World, call: Call, user: dict[str, Any]) -> Answer:
    """All folders at first; with a token those that were made since."""
    found = _folders(world, user["id"], call)
    known = int(call.query.get("$deltatoken", "0"))
    token = link(call, world.behaviour.foreignLinks, deltatoken=len(found))
    return Answer(body={"value": found[known:], "@odata.deltaLink": token})
