"""The Web API of Dataverse: one request after the other, within its service protection limits.

Dataverse allows a user 6,000 requests and 20 minutes of its own work in any five minutes, and 52 requests at a time. This
client sends one at a time, at most 5,000 in five minutes, and waits as long as a 429 says before it sends anything.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

VERSION = "v9.2"
WINDOW_SECONDS = 300.0
MOST_REQUESTS = 5_000  # of the 6,000 that the window allows; others may work under the same user
TRIES = 12
LONGEST_PAUSE = 60.0
PASSING = frozenset((429, 500, 502, 503, 504))
NEVER_SENT = "00000000-0000-0000-0000-000000000000"  # id of a row that a dry run did not make


class WebApiError(Exception):
    """An answer that is no success: its `status`, the error's `code` (hexadecimal, as the Web API writes it), its text."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(f"{status} {code}: {text}")
        self.status, self.code = status, code


@dataclass(frozen=True)
class Answer:
    """A decoded answer, the id of a row that was made by it, and the server's time when it was given."""

    body: dict[str, Any]
    at: datetime
    made: str = ""

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of a page."""
        return list(self.body.get("value", ()))

    @property
    def next_link(self) -> str:
        """Address of the next page; empty after the last."""
        return str(self.body.get("@odata.nextLink", ""))

    @property
    def delta_link(self) -> str:
        """Address of what changes from now on; given with the last page of a tracked query."""
        return str(self.body.get("@odata.deltaLink", ""))


@dataclass
class WebApi:
    """The Web API at `address` (https://contoso.crm4.dynamics.com). `token` gives a bearer token, `pause` sleeps.

    With `dry_run` nothing is written: `tell` is given each request that would have been sent.
    """

    address: str
    token: Callable[[], str]
    pause: Callable[[float], object] = time.sleep
    clock: Callable[[], float] = time.monotonic
    dry_run: bool = False
    tell: Callable[[str, str, Any], object] = lambda method, path, body: None
    _sent: deque[float] = field(default_factory=deque)
    _client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=130.0, follow_redirects=False))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, path: str, prefer: Sequence[str] = ()) -> Answer:
        """Read `path`, or a whole address that the Web API gave. Raises WebApiError, httpx.TransportError."""
        return self._call("GET", path, None, {"Prefer": ",".join(prefer)} if prefer else {})

    def pages(self, path: str, prefer: Sequence[str] = ()) -> list[dict[str, Any]]:
        """All rows of a query that is known to be short enough for memory."""
        answer = self.get(path, prefer)
        rows = answer.rows
        while answer.next_link:
            answer = self.get(answer.next_link, prefer)
            rows += answer.rows
        return rows

    def write(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> str:
        """Send a change; gives the id of a row that it made. A dry run tells of it and sends nothing."""
        if self.dry_run:
            self.tell(method, path, body)
            return NEVER_SENT
        return self._call(method, path, body, dict(headers or {})).made

    def _url(self, path: str) -> str:
        if "://" not in path:
            return f"{self.address}/api/data/{VERSION}/{path}"
        if urlsplit(path)[:2] != urlsplit(self.address)[:2]:
            raise WebApiError(0, "", "a link leads to another host; the token is not sent there")
        return path

    def _call(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        url = self._url(path)
        for attempt in range(TRIES):
            self._keep_pace()
            try:
                response = self._client.request(method, url, json=body, headers={**self._headers(), **headers})
            except httpx.TransportError:
                if attempt + 1 == TRIES:
                    raise
                self.pause(min(LONGEST_PAUSE, 2.0**attempt))
                continue
            if response.status_code not in PASSING or attempt + 1 == TRIES:
                return _answer(response)
            self.pause(_wanted_pause(response, attempt))
        raise AssertionError("unreachable")

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.token()}",
            "Accept": "application/json",
            "OData-MaxVersion": "4.0",
            "OData-Version": "4.0",
        }

    def _keep_pace(self) -> None:
        now = self.clock()
        while self._sent and self._sent[0] <= now - WINDOW_SECONDS:
            self._sent.popleft()
        if len(self._sent) >= MOST_REQUESTS:
            self.pause(self._sent.popleft() + WINDOW_SECONDS - now)
        self._sent.append(self.clock())


def _wanted_pause(response: httpx.Response, attempt: int) -> float:
    asked = response.headers.get("Retry-After", "")
    try:
        return max(0.0, float(asked))
    except ValueError:
        return min(LONGEST_PAUSE, 2.0**attempt)


def _answer(response: httpx.Response) -> Answer:
    if response.status_code >= 300:
        raise _error(response)
    sent = response.headers.get("Date")
    at = parsedate_to_datetime(sent) if sent else datetime.now(UTC)
    made = response.headers.get("OData-EntityId", "").rpartition("(")[2].rstrip(")")
    return Answer(response.json() if response.content else {}, at, made)


def _error(response: httpx.Response) -> WebApiError:
    try:
        error = response.json()["error"]
        return WebApiError(response.status_code, str(error.get("code", "")), str(error.get("message", ""))[:500])
    except (ValueError, KeyError, TypeError, AttributeError):
        return WebApiError(response.status_code, "", response.text[:500])
