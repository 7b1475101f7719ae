"""The management node of a queue: peek, schedule, renew, and settling by lock token.

Source: https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-request-response.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from local.bus.codec import CodecError
from local.bus.entity import Entity, Message
from local.bus.errors import (
    BrokerError,
    BusyError,
    LockLostError,
    MessageNotFoundError,
    MessageTooLargeError,
    RequestError,
)
from local.bus.links import encoded
from local.bus.messages import Content, parse, scheduled
from local.bus.requests import Reply, Request, reply
from local.bus.service import Service
from local.bus.values import Array, Timestamp

if TYPE_CHECKING:
    from local.bus.connection import Connection

_PREFIX = "com.microsoft:"
_PEEK_BYTES = 1 << 20
_STATUS: dict[type[Exception], int] = {
    MessageNotFoundError: 404, LockLostError: 410, RequestError: 400, MessageTooLargeError: 403, BusyError: 503,
}  # fmt: skip


def manage(connection: Connection, entity: Entity) -> Callable[[Request], Reply]:
    """A handler of the requests of one queue."""

    def handle(request: Request) -> Reply:
        operation = str(request.properties.get("operation")).removeprefix(_PREFIX)
        serve = _OPERATIONS.get(operation)
        if serve is None:
            return reply(501, f"'{operation}' is not served here.", condition="amqp:not-implemented")
        try:
            connection.operate("manage")
            return serve(connection.service, entity, request)
        except BrokerError as reason:
            return reply(_STATUS.get(type(reason), 403), str(reason), condition=reason.condition)
        except CodecError as reason:
            return reply(400, str(reason), condition="amqp:decode-error")

    return handle


def _peek(service: Service, entity: Entity, request: Request) -> Reply:
    start, count = request.field("from-sequence-number", int), request.field("message-count", int)
    found: list[bytes] = []
    size = 0
    for message in service.broker.peek(entity, start, max(1, count)):
        found.append(encoded(message, with_state=True))
        size += len(found[-1])
        if size >= _PEEK_BYTES:
            break
    if not found:
        return reply(204, "No message from there on.", {"messages": []})
    return reply(200, "OK", {"messages": [{"message": data} for data in found]})


def _schedule(service: Service, entity: Entity, request: Request) -> Reply:
    entries = request.field("messages", list)
    if not all(isinstance(entry, dict) and isinstance(entry.get("message"), bytes) for entry in entries):
        raise RequestError("'messages' is a list of maps with an encoded message.")
    now = service.now()
    contents = [_scheduled_content(entity, entry["message"], now) for entry in entries]
    return reply(200, "OK", {"sequence-numbers": Array(service.broker.send(entity, contents, now))})


def _scheduled_content(entity: Entity, data: bytes, now: int) -> Content:
    if len(data) > entity.options.message_limit:
        raise MessageTooLargeError(f"The message is larger than the {entity.options.message_limit} bytes allowed here.")
    content = parse(data)
    return content if content.scheduled_for is not None else scheduled(content, now)


def _cancel(service: Service, entity: Entity, request: Request) -> Reply:
    service.broker.cancel(entity, request.numbers("sequence-numbers"))
    return reply(200, "OK")


def _renew(service: Service, entity: Entity, request: Request) -> Reply:
    ends = service.broker.renew(entity, _tokens(request), service.now())
    return reply(200, "OK", {"expirations": Array(Timestamp(end) for end in ends)})


def _update(service: Service, entity: Entity, request: Request) -> Reply:
    broker, now = service.broker, service.now()
    status = request.field("disposition-status", str)
    for token in _tokens(request):
        if status == "completed":
            broker.complete(entity, token, now)
        elif status == "abandoned":
            broker.abandon(entity, token, now)
        elif status == "defered":
            broker.defer(entity, token, now)
        elif status == "suspended":
            reason, text = (_optional(request, f"deadletter-{part}") for part in ("reason", "description"))
            broker.dead_letter(entity, token, now, reason, text)
        else:
            raise RequestError(f"'{status}' is not a disposition status.")
    return reply(200, "OK")


def _receive_deferred(service: Service, entity: Entity, request: Request) -> Reply:
    deletes = request.field("receiver-settle-mode", int, 1) == 0
    numbers = request.numbers("sequence-numbers")
    found = service.broker.receive_deferred(entity, numbers, service.now(), delete=deletes)
    return reply(200, "OK", {"messages": [_deferred_entry(message) for message in found]})


def _deferred_entry(message: Message) -> dict[str, Any]:
    entry: dict[str, Any] = {"message": encoded(message)}
    if message.lock is not None:
        entry["lock-token"] = message.lock
    return entry


def _tokens(request: Request) -> list[UUID]:
    tokens: list[UUID] = request.field("lock-tokens", list)
    if not all(isinstance(token, UUID) for token in tokens):
        raise RequestError("'lock-tokens' is an array of uuid.")
    return tokens


def _optional(request: Request, name: str) -> str | None:
    return None if request.body.get(name) is None else str(request.body[name])


_OPERATIONS: dict[str, Callable[[Service, Entity, Request], Reply]] = {
    "peek-message": _peek, "schedule-message": _schedule, "cancel-scheduled-message": _cancel, "renew-lock": _renew,
    "update-disposition": _update, "receive-by-sequence-number": _receive_deferred,
}  # fmt: skip
