"""Control routes for subscriptions and for what reaches their addresses."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from aiohttp import web

from local.graph.control import Refused, user_of, wanted
from local.graph.identity import WORLD
from local.graph.notifications import LIFECYCLE, change_item, forged
from local.graph.notifier import Notifier, burst
from local.graph.subscriptions import active

NOTIFIER = web.AppKey("notifier", Notifier)
routes = web.RouteTableDef()


def _subscription(request: web.Request, key: str) -> dict[str, Any]:
    found = request.app[WORLD].store.get("subscription", key)
    if found is None:
        raise Refused(f"no subscription {key}")
    return dict(found)


@routes.post("/control/reset")
async def reset(request: web.Request) -> web.Response:
    """Polite again: every switch off; no faults, log, subscriptions, notifications, throttles. Mailboxes and consent stay."""
    request.app[WORLD].reset()
    request.app[NOTIFIER].forget()
    return web.json_response({})


@routes.get("/control/subscriptions")
async def subscriptions(request: web.Request) -> web.Response:
    """All of all applications that have not expired, with everything stored about them."""
    return web.json_response(active(request.app[WORLD]))


@routes.post("/control/subscriptions/others")
async def others(request: web.Request) -> web.Response:
    """{"mailbox", "count"}: how many subscriptions other applications hold there; they count towards the limit."""
    world, body = request.app[WORLD], await wanted(request)
    world.store.put("foreign subscriptions", user_of(world, body["mailbox"])["id"], int(body["count"]))
    return web.json_response({})


@routes.post("/control/subscriptions/{id}/lifecycle")
async def lifecycle(request: web.Request) -> web.Response:
    """{"event": "reauthorizationRequired" | "subscriptionRemoved" | "missed"}; removed is removed."""
    event = (await wanted(request)).get("event")
    if event not in LIFECYCLE:
        raise Refused(f"event is one of {', '.join(LIFECYCLE)}")
    entry, notifier = _subscription(request, request.match_info["id"]), request.app[NOTIFIER]
    if event == "reauthorizationRequired":
        notifier.require_reauthorization(entry)
        return web.json_response({})
    if event == "subscriptionRemoved":
        request.app[WORLD].store.drop("subscription", entry["id"])
    notifier.lifecycle(entry, event)
    return web.json_response({})


@routes.get("/control/notifications")
async def notifications(request: web.Request) -> web.Response:
    """Counts, what is on its way (`inFlight`: POSTs without an answer yet), and how each address is judged."""
    world, notifier = request.app[WORLD], request.app[NOTIFIER]
    modes = {address: each.mode(world.clock.now()) for address, each in notifier.endpoints.items()}
    pending = [asdict(each) for each in notifier.pending]
    found = {"counts": notifier.counts, "pending": pending, "inFlight": notifier.in_flight, "endpoints": modes}
    return web.json_response(found)


@routes.post("/control/notifications")
async def deliver_how(request: web.Request) -> web.Response:
    """The switches of delivery under short names: {"delay"?, "loss"?, "duplication"?, "shuffle"?, "itemsPerPost"?}."""
    names = {"delay": "notificationDelay"}
    try:
        request.app[WORLD].change_behaviour({names.get(k, k): v for k, v in (await wanted(request)).items()})
    except ValueError as error:
        raise Refused(error) from error
    return web.json_response(vars(request.app[WORLD].behaviour))


@routes.post("/control/notifications/forge")
async def forge(request: web.Request) -> web.Response:
    """{"subscription", "kind"}: send what a forger would; answers {"status", "seconds"} of the address."""
    body = await wanted(request)
    entry = _subscription(request, body["subscription"])
    item = change_item(entry, "updated", {"id": "AAkAForged=", "moving_id": "AAMkForged=", "changed": 0})
    try:
        content = forged(body.get("kind", ""), item)
    except ValueError as error:
        raise Refused(error) from error
    status, seconds = await request.app[NOTIFIER].post(body.get("address", entry["notificationUrl"]), content)
    return web.json_response({"status": status, "seconds": seconds})


@routes.post("/control/notifications/burst")
async def send_burst(request: web.Request) -> web.Response:
    """{"subscriptions": ids, "items": n}: one POST to the first one's address with n notifications over all of them."""
    body = await wanted(request)
    entries = [_subscription(request, key) for key in body["subscriptions"]]
    status, seconds = await request.app[NOTIFIER].post(
        entries[0]["notificationUrl"], burst(entries, int(body["items"]))
    )
    return web.json_response({"status": status, "seconds": seconds})
