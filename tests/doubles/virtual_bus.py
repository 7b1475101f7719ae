"""The stand-in's broker in this process, on a clock that tests move: in the place of the Service Bus client's connection."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from uuid import UUID, uuid4

import azure.functions as func
from azure.functions.servicebus import ServiceBusMessage as Delivered
from azure.servicebus import ServiceBusMessage

from local.bus.broker import DEAD_LETTERS, Broker
from local.bus.codec import decode
from local.bus.messages import APPLICATION, DATA, PROPERTIES, SCHEDULED_FOR, Content, sections
from local.bus.messages import section as encoded
from local.bus.queues import load_queues
from local.bus.values import Symbol, Timestamp

QUEUES = Path(__file__).resolve().parents[2] / "infra" / "queues.json"


class Batch(list[ServiceBusMessage]):
    """What the client calls a batch."""

    add_message = list.append


class Sender:
    """One queue's sender. `before`: called around every send, for tests in which a worker dies there."""

    def __init__(self, bus: VirtualBus, queue: str) -> None:
        self._bus, self._queue = bus, queue

    def create_message_batch(self) -> Batch:
        return Batch()

    def send_messages(self, batch: Iterable[ServiceBusMessage]) -> None:
        self._bus.accept(self._queue, batch)

    def close(self) -> None: ...


class VirtualBus:
    """Queues of the project's list. `now` gives seconds; `around` runs before and after each send is accepted."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._broker = Broker(load_queues(QUEUES), uuid4)
        self.around: Callable[[], None] = lambda: None

    def get_queue_sender(self, queue: str) -> Sender:
        return Sender(self, queue)

    def close(self) -> None: ...

    def _milliseconds(self) -> int:
        return int(self._now() * 1000)

    def accept(self, queue: str, messages: Iterable[ServiceBusMessage]) -> None:
        contents = [_content(message) for message in messages]
        self.around()
        self._broker.send(self._broker.entity(queue), contents, self._milliseconds())
        self.around()

    def receive(self, queue: str) -> tuple[func.ServiceBusMessage, UUID] | None:
        """The next message as the worker gets it, with its lock; None when none is due."""
        self._broker.advance(self._milliseconds())
        message = self._broker.receive(self._broker.entity(queue), self._milliseconds())
        if message is None:
            return None
        assert message.lock is not None
        return _delivered(message.content), message.lock

    def complete(self, queue: str, lock: UUID) -> None:
        self._broker.complete(self._broker.entity(queue), lock, self._milliseconds())

    def abandon(self, queue: str, lock: UUID) -> None:
        self._broker.abandon(self._broker.entity(queue), lock, self._milliseconds())

    def next_due(self) -> float | None:
        """When something happens next by itself: a schedule, the end of a lock."""
        due = self._broker.next_deadline()
        return None if due is None else due / 1000

    def dead(self, queue: str) -> int:
        """How many dead letters a queue has."""
        return len(self._broker.entity(queue + DEAD_LETTERS).messages)


def _content(message: ServiceBusMessage) -> Content:
    due = message.scheduled_enqueue_time_utc
    marks = {} if due is None else {Symbol(SCHEDULED_FOR): Timestamp(int(due.timestamp() * 1000))}
    body = b"".join(message.body)
    bare = encoded(PROPERTIES, [message.message_id])
    bare += encoded(APPLICATION, dict(message.application_properties or {})) + encoded(DATA, body)
    return Content([None] * 5, marks, bare, message.message_id)


def _delivered(content: Content) -> func.ServiceBusMessage:
    found = {code: decode(content.bare, at)[0] for code, _, at, _ in sections(content.bare)}
    return Delivered(
        body=found[DATA], message_id=content.message_id, application_properties=found[APPLICATION], user_properties={}
    )
