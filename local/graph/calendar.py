"""The windowed list of a calendar, its delta, and single events."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from sqlite3 import Row
from typing import Any

from local.graph.calls import Answer, Call
from local.graph.clock import instant
from local.graph.errors import bad_request
from local.graph.events import NOT_SELECTABLE, PROPERTIES, event_json, sparse_json
from local.graph.mailboxes import CALENDAR, EVENT
from local.graph.odata import link, page_size, selected, skip
from local.graph.world import World

MASTER = "seriesMaster"


def _window(call: Call) -> tuple[int, int]:
    """Raises GraphError 400 unless both ends are given, in order."""
    try:
        start, end = (int(instant(call.query[name])) for name in ("startDateTime", "endDateTime"))
    except (KeyError, ValueError) as error:
        text = "This request requires a time window specified by the query string parameters StartDateTime and EndDateTime."
        raise bad_request(text, "ErrorInvalidRequest") from error
    if end < start:
        raise bad_request("End time must not be before start time.", "ErrorInvalidParameter")
    return start, end


def _overlaps(row: Row, window: tuple[int, int]) -> bool:
    start, end = window
    return bool(row["at"] < end and (row["until"] > start or row["at"] >= start))


async def calendar_view(world: World, call: Call, user: dict[str, Any]) -> Answer:
    """Single events, occurrences and exceptions that overlap the window, by start; never a series master."""
    names = selected(call, PROPERTIES)
    if names and (refused := NOT_SELECTABLE & set(names)):
        raise bad_request(f"{', '.join(sorted(refused))} cannot be selected here.", "ErrorInvalidUrlQuery")
    window, size, start = _window(call), page_size(call, world.behaviour.largePage504), skip(call)
    sql = "SELECT * FROM items WHERE user = ? AND kind = ? AND folder = ? AND at < ? ORDER BY at, n"
    rows = [row for row in world.store.rows(sql, (user["id"], EVENT, CALENDAR, window[1])) if _overlaps(row, window)]
    rows = [row for row in rows if not _is_master(row)]
    per_series = world.behaviour.iCalUIdPerSeries
    value = [event_json(row, call, names, per_series=per_series) for row in rows[start : start + size]]
    body: dict[str, Any] = {"value": value}
    if len(rows) > start + size:
        body["@odata.nextLink"] = link(call, world.behaviour.foreignLinks, skip=start + size)
    return Answer(body=body)


def _is_master(row: Row) -> bool:
    return bool(json.loads(row["body"]).get("type") == MASTER)


async def get_event(world: World, call: Call, user: dict[str, Any], key: str) -> Answer:
    names, row = selected(call, PROPERTIES), world.mailboxes.find(user["id"], EVENT, key)
    return Answer(body=event_json(row, call, names, per_series=world.behaviour.iCalUIdPerSeries))


async def calendar_delta(world: World, call: Call, user: dict[str, Any]) -> Answer:
    """Over a fixed window, without options. Occurrences are sparse; an event that changed outside is `@removed`."""
    if refused := sorted(set(call.query) & {"$select", "$expand", "$filter", "$orderby", "$search", "$top"}):
        raise bad_request(f"The delta of a calendar view does not take {', '.join(refused)}.", "ErrorInvalidUrlQuery")
    text = call.query.get("$deltatoken") or call.query.get("$skiptoken")
    window, since, upto, start = _read(text) if text else (_window(call), 0, 0, 0)
    if "$skiptoken" not in call.query:
        upto = world.store.last_change(user["id"], world.clock.now())
    found = _changes(world, call, user["id"], window, since, upto)
    size = page_size(call)
    body: dict[str, Any] = {"value": found[start : start + size]}
    plain, foreign = replace(call, query={}), world.behaviour.foreignLinks
    if len(found) > start + size:
        token = _write(window, since, upto, start + size)
        body["@odata.nextLink"] = link(plain, foreign, skiptoken=token)
    else:
        body["@odata.deltaLink"] = link(plain, foreign, deltatoken=_write(window, upto or -1, 0, 0))
    return Answer(body=body)


def _write(window: tuple[int, int], since: int, upto: int, start: int) -> str:
    return urlsafe_b64encode(json.dumps([window, since, upto, start]).encode()).decode()


def _read(text: str) -> tuple[tuple[int, int], int, int, int]:
    try:
        (begin, end), since, upto, start = json.loads(urlsafe_b64decode(text))
        return (int(begin), int(end)), int(since), int(upto), int(start)
    except (ValueError, TypeError) as error:
        raise bad_request("Badly formed token.", "ErrorInvalidSyncStateData") from error


def _changes(
    world: World, call: Call, user: str, window: tuple[int, int], since: int, upto: int
) -> list[dict[str, Any]]:
    sql = "SELECT * FROM items WHERE user = ? AND kind = ? AND folder = ? AND changed > ? AND changed <= ? ORDER BY changed"
    found = []
    for row in world.store.rows(sql, (user, EVENT, CALENDAR, since, upto)):
        if _overlaps(row, window):
            found.append(_delta_json(world, call, row))
        elif since:
            found.append({"id": row["id" if call.immutable else "moving_id"], "@removed": {"reason": "deleted"}})
    sql = (
        "SELECT items.* FROM removals JOIN items USING (n)"
        " WHERE removals.user = ? AND removals.kind = ? AND seq > ? AND seq <= ?"
    )
    gone = world.store.rows(sql, (user, EVENT, since, upto)) if since else []
    # A deleted occurrence leaves no trace here; its master only says that the series changed.
    gone = [row for row in gone if json.loads(row["body"]).get("type") not in ("occurrence", "exception")]
    keys = [row["id" if call.immutable else "moving_id"] for row in gone]
    return found + [{"id": key, "@removed": {"reason": "deleted"}} for key in keys]


def _delta_json(world: World, call: Call, row: Row) -> dict[str, Any]:
    if json.loads(row["body"]).get("type") == "occurrence":
        return sparse_json(row, call)
    return event_json(row, call, None, per_series=world.behaviour.iCalUIdPerSeries)
