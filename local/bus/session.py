"""One session: its links, its transfer windows, and the deliveries that wait to be settled."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, Any
from uuid import UUID

from local.bus import frames
from local.bus.attach import attach
from local.bus.errors import BrokerError, LockLostError
from local.bus.frames import Frame, FrameError, frame, outcome, rejected, transfer_frames
from local.bus.links import InLink, OutLink, ReceiveLink, SendLink
from local.bus.values import Described, Uint, Ushort

if TYPE_CHECKING:
    from local.bus.connection import Connection

_log = logging.getLogger(__name__)
_WINDOW = 2_147_483_647
_RANGE_LIMIT = 65_536
_WRAP = 1 << 32


class Session:
    """Begun by the client's `begin`; the channel and the handles are the client's own numbers."""

    def __init__(self, connection: Connection, begin: Frame) -> None:
        self.connection, self.service, self.channel = connection, connection.service, begin.channel
        self.links: dict[int, InLink | OutLink] = {}
        self._unsettled: dict[int, tuple[ReceiveLink, UUID]] = {}
        self._next_in = int(begin.fields[1])
        self._next_out = self._next_delivery = 0
        self._window = int(begin.fields[2])
        self._waiting: deque[bytes] = deque()
        self.send(frames.BEGIN, [Ushort(begin.channel), Uint(0), Uint(_WINDOW), Uint(_WINDOW), Uint(4_294_967_295)])

    def send(self, kind: int, fields: list[Any]) -> None:
        self.connection.send(frame(kind, fields, self.channel))

    def take(self, found: Frame) -> None:
        """One frame of this session."""
        if found.kind == frames.TRANSFER:
            self._transfer(found)
        elif found.kind == frames.DISPOSITION:
            self._disposition(*found.fields[:5])
        elif found.kind == frames.FLOW:
            self._flow(found.fields)
        elif found.kind == frames.ATTACH:
            attach(self, found.fields)
        elif found.kind == frames.DETACH:
            self._detach(int(found.fields[0]))

    def end(self) -> None:
        """The links go, the locks stay: what was held comes back when its lock ends."""
        for link in self.links.values():
            link.leave()
        self.links.clear()
        self._unsettled.clear()

    # Out

    def has_room(self) -> bool:
        return self._window > 0 and not self._waiting and self.connection.has_room()

    def deliver(self, handle: int, tag: bytes, message: bytes, *, settled: bool) -> int:
        """Send a message within the client's window and frame size; gives its delivery id."""
        delivery_id = self._next_delivery
        self._next_delivery = (delivery_id + 1) % _WRAP
        limit = self.connection.max_frame
        self._waiting.extend(
            transfer_frames(handle, (delivery_id, tag), message, settled=settled, channel=self.channel, max_frame=limit)
        )
        self._pump()
        return delivery_id

    def hold(self, delivery_id: int, link: ReceiveLink, token: UUID) -> None:
        self._unsettled[delivery_id] = (link, token)

    def _pump(self) -> None:
        while self._waiting and self._window > 0:
            self.connection.send(self._waiting.popleft())
            self._window -= 1
            self._next_out = (self._next_out + 1) % _WRAP

    def send_flow(self, handle: int, delivery_count: int, credit: int, *, drain: bool = False) -> None:
        windows = [Uint(self._next_in), Uint(_WINDOW), Uint(self._next_out), Uint(_WINDOW)]
        self.send(frames.FLOW, [*windows, Uint(handle), Uint(delivery_count), Uint(credit), None, drain])

    # In

    def _transfer(self, found: Frame) -> None:
        # Counted even when dropped: a client may send before it learns that its link was refused.
        self._next_in = (self._next_in + 1) % _WRAP
        link = self.links.get(found.fields[0])
        if isinstance(link, InLink):
            link.take(found)

    def _flow(self, fields: list[Any]) -> None:
        seen = self._next_out if fields[0] is None else int(fields[0])
        in_flight = (self._next_out - seen) % _WRAP
        # The Python client counts a session flow after its links have counted; never let that go below nothing.
        self._window = max(0, int(fields[1]) - (in_flight if in_flight < _WINDOW else 0))
        self._pump()
        link = None if fields[4] is None else self.links.get(fields[4])
        if isinstance(link, OutLink):
            link.flow(fields)
        elif fields[9] and isinstance(link, InLink):
            link.grant()

    def _detach(self, handle: int) -> None:
        link = self.links.pop(handle, None)
        if link is not None:
            link.leave()
            self._unsettled = {number: held for number, held in self._unsettled.items() if held[0] is not link}
            self.send(frames.DETACH, [Uint(handle), True])

    def detach_senders(self, since: float) -> int:
        idle = [link for link in self.links.values() if isinstance(link, SendLink) and link.used_at < since]
        for link in idle:
            self.detach(link.handle, "amqp:link:detach-forced", "The link was idle.")
        return len(idle)

    def detach(self, handle: int, condition: str, description: str) -> None:
        """Detach a link from this side, as the cloud does with idle ones."""
        link = self.links.pop(handle, None)
        if link is not None:
            link.leave()
        self.send(frames.DETACH, [Uint(handle), True, frames.error(condition, description)])

    def _disposition(self, is_receiver: Any, first: Any, last: Any, settled: Any, state: Any) -> None:
        if is_receiver is not True:
            return
        last = first if last is None else last
        if not 0 <= last - first < _RANGE_LIMIT:
            raise FrameError("a disposition over an impossible range")
        for delivery_id in range(first, last + 1):
            answer = self._settle(delivery_id, state)
            if not settled:
                self.send(frames.DISPOSITION, [False, Uint(delivery_id), None, True, answer])

    def _settle(self, delivery_id: int, state: Any) -> Described:
        """Do what the client decided and say what was done: the same outcome, or why not."""
        held = self._unsettled.pop(delivery_id, None)
        try:
            if held is None:
                raise LockLostError("The lock has ended, or the message came on a connection that is gone.")
            if not isinstance(state, Described):
                raise FrameError("a delivery is settled with an outcome")
            link, token = held
            link.settle(token, state)
        except BrokerError as reason:
            return rejected(reason.condition, str(reason))
        return outcome(frames.REJECTED) if state.descriptor == frames.REJECTED else state

    def settle_in(self, delivery_id: Any, state: Described) -> None:
        """Tell the client what became of a message it sent."""
        self.send(frames.DISPOSITION, [True, Uint(delivery_id), None, True, state])
