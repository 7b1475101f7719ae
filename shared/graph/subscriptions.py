"""Subscriptions at Graph: two per mailbox (mail, calendar), made, renewed in time, replaced when lost, deleted on leaving."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from msgspec import Struct

from shared import own_keys, tables
from shared.graph import leases, mailboxes
from shared.graph.calls import GraphCallError
from shared.graph.client import Graph
from shared.graph.times import instant_of, text_of
from shared.graph.work import KINDS, Kind
from shared.settings import Settings, settings

TABLE = "subscriptions"
_PARTITION = "subscriptions"
LIFETIME = 10_070 * 60
RENEW_BELOW = 72 * 3_600
_RESOURCES = {"mail": "messages", "calendar": "events"}
_DROPPED = (403, 404)


class Subscription(Struct, frozen=True):
    """A subscription of ours: its id, whose mailbox, mail or calendar, until when, hash of its client state."""

    id: str
    mailbox: str
    kind: Kind
    expires: int
    state_hash: str

    def knows(self, client_state: str) -> bool:
        """Whether this is the secret that only Graph and we know; in constant time."""
        return hmac.compare_digest(self.state_hash, _hashed(client_state))


def _hashed(client_state: str) -> str:
    return hashlib.sha256(client_state.encode()).hexdigest()


def _of(row: tables.Row) -> Subscription:
    return Subscription(row["RowKey"], row["mailbox"], row["kind"], row["expires"], row["stateHash"])


def read(id: str) -> Subscription | None:
    """One subscription of ours, None for any other id."""
    row = tables.read(TABLE, _PARTITION, id)
    return _of(row) if row else None


def read_all() -> list[Subscription]:
    """All subscriptions of ours."""
    return [_of(row) for row in tables.query(TABLE, _PARTITION)]


def between(first: str, last: str) -> list[Subscription]:
    """Those of ours whose ids lie between two, both included; one query."""
    return [_of(row) for row in tables.query(TABLE, _PARTITION, first, last + "\x20")]


def _write(subscription: Subscription) -> None:
    tables.upsert(
        TABLE,
        {
            "PartitionKey": _PARTITION, "RowKey": subscription.id, "v": 1, "mailbox": subscription.mailbox,
            "kind": subscription.kind, "expires": subscription.expires, "stateHash": subscription.state_hash,
        },
    )  # fmt: skip


def url_keys(values: Settings) -> tuple[str, ...]:
    """The keys that a notification address may carry: the present one, then the one before it."""
    return tuple(key.hex() for key in own_keys.numbered(values, "graph-notifications", values.graph_key_version))


def address(values: Settings, route: str) -> str:
    """The address of a route of ours as Graph shall call it. Raises SettingError without GRAPH_NOTIFICATION_URL."""
    query = urlencode({"key": url_keys(values)[0]})
    return f"{values.need('GRAPH_NOTIFICATION_URL').rstrip('/')}/graph/{route}?{query}"


def create(graph: Graph, mailbox: str, kind: Kind) -> Subscription:
    """Make a subscription. Raises GraphCallError. Run a catch-up afterwards: early notifications are dropped as unknown."""
    values, state = settings(), secrets.token_urlsafe(32)
    body: dict[str, Any] = {
        "changeType": "created,updated,deleted",
        "notificationUrl": address(values, "notifications"),
        "lifecycleNotificationUrl": address(values, "lifecycle"),
        "resource": f"users/{mailbox}/{_RESOURCES[kind]}",
        "expirationDateTime": text_of(int(time.time()) + LIFETIME),
        "clientState": state,
    }
    made = graph.send("POST", "/subscriptions", body)
    subscription = Subscription(made["id"], mailbox, kind, instant_of(made["expirationDateTime"]), _hashed(state))
    _write(subscription)
    return subscription


def renew(graph: Graph, subscription: Subscription) -> bool:
    """Renew, which also reauthorises; False when Graph no longer knows it. Raises GraphCallError."""
    body = {"expirationDateTime": text_of(int(time.time()) + LIFETIME)}
    try:
        renewed = graph.send("PATCH", f"/subscriptions/{subscription.id}", body)
    except GraphCallError as error:
        if error.status != 404:
            raise
        drop(subscription.id)
        return False
    expires = instant_of(renewed["expirationDateTime"])
    _write(Subscription(subscription.id, subscription.mailbox, subscription.kind, expires, subscription.state_hash))
    return True


def drop(id: str) -> None:
    """Forget a subscription that Graph has removed."""
    tables.delete(TABLE, _PARTITION, id)


def delete(graph: Graph, subscription: Subscription) -> None:
    """Delete it at Graph, where it may be gone or out of our reach already, and here. Raises GraphCallError when busy."""
    _end(graph, subscription.id)
    drop(subscription.id)


def _end(graph: Graph, id: str) -> None:
    try:
        graph.send("DELETE", f"/subscriptions/{id}")
    except GraphCallError as error:
        if error.status not in (401, *_DROPPED):
            raise


def missing(held: Iterable[Subscription], mailbox: str, now: int) -> list[Kind]:
    """The kinds of which a mailbox has no live subscription among those held."""
    live = {each.kind for each in held if each.mailbox == mailbox and each.expires > now}
    return [kind for kind in KINDS if kind not in live]


def ensure(graph: Graph, mailbox: str, now: int) -> int:
    """Have one live subscription per kind for a mailbox; how many were made.

    Raises GraphCallError, and RetryLaterError while somebody else makes them: Graph would take a second one as gladly.
    """
    if not missing(read_all(), mailbox, now):
        return 0
    with leases.lease(mailbox, "subscriptions", time.time()):
        held = mailboxes.read(mailbox)
        kinds = missing(read_all(), mailbox, now) if held and held.state == "connected" else []
        for kind in kinds:
            create(graph, mailbox, kind)
    return len(kinds)


def reconcile(graph: Graph) -> tuple[list[Subscription], int]:
    """Compare the table with Graph's own list: ours that Graph lost (their rows are dropped), and strangers deleted.

    A stranger calls one of our addresses without a row here: the create call was cut off before it was written down. One of ours
    that calls another address than the present one (the app has moved, or the key has changed) is deleted and counts as lost.
    Of two for the same mailbox and kind the one that lasts longer stays. What is made meanwhile is neither lost nor strange.
    """
    before = {each.id: each for each in read_all()}
    listed = {item["id"]: item for page in graph.pages("/subscriptions") for item in page.get("value", ())}
    prefix = f"{settings().need('GRAPH_NOTIFICATION_URL').rstrip('/')}/graph/"
    present = address(settings(), "notifications")
    moved = {id for id in before if id in listed and listed[id].get("notificationUrl", present) != present}
    lost = [each for id, each in before.items() if id not in listed or id in moved]
    for id in moved:
        _end(graph, id)
    for each in lost:
        drop(each.id)
    for each in _doubles(each for id, each in before.items() if id in listed and id not in moved):
        delete(graph, each)
    unknown = [i for i in listed.values() if i["id"] not in before and i.get("notificationUrl", "").startswith(prefix)]
    strangers = [item["id"] for item in unknown if not _is_being_made(item) and read(item["id"]) is None]
    for id in strangers:
        _end(graph, id)
    return lost, len(strangers)


def _is_being_made(item: dict[str, Any]) -> bool:
    """Whether its maker is still at work, and may not have written it down yet. To be asked before its row is looked for."""
    mailbox = str(item.get("resource", "")).strip("/").split("/")[1:2]
    return bool(mailbox) and leases.is_held(mailbox[0], "subscriptions", time.time())


def _doubles(held: Iterable[Subscription]) -> list[Subscription]:
    """Those beside the longest-lived one of each mailbox and kind."""
    kept: set[tuple[str, Kind]] = set()
    doubles = []
    for each in sorted(held, key=lambda each: (-each.expires, each.id)):
        doubles += [each] if (each.mailbox, each.kind) in kept else []
        kept.add((each.mailbox, each.kind))
    return doubles
