"""Which call does what, and which permission it needs."""

from __future__ import annotations

from typing import Any

from local.graph import calendar, delta, mail, people, sending, subscriptions
from local.graph.access import CALENDAR, DIRECTORY, GROUPS, MAIL, SEND, permit
from local.graph.calls import Answer, Call
from local.graph.errors import GraphError
from local.graph.notifier import Notifier
from local.graph.world import World

_NEEDS = {
    "messages": MAIL,
    "mailFolders": MAIL,
    "calendarView": CALENDAR,
    "calendar": CALENDAR,
    "events": CALENDAR,
    "sendMail": SEND,
}


def mailbox_key(call: Call) -> str:
    """The user of a call that goes to a mailbox, as written; empty for other calls."""
    match call.segments:
        case ["users", key, part, *_] if part in _NEEDS:
            return key
    return ""


async def route(world: World, notifier: Notifier, call: Call) -> Answer:
    """Raises GraphError."""
    match call.method, call.segments:
        case _, ["users", _, part, *_] if part in _NEEDS:
            user = world.directory.mailbox(call.segments[1], call.tenant)
            permit(world, call, _NEEDS[part], user["id"])
            return await _in_mailbox(world, call, user)
        case _, ["users" | "groups", *_]:
            permit(world, call, GROUPS if call.segments[0] == "groups" else DIRECTORY)
            return await _in_directory(world, call)
        case _, ["subscriptions", *_]:
            return await _subscription(world, notifier, call)
    raise _unknown(call)


def _unknown(call: Call) -> GraphError:
    return GraphError(400, "BadRequest", f"Resource not found for the segment '{'/'.join(call.segments)}'.")


async def _in_mailbox(world: World, call: Call, user: dict[str, Any]) -> Answer:
    match call.method, call.segments[2:]:
        case "GET", ["messages"]:
            return await mail.list_messages(world, call, user)
        case "GET", ["messages", key]:
            return await mail.get_message(world, call, user, key)
        case "GET", ["mailFolders"]:
            return await mail.list_folders(world, call, user)
        case "GET", ["mailFolders", "delta"]:
            return await mail.folders_delta(world, call, user)
        case "GET", ["mailFolders", folder]:
            return await mail.get_folder(world, call, user, folder)
        case "GET", ["mailFolders", folder, "messages"]:
            return await mail.list_messages(world, call, user, folder)
        case "GET", ["mailFolders", folder, "messages", "delta"]:
            return await delta.messages_delta(world, call, user, folder)
        case "GET", ["mailFolders", _, "messages", key]:
            return await mail.get_message(world, call, user, key)
        case "GET", ["calendarView"] | ["calendar", "calendarView"]:
            return await calendar.calendar_view(world, call, user)
        case "GET", ["calendarView", "delta"] | ["calendar", "calendarView", "delta"]:
            return await calendar.calendar_delta(world, call, user)
        case "GET", ["events", key] | ["calendar", "events", key]:
            return await calendar.get_event(world, call, user, key)
        case "POST", ["sendMail"]:
            return await sending.send_mail(world, call, user)
    raise _unknown(call)


async def _in_directory(world: World, call: Call) -> Answer:
    match call.method, call.segments:
        case "GET", ["users"]:
            return await people.list_users(world, call)
        case "GET", ["users", key]:
            return await people.get_user(world, call, key)
        case "GET", ["groups"]:
            return await people.list_groups(world, call)
        case "GET", ["groups", key]:
            return await people.get_group(world, call, key)
        case "GET", ["groups", key, "transitiveMembers" | "members"]:
            return await people.transitive_members(world, call, key)
    raise _unknown(call)


async def _subscription(world: World, notifier: Notifier, call: Call) -> Answer:
    match call.method, call.segments[1:]:
        case "POST", []:
            return await subscriptions.create(world, call, notifier)
        case "GET", []:
            return await subscriptions.list_own(world, call)
        case "GET", [key]:
            return await subscriptions.get_one(world, call, key)
        case "PATCH", [key]:
            return await subscriptions.renew(world, call, key)
        case "DELETE", [key]:
            return await subscriptions.delete(world, call, key)
        case "POST", [key, "reauthorize"]:
            return await subscriptions.reauthorize(world, call, key)
    raise _unknown(call)
