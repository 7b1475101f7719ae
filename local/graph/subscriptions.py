"""Subscriptions: create with handshake, renew, reauthorise, list, delete, and what they expire by."""

from __future__ import annotations

import asyncio
import re
import uuid
from typing import Any

from local.graph.access import CALENDAR, MAIL, permit
from local.graph.calls import Answer, Call, segments_of
from local.graph.clock import instant, text_of
from local.graph.errors import GraphError, access_denied, bad_request
from local.graph.gate import throttled
from local.graph.handshake import validate
from local.graph.notifier import Notifier
from local.graph.world import World

SHORTEST, LONGEST = 45 * 60.0, 10_080 * 60.0
PER_MAILBOX = 1_000
CLIENT_STATE = 128
# In 20 seconds: per application and tenant, and per application over all tenants.
RATES = {"write": (500, 2_000), "reauthorize": (1_000, 4_000), "read": (500, 2_000), "list": (25, 40)}
_WHAT = {"created", "updated", "deleted"}
_SHOWN = [
    "id",
    "resource",
    "changeType",
    "clientState",
    "notificationUrl",
    "lifecycleNotificationUrl",
    "expirationDateTime",
    "applicationId",
    "creatorId",
    "includeResourceData",
    "latestSupportedTlsVersion",
    "encryptionCertificate",
    "encryptionCertificateId",
    "notificationUrlAppId",
    "notificationQueryOptions",
    "notificationContentType",
]


def check_rate(world: World, call: Call, what: str) -> None:
    """Raises GraphError 429."""
    one, all_tenants = RATES[what]
    for key, limit in (((call.app, call.tenant, what), one), ((call.app, what), all_tenants)):
        if world.subscription_rates.count(key) > limit:
            raise throttled(world.subscription_rates.room_in(key), "TooManyRequests")


def active(world: World) -> list[dict[str, Any]]:
    """All that have not expired; those that have are dropped."""
    found = []
    for key, each in world.store.all("subscription").items():
        if each["expires"] > world.clock.now():
            found.append(each)
        else:
            world.store.drop("subscription", key)
    return found


def _shown(entry: dict[str, Any]) -> dict[str, Any]:
    known = entry | {"expirationDateTime": text_of(entry["expires"]), "clientState": None}
    return {name: known.get(name) for name in _SHOWN}


def _own(world: World, call: Call, key: str) -> dict[str, Any]:
    """Raises GraphError 404, also for a subscription of another application or tenant."""
    for entry in active(world):
        if entry["id"] == key and (entry["applicationId"], entry["tenant"]) == (call.app, call.tenant):
            return entry
    raise GraphError(404, "ResourceNotFound", "The object was not found.")


def _expiry(world: World, text: Any) -> float:
    """Below 45 minutes is raised, above 10,080 minutes refused. Raises GraphError 400."""
    try:
        wanted = instant(str(text))
    except ValueError as error:
        raise bad_request("expirationDateTime is not a time.", "ValidationError") from error
    now = world.clock.now()
    if wanted > now + LONGEST:
        raise bad_request("Subscription expiration can only be 10080 minutes in the future.", "ValidationError")
    return max(wanted, now + SHORTEST)


def _resource(world: World, call: Call, text: str) -> tuple[dict[str, Any], str, str | None]:
    """User, need and folder of a resource. Raises GraphError."""
    match segments_of(text):
        case ["users", user, "messages"]:
            return world.directory.mailbox(user, call.tenant), MAIL, None
        case ["users", user, "mailFolders", folder, "messages"]:
            found = world.directory.mailbox(user, call.tenant)
            return found, MAIL, world.mailboxes.folder(found["id"], folder)
        case ["users", user, "events"]:
            return world.directory.mailbox(user, call.tenant), CALENDAR, None
    raise bad_request(f"Resource '{text}' is not supported by the simulator.", "ExtensionError")


def _permit(world: World, call: Call, need: str, mailbox: str) -> None:
    """Only the permissions with bodies allow subscriptions. Raises GraphError 403."""
    permit(world, call, need, mailbox)
    by_role = call.roles & {"Mail.Read", "Mail.ReadWrite", "Calendars.Read", "Calendars.ReadWrite"}
    if not call.full or (world.behaviour.refuseScopedSubscriptions and not by_role):
        raise access_denied()


async def create(world: World, call: Call, notifier: Notifier) -> Answer:
    """Both addresses are validated before anything is stored, while the caller waits."""
    check_rate(world, call, "write")
    wanted = call.body if isinstance(call.body, dict) else {}
    entry = _entry(world, call, wanted)
    await _validate(wanted)
    world.store.put("subscription", entry["id"], entry)
    if world.behaviour.notifyBeforeCreate:
        await notifier.send_now(entry)
    world.clock.wake()
    return Answer(201, _shown(entry) | {"clientState": entry["clientState"]})


def _entry(world: World, call: Call, wanted: dict[str, Any]) -> dict[str, Any]:
    for name in ("changeType", "notificationUrl", "resource", "expirationDateTime"):
        if not wanted.get(name):
            raise bad_request(f"{name} is required.", "InvalidRequest")
    if not set(wanted["changeType"].split(",")) <= _WHAT:
        raise bad_request("changeType is made of created, updated and deleted.", "InvalidRequest")
    if len(wanted.get("clientState") or "") > CLIENT_STATE:
        raise bad_request(f"clientState has at most {CLIENT_STATE} characters.", "ValidationError")
    user, need, folder = _resource(world, call, wanted["resource"])
    call.notes["mailbox"] = user["id"]
    _permit(world, call, need, user["id"])
    _check_quota(world, user["id"])
    now = world.clock.now()
    return {
        **{name: wanted.get(name) for name in _SHOWN},
        "id": str(uuid.uuid4()),
        "applicationId": call.app,
        "tenant": call.tenant,
        "expires": _expiry(world, wanted["expirationDateTime"]),
        "user": user["id"],
        "kind": "message" if need == MAIL else "event",
        "folder": folder,
        "immutable": call.immutable,
        "authorized": now,
        "reminded": now,
        "ignoredSince": None,
    }


def _check_quota(world: World, user: str) -> None:
    others = int(world.store.get("foreign subscriptions", user, 0))
    if others + sum(entry["user"] == user for entry in active(world)) >= PER_MAILBOX:
        text = f"Subscription limit reached: {PER_MAILBOX} active subscriptions per mailbox."
        raise GraphError(403, "ExtensionError", text)


async def _validate(wanted: dict[str, Any]) -> None:
    """Raises GraphError 400. The same address twice gets two calls."""
    addresses = [wanted["notificationUrl"], wanted.get("lifecycleNotificationUrl")]
    for address in filter(None, addresses):
        if not re.match(r"https://|http://(127\.0\.0\.1|localhost|\[::1\])[:/]", address):
            raise bad_request("The address must be https; http only on this machine.", "ValidationError")
    failures = await asyncio.gather(*(validate(address) for address in addresses if address))
    if failure := next(filter(None, failures), None):
        raise bad_request(f"Subscription validation request failed. {failure}", "ValidationError")


async def list_own(world: World, call: Call) -> Answer:
    check_rate(world, call, "list")
    own = [e for e in active(world) if (e["applicationId"], e["tenant"]) == (call.app, call.tenant)]
    return Answer(body={"value": [_shown(entry) for entry in own]})


async def get_one(world: World, call: Call, key: str) -> Answer:
    check_rate(world, call, "read")
    return Answer(body=_shown(_own(world, call, key)))


async def renew(world: World, call: Call, key: str) -> Answer:
    """A new expiry also reauthorises. The lifecycle address cannot be added or changed."""
    check_rate(world, call, "write")
    entry, wanted = _own(world, call, key), call.body if isinstance(call.body, dict) else {}
    if "lifecycleNotificationUrl" in wanted:
        raise bad_request("lifecycleNotificationUrl cannot be changed.", "InvalidRequest")
    call.notes["mailbox"] = entry["user"]
    _permit(world, call, MAIL if entry["kind"] == "message" else CALENDAR, entry["user"])
    changed = entry | {"expires": _expiry(world, wanted.get("expirationDateTime"))}
    _store_authorized(world, changed)
    return Answer(body=_shown(changed))


async def reauthorize(world: World, call: Call, key: str) -> Answer:
    check_rate(world, call, "reauthorize")
    entry = _own(world, call, key)
    call.notes["mailbox"] = entry["user"]
    _permit(world, call, MAIL if entry["kind"] == "message" else CALENDAR, entry["user"])
    _store_authorized(world, entry)
    return Answer(204)


def _store_authorized(world: World, entry: dict[str, Any]) -> None:
    now = world.clock.now()
    world.store.put("subscription", entry["id"], entry | {"authorized": now, "reminded": now, "ignoredSince": None})
    world.clock.wake()


async def delete(world: World, call: Call, key: str) -> Answer:
    check_rate(world, call, "write")
    world.store.drop("subscription", _own(world, call, key)["id"])
    return Answer(204)
