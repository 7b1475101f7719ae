"""The app's own entrance for changes, `POST /api/crm/changes`, fed with batches."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx
import msgspec

from scripts.dataverse.rows import Change
from shared.changes import parse_batch
from shared.errors import InvalidInputError

BODY_BYTES = 3_000_000  # of the 5 million that the app takes by default
MOST_CHANGES = 5_000  # of 10,000
TRIES = 12
LONGEST_PAUSE = 60.0
PASSING = frozenset((429, 500, 502, 503, 504))
_INDEX = re.compile(r"\$\.changes\[(\d+)\]")


class RefusedError(Exception):
    """The app refuses what it is sent; its answer says why."""


@dataclass
class App:
    """The app at `address`. `token` gives a bearer token with the role Rapport.Ingest, `pause` sleeps.

    `left_out` is told of each change that cannot be understood, with the reason: one row must not stop all others.
    """

    address: str
    token: Callable[[], str]
    pause: Callable[[float], object] = time.sleep
    left_out: Callable[[Change, str], object] = lambda change, reason: None
    _client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=120.0))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def post(self, changes: Sequence[Change]) -> int:
        """Send changes, in their order, and have all of them accepted; how many. Raises RefusedError."""
        return sum(self._send(part) for part in _parts(self._understood(list(changes))))

    def _understood(self, changes: list[Change]) -> list[Change]:
        while changes:
            try:
                parse_batch(_body(changes))
            except InvalidInputError as error:
                found = _INDEX.match(error.path or "")
                if found is None:
                    raise
                self.left_out(changes.pop(int(found[1])), str(error))
            else:
                break
        return changes

    def _send(self, changes: list[Change]) -> int:
        body, reason = _body(changes), ""
        for attempt in range(TRIES):
            try:
                headers = {"Authorization": f"Bearer {self.token()}", "Content-Type": "application/json"}
                answer = self._client.post(f"{self.address}/api/crm/changes", content=body, headers=headers)
            except httpx.TransportError as error:
                reason = str(error)
            else:
                if answer.status_code == httpx.codes.ACCEPTED:
                    return len(changes)
                reason = f"{answer.status_code}: {answer.text[:500]}"
                if answer.status_code not in PASSING:
                    break
            if attempt + 1 < TRIES:
                self.pause(min(LONGEST_PAUSE, 2.0**attempt))
        raise RefusedError(f"The app at {self.address} does not take the changes: {reason}")


def _body(changes: list[Change]) -> bytes:
    return msgspec.json.encode({"changes": changes})


def _parts(changes: list[Change]) -> list[list[Change]]:
    """Cut into parts that the app takes in one call."""
    if not changes:
        return []
    if len(changes) == 1 or (len(changes) <= MOST_CHANGES and len(_body(changes)) <= BODY_BYTES):
        return [changes]
    middle = len(changes) // 2
    return _parts(changes[:middle]) + _parts(changes[middle:])
