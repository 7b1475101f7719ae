"""What was asked and answered, for tests that prove what an application did and did not do."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

from local.graph.clock import Clock

KEPT = 100_000


@dataclass
class Entry:
    """One request; those inside a batch have entries of their own. `at` is the simulator's time."""

    n: int
    at: float
    method: str
    path: str
    query: dict[str, str]
    host: str
    authorized: bool  # an Authorization header came along
    prefer: dict[str, str] = field(default_factory=dict)
    app: str = ""
    mailbox: str = ""
    status: int = 0
    code: str = ""
    in_batch: bool = False
    double_slash: bool = False
    concurrent: int = 0  # running for this application and mailbox, this one included
    during_throttle: bool = False
    fault: str = ""
    retry_attempt: str = ""  # the Retry-Attempt header of the client library
    selected: list[str] | None = None
    body_fields: list[str] = field(default_factory=list)  # of bodies in the answer
    foreign: bool = False  # the host is not the one the simulator goes by


class RequestLog:
    """The last 100,000 requests of this run."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.entries: deque[Entry] = deque(maxlen=KEPT)
        self._count = 0

    def begin(self, **facts: Any) -> Entry:
        self._count += 1
        entry = Entry(self._count, self._clock.now(), **facts)
        self.entries.append(entry)
        return entry

    def clear(self) -> None:
        self.entries.clear()

    def find(self, since: int = 0, **wanted: str) -> list[dict[str, Any]]:
        """Entries after number `since` whose fields, as text, are as wanted; `path` may be a part of the path."""
        path = wanted.pop("path", "")
        rows = [asdict(entry) for entry in self.entries if entry.n > since and path in entry.path]
        return [row for row in rows if all(str(row.get(name)) == value for name, value in wanted.items())]

    def report(self) -> dict[str, Any]:
        """The counts that should be 0 when an application behaves, and how close to the limits it came."""
        kept = list(self.entries)
        return {
            "requests": len(kept),
            "mostConcurrent": max((entry.concurrent for entry in kept), default=0),
            "overLimit": sum(entry.status == 429 and not entry.fault for entry in kept),
            "duringThrottle": sum(entry.during_throttle for entry in kept),
            "outsideScope": sum(entry.status == 403 for entry in kept),
            "withBodyFields": sum(bool(entry.body_fields) for entry in kept),
            "tokensToForeignHost": sum(entry.foreign and entry.authorized for entry in kept),
            "withoutSelect": sum(
                entry.method == "GET" and entry.status == 200 and bool(entry.mailbox) and entry.selected is None
                for entry in kept
            ),
            "retriesByLibrary": sum(bool(entry.retry_attempt) for entry in kept),
        }
