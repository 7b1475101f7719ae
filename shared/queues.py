"""Service Bus: one client and one sender per queue and process, messages with ids, and windows in which bursts fold."""

from __future__ import annotations

import functools
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from shared import telemetry
from shared.errors import UnavailableError
from shared.settings import settings

if TYPE_CHECKING:
    from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusSender

CLOCK_SKEW_SECONDS = (
    0.5  # a window's message waits this long past its end, so that a slow clock adds to no closed window
)
BACKGROUND = "queues:"  # how the names of threads begin that open and close senders


class Message(Struct, frozen=True, kw_only=True):
    """A message to send. `id` folds duplicates within the queue's window; empty = never folds. `due`: instant or None."""

    body: bytes
    id: str = ""
    due: float | None = None
    properties: Mapping[str | bytes, Any] = {}


@functools.cache
def client() -> ServiceBusClient:
    """The client of this process, made at first use."""
    import ssl

    from azure.servicebus import ServiceBusClient

    connection = settings().servicebus_connection
    # Without a context of ours every sender reads all certificates anew.
    options: dict[str, Any] = {"retry_total": 2, "ssl_context": ssl.create_default_context()}
    if connection.connection_string:
        return ServiceBusClient.from_connection_string(connection.connection_string, **options)
    from shared.credentials import credential

    return ServiceBusClient(connection.address, credential(), **options)


class _Sender:
    """A sender that is opened once and used by one thread at a time, as the client library demands."""

    def __init__(self, queue: str) -> None:
        self._queue, self._lock = queue, threading.Lock()
        self._sender: ServiceBusSender | None = None

    @property
    def is_open(self) -> bool:
        """Whether it was opened, or is being opened now."""
        return self._sender is not None

    def send(self, messages: Sequence[ServiceBusMessage]) -> None:
        """Send them in as few batches as they fit in; none only opens the sender. Raises UnavailableError."""
        from azure.servicebus.exceptions import ServiceBusError

        with self._lock:
            if self._sender is None:
                self._sender = client().get_queue_sender(self._queue)
            try:
                self._send_in_batches(self._sender, messages)
            except (ServiceBusError, ValueError, OSError) as error:
                # The next use opens a new one. To close takes up to a second, which nobody here has.
                _in_background(f"close {self._queue}", self._sender.close)
                self._sender = None
                raise UnavailableError("The queues do not answer.") from error

    @staticmethod
    def _send_in_batches(sender: ServiceBusSender, messages: Sequence[ServiceBusMessage]) -> None:
        from azure.servicebus.exceptions import MessageSizeExceededError

        batch = sender.create_message_batch()
        for message in messages:
            try:
                batch.add_message(message)
            except MessageSizeExceededError:
                sender.send_messages(batch)
                batch = sender.create_message_batch()
                batch.add_message(message)
        if messages:
            sender.send_messages(batch)


@functools.cache
def _sender(queue: str) -> _Sender:
    return _Sender(queue)


def open_ahead(*queues: str) -> None:
    """Open the senders of queues in the background, where they are not: it takes half a second, and the client 0.3 s more.

    For a webhook, whose answer must not wait for that. What fails is tried again by the first who sends.
    """
    for queue in queues:
        sender = _sender(queue)  # by the caller: two threads would make two
        if not sender.is_open:
            _in_background(f"open {queue}", functools.partial(sender.send, ()))


def _in_background(name: str, work: Callable[[], None]) -> None:
    def run() -> None:
        with suppress(Exception):
            work()

    threading.Thread(target=run, name=f"{BACKGROUND} {name}", daemon=True).start()


def send(queue: str, messages: Iterable[Message]) -> None:
    """Send messages; all are accepted when this returns. Raises UnavailableError otherwise; some may have been accepted."""
    native = [_native(message) for message in messages]
    if native:
        _sender(queue).send(native)


def _native(message: Message) -> ServiceBusMessage:
    from azure.servicebus import ServiceBusMessage

    return ServiceBusMessage(
        message.body,
        message_id=message.id or str(uuid.uuid4()),
        content_type="application/json",
        scheduled_enqueue_time_utc=datetime.fromtimestamp(message.due, UTC) if message.due is not None else None,
        application_properties={"correlation_id": telemetry.correlation_id(), **message.properties},
    )


def in_window(
    name: str, body: bytes, now: float, seconds: int, properties: Mapping[str | bytes, Any] | None = None
) -> Message:
    """A message that runs once at the end of the window that `now` is in, however often it is sent within it.

    Take `now` after the data is written: a window's message then runs after everything that was announced in it.
    """
    number = int(now // seconds)
    due = (number + 1) * seconds + CLOCK_SKEW_SECONDS
    return Message(body=body, id=f"{name}|{seconds}|{number}", due=due, properties=properties or {})
