"""Loads the sample through the front door: `POST /api/crm/changes`, then waits until all of it is computed."""

from __future__ import annotations

import http.client
import json
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby, islice
from threading import Event, local
from typing import Any, Self
from urllib.parse import urlsplit

from local.sample.changes import Change

AWAITED = ("crm-changes", "people-updates", "record-updates")
BATCH = 3_000  # changes; about 2 MB
CONNECTIONS = 4
TRIES = 8
TRY_AGAIN = frozenset((429, 502, 503, 504))
POLL_SECONDS = 0.5
STALLED_SECONDS = 180.0  # no queue moved for this long: something is wrong
TAKEN_IN_SECONDS = 60.0
WIDGET_SECONDS = 60.0
ACTIVITIES = frozenset(("email", "appointment", "phonecall", "task"))

Show = Callable[[str, int, int], None]  # what, done, of how many


class LoadError(Exception):
    """The sample could not be loaded; the text says why."""


class LoadStopped(Exception):
    """Somebody asked the stack to stop while it was loading."""


@dataclass(frozen=True)
class Target:
    """The app to load into: its address, a token that may send changes, the queues' status route."""

    base_url: str
    ingest_token: str
    status_url: str


def batches(changes: Iterable[Change], size: int = BATCH) -> Iterator[list[Change]]:
    """Cut into parts of at most `size`; records and activities never share one."""
    for _, part in groupby(changes, key=lambda change: change["entity"] in ACTIVITIES):
        while batch := list(islice(part, size)):
            yield batch


class Poster:
    """Posts bodies over one kept connection per thread; a context manager that closes them."""

    def __init__(self, target: Target, stop: Event) -> None:
        self._target, self._stop = target, stop
        self._mine = local()
        self._all: list[http.client.HTTPConnection] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._all:
            connection.close()

    def post(self, batch: list[Change]) -> int:
        """Send one batch; its length. Raises LoadError when it is refused or fails too often, LoadStopped on `stop`."""
        body = json.dumps({"changes": batch}, separators=(",", ":")).encode()
        for attempt in range(TRIES):
            status, text, pause = self._try(body)
            if 200 <= status < 300:
                return len(batch)
            if status and status not in TRY_AGAIN:
                raise LoadError(f"The app refused a batch with {status}: {text[:500]}")
            if self._stop.wait(min(10.0, max(pause, 0.25 * 2**attempt))):
                raise LoadStopped
        raise LoadError(f"The app did not take a batch in {TRIES} tries; the last answer was {status}: {text[:500]}")

    def _try(self, body: bytes) -> tuple[int, str, float]:
        """Status (0 = no answer), text, seconds to wait as the answer asks."""
        connection = self._connection()
        bearer = {"Authorization": f"Bearer {self._target.ingest_token}", "Content-Type": "application/json"}
        try:
            connection.request("POST", "/api/crm/changes", body, bearer)
            response = connection.getresponse()
            text = response.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            connection.close()  # the next request opens it again
            return 0, repr(error), 0.0
        after = response.headers.get("Retry-After", "")
        return response.status, text, float(after) if after.isdigit() else 0.0

    def _connection(self) -> http.client.HTTPConnection:
        if not hasattr(self._mine, "connection"):
            address = urlsplit(self._target.base_url)
            self._mine.connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=120)
            self._all.append(self._mine.connection)
        connection: http.client.HTTPConnection = self._mine.connection
        return connection


def post_all(changes: list[Change], target: Target, stop: Event, show: Show) -> None:
    """Records first, one batch after another; once they are taken in, activities over several connections.

    The app would take them in any order, but a record that comes after its people's mails has their history copied to it.
    """
    parts, done = list(batches(changes)), 0
    records = [part for part in parts if part[0]["entity"] not in ACTIVITIES]
    with Poster(target, stop) as poster, ThreadPoolExecutor(CONNECTIONS) as pool:
        for part in records:
            done += poster.post(part)
            show("sending", done, len(changes))
        _wait_until_taken_in(target.status_url, stop)
        try:
            for sent in pool.map(poster.post, parts[len(records) :]):
                done += sent
                show("sending", done, len(changes))
        finally:
            pool.shutdown(cancel_futures=True)  # after a failure the other batches need not be tried


def _wait_until_taken_in(status_url: str, stop: Event) -> None:
    """Until the app has taken in what was sent, or for a minute: afterwards it is no matter of the order any more."""
    until = time.monotonic() + TAKEN_IN_SECONDS
    while _waiting(_queues(status_url)["crm-changes"]) and time.monotonic() < until:
        if stop.wait(POLL_SECONDS):
            raise LoadStopped


def _queues(status_url: str) -> Mapping[str, Mapping[str, int]]:
    found: Mapping[str, Mapping[str, int]] = _get(f"{status_url}/queues")
    return found


def _waiting(queue: Mapping[str, int]) -> int:
    return sum(queue.values()) - queue["dead_letter"]


def _get(url: str, token: str = "") -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as response:
        return json.load(response)


def waiting_messages(status_url: str) -> tuple[int, int]:
    """Messages still to be handled before every snapshot is true, and dead letters of all queues.

    What comes by itself later (similar deals, mailboxes) is not waited for.
    """
    queues = _queues(status_url)
    waiting = sum(_waiting(queue) for name, queue in queues.items() if name in AWAITED)
    return waiting, sum(queue["dead_letter"] for queue in queues.values())


def wait_until_handled(status_url: str, stop: Event, show: Show) -> None:
    """Until the queues are empty twice in a row: one handler's message may be the next one's.

    Raises LoadError when nothing moves for three minutes, or when messages ended as dead letters meanwhile.
    """
    _, dead_before = waiting_messages(status_url)
    most, last, moved_at, empty = 0, -1, time.monotonic(), 0
    while empty < 2:
        if stop.wait(POLL_SECONDS):
            raise LoadStopped
        waiting, dead = waiting_messages(status_url)
        most = max(most, waiting)
        show("computing", most - waiting, most)
        if dead > dead_before:
            raise LoadError(f"{dead - dead_before} messages ended as dead letters: python -m scripts.dead_letters list")
        if waiting != last:
            last, moved_at = waiting, time.monotonic()
        if time.monotonic() - moved_at > STALLED_SECONDS and waiting:
            raise LoadError(f"{waiting} messages wait and nothing moves; see the host's log.")
        empty = 0 if waiting else empty + 1


def find_similar_deals(base_url: str, opportunity: str, token: str) -> None:
    """Have the similar won deals of the sample's opportunity found now. Raises LoadError when the app does not do so."""
    url = f"{base_url}/api/records/opportunity/{opportunity}/similar/refresh"
    request = urllib.request.Request(url, b"", {"Authorization": f"Bearer {token}"}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=WIDGET_SECONDS):
            pass
    except OSError as error:
        raise LoadError(f"{url} does not answer: {error}") from error


def wait_until_answered(urls: Iterable[str], token: str, stop: Event) -> None:
    """Until every address answers 200 with a body. Raises LoadError after a minute."""
    until = time.monotonic() + WIDGET_SECONDS
    for url in urls:
        while True:
            try:
                if _get(url, token):
                    break
            except (OSError, ValueError) as error:
                if time.monotonic() > until:
                    raise LoadError(f"{url} does not answer: {error}") from error
            if stop.wait(POLL_SECONDS):
                raise LoadStopped
