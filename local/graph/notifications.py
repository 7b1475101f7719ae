"""What a notification says: of a change, of a life-cycle event, and what a forger would send."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from local.graph.clock import text_of
from local.graph.mailboxes import MESSAGE
from local.graph.messages import etag

LIFECYCLE = ("reauthorizationRequired", "subscriptionRemoved", "missed")
_SEGMENT = {MESSAGE: ("Messages", "#Microsoft.Graph.Message"), "event": ("Events", "#Microsoft.Graph.Event")}
FORGERIES = ("unknownSubscription", "wrongClientState", "wrongTenant", "otherResource", "brokenJson", "tooLarge")
TOO_LARGE = 2 * 1024 * 1024


def change_item(subscription: Mapping[str, Any], what: str, row: Any, key: str | None = None) -> dict[str, Any]:
    """One entry of `value`; `key` replaces the id of the item."""
    segment, kind = _SEGMENT[subscription["kind"]]
    item = key or row["id" if subscription["immutable"] else "moving_id"]
    resource = f"Users/{subscription['user']}/{segment}/{item}"
    return _head(subscription) | {
        "changeType": what,
        "resource": resource,
        "resourceData": {"@odata.type": kind, "@odata.id": resource, "@odata.etag": etag(row), "id": item},
    }


def lifecycle_item(subscription: Mapping[str, Any], event: str) -> dict[str, Any]:
    return _head(subscription) | {"lifecycleEvent": event}


def _head(subscription: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "subscriptionId": subscription["id"],
        "subscriptionExpirationDateTime": text_of(subscription["expires"]),
        "clientState": subscription["clientState"],
        "tenantId": subscription["tenant"],
    }


def forged(kind: str, item: dict[str, Any]) -> bytes:
    """A body like that of a genuine delivery of `item`, but for one thing."""
    match kind:
        case "unknownSubscription":
            item = item | {"subscriptionId": "00000000-0000-4000-8000-000000000000"}
        case "wrongClientState":
            item = item | {"clientState": "guessed"}
        case "wrongTenant":
            item = item | {"tenantId": "00000000-0000-4000-8000-000000000001"}
        case "otherResource":
            item = item | {"resource": "Users/00000000-0000-4000-8000-000000000002/Messages/AAA="}
        case "brokenJson":
            return b'{"value":[{"subscriptionId":'
        case "tooLarge":
            item = item | {"padding": "x" * TOO_LARGE}
        case _:
            raise ValueError(f"a forgery is one of {', '.join(FORGERIES)}")
    return json.dumps({"value": [item]}).encode()
