"""sendMail: every mail that was really sent is counted, put into Sent Items and into the mailboxes of the tenant."""

from __future__ import annotations

import uuid
from typing import Any

from local.graph.calls import Answer, Call
from local.graph.clock import text_of
from local.graph.errors import GraphError, bad_request
from local.graph.mailboxes import MESSAGE
from local.graph.messages import party
from local.graph.world import World

RECIPIENTS = 500


async def send_mail(world: World, call: Call, user: dict[str, Any]) -> Answer:
    """202 without a body and without an id. Raises GraphError 400."""
    wanted = call.body if isinstance(call.body, dict) else {}
    message = wanted.get("message")
    if not isinstance(message, dict) or not _recipients(message):
        raise bad_request("At least one recipient is not valid.", "ErrorInvalidRecipients")
    if len(_recipients(message)) > RECIPIENTS:
        raise bad_request(f"At most {RECIPIENTS} recipients.", "ErrorMaxRecipientsPerMessageExceeded")
    for header in message.get("internetMessageHeaders", ()):
        if not header["name"].lower().startswith("x-"):
            raise bad_request(f"The header {header['name']} should start with 'x-'.", "InvalidInternetMessageHeader")
    _deliver(world, user, message, wanted.get("saveToSentItems", True))
    return Answer(202)


def _recipients(message: dict[str, Any]) -> list[str]:
    parties = [each for name in ("toRecipients", "ccRecipients", "bccRecipients") for each in message.get(name, ())]
    return [each["emailAddress"]["address"] for each in parties]


def _deliver(world: World, user: dict[str, Any], message: dict[str, Any], save: bool) -> None:
    now, sender = world.clock.now(), party(user["mail"], user["displayName"])
    text = message.get("body", {}).get("content", "")
    kept = {name: value for name, value in message.items() if name not in ("body", "id")}
    sent = kept | {"from": sender, "sender": sender, "sentDateTime": text_of(now), "text": text}
    sent["internetMessageId"] = f"<{uuid.uuid4()}@{user['mail'].partition('@')[2]}>"
    sent["conversationId"] = str(uuid.uuid4())
    # Counted before anything else: a cut connection must not hide that the mail went out.
    count = len(world.store.all("sent")) + 1
    world.store.put("sent", f"{count:08d}", {"from": user["mail"], "at": text_of(now), "message": sent})
    if save:
        world.mailboxes.add(user["id"], MESSAGE, "sentitems", now, now, sent)
    seen = {name: value for name, value in sent.items() if name != "bccRecipients"}
    for address in dict.fromkeys(_recipients(message)):
        try:
            recipient = world.directory.mailbox(address, user["tenant"])
        except GraphError:
            continue  # outside of the tenant
        world.mailboxes.add(recipient["id"], MESSAGE, "inbox", now, now, seen)
