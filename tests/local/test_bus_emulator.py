"""Microsoft's Service Bus emulator beside the stand-in: its configuration from the same queue list, and the same behaviour.

The emulator needs Docker. Start it as docs/service-bus-stand-in.md says and set SERVICE_BUS_EMULATOR to its connection string:
then every test here runs against it as well; otherwise against the stand-in alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusReceivedMessage, ServiceBusSubQueue

from local.bus.emulator import configuration
from local.bus.queues import QueueOptions, load_queues, milliseconds
from tests.local.bus_process import running_bus

ROOT = Path(__file__).resolve().parents[2]
QUEUE = "record-updates"
ADDRESS = "SERVICE_BUS_EMULATOR"


def test_the_configuration_holds_every_queue_of_the_list_with_its_options() -> None:
    command = [sys.executable, "-m", "local.bus.emulator"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (namespace,) = json.loads(printed)["UserConfig"]["Namespaces"]
    queues = {queue.name: queue for queue in load_queues(ROOT / "infra/queues.json")}
    assert [each["Name"] for each in namespace["Queues"]] == list(queues)
    for each in namespace["Queues"]:
        options, queue = each["Properties"], queues[each["Name"]]
        assert milliseconds(options["LockDuration"]) == queue.lock_duration
        assert (options["MaxDeliveryCount"], options["RequiresSession"]) == (queue.max_delivery_count, False)
        assert options["RequiresDuplicateDetection"] is (queue.duplicate_window is not None)
        assert options["DeadLetteringOnMessageExpiration"] is queue.dead_letter_expired


def test_what_the_emulator_bounds_is_cut_to_its_bounds() -> None:
    wide = QueueOptions("wide", time_to_live=86_400_000, duplicate_window=600_000)
    narrow = QueueOptions("narrow", time_to_live=60_000, duplicate_window=3_000)
    plain = QueueOptions("plain")
    bounds = [
        (each["Properties"]["DefaultMessageTimeToLive"], each["Properties"]["DuplicateDetectionHistoryTimeWindow"])
        for each in configuration([wide, narrow, plain])["UserConfig"]["Namespaces"][0]["Queues"]
    ]
    assert bounds == [("PT1H", "PT5M"), ("PT1M", "PT20S"), ("PT1H", "PT20S")]


@pytest.fixture(scope="module", params=["stand-in", pytest.param("emulator", marks=pytest.mark.emulator)])
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceBusClient]:
    if request.param == "emulator":
        if not os.environ.get(ADDRESS):
            pytest.skip(f"no emulator: it needs Docker; set {ADDRESS} to its connection string")
        with ServiceBusClient.from_connection_string(os.environ[ADDRESS]) as found:
            yield found
        return
    with (
        running_bus(tmp_path_factory.mktemp("bus")) as bus,
        ServiceBusClient.from_connection_string(bus.connection_string) as found,
    ):
        yield found


class Line:
    """A sender and receivers of the queue, and messages of one test, told from those of others by their subject."""

    def __init__(self, client: ServiceBusClient) -> None:
        self.subject = uuid.uuid4().hex
        self.sender = client.get_queue_sender(QUEUE)
        self.receiver = client.get_queue_receiver(QUEUE)
        self.dead = client.get_queue_receiver(QUEUE, sub_queue=ServiceBusSubQueue.DEAD_LETTER)

    def message(self, body: str, id: str = "") -> ServiceBusMessage:
        return ServiceBusMessage(body, subject=self.subject, message_id=id or uuid.uuid4().hex)

    def received(self, seconds: float = 10.0) -> list[ServiceBusReceivedMessage]:
        """What comes within so many seconds, at most one; it is locked."""
        found = self.receiver.receive_messages(1, max_wait_time=seconds)
        assert all(each.subject == self.subject for each in found)
        return found


@pytest.fixture
def line(client: ServiceBusClient) -> Iterator[Line]:
    found = Line(client)
    with found.sender, found.receiver, found.dead:
        yield found


def test_a_message_is_locked_given_back_and_completed(line: Line) -> None:
    line.sender.send_messages(line.message("a"))
    (first,) = line.received()
    line.receiver.abandon_message(first)
    (second,) = line.received()
    assert (str(second), first.delivery_count, second.delivery_count) == ("a", 0, 1)
    assert line.receiver.renew_message_lock(second) > datetime.now(UTC) + timedelta(minutes=4)
    line.receiver.complete_message(second)
    assert line.received(1.0) == []


def test_a_message_that_fails_ten_times_lies_in_the_dead_letters(line: Line) -> None:
    line.sender.send_messages(line.message("poison"))
    for count in range(10):
        (found,) = line.received()
        assert found.delivery_count == count
        line.receiver.abandon_message(found)
    (dead,) = line.dead.receive_messages(1, max_wait_time=10)
    assert (dead.dead_letter_reason, str(dead)) == ("MaxDeliveryCountExceeded", "poison")
    line.dead.complete_message(dead)


def test_a_scheduled_message_is_seen_and_comes_when_it_is_due(line: Line) -> None:
    due = datetime.now(UTC) + timedelta(seconds=3)
    line.sender.schedule_messages(line.message("later"), due)
    assert [str(each) for each in line.receiver.peek_messages(10) if each.subject == line.subject] == ["later"]
    (found,) = line.received(20.0)
    assert datetime.now(UTC) >= due - timedelta(seconds=1)
    line.receiver.complete_message(found)


def test_the_same_id_folds_also_when_the_first_is_done(line: Line) -> None:
    id = uuid.uuid4().hex
    line.sender.send_messages(line.message("first", id))
    (found,) = line.received()
    line.receiver.complete_message(found)
    line.sender.send_messages([line.message("again", id), line.message("other")])
    (found,) = line.received()
    assert str(found) == "other"
    line.receiver.complete_message(found)
    assert line.received(1.0) == []


def test_properties_arrive(line: Line) -> None:
    message = line.message("a")
    message.application_properties = {"correlation_id": "request-1", "attempts": 3, "begun": f"crm|{time.time():.3f}"}
    line.sender.send_messages(message)
    (found,) = line.received()
    assert dict(found.application_properties or {}) == {
        name.encode(): value.encode() if isinstance(value, str) else value
        for name, value in message.application_properties.items()
    }
    line.receiver.complete_message(found)
