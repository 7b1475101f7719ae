"""Service protection limits of Dataverse, kept by a clock that tests move: who sends more, or too early, is told 429."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

WINDOW = 300.0
# (hexadecimal code, message) as published
NUMBER = ("0x80072322", "Number of requests exceeded the limit of {limit} over time window of 300 seconds.")
TIME = (
    "0x80072321",
    "Combined execution time of incoming requests exceeded limit of {limit} milliseconds over time window of 300 seconds.",
)
CONCURRENT = ("0x80072326", "Number of concurrent requests exceeded the limit of {limit}.")


@dataclass
class Clock:
    """An hour hand that only tests and pauses move: seconds since 1970."""

    now: float = 1_767_800_000.0
    paused: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        """What the client calls instead of sleeping."""
        self.paused.append(seconds)
        self.now += seconds


@dataclass
class Limits:
    """The limits of one user; `impatient` counts requests that came before the time that the last 429 named."""

    clock: Clock
    requests: int = 6_000
    milliseconds: int = 1_200_000
    concurrent: int = 52
    impatient: int = 0
    refused: int = 0
    _sent: deque[tuple[float, float]] = field(default_factory=deque)
    _closed_until: float = 0.0

    def refusal(self, under_way: int) -> tuple[str, str, int] | None:
        """Code, message and seconds to wait of a request that is not let in; None for one that is."""
        now = self.clock()
        while self._sent and self._sent[0][0] <= now - WINDOW:
            self._sent.popleft()
        if now < self._closed_until:
            self.impatient += 1
            self._closed_until += 5  # who goes on sending waits longer
        if under_way > self.concurrent:
            return self._refused(CONCURRENT, self.concurrent, 5)
        if len(self._sent) >= self.requests:
            return self._refused(NUMBER, self.requests, self._rest())
        if sum(spent for _, spent in self._sent) >= self.milliseconds:
            return self._refused(TIME, self.milliseconds, self._rest())
        return ("0x80072322", "Still closed.", self._rest()) if now < self._closed_until else None

    def spend(self, milliseconds: float) -> None:
        """Count a request that was let in."""
        self._sent.append((self.clock(), milliseconds))

    def _rest(self) -> int:
        until = max(self._closed_until, self._sent[0][0] + WINDOW if self._sent else 0.0)
        return max(1, int(until - self.clock()) + 1)

    def _refused(self, kind: tuple[str, str], limit: int, seconds: int) -> tuple[str, str, int]:
        self.refused += 1
        self._closed_until = max(self._closed_until, self.clock() + seconds)
        return kind[0], kind[1].format(limit=limit), seconds
