"""A clock that runs like the real one, shifted by what the tests ask for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime


class Clock:
    """Seconds since 1970. `set` and `advance` move it at once; who waits for a time of this clock is woken."""

    def __init__(self, offset: float = 0.0, real: Callable[[], float] = time.time) -> None:
        self.offset, self._real = offset, real
        self._moved = asyncio.Event()

    def now(self) -> float:
        return self._real() + self.offset

    def set(self, at: float) -> None:
        self.offset = at - self._real()
        self.wake()

    def advance(self, seconds: float) -> None:
        self.offset += seconds
        self.wake()

    def wake(self) -> None:
        """Let whoever waits look again: the time moved, or there is something new to wait for."""
        self._moved.set()

    async def wait_until(self, at: float | None) -> None:
        """Until `at`, or until somebody wakes; None waits for a wake-up only."""
        seconds = None if at is None else max(0.0, at - self.now())
        try:
            await asyncio.wait_for(self._moved.wait(), seconds)
        except TimeoutError:
            return
        self._moved.clear()


def instant(text: str) -> float:
    """RFC 3339 to seconds since 1970; without an offset it is UTC. Raises ValueError."""
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def text_of(at: float) -> str:
    """As Graph writes the times of messages and subscriptions: whole seconds, Z."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
