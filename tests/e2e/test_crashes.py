"""The whole stack on free ports: whatever is killed while a tenant loads, every number ends as if nothing had happened."""

from __future__ import annotations

import base64
import json
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from local.sample.loader import Poster, Target, wait_until_handled, waiting_messages
from local.supervisor import rapport
from local.supervisor.folder import StateFolder, write_private
from local.supervisor.options import Options
from local.supervisor.pieces import RunningPiece
from local.supervisor.ready import token
from shared import ingest, recompute
from shared.changes import parse_batch
from tests.conftest import PERSON_KEY
from tests.doubles.tenants import AS_OF, RECORDS, story
from tests.local.test_run import options_for

pytestmark = pytest.mark.stack
AT = "2026-11-20T12:00:00Z"
SEED, ACTIVITIES = 7, 90
_MOVING = ("computedAt", "completeUpTo")


class Running:
    """The four pieces of the app, each of which can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.options: Options = options_for(folder, **{"lock-seconds": "10", "sample": "0"})
        self.folder = StateFolder(folder)
        self.folder.create()
        bus_key = base64.b64encode(b"a key of the bus, for tests only").decode()
        write_private(self.folder.root / "keys.json", {"person": PERSON_KEY, "serviceBus": bus_key})
        self.pieces = {piece.name: piece for piece in rapport.pieces(self.options, self.folder, func=False)[:4]}
        self.running: dict[str, RunningPiece] = {}
        for name in self.pieces:
            self.start(name)
        self.target = Target(
            self.options.base_url, token(self.options.signin_url, "Rapport.Ingest"), self.options.status_url
        )
        # Names too are compared, also those that only this role sees.
        self._reader = token(self.options.signin_url, "Rapport.Reader", "Rapport.CoverRisk")

    def start(self, name: str) -> None:
        self.running[name] = RunningPiece.start(self.pieces[name], self.folder.logs / f"{name}.log")
        self.running[name].wait_healthy(Event(), 60)

    def kill(self, name: str) -> None:
        self.running[name].child.send_signal(signal.SIGKILL)
        self.running[name].child.wait(60)

    def stop(self, name: str) -> None:
        self.running[name].stop()

    def end(self) -> None:
        for name in reversed(self.running):
            self.stop(name)

    def post(self, parts: Sequence[list[dict[str, Any]]]) -> None:
        with Poster(self.target, Event()) as poster, ThreadPoolExecutor(4) as pool:
            list(pool.map(poster.post, parts))

    def widgets(self, record: str, as_of: str = "") -> dict[str, Any] | None:
        """All widgets without what says when they were computed; None where there is no such record."""
        import urllib.error
        import urllib.request

        kind, _, id = record.partition(":")
        url = f"{self.options.base_url}/api/records/{kind}/{id}/widgets" + (f"?asOf={as_of}" if as_of else "")
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {self._reader}"})
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return comparable(json.load(response))
        except urllib.error.HTTPError as error:
            assert error.code == 404
            return None


def comparable(body: dict[str, Any]) -> dict[str, Any]:
    """A snapshot without its times, and without similar deals, which come by rounds of their own."""
    widgets = {name: widget for name, widget in body["widgets"].items() if name != "similarWonOpportunities"}
    return {**{name: held for name, held in body.items() if name not in _MOVING}, "widgets": widgets}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("stack"))
    try:
        yield running
    finally:
        running.end()


def undisturbed(changes: list[dict[str, Any]]) -> dict[str, dict[str, Any] | None]:
    """What the same changes give told once, in order, in this process."""
    ingest.take_in(parse_batch(json.dumps({"changes": changes}).encode()))
    found = {}
    for record in RECORDS:
        body = recompute.as_of(record, AS_OF, AS_OF)
        found[record] = comparable(json.loads(body)) if body else None
    return found


def until_something_waits(stack: Running) -> None:
    """Until messages lie in the queues, so that what is killed now is killed at work."""
    give_up = time.monotonic() + 60
    while not waiting_messages(stack.target.status_url)[0] and time.monotonic() < give_up:
        time.sleep(0.02)


@pytest.mark.usefixtures("storage", "queues")
def test_numbers_are_those_of_an_undisturbed_run_after_everything_was_killed_once(stack: Running) -> None:
    changes = story(SEED, ACTIVITIES)
    parts = [changes[first : first + 8] for first in range(0, len(changes), 8)]
    third = -(-len(parts) // 3)

    stack.post(parts[:third])
    until_something_waits(stack)
    stack.kill("host")
    stack.start("host")

    stack.post(parts[third : 2 * third])
    until_something_waits(stack)
    stack.kill("servicebus")
    stack.start("servicebus")

    stack.post(parts[2 * third :])
    until_something_waits(stack)
    stack.stop("tables")  # cleanly: Azurite writes what it holds when it is asked to stop
    stack.start("tables")

    wait_until_handled(stack.target.status_url, Event(), lambda *_: None)
    expected = undisturbed(changes)
    assert {record: stack.widgets(record, AT) for record in RECORDS} == expected
    assert any(body for body in expected.values())


def test_stored_snapshots_are_those_that_the_partitions_give(stack: Running) -> None:
    found = {record: stack.widgets(record) for record in RECORDS}
    assert {r: stack.widgets(r, b["asOf"]) if b else None for r, b in found.items()} == found


def test_one_new_email_is_in_the_widgets(stack: Running) -> None:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
    owner = {"entity": "opportunity", "id": "fresh", "version": 1, "operation": "upsert"}
    stack.post([[owner | {"attributes": {"name": "Fresh", "ownerId": "user:u1"}}]])
    wait_until_handled(stack.target.status_url, Event(), lambda *_: None)
    mail = {"entity": "email", "id": "fresh", "version": 1, "operation": "upsert"}
    people = {"from": {"address": "u1@us.example"}, "to": [{"address": "someone@new.example"}]}
    facts = people | {"sentAt": at, "status": "sent", "regarding": ["opportunity:fresh"]}
    assert _last(stack) is None

    stack.post([[mail | {"attributes": facts}]])
    accepted = time.monotonic()
    while _last(stack) is None and time.monotonic() < accepted + 30:
        time.sleep(0.05)

    print(f"{time.monotonic() - accepted:.2f} s from 202 to the widget")  # shown by pytest -rP
    assert _last(stack) == "email:fresh"


def _last(stack: Running) -> str | None:
    body = stack.widgets("opportunity:fresh")
    last = body and body["widgets"]["lastInteraction"]["last"]
    return last["activityId"] if last else None
