"""One line of messages, a queue or its dead letters: who is where, in order, without a rule in it.

A message is in exactly one place: ready, locked, scheduled or deferred. Order is the sequence number; a message that
comes back takes its old place.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from uuid import UUID

from local.bus.messages import Content
from local.bus.queues import QueueOptions


class State(IntEnum):
    """As Service Bus numbers them on the wire."""

    ACTIVE = 0
    DEFERRED = 1
    SCHEDULED = 2


@dataclass(slots=True)
class Message:
    """A stored message. Times are milliseconds since 1970; `delivery_count` counts failed deliveries so far."""

    sequence: int
    content_id: int
    content: Content
    enqueued_at: int
    state: State = State.ACTIVE
    delivery_count: int = 0
    due_at: int | None = None
    expires_at: int | None = None
    lock: UUID | None = None
    locked_until: int = 0


@dataclass(slots=True, eq=False)
class Entity:
    """The messages of one queue, or of its dead letters (`is_dead_letters`), indexed by where they are."""

    path: str
    options: QueueOptions
    is_dead_letters: bool
    next_sequence: int = 1
    messages: dict[int, Message] = field(default_factory=dict)
    locks: dict[UUID, Message] = field(default_factory=dict)
    scheduled: set[int] = field(default_factory=set)
    deferred: set[int] = field(default_factory=set)
    _ready: list[int] = field(default_factory=list)

    def new_sequence(self) -> int:
        number, self.next_sequence = self.next_sequence, self.next_sequence + 1
        return number

    def put(self, message: Message) -> None:
        """Take a message in, or back: its state and lock say where it belongs."""
        self.messages[message.sequence] = message
        if message.lock is not None:
            self.locks[message.lock] = message
        elif message.state is State.SCHEDULED:
            self.scheduled.add(message.sequence)
        elif message.state is State.DEFERRED:
            self.deferred.add(message.sequence)
        else:
            heapq.heappush(self._ready, message.sequence)

    def lock(self, message: Message, token: UUID, until: int) -> None:
        self.deferred.discard(message.sequence)
        message.lock, message.locked_until = token, until
        self.locks[token] = message

    def unlock(self, message: Message) -> None:
        """End the lock; `put` or `remove` has to follow."""
        if message.lock is not None:
            del self.locks[message.lock]
            message.lock = None

    def remove(self, message: Message) -> None:
        self.unlock(message)
        self.scheduled.discard(message.sequence)
        self.deferred.discard(message.sequence)
        del self.messages[message.sequence]

    def first_ready(self) -> Message | None:
        """The next message to deliver, still in its place. Entries whose message has gone are dropped on the way."""
        while self._ready:
            message = self.messages.get(self._ready[0])
            if message is not None and message.lock is None and message.state is State.ACTIVE:
                return message
            heapq.heappop(self._ready)
        return None

    def pop_ready(self) -> Message | None:
        message = self.first_ready()
        if message is not None:
            heapq.heappop(self._ready)
        return message

    def from_sequence(self, start: int) -> Iterator[Message]:
        """All messages from a sequence number on, in order, whatever their state."""
        return (self.messages[number] for number in sorted(n for n in self.messages if n >= start))

    def counts(self) -> dict[str, int]:
        """How many are where; nothing is walked, so asking often costs nothing."""
        locked, waiting, deferred = len(self.locks), len(self.scheduled), len(self.deferred)
        active = len(self.messages) - locked - waiting - deferred
        return {"active": active, "scheduled": waiting, "locked": locked, "deferred": deferred}
