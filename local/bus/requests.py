"""Requests and replies over a pair of links, and the one request every connection makes: `put-token`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.bus.codec import CodecError, decode
from local.bus.errors import RequestError
from local.bus.messages import APPLICATION, PROPERTIES, VALUE, section, sections
from local.bus.tokens import TokenRefusedError, check_token
from local.bus.values import Int, Symbol

if TYPE_CHECKING:
    from local.bus.connection import Connection

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked. `message_id` keeps its type: the client compares it with the reply's correlation id."""

    message_id: Any
    properties: dict[Any, Any]
    body: Any

    def field(self, name: str, kind: type, default: Any = None) -> Any:
        """A field of the body's map. Raises RequestError when it is missing or of another type."""
        found = self.body.get(name, default) if isinstance(self.body, dict) else None
        if not isinstance(found, kind):
            raise RequestError(f"The request needs '{name}'.")
        return found

    def numbers(self, name: str) -> list[int]:
        found = self.field(name, list)
        if not all(isinstance(number, int) for number in found):
            raise RequestError(f"'{name}' is an array of long.")
        return [int(number) for number in found]


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered: the properties with the status, and the body."""

    properties: dict[str, Any]
    body: Any = None


def parse_request(data: bytes) -> Request:
    """Raises CodecError when it is malformed."""
    found = {code: decode(data, value_at)[0] for code, _, value_at, _ in sections(data)}
    properties, application = found.get(PROPERTIES, []), found.get(APPLICATION, {})
    if not isinstance(properties, list) or not properties or not isinstance(application, dict):
        raise CodecError("a request has a message id and application properties")
    return Request(properties[0], application, found.get(VALUE))


def answer(data: bytes, handler: Callable[[Request], Reply]) -> bytes:
    """The encoded reply to an encoded request."""
    request = parse_request(data)
    reply = handler(request)
    properties = [None, None, None, None, None, request.message_id]
    return section(PROPERTIES, properties) + section(APPLICATION, reply.properties) + section(VALUE, reply.body)


def put_token(connection: Connection) -> Callable[[Request], Reply]:
    """Requests to `$cbs`: accept a token for the connection, or say what is wrong with it."""

    def handle(request: Request) -> Reply:
        if request.properties.get("operation") != "put-token" or not isinstance(request.body, str):
            return _token_reply(400, "only put-token with a token in the body is served")
        try:
            grant = check_token(request.body, connection.service.key, connection.service.now() / 1000)
        except TokenRefusedError as reason:
            _log.warning("connection %d: token refused: %s", connection.number, reason)
            return _token_reply(401, str(reason))
        connection.grants[grant.path] = grant
        return _token_reply(202, "Accepted")

    return handle


def _token_reply(status: int, description: str) -> Reply:
    return Reply({"status-code": Int(status), "status-description": description})


def reply(status: int, description: str, body: Any = None, condition: str | None = None) -> Reply:
    """A reply of a management node."""
    properties: dict[str, Any] = {"statusCode": Int(status), "statusDescription": description}
    if condition is not None:
        properties["errorCondition"] = Symbol(condition)
    return Reply(properties, {} if body is None else body)
