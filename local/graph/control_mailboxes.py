"""Control routes for what happens in mailboxes: mails and events arrive, change, move and go."""

from __future__ import annotations

from sqlite3 import Row
from typing import Any

from aiohttp import web

from local.graph.arrivals import event_body, message_body
from local.graph.clock import instant
from local.graph.control import Refused, user_of, wanted
from local.graph.delta import forget_tokens
from local.graph.errors import GraphError
from local.graph.identity import WORLD
from local.graph.mailboxes import CALENDAR, EVENT, MESSAGE
from local.graph.world import World

routes = web.RouteTableDef()


def _user(request: web.Request) -> str:
    return str(user_of(request.app[WORLD], request.match_info["user"])["id"])


def _row(request: web.Request, kind: str) -> Row:
    try:
        return request.app[WORLD].mailboxes.find(_user(request), kind, request.match_info["id"])
    except GraphError as error:
        raise web.HTTPNotFound(text=error.message) from error


def _named(row: Row) -> dict[str, Any]:
    return {"id": row["id"], "movingId": row["moving_id"], "folder": row["folder"]}


def _what_moved(world: World) -> str:
    return "created" if world.behaviour.createdOnMove else "updated"


@routes.post("/control/mailboxes/{user}/messages")
async def add_messages(request: web.Request) -> web.Response:
    """{"folder"? "inbox", "from", "to", "cc", "at"?, "sentAt"?, "count"?, "quiet"?, ...}; answers with the ids.

    With a `count` the same mail comes so many times, a second apart. `quiet`: no notification.
    """
    world, user, body = request.app[WORLD], _user(request), await wanted(request)
    folder, quiet = body.get("folder", "inbox"), bool(body.pop("quiet", False))
    now, found = world.clock.now(), []
    start = instant(body.pop("at")) if "at" in body else now
    with world.mailboxes.many():
        for at in range(int(start), int(start) + int(body.get("count", 1))):
            place = (user, MESSAGE, folder, at, at, message_body(body, at, world.unique()))
            key = world.mailboxes.keep(*place) if quiet else world.mailboxes.add(*place)["id"]
            found.append(_named(world.mailboxes.find(user, MESSAGE, key)))
    return web.json_response(found)


@routes.patch("/control/mailboxes/{user}/messages/{id}")
async def change_message(request: web.Request) -> web.Response:
    """Merges Graph properties into the message."""
    return web.json_response(_named(request.app[WORLD].mailboxes.update(_row(request, MESSAGE), await wanted(request))))


@routes.post("/control/mailboxes/{user}/messages/{id}/move")
async def move_message(request: web.Request) -> web.Response:
    """{"folder": well-known name or id, "reason"?: "deleted" | "changed"}."""
    world, body = request.app[WORLD], await wanted(request)
    try:
        folder = world.mailboxes.folder(_user(request), body["folder"])
    except GraphError as error:
        raise Refused(error.message) from error
    row = world.mailboxes.move(_row(request, MESSAGE), folder, body.get("reason", "deleted"), _what_moved(world))
    return web.json_response(_named(row))


@routes.delete("/control/mailboxes/{user}/messages/{id}")
async def delete_message(request: web.Request) -> web.Response:
    """For good; ?reason=deleted or changed."""
    request.app[WORLD].mailboxes.delete(_row(request, MESSAGE), request.query.get("reason", "deleted"))
    return web.json_response({})


@routes.post("/control/mailboxes/{user}/folders")
async def add_folders(request: web.Request) -> web.Response:
    """{"names": [..]}: folders of the person's own."""
    user = _user(request)
    request.app[WORLD].mailboxes.add_folders(user, (await wanted(request))["names"])
    return web.json_response(request.app[WORLD].mailboxes.folders(user))


@routes.delete("/control/mailboxes/{user}/folders/{name}")
async def delete_folder(request: web.Request) -> web.Response:
    """A folder of the person's own, with what is in it, for good."""
    user = _user(request)
    try:
        request.app[WORLD].mailboxes.delete_folder(user, request.match_info["name"])
    except GraphError as error:
        raise web.HTTPNotFound(text=error.message) from error
    return web.json_response(request.app[WORLD].mailboxes.folders(user))


@routes.post("/control/mailboxes/{user}/forget-delta")
async def forget_delta(request: web.Request) -> web.Response:
    """{"status"? 410, 400 or 404, "code"? "syncStateNotFound"}: the links given so far are lost."""
    body = await wanted(request)
    code = body.get("code", "syncStateNotFound")
    forget_tokens(request.app[WORLD], _user(request), int(body.get("status", 410)), code)
    return web.json_response({})


@routes.post("/control/mailboxes/{user}/events")
async def add_event(request: web.Request) -> web.Response:
    """{"start", "end", "organizer"?, "attendees"?, "iCalUId"?, "type"?, ...}."""
    world, user, body = request.app[WORLD], _user(request), await wanted(request)
    start, end = instant(body["start"]), instant(body["end"])
    event = event_body(body, world.unique())
    return web.json_response(_named(world.mailboxes.add(user, EVENT, CALENDAR, start, end, event)))


@routes.patch("/control/mailboxes/{user}/events/{id}")
async def change_event(request: web.Request) -> web.Response:
    """Merges; `start` and `end` move it."""
    body, row = await wanted(request), _row(request, EVENT)
    start, end = (instant(body[name]) if name in body else None for name in ("start", "end"))
    known = {name: value for name, value in event_body(body, 0).items() if name != "iCalUId" or "iCalUId" in body}
    return web.json_response(_named(request.app[WORLD].mailboxes.update(row, known, start, end)))


@routes.delete("/control/mailboxes/{user}/events/{id}")
async def delete_event(request: web.Request) -> web.Response:
    """An occurrence, or anything else in the calendar."""
    request.app[WORLD].mailboxes.delete(_row(request, EVENT))
    return web.json_response({})
