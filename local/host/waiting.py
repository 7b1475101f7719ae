"""Waiting that ends early when the host stops."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

log = logging.getLogger("host.loop")

_TICK = 0.25
_STALL = 1.0


async def stops_within(seconds: float, stopping: asyncio.Event) -> bool:
    """Wait; True as soon as the event is set, False when the time is over."""
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return False
    return True


async def warn_of_stalls(stopping: asyncio.Event, running: Callable[[], list[str]]) -> None:
    """Warn when the event loop stood still for over a second, and name the functions in progress.

    A blocking call in an async function stops HTTP, timers and the renewal of locks.
    """
    before = time.monotonic()
    while not await stops_within(_TICK, stopping):
        late = time.monotonic() - before - _TICK
        if late > _STALL:
            log.warning("the event loop stood still for %.1f s; in progress: %s", late, ", ".join(running()) or "-")
        before = time.monotonic()
