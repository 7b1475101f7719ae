"""The limits of Graph: requests in a window, requests at once, and throttles that last a while."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from local.graph.clock import Clock
from local.graph.errors import GraphError

CONCURRENT = 4
WINDOW_SECONDS, WINDOW_REQUESTS = 600.0, 10_000


def throttled(retry_after: float, code: str = "ApplicationThrottled", limit: str = "") -> GraphError:
    text = f"Application is over its {limit} limit." if limit else "Too many requests."
    return GraphError(429, code, text, {"Retry-After": str(int(retry_after))})


class SlidingWindows:
    """Counts what happened per key in the last `seconds`; what was refused counts too."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock, self._seconds = clock, seconds
        self._seen: dict[Hashable, deque[float]] = defaultdict(deque)

    def count(self, key: Hashable) -> int:
        """One more; gives how many there are now."""
        seen, now = self._seen[key], self._clock.now()
        seen.append(now)
        while seen and seen[0] <= now - self._seconds:
            seen.popleft()
        return len(seen)

    def clear(self) -> None:
        self._seen.clear()

    def room_in(self, key: Hashable) -> float:
        """Seconds until the oldest falls out."""
        seen = self._seen[key]
        return max(1.0, seen[0] + self._seconds - self._clock.now()) if seen else 0.0


class Gate:
    """The Outlook limits per application and mailbox: 10,000 in 10 minutes, 4 at once, and running throttles."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._windows = SlidingWindows(clock, WINDOW_SECONDS)
        self._running: Counter[Hashable] = Counter()
        self._until: dict[Hashable, float] = {}

    @contextmanager
    def entered(self, app: str, mailbox: str, *, over_all: bool = False) -> Iterator[int]:
        """For the time of a request; gives how many run now. Raises GraphError 429."""
        key, lane = (app, mailbox), app if over_all else (app, mailbox)
        self._running[lane] += 1
        try:
            requests = self._windows.count(key)
            if self._running[lane] > CONCURRENT:
                raise throttled(1, limit="MailboxConcurrency")
            if requests > WINDOW_REQUESTS:
                raise throttled(self._windows.room_in(key), limit="MailboxRequests")
            yield self._running[lane]
        finally:
            self._running[lane] -= 1

    def clear(self) -> None:
        """Forget windows and throttles; what runs goes on."""
        self._windows.clear()
        self._until.clear()

    def throttle(self, app: str, mailbox: str, seconds: float) -> None:
        """From now on every request of this application to this mailbox is refused, for so long."""
        self._until[app, mailbox] = self._clock.now() + seconds

    def throttled_for(self, app: str, mailbox: str) -> float:
        """Seconds that a throttle still lasts; 0 without one."""
        return max(0.0, self._until.get((app, mailbox), 0.0) - self._clock.now())
