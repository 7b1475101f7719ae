"""Links: what a client sends on, what it receives on, and the pairs that carry requests and replies."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from local.bus import frames
from local.bus.codec import CodecError
from local.bus.entity import Entity, Message
from local.bus.errors import BrokerError, MessageTooLargeError, NotAllowedError
from local.bus.frames import Frame, outcome, rejected
from local.bus.messages import BATCH_FORMAT, DESCRIPTION, REASON, delivered, parse, parse_batch
from local.bus.values import Described, Symbol, Timestamp

if TYPE_CHECKING:
    from local.bus.session import Session

CREDIT = 1000
REQUEST_LIMIT = 1 << 20
DEAD_LETTER = "com.microsoft:dead-letter"
_WRAP = 1 << 32


class InLink:
    """The client sends here. Collects transfers to messages and answers each with an outcome."""

    limit = REQUEST_LIMIT

    def __init__(self, session: Session, handle: int, initial_count: int) -> None:
        self.session, self.handle = session, handle
        self._count, self._credit = initial_count, 0
        self._first: Frame | None = None
        self._parts = bytearray()

    def receive(self, data: bytes, message_format: int) -> None:
        """One whole message. Raises BrokerError or CodecError to have it rejected."""
        raise NotImplementedError

    def grant(self) -> None:
        self._credit = CREDIT
        self.session.send_flow(self.handle, self._count, self._credit)

    def leave(self) -> None: ...

    def take(self, found: Frame) -> None:
        first = self._first = self._first or found
        if len(self._parts) <= self.limit:  # past the limit the rest is not kept, only its end waited for
            self._parts += found.payload
        if found.fields[5] and not found.fields[9]:
            return
        data, self._parts, self._first = bytes(self._parts), bytearray(), None
        self._count, self._credit = (self._count + 1) % _WRAP, self._credit - 1
        if not found.fields[9]:
            self._answer(first, data, is_settled=bool(first.fields[4] or found.fields[4]))
        if self._credit <= CREDIT // 2:
            self.grant()

    def _answer(self, first: Frame, data: bytes, *, is_settled: bool) -> None:
        try:
            if first.fields[7] is not None:
                raise NotAllowedError("Transactions are not served here.")
            if len(data) > self.limit:
                raise MessageTooLargeError(f"The message is larger than the {self.limit} bytes allowed here.")
            self.receive(data, first.fields[3])
            state = outcome(frames.ACCEPTED)
        except BrokerError as reason:
            state = rejected(reason.condition, str(reason))
        except CodecError as reason:
            state = rejected("amqp:decode-error", str(reason))
        if not is_settled:
            self.session.settle_in(first.fields[1], state)


class SendLink(InLink):
    """Messages for a queue."""

    def __init__(self, session: Session, handle: int, initial_count: int, entity: Entity) -> None:
        super().__init__(session, handle, initial_count)
        self.entity, self.limit = entity, entity.options.message_limit
        self.used_at = session.service.now()

    def receive(self, data: bytes, message_format: int) -> None:
        service = self.session.service
        contents = parse_batch(data) if message_format == BATCH_FORMAT else [parse(data)]
        self.used_at = service.now()
        self.session.connection.operate("send")
        service.broker.send(self.entity, contents, self.used_at)


class RequestLink(InLink):
    """Requests to a node (`$cbs`, `QUEUE/$management`); the reply goes out on the node's reply link."""

    def __init__(
        self, session: Session, handle: int, initial_count: int, node: str, handler: Callable[[bytes], bytes]
    ) -> None:
        super().__init__(session, handle, initial_count)
        self._node, self._handler = node, handler

    def receive(self, data: bytes, message_format: int) -> None:
        replies = [x for x in self.session.links.values() if isinstance(x, ReplyLink) and x.node == self._node]
        if not replies:
            raise NotAllowedError("A request needs a link for its reply.")
        replies[-1].push(self._handler(data))


class OutLink:
    """The client receives here, as far as its credit goes."""

    def __init__(self, session: Session, handle: int) -> None:
        self.session, self.handle = session, handle
        self._count = self._credit = 0
        self._drains = False

    def flow(self, fields: list[Any]) -> None:
        """The client's word on credit: its delivery count and link credit against what was delivered since."""
        seen = 0 if fields[5] is None else int(fields[5])
        in_flight = (self._count - seen) % _WRAP
        self._credit = max(0, int(fields[6] or 0) - in_flight)
        self._drains = bool(fields[8])

    def turn_ends(self) -> None:
        """What was there has been sent; a client that drains gets its remaining credit back now."""
        if self._drains:
            self._count, self._credit, self._drains = (self._count + self._credit) % _WRAP, 0, False
            self.session.send_flow(self.handle, self._count, 0, drain=True)

    def leave(self) -> None: ...

    def transfer(self, tag: bytes, message: bytes, *, settled: bool) -> int:
        self._count, self._credit = (self._count + 1) % _WRAP, self._credit - 1
        return self.session.deliver(self.handle, tag, message, settled=settled)


class ReplyLink(OutLink):
    """Replies, which wait for credit."""

    def __init__(self, session: Session, handle: int, node: str) -> None:
        super().__init__(session, handle)
        self.node = node
        self._replies: deque[bytes] = deque()

    def push(self, reply: bytes) -> None:
        self._replies.append(reply)
        self._pump()

    def flow(self, fields: list[Any]) -> None:
        super().flow(fields)
        self._pump()
        self.turn_ends()

    def _pump(self) -> None:
        while self._replies and self._credit > 0:
            self.transfer(uuid4().bytes, self._replies.popleft(), settled=True)


class ReceiveLink(OutLink):
    """Messages of a queue or its dead letters, locked for this receiver or removed at once."""

    def __init__(self, session: Session, handle: int, entity: Entity, *, deletes: bool) -> None:
        super().__init__(session, handle)
        self.entity, self._deletes = entity, deletes
        session.service.join(entity, self)

    def leave(self) -> None:
        self.session.service.leave(self.entity, self)

    def can_take(self) -> bool:
        return self._credit > 0 and self.session.has_room()

    def deliver(self, now: int) -> None:
        broker = self.session.service.broker
        message = broker.take(self.entity) if self._deletes else broker.receive(self.entity, now)
        if message is None:
            return
        # A receiver that deletes has no lock; its delivery still needs a tag.
        token = message.lock or uuid4()
        delivery_id = self.transfer(token.bytes_le, encoded(message), settled=self._deletes)
        if not self._deletes:
            self.session.hold(delivery_id, self, token)

    def settle(self, token: UUID, state: Described) -> None:
        """Apply an outcome. Raises BrokerError when it could not be done, CodecError when it is none."""
        broker, now = self.session.service.broker, self.session.service.now()
        self.session.connection.operate("settle")
        if state.descriptor == frames.ACCEPTED:
            broker.complete(self.entity, token, now)
        elif state.descriptor == frames.RELEASED:
            broker.release(self.entity, token, now)
        elif state.descriptor == frames.MODIFIED:
            failed, elsewhere = [*state.value, None, None][:2]
            action = broker.defer if elsewhere else broker.abandon if failed else broker.release
            action(self.entity, token, now)
        elif state.descriptor == frames.REJECTED:
            broker.dead_letter(self.entity, token, now, *_reason(state.value))
        else:
            raise NotAllowedError("Transactions are not served here.")


def _reason(rejection: list[Any]) -> tuple[str | None, str | None]:
    """Reason and description of a dead letter: named in the error's info, else the error itself."""
    given = rejection[0] if rejection else None
    if not isinstance(given, Described) or not isinstance(given.value, list):
        return None, None
    condition, text, info = (given.value + [None] * 3)[:3]
    info = info if isinstance(info, dict) else {}
    if condition != DEAD_LETTER:
        return _text(condition), _text(text)
    return _text(info.get(REASON)), _text(info.get(DESCRIPTION))


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def encoded(message: Message, *, with_state: bool = False) -> bytes:
    """A stored message as a receiver or a peek gets it."""
    marks: dict[str, Any] = {
        "x-opt-enqueued-time": Timestamp(message.enqueued_at),
        "x-opt-sequence-number": message.sequence,
    }
    if message.lock is not None:
        marks["x-opt-locked-until"] = Timestamp(message.locked_until)
    if with_state:
        marks["x-opt-message-state"] = int(message.state)
    return delivered(message.content, message.delivery_count, {Symbol(name): mark for name, mark in marks.items()})
