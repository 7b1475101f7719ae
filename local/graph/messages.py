"""A stored message as Graph writes it: which properties, under which id, with which body."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from sqlite3 import Row
from typing import Any

from local.graph.calls import Call
from local.graph.clock import text_of
from local.graph.mailboxes import folder_id

BODY_FIELDS = frozenset({"body", "bodyPreview", "uniqueBody", "attachments", "extensions"})
ONLY_IF_SELECTED = frozenset({"internetMessageHeaders", "uniqueBody", "singleValueExtendedProperties"})
PROPERTIES = frozenset(
    [
        "id",
        "createdDateTime",
        "lastModifiedDateTime",
        "changeKey",
        "categories",
        "receivedDateTime",
        "sentDateTime",
        "hasAttachments",
        "internetMessageId",
        "subject",
        "bodyPreview",
        "importance",
        "parentFolderId",
        "conversationId",
        "conversationIndex",
        "isDeliveryReceiptRequested",
        "isReadReceiptRequested",
        "isRead",
        "isDraft",
        "webLink",
        "inferenceClassification",
        "body",
        "sender",
        "from",
        "toRecipients",
        "ccRecipients",
        "bccRecipients",
        "replyTo",
        "flag",
        "internetMessageHeaders",
        "uniqueBody",
        "meetingMessageType",
    ]
)
_DEFAULTS: Mapping[str, Any] = {
    "categories": [],
    "hasAttachments": False,
    "subject": "",
    "importance": "normal",
    "conversationId": "",
    "isDeliveryReceiptRequested": False,
    "isReadReceiptRequested": False,
    "isRead": True,
    "isDraft": False,
    "inferenceClassification": "focused",
    "toRecipients": [],
    "ccRecipients": [],
    "bccRecipients": [],
    "replyTo": [],
    "flag": {"flagStatus": "notFlagged"},
}


def party(address: str, name: str = "") -> dict[str, Any]:
    return {"emailAddress": {"name": name or address, "address": address}}


def item_id(row: Row | Mapping[str, Any], call: Call) -> str:
    return str(row["id"] if call.immutable else row["moving_id"])


def etag(row: Row | Mapping[str, Any]) -> str:
    return f'W/"CQAAABYA{row["changed"]:010d}"'


def message_json(row: Row, call: Call, names: Sequence[str] | None) -> dict[str, Any]:
    """All properties when `names` is None, but never a body where the permission holds none.

    `body` may lack internetMessageId, from and sender, as drafts and some imports do. Headers come only when selected,
    and never in Sent Items; a mail's own come before those that every mail has.
    """
    stored = json.loads(row["body"])
    whole = _whole(row, call, stored)
    wanted = [name for name in PROPERTIES if name not in ONLY_IF_SELECTED] if names is None else ["id", *names]
    found = {name: whole[name] for name in wanted if name in whole}
    if not call.full:
        found = {name: value for name, value in found.items() if name not in BODY_FIELDS}
    for leaked in BODY_FIELDS & found.keys():
        call.notes.setdefault("bodyFields", set()).add(leaked)
    kind = {"@odata.type": stored["@odata.type"]} if "@odata.type" in stored else {}
    return {**kind, "@odata.etag": etag(row), **found}


def _whole(row: Row, call: Call, stored: Mapping[str, Any]) -> dict[str, Any]:
    whole = {**_DEFAULTS, **{name: value for name, value in stored.items() if not name.startswith("@")}}
    text = str(whole.pop("text", f"This is the text of {whole['subject'] or 'a message'}."))
    whole |= {
        "id": item_id(row, call),
        "parentFolderId": folder_id(row["user"], row["folder"]),
        "changeKey": etag(row)[3:-1],
        "receivedDateTime": text_of(row["at"]),
        "createdDateTime": text_of(row["at"]),
        "lastModifiedDateTime": text_of(row["at"]),
        "bodyPreview": text[:255],
        "body": {"contentType": "text", "content": text},
        "uniqueBody": {"contentType": "text", "content": text},
    }
    whole.setdefault("sentDateTime", text_of(row["at"]))
    if row["folder"] == "sentitems":
        whole.pop("internetMessageHeaders", None)
    else:
        own = stored.get("internetMessageHeaders", ())
        names = {header["name"].lower() for header in own}
        whole["internetMessageHeaders"] = [*own, *(h for h in _transport(whole) if h["name"].lower() not in names)]
    return whole


def _transport(whole: Mapping[str, Any]) -> list[dict[str, str]]:
    """What every mail that came from somewhere has; the subject is among it."""
    sender = (whole.get("from") or {}).get("emailAddress", {}).get("address", "")
    known = {
        "Received": f"from mail.example by outlook.example; {whole['receivedDateTime']}",
        "From": sender,
        "Subject": whole["subject"],
        "Message-ID": whole.get("internetMessageId", ""),
        "Return-Path": sender or "unknown@mail.example",
    }
    return [{"name": name, "value": value} for name, value in known.items()]
