"""What a client attaches to: a queue, its dead letters, a management node or `$cbs`; or why it may not."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from local.bus import frames
from local.bus.errors import BrokerError, NotAllowedError, NotServedError, UnauthorizedError
from local.bus.frames import FrameError
from local.bus.links import InLink, OutLink, ReceiveLink, ReplyLink, RequestLink, SendLink
from local.bus.management import manage
from local.bus.requests import answer, put_token
from local.bus.tokens import entity_path
from local.bus.values import Described, Symbol, Uint, Ulong

if TYPE_CHECKING:
    from local.bus.session import Session

_log = logging.getLogger(__name__)
CBS, MANAGEMENT = "$cbs", "/$management"
MAX_MESSAGE = 262_144
_SESSION_FILTER = "com.microsoft:session-filter"
_DELETES = 1  # snd-settle-mode settled: receive-and-delete


def attach(session: Session, fields: list[Any]) -> None:
    """Answer an attach with a link, or with a refusal that says why."""
    name, handle, is_receiver = fields[:3]
    if not isinstance(name, str) or not isinstance(handle, int) or handle in session.links:
        raise FrameError("an attach needs a name and a free handle")
    try:
        link = _link(session, handle, bool(is_receiver), fields)
    except BrokerError as reason:
        _log.info("connection %d: refused %s: %s", session.connection.number, name, reason)
        _refuse(session, fields, reason)
        return
    session.links[handle] = link
    _accept(session, fields)
    if isinstance(link, InLink):
        link.grant()


def _link(session: Session, handle: int, is_receiver: bool, fields: list[Any]) -> InLink | OutLink:
    address = _address(fields[5 if is_receiver else 6])
    path = entity_path(address)
    first_count = int(fields[9] or 0)
    if path == CBS:
        if is_receiver:
            return ReplyLink(session, handle, CBS)
        return RequestLink(session, handle, first_count, CBS, lambda data: answer(data, put_token(session.connection)))
    node, path = path, path.removesuffix(MANAGEMENT)
    _authorize(session, path)
    entity = session.service.broker.entity(path)
    if node != path:
        if is_receiver:
            return ReplyLink(session, handle, node)
        return RequestLink(
            session, handle, first_count, node, lambda data: answer(data, manage(session.connection, entity))
        )
    if not is_receiver:
        if entity.is_dead_letters:
            raise NotAllowedError("Nothing can be sent to a dead-letter queue.")
        return SendLink(session, handle, first_count, entity)
    _refuse_sessions(fields[5])
    _log.info("connection %d receives from %s", session.connection.number, path)
    return ReceiveLink(session, handle, entity, deletes=fields[3] == _DELETES)


def _address(terminus: Any) -> str:
    if isinstance(terminus, Described) and terminus.descriptor == frames.COORDINATOR:
        raise NotServedError("Transactions are not served here.")
    if not isinstance(terminus, Described) or not isinstance(terminus.value, list) or not terminus.value:
        raise FrameError("a link needs a source and a target")
    address = terminus.value[0]
    if not isinstance(address, str):
        raise NotServedError("A link needs an address; the broker makes up none.")
    if "/subscriptions/" in address.lower():
        raise NotServedError("Topics and subscriptions are not served here.")
    return address


def _authorize(session: Session, path: str) -> None:
    now = session.service.now() / 1000
    if not any(grant.covers(path, now) for grant in session.connection.grants.values()):
        raise UnauthorizedError(f"No token on this connection opens '{path}'.")


def _refuse_sessions(source: Described) -> None:
    filters = source.value[7] if len(source.value) > 7 else None
    if isinstance(filters, dict) and _SESSION_FILTER in filters:
        raise NotServedError("Sessions are not served here: no queue of this stand-in has them.")


def _accept(session: Session, fields: list[Any]) -> None:
    name, handle, is_receiver, send_mode, receive_mode, source, target = fields[:7]
    reply = [name, Uint(handle), not is_receiver, send_mode, receive_mode, source, target, None, False]
    if is_receiver:
        reply += [Uint(0), Ulong(MAX_MESSAGE)]
    else:
        batch = {Symbol("com.microsoft:max-message-batch-size"): Ulong(MAX_MESSAGE)}
        reply += [None, Ulong(MAX_MESSAGE), None, None, batch]
    session.send(frames.ATTACH, reply)


def _refuse(session: Session, fields: list[Any], reason: BrokerError) -> None:
    """An attach without the terminus that was asked for, then a detach with the reason."""
    name, handle, is_receiver, send_mode, receive_mode, source, target = fields[:7]
    ends = [None, target] if is_receiver else [source, None]
    count = [Uint(0)] if is_receiver else [None]
    session.send(
        frames.ATTACH, [name, Uint(handle), not is_receiver, send_mode, receive_mode, *ends, None, False, *count]
    )
    session.detach(handle, reason.condition, str(reason))
