"""Broker, store and receivers in one turn of the event loop.

A turn takes in what every connection sent, lets time pass, hands out messages, writes all of it in one transaction,
and only then lets the answers go: no promise leaves before it is kept.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from local.bus.broker import Broker, Changes
from local.bus.entity import Entity
from local.bus.faults import Faults
from local.bus.store import Store

_log = logging.getLogger(__name__)


class Consumer(Protocol):
    """A receiver that waits for messages of one entity."""

    def can_take(self) -> bool: ...
    def deliver(self, now: int) -> None: ...
    def turn_ends(self) -> None: ...


class Outlet(Protocol):
    """A connection, as far as turns and tests look at it."""

    def flush(self) -> None: ...
    def abort(self) -> None: ...
    def detach_senders(self, since: float) -> int: ...
    def close(self, condition: str | None = None, description: str = "") -> None: ...


class Service:
    """What all connections share. `failed` is set, with the reason, when the file could not be written."""

    def __init__(self, broker: Broker, store: Store, key: str, clock: Callable[[], float] = time.time) -> None:
        self.broker, self.store, self.key = broker, store, key
        self.failed: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        self.outlets: set[Outlet] = set()
        self.connections: set[Outlet] = set()
        self.faults = Faults()
        self._clock = clock
        self._consumers: dict[Entity, deque[Consumer]] = {}
        self._turn: asyncio.Handle | None = None
        self._timer: asyncio.TimerHandle | None = None

    def now(self) -> int:
        """Milliseconds since 1970."""
        return int(self._clock() * 1000)

    def begin(self) -> int:
        """Time passes before anything is done; a turn will end. Gives the time."""
        now = self.now()
        self.broker.advance(now)
        self.touch()
        return now

    def touch(self) -> None:
        """Have a turn end soon, after all that is readable now has been read."""
        if self._turn is None:
            self._turn = asyncio.get_running_loop().call_soon(self.end_turn)

    def join(self, entity: Entity, consumer: Consumer) -> None:
        self._consumers.setdefault(entity, deque()).append(consumer)

    def leave(self, entity: Entity, consumer: Consumer) -> None:
        waiting = self._consumers.get(entity)
        if waiting is not None and consumer in waiting:
            waiting.remove(consumer)

    def end_turn(self) -> None:
        self._turn = None
        if self.failed.done():
            return
        now = self.now()
        self.broker.advance(now)
        for entity, consumers in self._consumers.items():
            _serve(entity, consumers, now)
        try:
            self._write()
        except sqlite3.Error as error:
            self._fail(error)
            return
        outlets, self.outlets = self.outlets, set()
        for outlet in outlets:
            outlet.flush()
        self._set_timer()

    def _write(self) -> None:
        if self.broker.changes:
            self.store.write(self.broker.changes)
            self.broker.changes = Changes()

    def _fail(self, error: Exception) -> None:
        # Memory and file have parted: the only honest answer is none. The file is right; start again from it.
        _log.critical("cannot write %s: %s", self.store.path, error)
        for connection in list(self.connections):
            connection.abort()
        self.failed.set_result(error)

    def _set_timer(self) -> None:
        deadline = self.broker.next_deadline()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if deadline is not None:
            wait = max(0.0, deadline / 1000 - self._clock()) + 0.001  # the clock above counts whole milliseconds
            self._timer = asyncio.get_running_loop().call_later(wait, self.touch)


def _serve(entity: Entity, consumers: deque[Consumer], now: int) -> None:
    """Messages to receivers with credit, one each in turn, until messages or credit run out."""
    passed = 0
    while passed < len(consumers) and entity.first_ready() is not None:
        consumer = consumers[0]
        consumers.rotate(-1)
        if consumer.can_take():
            consumer.deliver(now)
            passed = 0
        else:
            passed += 1
    for consumer in consumers:
        consumer.turn_ends()
