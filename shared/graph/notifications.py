"""What Graph posts to us: understood, checked, folded to dirty flags, and queued in one send. Never imports msgraph.

Whoever knows the address can post anything, so nothing of an item is believed but its subscription id, its client state and
its tenant; whose mailbox it is stands in our own table. Wrong items are counted and dropped without a word to the sender.
"""

from __future__ import annotations

import functools
import hmac
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as SendTimeoutError
from contextvars import copy_context

import msgspec

from shared import decoders, telemetry
from shared.errors import InvalidInputError, UnauthenticatedError, UnavailableError
from shared.graph import subscriptions, work
from shared.graph.subscriptions import Subscription, url_keys
from shared.graph.work import Kind, Lifecycle
from shared.settings import settings

BODY_BYTES = 1_000_000
SEND_SECONDS = 1.5
_KEPT = 20_000
_UNKNOWN_SECONDS = 60.0
_EVENTS = ("reauthorizationRequired", "subscriptionRemoved", "missed")


class Item(msgspec.Struct, rename="camel"):
    """One notification, of which only this is looked at."""

    subscription_id: str = ""
    client_state: str = ""
    tenant_id: str = ""
    lifecycle_event: str = ""


class Delivery(msgspec.Struct):
    """The body of a POST."""

    value: list[Item]


_decoder = decoders.of_json(Delivery)
_read: dict[str, tuple[Subscription | None, float]] = {}


def check_key(key: str) -> None:
    """Raises UnauthenticatedError unless the address carried one of our keys."""
    given = key.encode()
    if not any(hmac.compare_digest(given, each.encode()) for each in url_keys(settings())):
        telemetry.count("rapport.graph.refused", reason="key")
        raise UnauthenticatedError("The address is not complete.")


def parse(body: bytes) -> list[Item]:
    """The items of a delivery. Raises InvalidInputError for what is no delivery."""
    try:
        return _decoder.decode(body).value
    except (msgspec.DecodeError, UnicodeDecodeError):
        telemetry.count("rapport.graph.refused", reason="body")
        raise InvalidInputError("the body is no list of notifications", "$.value") from None


def _subscription(id: str) -> Subscription | None:
    """From memory; ids that nobody knows are remembered for a minute, so that a flood of them costs no storage."""
    held = _read.get(id)
    if held is None or (held[0] is None and held[1] < time.monotonic()):
        if len(_read) > _KEPT:
            _read.clear()
        held = _read[id] = (subscriptions.read(id) if id else None, time.monotonic() + _UNKNOWN_SECONDS)
    return held[0]


def genuine(items: list[Item]) -> list[tuple[Item, Subscription]]:
    """The items that Graph sent to one of our subscriptions; the others are counted and dropped."""
    tenant, found = settings().graph_tenant_id, []
    for item in items:
        subscription = _subscription(item.subscription_id)
        if subscription and item.tenant_id == tenant and subscription.knows(item.client_state):
            found.append((item, subscription))
    telemetry.count("rapport.graph.notifications", len(found))
    if len(found) < len(items):
        telemetry.count("rapport.graph.dropped", len(items) - len(found))
    return found


def take_changes(body: bytes) -> int:
    """Mark the mailboxes of a delivery as dirty; how many marks. Raises UnavailableError when the queue does not take them."""
    marks: set[tuple[str, Kind]] = {(each.mailbox, each.kind) for _, each in genuine(parse(body))}
    if marks:
        _in_time(lambda: work.announce(sorted(marks)))
    return len(marks)


def take_lifecycle(body: bytes) -> int:
    """Queue the lifecycle events of a delivery; how many. Raises UnavailableError when the queue does not take them."""
    events = {
        (item.lifecycle_event, each.id, each.mailbox)
        for item, each in genuine(parse(body))
        if item.lifecycle_event in _EVENTS
    }
    if events:
        tasks = [
            Lifecycle(do=do, subscription=id, mailbox=mailbox)  # type: ignore[arg-type]
            for do, id, mailbox in sorted(events)
        ]
        _in_time(lambda: work.send(tasks))
    return len(events)


@functools.cache
def _senders() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(4, "notifications")


def _in_time(send: Callable[[], None]) -> None:
    """Graph counts an answer after 3 s as none, so a queue that is slow is as good as away: 503 at once, and Graph repeats."""
    try:
        _senders().submit(copy_context().run, send).result(SEND_SECONDS)
    except SendTimeoutError:
        raise UnavailableError("The queue does not take notifications in time.") from None
