"""`python -m scripts.dead_letters`, as an operator runs it, against queues that hold dead letters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
from azure.servicebus import ServiceBusMessage

from tests.local.bus_process import ROOT, Desk, running_bus, write_queues

LIMIT = 262_144  # a message this close to it has no room for the longer id of its copy
NONE_LEFT = {"active": 0, "scheduled": 0, "locked": 0, "deferred": 0, "dead_letter": 0}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("bus")
    queues = write_queues(folder, ["shown", {"name": "again", "requiresDuplicateDetection": True}])
    with running_bus(folder / "state", queues) as bus, Desk(bus) as desk:
        yield desk


def _run(desk: Desk, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scripts.dead_letters", *arguments]
    environ = {**os.environ, "SERVICEBUS": desk.bus.connection_string}
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60)


def _lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, object]]:
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def _fail(desk: Desk, queue: str, messages: list[ServiceBusMessage]) -> None:
    """Send messages and dead-letter them."""
    for one in messages:
        desk.sender(queue).send_messages(one)
    for message in desk.receiver(queue).receive_messages(len(messages), max_wait_time=60):
        why = f"for {message.message_id}"
        desk.receiver(queue).dead_letter_message(message, reason="no record", error_description=why)


def test_list_shows_why_and_when_and_purge_removes(desk: Desk) -> None:
    _fail(
        desk, "shown", [ServiceBusMessage("secret", message_id=f"{n}", correlation_id=f"trace {n}") for n in range(3)]
    )
    plain = _run(desk, "list", "--queue", "shown")
    lines = _lines(plain)
    assert [line["correlationId"] for line in lines] == ["trace 0", "trace 1", "trace 2"]
    assert {key: lines[0][key] for key in ("sequence", "reason", "description")} == {
        "sequence": 1, "reason": "no record", "description": "for 0",
    }  # fmt: skip
    assert str(lines[0]["enqueued"]).endswith("+00:00")
    assert "secret" not in plain.stdout + plain.stderr
    (with_body,) = _lines(_run(desk, "list", "--queue", "shown", "--body", "--limit", "1"))
    assert with_body["body"] == "secret"
    assert desk.bus.depths("shown") == {**NONE_LEFT, "dead_letter": 3}

    oldest = _lines(_run(desk, "purge", "--queue", "shown", "--limit", "2"))
    assert [line["description"] for line in oldest] == ["for 0", "for 1"]
    assert desk.bus.depths("shown")["dead_letter"] == 1
    assert len(_lines(_run(desk, "purge", "--queue", "shown"))) == 1
    assert desk.bus.depths("shown") == NONE_LEFT


def test_replay_sends_the_same_message_under_a_new_id_and_removes_it_only_then(desk: Desk) -> None:
    first = ServiceBusMessage(
        b"body",
        message_id="same",
        correlation_id="trace",
        content_type="application/json",
        subject="subject",
        time_to_live=timedelta(hours=2),
        application_properties={"tenant": "ä", "tries": 3},
    )
    _fail(desk, "again", [first, ServiceBusMessage(b"x" * (LIMIT - 45), message_id="o")])
    done = _run(desk, "replay", "--queue", "again", "--limit", "1")
    assert [line["correlationId"] for line in _lines(done)] == ["trace"]
    assert "replay: 1 messages of again" in done.stderr
    assert desk.bus.depths("again") == {**NONE_LEFT, "active": 1, "dead_letter": 1}
    (got,) = desk.receiver("again").receive_messages(10, max_wait_time=60)
    desk.receiver("again").complete_message(got)
    assert got.message_id not in (None, "same")
    assert (b"".join(got.body), got.correlation_id, got.content_type, got.subject) == (
        b"body", "trace", "application/json", "subject",
    )  # fmt: skip
    assert got.application_properties == {b"tenant": "ä".encode(), b"tries": 3}
    assert (got.time_to_live, got.delivery_count) == (timedelta(hours=2), 0)

    refused = _run(desk, "replay", "--queue", "again")
    assert refused.returncode == 1 and "replay on again" in refused.stderr and "larger than" in refused.stderr
    assert desk.bus.depths("again") == {**NONE_LEFT, "dead_letter": 1}


def test_an_unknown_queue_is_named(desk: Desk) -> None:
    done = _run(desk, "list", "--queue", "nowhere")
    assert done.returncode == 1 and "list on nowhere" in done.stderr and "Traceback" not in done.stderr
