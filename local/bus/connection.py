"""One TCP connection: headers, SASL, frames, and the sessions they belong to."""

from __future__ import annotations

import asyncio
import itertools
import logging

from local.bus import frames
from local.bus.frames import Frame, FrameError, error, frame, take_frame
from local.bus.service import Service
from local.bus.session import Session
from local.bus.tokens import Grant
from local.bus.values import Array, Symbol, Uint, Ushort

_log = logging.getLogger(__name__)
_numbers = itertools.count(1)
_MECHANISMS = Array(Symbol(name) for name in ("MSSBCBS", "PLAIN", "ANONYMOUS", "EXTERNAL"))
_CHANNEL_MAX, _IDLE_TIMEOUT = 4999, 240_000
_PENDING_LIMIT = 1 << 20
NOT_AMQP = {
    b"\x16\x03": "TLS is not served here: the connection string needs UseDevelopmentEmulator=true",
    b"GET ": "HTTP is not served here", b"PUT ": "the administration API (HTTP) is not served here",
}  # fmt: skip


class Connection(asyncio.Protocol):
    """Bytes in, frames to sessions, bytes out at the end of the turn."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.number = next(_numbers)
        self.grants: dict[str, Grant] = {}
        self.max_frame = 512
        self.sessions: dict[int, Session] = {}
        self._in = bytearray()
        self._out: list[bytes] = []
        self._out_size = 0
        self._expects_header = True
        self._is_paused = self._is_closing = self._is_held = False
        self._heartbeat: asyncio.TimerHandle | None = None

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # asyncio has set TCP_NODELAY
        self.transport = transport
        self.service.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_closing = True
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        for session in self.sessions.values():
            session.end()
        self.sessions.clear()
        self.service.connections.discard(self)
        _log.info("connection %d is gone%s", self.number, f": {exc}" if exc else "")

    def data_received(self, data: bytes) -> None:
        self._in += data
        self.service.begin()
        try:
            while not self._is_closing and self._take_one():
                pass
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as reason:
            # Whatever a peer sends may end its own connection and nothing else.
            _log.warning(
                "connection %d: bad frame: %s", self.number, reason, exc_info=not isinstance(reason, ValueError)
            )
            self.close("amqp:connection:framing-error", str(reason))

    def pause_writing(self) -> None:
        self._is_paused = True

    def resume_writing(self) -> None:
        self._is_paused = False
        self.service.touch()

    # Out

    def send(self, data: bytes) -> None:
        """Bytes that go at the end of the turn, when what they promise has been written."""
        self._out.append(data)
        self._out_size += len(data)
        self.service.outlets.add(self)

    def has_room(self) -> bool:
        """Whether a large message more may be queued here; a slow reader must not fill the memory."""
        return not self._is_paused and not self._is_closing and self._out_size < _PENDING_LIMIT

    def operate(self, operation: str) -> None:
        """Count an operation, for tests that asked for trouble. Raises BusyError when it is to be refused."""
        delay = self.service.faults.strike(operation)
        if delay:
            self._is_held = True
            asyncio.get_running_loop().call_later(delay, self._let_go)

    def _let_go(self) -> None:
        self._is_held = False
        self.flush()

    def flush(self) -> None:
        if self._is_held:
            return
        data, self._out, self._out_size = b"".join(self._out), [], 0
        if not self.transport.is_closing():
            self.transport.write(data)
            if self._is_closing:
                self.transport.close()
        if not self._is_paused and len(data) >= _PENDING_LIMIT:
            self.service.touch()

    def abort(self) -> None:
        self._is_closing = True
        self.transport.abort()

    def detach_senders(self, since: float) -> int:
        """Detach the senders that have sent nothing since a time in milliseconds; gives how many."""
        return sum(session.detach_senders(since) for session in self.sessions.values())

    def close(self, condition: str | None = None, description: str = "") -> None:
        """Say goodbye, with a reason or without, and hang up once it is sent."""
        if not self._is_closing:
            self.send(frame(frames.CLOSE, [error(condition, description)] if condition else []))
        self._is_closing = True

    # In

    def _take_one(self) -> bool:
        if self._expects_header:
            return self._take_header()
        found, size = take_frame(self._in)
        del self._in[:size]
        if found is not None:
            self._dispatch(found)
        return size > 0

    def _take_header(self) -> bool:
        for start, explanation in NOT_AMQP.items():
            if self._in.startswith(start):
                raise FrameError(explanation)
        if len(self._in) < 8:
            return False
        header = bytes(self._in[:8])
        if header not in (frames.AMQP_HEADER, frames.SASL_HEADER):
            raise FrameError("not an AMQP 1.0 header")
        del self._in[:8]
        self._expects_header = False
        self.send(header)
        if header == frames.SASL_HEADER:
            self.send(frame(frames.SASL_MECHANISMS, [_MECHANISMS], frame_type=frames.SASL))
        return True

    def _dispatch(self, found: Frame) -> None:
        if found.kind == frames.SASL_INIT:
            # Anyone may connect; what a connection may do is decided by its tokens.
            self.send(frames.sasl_outcome(0))
            self._expects_header = True
        elif found.kind == frames.OPEN:
            self._open(found)
        elif found.kind == frames.BEGIN:
            self._begin(found)
        elif found.kind == frames.END:
            self._end(found)
        elif found.kind == frames.CLOSE:
            self.close()
        elif found.channel in self.sessions:
            self.sessions[found.channel].take(found)
        # else: detaches that follow their session's end, which the Python client sends

    def _open(self, found: Frame) -> None:
        self.max_frame = max(512, min(int(found.fields[2]), 1 << 20))
        fields = [f"rapport-{self.number}", None, Uint(frames.MAX_FRAME), Ushort(_CHANNEL_MAX), Uint(_IDLE_TIMEOUT)]
        self.send(frame(frames.OPEN, fields))
        if found.fields[4]:
            self._beat(max(0.05, int(found.fields[4]) / 2000))
        _log.info("connection %d is open", self.number)

    def _beat(self, seconds: float) -> None:
        """Empty frames for a client that hangs up on silence."""
        if not self.transport.is_closing():
            self.transport.write(b"\x00\x00\x00\x08\x02\x00\x00\x00")
            self._heartbeat = asyncio.get_running_loop().call_later(seconds, self._beat, seconds)

    def _begin(self, found: Frame) -> None:
        if found.channel in self.sessions or found.channel > _CHANNEL_MAX:
            raise FrameError(f"channel {found.channel} cannot begin")
        self.sessions[found.channel] = Session(self, found)

    def _end(self, found: Frame) -> None:
        session = self.sessions.pop(found.channel, None)
        if session is not None:
            session.end()
            self.send(frame(frames.END, [], found.channel))
