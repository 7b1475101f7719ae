"""What Graph posts to us: understood, checked, folded to dirty flags, and queued in one send. Never imports msgraph.

Whoever knows the address can post anything, so nothing of an item is believed but its subscription id, its client state and
its tenant; whose mailbox it is stands in our own table. Wrong items are counted and dropped without a word to the sender.
"""

from __future__ import annotations

import functools
import hmac
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as SendTimeoutError
from contextvars import copy_context

import msgspec

from shared import decoders, queues, telemetry
from shared.errors import InvalidInputError, UnauthenticatedError, UnavailableError
from shared.graph import subscriptions, work
from shared.graph.subscriptions import Subscription, url_keys
from shared.graph.work import Kind, Lifecycle
from shared.settings import settings

BODY_BYTES = 1_000_000
SEND_SECONDS = 1.5  # for look-ups and send together
_KEPT = 20_000
_LONGEST_ID = 100
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


def _known(ids: Iterable[str]) -> dict[str, Subscription | None]:
    """Subscriptions by id, from memory or by one query for all that are not there.

    Ids that nobody knows are remembered for a minute, so that a flood of them costs no storage.
    """
    now, wanted = time.monotonic(), {id for id in ids if 0 < len(id) <= _LONGEST_ID}
    missing = [id for id in wanted if (held := _read.get(id)) is None or (held[0] is None and held[1] < now)]
    if len(_read) > _KEPT:
        _read.clear()
    if missing:
        found = {each.id: each for each in subscriptions.between(min(missing), max(missing))}
        _read.update((id, (each, now)) for id, each in found.items())
        _read.update((id, (None, now + _UNKNOWN_SECONDS)) for id in missing if id not in found)
    return {id: held[0] for id in wanted if (held := _read.get(id))}


def genuine(items: list[Item]) -> list[tuple[Item, Subscription]]:
    """The items that Graph sent to one of our subscriptions; the others are counted and dropped."""
    tenant, found, known = settings().graph_tenant_id, [], _known(item.subscription_id for item in items)
    for item in items:
        subscription = known.get(item.subscription_id)
        if subscription and item.tenant_id == tenant and subscription.knows(item.client_state):
            found.append((item, subscription))
    telemetry.count("rapport.graph.notifications", len(found))
    if len(found) < len(items):
        telemetry.count("rapport.graph.dropped", len(items) - len(found))
    return found


def take_changes(body: bytes) -> int:
    """Mark the mailboxes of a delivery as dirty; how many marks.

    Raises UnavailableError when tables or queue do not answer in time.
    """
    items = parse(body)
    return _in_time(lambda: _announce(items))


def _announce(items: list[Item]) -> int:
    marks: set[tuple[str, Kind]] = {(each.mailbox, each.kind) for _, each in genuine(items)}
    if marks:
        work.announce(sorted(marks))
    return len(marks)


def take_lifecycle(body: bytes) -> int:
    """Queue the lifecycle events of a delivery; how many. Raises UnavailableError when tables or queue do not answer in time."""
    items = parse(body)
    return _in_time(lambda: _queue_events(items))


def _queue_events(items: list[Item]) -> int:
    events = {
        (item.lifecycle_event, each.id, each.mailbox)
        for item, each in genuine(items)
        if item.lifecycle_event in _EVENTS
    }
    if events:
        tasks = [
            Lifecycle(do=do, subscription=id, mailbox=mailbox)  # type: ignore[arg-type]
            for do, id, mailbox in sorted(events)
        ]
        work.send(tasks)
    return len(events)


def open_ahead() -> None:
    """Have the connections opened that notifications need, for a process in which Graph has just tried the address."""
    queues.open_ahead(settings().graph_dirty_queue, settings().graph_lifecycle_queue)


@functools.cache
def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(8, "notifications")


def _in_time(work: Callable[[], int]) -> int:
    """Look-ups and send together. Graph counts an answer after 3 s as none, so what is slow is as good as away: 503 at once.

    Graph repeats it then. What has not begun by that time never does; what has may still be queued, and then comes twice.
    """
    waiting = _workers().submit(copy_context().run, work)
    try:
        return waiting.result(SEND_SECONDS)
    except SendTimeoutError:
        waiting.cancel()
        raise UnavailableError("Notifications cannot be taken in time.") from None
