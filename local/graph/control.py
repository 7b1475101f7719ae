"""The control routes: time, switches, faults, consent, scope, directory, and the log. Mailboxes: control_mailboxes."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from local.graph.clock import instant, text_of
from local.graph.consent import EVERYBODY, Registration, registration
from local.graph.errors import GraphError
from local.graph.identity import WORLD
from local.graph.world import World
from local.tokens import TENANT

routes = web.RouteTableDef()


class Refused(web.HTTPBadRequest):
    """A control request that cannot be understood; the text says why."""

    def __init__(self, why: object) -> None:
        super().__init__(text=str(why))


async def wanted(request: web.Request) -> dict[str, Any]:
    """The JSON object of the body. Raises Refused."""
    try:
        found = await request.json() if await request.read() else {}
    except ValueError as error:
        raise Refused(error) from error
    if not isinstance(found, dict):
        raise Refused("a JSON object is wanted")
    return found


def user_of(world: World, key: str) -> dict[str, Any]:
    try:
        return world.directory.user(key)
    except GraphError as error:
        raise Refused(error.message) from error


def _clock(world: World) -> web.Response:
    return web.json_response({"now": text_of(world.clock.now()), "seconds": world.clock.now()})


@routes.get("/control/clock")
async def clock(request: web.Request) -> web.Response:
    return _clock(request.app[WORLD])


@routes.post("/control/clock")
async def move_clock(request: web.Request) -> web.Response:
    """{"set": RFC 3339} or {"advance": seconds}."""
    world, body = request.app[WORLD], await wanted(request)
    if "set" in body:
        world.clock.set(instant(body["set"]))
    world.clock.advance(float(body.get("advance", 0)))
    world.save_clock()
    return _clock(world)


@routes.post("/control/seed")
async def seed(request: web.Request) -> web.Response:
    """{"seed": whole number}; draws begin anew."""
    request.app[WORLD].set_seed(int((await wanted(request))["seed"]))
    return web.json_response({})


@routes.get("/control/behaviour")
async def behaviour(request: web.Request) -> web.Response:
    return web.json_response(vars(request.app[WORLD].behaviour))


@routes.post("/control/behaviour")
async def switch(request: web.Request) -> web.Response:
    """{switch: value}; answers with all."""
    world = request.app[WORLD]
    try:
        world.change_behaviour(await wanted(request))
    except ValueError as error:
        raise Refused(error) from error
    return web.json_response(vars(world.behaviour))


@routes.get("/control/faults")
async def faults(request: web.Request) -> web.Response:
    rules = request.app[WORLD].faults.rules.values()
    return web.json_response(
        [{"id": r.id, "match": r.match.pattern, "seen": r.seen, "struck": r.struck} for r in rules]
    )


@routes.post("/control/faults")
async def add_fault(request: web.Request) -> web.Response:
    """{"id"?, "match": pattern, "fault": {"kind", ...}, "nth"?: [..], "rate"?, "times"?}."""
    try:
        return web.json_response({"id": request.app[WORLD].faults.add(await wanted(request)).id})
    except ValueError as error:
        raise Refused(error) from error


@routes.delete("/control/faults")
async def drop_faults(request: web.Request) -> web.Response:
    """All, or the one with ?id=."""
    rules, key = request.app[WORLD].faults.rules, request.query.get("id")
    if key:
        rules.pop(key, None)
    else:
        rules.clear()
    return web.json_response({})


@routes.get("/control/requests")
async def requests(request: web.Request) -> web.Response:
    """The log; ?since=n and ?field=value narrow it."""
    query = dict(request.query)
    since = int(query.pop("since", "0"))
    return web.json_response(request.app[WORLD].log.find(since, **query))


@routes.delete("/control/requests")
async def forget_requests(request: web.Request) -> web.Response:
    request.app[WORLD].log.clear()
    return web.json_response({})


@routes.get("/control/report")
async def report(request: web.Request) -> web.Response:
    return web.json_response(request.app[WORLD].log.report())


def _app(body: dict[str, Any]) -> Registration:
    found = registration(body.get("client", "push"))
    if found is None:
        raise Refused(f"no application {body['client']}")
    return found


@routes.post("/control/consent")
async def consent(request: web.Request) -> web.Response:
    """{"client": "push" | "poll", "tenant"?, "grant"?: roles or true, "withdraw"?: roles or true, "principal"?, "secret"?}.

    `true` means all roles. Tokens that are out keep their roles until they expire.
    """
    world, body = request.app[WORLD], await wanted(request)
    app, tenant = _app(body), body.get("tenant", TENANT)
    if body.get("grant") is True:
        world.consent.grant(tenant, app)
    known = world.consent.of(tenant, app.client_id)
    roles = [*known["roles"], *(body["grant"] if isinstance(body.get("grant"), list) else ())]
    gone = app.roles if body.get("withdraw") is True else body.get("withdraw") or ()
    changed = {name: bool(body[name]) for name in ("principal", "secret") if name in body}
    roles = [role for role in dict.fromkeys(roles) if role not in gone]
    return web.json_response(world.consent.change(tenant, app.client_id, roles=roles, **changed))


@routes.post("/control/scope")
async def scope(request: web.Request) -> web.Response:
    """{"client"?, "tenant"?, "permission": "Mail.Read", "mailboxes": [address or id] | "*", "after"?: seconds}."""
    world, body = request.app[WORLD], await wanted(request)
    tenant, mailboxes = body.get("tenant", TENANT), body["mailboxes"]
    if mailboxes != EVERYBODY:
        mailboxes = [user_of(world, key)["id"] for key in mailboxes]
    world.consent.set_scope(tenant, _app(body).client_id, body["permission"], mailboxes, float(body.get("after", 0)))
    return web.json_response({})


@routes.post("/control/users")
async def add_user(request: web.Request) -> web.Response:
    """{"mail", "name"?, "tenant"?, "hasMailbox"?, and properties of a Graph user}."""
    body = await wanted(request)
    named = {"mail": body.pop("mail"), "name": body.pop("name", ""), "tenant": body.pop("tenant", TENANT)}
    return web.json_response(request.app[WORLD].directory.add_user(**named, **body))


@routes.get("/control/users")
async def users(request: web.Request) -> web.Response:
    return web.json_response(request.app[WORLD].directory.users(request.query.get("tenant", TENANT)))


@routes.post("/control/groups")
async def add_group(request: web.Request) -> web.Response:
    """{"id", "name", "members": [ids of users and groups], "tenant"?, "mail"?}."""
    body = await wanted(request)
    key, name, members = body.pop("id"), body.pop("name"), body.pop("members")
    return web.json_response(request.app[WORLD].directory.add_group(key, name, members, **body))


@routes.get("/control/sent")
async def sent(request: web.Request) -> web.Response:
    """Every mail that was really sent."""
    return web.json_response(list(request.app[WORLD].store.all("sent").values()))
