"""The rules of a Service Bus queue, without a socket, a file or a clock.

Every call takes the time; what a call changed is kept in `changes` until the store has written it, and
`next_deadline` says when `advance` is due. Rules: peek-lock, delivery count, dead letters, schedules, time to live,
duplicate detection, deferral, as Service Bus documents them for plain queues.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from uuid import UUID

from local.bus.entity import Entity, Message, State
from local.bus.errors import EntityNotFoundError, LockLostError, MessageNotFoundError, NotAllowedError
from local.bus.history import History
from local.bus.messages import Content, dead_lettered
from local.bus.queues import QueueOptions

DEAD_LETTERS = "/$deadletterqueue"


@dataclass(slots=True)
class Changes:
    """What has to be written: final states only, however often a message changed in one turn. None means gone."""

    messages: dict[tuple[str, int], Message | None] = field(default_factory=dict)
    contents: dict[int, Content | None] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)
    seen: dict[tuple[str, str], int | None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.messages or self.contents or self.sequences or self.seen)


class Broker:
    """All queues. `new_token` gives lock tokens."""

    def __init__(self, queues: Iterable[QueueOptions], new_token: Callable[[], UUID]) -> None:
        self.entities: dict[str, Entity] = {}
        self.changes = Changes()
        self._new_token = new_token
        self._deadlines: list[tuple[int, str, int]] = []
        self._histories: dict[str, History] = {}
        self._next_content = 1
        for options in queues:
            path = options.name.lower()
            self.entities[path] = Entity(path, options, is_dead_letters=False)
            self.entities[path + DEAD_LETTERS] = Entity(path + DEAD_LETTERS, options, is_dead_letters=True)
            self._histories[path] = History(options.duplicate_window)

    def entity(self, path: str) -> Entity:
        try:
            return self.entities[path.lower()]
        except KeyError:
            raise EntityNotFoundError(f"There is no queue '{path}'; queues come from the queue list alone.") from None

    # Starting again: what the store kept, put back without being a change.

    def restore(self, path: str, message: Message) -> None:
        entity = self.entities[path]
        entity.put(message)
        entity.next_sequence = max(entity.next_sequence, message.sequence + 1)
        time = message.locked_until if message.lock is not None else message.due_at or message.expires_at
        self._remind(time, entity, message)

    def restore_numbers(self, next_content: int) -> None:
        self._next_content = next_content

    def restore_sequence(self, path: str, next_sequence: int) -> None:
        entity = self.entities[path]
        entity.next_sequence = max(entity.next_sequence, next_sequence)

    def restore_seen(self, path: str, message_id: str, at: int) -> None:
        """Ids in the order they were seen."""
        self._histories[path].restore(message_id, at)

    # Sending

    def send(self, entity: Entity, contents: Sequence[Content], now: int) -> list[int]:
        """Accept messages, all of them; a later scheduled time makes one wait. Gives their sequence numbers.

        A message whose id the queue has seen within its window is dropped, and its number leads nowhere.
        """
        if entity.is_dead_letters:
            raise NotAllowedError("Nothing can be sent to a dead-letter queue.")
        for message_id in self._histories[entity.path].forget(now):
            self.changes.seen[entity.path, message_id] = None
        return [self._accept(entity, content, now) for content in contents]

    def _accept(self, entity: Entity, content: Content, now: int) -> int:
        sequence = self._number(entity)
        if not self._histories[entity.path].admit(content.message_id, now):
            return sequence
        if content.message_id is not None and entity.options.duplicate_window is not None:
            self.changes.seen[entity.path, content.message_id] = now
        message = Message(sequence, self._keep(content), content, enqueued_at=now)
        if content.scheduled_for is not None and content.scheduled_for > now:
            message.state, message.due_at = State.SCHEDULED, content.scheduled_for
        else:
            self._start_time_to_live(entity, message)
        self._put(entity, message)
        return sequence

    def _start_time_to_live(self, entity: Entity, message: Message) -> None:
        limits = [ttl for ttl in (message.content.ttl, entity.options.time_to_live) if ttl is not None]
        if limits:
            message.expires_at = message.enqueued_at + min(limits)

    def cancel(self, entity: Entity, sequences: Sequence[int]) -> None:
        """Take back scheduled messages, all or none. Raises MessageNotFoundError when one is not waiting any more."""
        missing = [number for number in sequences if number not in entity.scheduled]
        if missing:
            raise MessageNotFoundError(f"No scheduled message has the sequence number {missing[0]}.")
        for number in dict.fromkeys(sequences):
            self._remove(entity, entity.messages[number])

    # Receiving

    def receive(self, entity: Entity, now: int) -> Message | None:
        """The next message, locked for the queue's lock duration; None when none is available."""
        message = entity.pop_ready()
        if message is not None:
            self._lock(entity, message, now)
        return message

    def take(self, entity: Entity) -> Message | None:
        """The next message, removed: receive-and-delete."""
        message = entity.pop_ready()
        if message is not None:
            self._remove(entity, message)
        return message

    def receive_deferred(self, entity: Entity, sequences: Sequence[int], now: int, *, delete: bool) -> list[Message]:
        """Deferred messages by number, locked or removed. Raises MessageNotFoundError when one is not deferred."""
        missing = [number for number in sequences if number not in entity.deferred]
        if missing:
            raise MessageNotFoundError(f"No deferred message has the sequence number {missing[0]}.")
        found = [entity.messages[number] for number in dict.fromkeys(sequences)]
        for message in found:
            if delete:
                self._remove(entity, message)
            else:
                self._lock(entity, message, now)
        return found

    def peek(self, entity: Entity, start: int, count: int) -> list[Message]:
        """Up to `count` messages from a sequence number on, in any state; nothing changes."""
        return list(islice(entity.from_sequence(start), count))

    # Settling. `token` is the lock; without a running lock each raises LockLostError.

    def complete(self, entity: Entity, token: UUID, now: int) -> None:
        self._remove(entity, self._locked(entity, token, now))

    def abandon(self, entity: Entity, token: UUID, now: int) -> None:
        self._return(entity, self._locked(entity, token, now), now, failed=True)

    def release(self, entity: Entity, token: UUID, now: int) -> None:
        """Back to its place, uncounted: the client had it and never showed it to anyone."""
        self._return(entity, self._locked(entity, token, now), now, failed=False)

    def defer(self, entity: Entity, token: UUID, now: int) -> None:
        """Set aside until asked for by number. It counts as a delivery, as users of the service report."""
        message = self._locked(entity, token, now)
        entity.unlock(message)
        message.state, message.delivery_count = State.DEFERRED, message.delivery_count + 1
        self._put(entity, message)

    def dead_letter(
        self, entity: Entity, token: UUID, now: int, reason: str | None = None, description: str | None = None
    ) -> None:
        message = self._locked(entity, token, now)
        if entity.is_dead_letters:
            raise NotAllowedError("A dead letter cannot be dead-lettered again.")
        self._bury(entity, message, reason, description)

    def renew(self, entity: Entity, tokens: Sequence[UUID], now: int) -> list[int]:
        """The new ends of these locks, all or none."""
        messages = [self._locked(entity, token, now) for token in tokens]
        for message in messages:
            message.locked_until = now + entity.options.lock_duration
            self._remind(message.locked_until, entity, message)
            self._changed(entity, message)
        return [message.locked_until for message in messages]

    def _locked(self, entity: Entity, token: UUID, now: int) -> Message:
        message = entity.locks.get(token)
        if message is None or message.locked_until <= now:
            raise LockLostError("The lock has ended, or the message was settled before.")
        return message

    def _lock(self, entity: Entity, message: Message, now: int) -> None:
        entity.lock(message, self._new_token(), now + entity.options.lock_duration)
        self._remind(message.locked_until, entity, message)
        self._changed(entity, message)

    def _return(self, entity: Entity, message: Message, now: int, *, failed: bool) -> None:
        entity.unlock(message)
        message.delivery_count += failed
        if message.expires_at is not None and message.expires_at <= now:
            self._expire(entity, message)
        elif failed and not entity.is_dead_letters and message.delivery_count >= entity.options.max_delivery_count:
            text = f"Delivered {message.delivery_count} times without being completed."
            self._bury(entity, message, "MaxDeliveryCountExceeded", text)
        else:
            self._put(entity, message)

    # Time

    def next_deadline(self) -> int | None:
        """When `advance` has something to do next, or None."""
        while self._deadlines and not self._is_due(*self._deadlines[0]):
            heapq.heappop(self._deadlines)
        return self._deadlines[0][0] if self._deadlines else None

    def advance(self, now: int) -> None:
        """Let time do its work: schedules fall due, locks end, messages expire."""
        while self._deadlines and self._deadlines[0][0] <= now:
            due = heapq.heappop(self._deadlines)
            if not self._is_due(*due):
                continue
            entity = self.entities[due[1]]
            message = entity.messages[due[2]]
            if message.lock is not None:
                self._return(entity, message, now, failed=True)
            elif message.state is State.SCHEDULED:
                self._activate(entity, message, now)
            else:
                self._expire(entity, message)

    def _is_due(self, time: int, path: str, sequence: int) -> bool:
        """Whether an entry still means something: its message may have gone, or been locked or renewed since."""
        message = self.entities[path].messages.get(sequence)
        if message is None:
            return False
        if message.lock is not None:
            return time == message.locked_until
        return time == (message.due_at if message.state is State.SCHEDULED else message.expires_at)

    def _activate(self, entity: Entity, message: Message, now: int) -> None:
        self._detach(entity, message)
        message.sequence, message.enqueued_at = self._number(entity), now
        message.state, message.due_at = State.ACTIVE, None
        self._start_time_to_live(entity, message)
        self._put(entity, message)

    def _expire(self, entity: Entity, message: Message) -> None:
        if entity.options.dead_letter_expired:
            self._bury(entity, message, "TTLExpiredException", "The time to live ended before it was completed.")
        else:
            self._remove(entity, message)

    def _bury(self, entity: Entity, message: Message, reason: str | None, description: str | None) -> None:
        grave = self.entities[entity.path + DEAD_LETTERS]
        self._remove(entity, message)
        content = dead_lettered(message.content, reason, description)
        letter = Message(self._number(grave), self._keep(content), content, message.enqueued_at)
        letter.delivery_count = message.delivery_count
        self._put(grave, letter)

    # Trouble on request

    def empty(self) -> int:
        """Drop all messages and all remembered ids, as if every queue were made anew; gives the number of messages.

        Sequence numbers go on, and who holds a lock has lost it.
        """
        held = [(entity, message) for entity in self.entities.values() for message in entity.messages.values()]
        for entity, message in held:
            self._remove(entity, message)
        for path, history in self._histories.items():
            self.changes.seen.update({(path, message_id): None for message_id in history.forget_all()})
        return len(held)

    # Keeping the record of changes

    def _number(self, entity: Entity) -> int:
        sequence = entity.new_sequence()
        self.changes.sequences[entity.path] = entity.next_sequence
        return sequence

    def _keep(self, content: Content) -> int:
        content_id, self._next_content = self._next_content, self._next_content + 1
        self.changes.contents[content_id] = content
        return content_id

    def _put(self, entity: Entity, message: Message) -> None:
        entity.put(message)
        self._remind(message.due_at or message.expires_at, entity, message)
        self._changed(entity, message)

    def _changed(self, entity: Entity, message: Message) -> None:
        self.changes.messages[entity.path, message.sequence] = message

    def _detach(self, entity: Entity, message: Message) -> None:
        entity.remove(message)
        self.changes.messages[entity.path, message.sequence] = None

    def _remove(self, entity: Entity, message: Message) -> None:
        self._detach(entity, message)
        self.changes.contents[message.content_id] = None

    def _remind(self, time: int | None, entity: Entity, message: Message) -> None:
        if time is not None:
            heapq.heappush(self._deadlines, (time, entity.path, message.sequence))
