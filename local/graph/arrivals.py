"""From the plain form that people and tests write to the stored form of messages and events."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import Any

from local.graph.clock import instant, text_of
from local.graph.messages import party

_PLAIN = ("from", "sender", "to", "cc", "bcc", "replyTo", "at", "sentAt", "folder", "count", "start", "end")


def conversation_index(conversation: str, depth: int = 0) -> str:
    """22 bytes that belong to the thread, and 5 more for each answer, in base64."""
    head = b"\x01" + hashlib.sha256(conversation.encode()).digest()[:21]
    tail = b"".join(hashlib.sha256(f"{conversation}/{step}".encode()).digest()[:5] for step in range(depth))
    return b64encode(head + tail).decode()


def _parties(found: list[Any]) -> list[dict[str, Any]]:
    return [_party(each) for each in found]


def _party(found: Any) -> dict[str, Any]:
    return party(found) if isinstance(found, str) else party(found["address"], found.get("name", ""))


def message_body(wanted: dict[str, Any], now: float, number: int) -> dict[str, Any]:
    """Of {"from", "to", "cc", "at", "sentAt", ...}; other names are Graph's own and stand as they are.

    Addresses are text or {"address", "name"}; times are RFC 3339. `internetMessageId` null leaves it out.
    """
    at = instant(wanted["at"]) if "at" in wanted else now
    found: dict[str, Any] = {name: value for name, value in wanted.items() if name not in _PLAIN}
    sender = _party(wanted.get("from", "somebody@elsewhere.example"))
    found["from"], found["sender"] = sender, _party(wanted["sender"]) if "sender" in wanted else sender
    for name, own in (("toRecipients", "to"), ("ccRecipients", "cc"), ("bccRecipients", "bcc"), ("replyTo", "replyTo")):
        found[name] = _parties(wanted.get(own, []))
    found["sentDateTime"] = text_of(instant(wanted["sentAt"]) if "sentAt" in wanted else at)
    domain = sender["emailAddress"]["address"].rpartition("@")[2]
    key = hashlib.sha256(f"{number}/{at}/{found['sentDateTime']}".encode()).hexdigest()[:24]
    found.setdefault("internetMessageId", f"<{key}@{domain}>")
    if found["internetMessageId"] is None:
        del found["internetMessageId"]
    found.setdefault("conversationId", f"AAQk{key}=")
    found.setdefault("conversationIndex", conversation_index(found["conversationId"]))
    return found


def event_body(wanted: dict[str, Any], number: int) -> dict[str, Any]:
    """Of {"organizer", "attendees": [address or {"address", "name", "response", "type"}], ...}; the rest is Graph's."""
    found: dict[str, Any] = {name: value for name, value in wanted.items() if name not in _PLAIN}
    if "organizer" in wanted:
        found["organizer"] = _party(wanted["organizer"])
    if "attendees" in wanted:
        found["attendees"] = [_attendee(each) for each in wanted["attendees"]]
    found.setdefault("iCalUId", hashlib.sha256(f"event {number}".encode()).hexdigest()[:32])
    return found


def _attendee(found: Any) -> dict[str, Any]:
    known = {"response": "none", "type": "required"} | (found if isinstance(found, dict) else {})
    status = {"response": known["response"], "time": "0001-01-01T00:00:00Z"}
    return {**_party(found), "type": known["type"], "status": status}
