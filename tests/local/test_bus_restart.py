"""What was promised survives: a kill in the middle of work, an orderly stop; and what must not start does not."""

from __future__ import annotations

import gc
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusReceivedMessage, ServiceBusReceiver
from azure.servicebus.exceptions import ServiceBusError

from tests.doubles.ports import free_port
from tests.local.bus_process import RunningBus, running_bus, write_queues

QUEUES = ["load", "held", "counted", "later", {"name": "once", "requiresDuplicateDetection": True}]
LOCK = 5.0


class Load:
    """Sends and receives without pause until the broker is gone, and notes what the broker has confirmed."""

    def __init__(self, bus: RunningBus) -> None:
        self._bus = bus
        self.acknowledged: set[str] = set()
        self.completed: set[str] = set()
        self.in_doubt: set[str] = set()  # being completed when the broker went: done or not, both are right
        self.highest = 0
        self.threads = [threading.Thread(target=run) for run in (self._send, self._receive)]

    def _client(self) -> ServiceBusClient:
        return ServiceBusClient.from_connection_string(self._bus.connection_string, retry_total=0, socket_timeout=0.5)

    def _send(self) -> None:
        client = self._client()
        sender = client.get_queue_sender("load")
        try:
            for number in range(100_000):
                sender.send_messages(ServiceBusMessage(str(number)))
                self.acknowledged.add(str(number))
        except (ServiceBusError, OSError, ValueError):
            pass  # the broker was killed
        finally:
            client.close()

    def _receive(self) -> None:
        client = self._client()
        receiver = client.get_queue_receiver("load")
        try:
            while True:
                for message in receiver.receive_messages(5, max_wait_time=60):
                    self.highest = max(self.highest, message.sequence_number or 0)
                    self.in_doubt = {str(message)}
                    receiver.complete_message(message)
                    self.completed.add(str(message))
        except (ServiceBusError, OSError, ValueError):
            pass
        finally:
            client.close()


class Promises:
    """One message for each promise, prepared before the kill and looked at after the restart."""

    def __init__(self) -> None:
        self.held: list[ServiceBusReceivedMessage] = []

    def hold(self, client: ServiceBusClient) -> None:
        with client.get_queue_sender("held") as sender, client.get_queue_receiver("held") as receiver:
            sender.send_messages([ServiceBusMessage("first"), ServiceBusMessage("second")])
            self.held = receiver.receive_messages(2, max_wait_time=60)

    def count(self, client: ServiceBusClient) -> None:
        with client.get_queue_sender("counted") as sender, client.get_queue_receiver("counted") as receiver:
            sender.send_messages(ServiceBusMessage("counted"))
            for _ in range(2):
                receiver.abandon_message(receiver.receive_messages(1, max_wait_time=60)[0])

    def remember(self, client: ServiceBusClient) -> None:
        with client.get_queue_sender("once") as sender, client.get_queue_receiver("once") as receiver:
            sender.send_messages(ServiceBusMessage("once", message_id="once"))
            assert len(_drain(receiver, 0.3)) == 1

    def schedule(self, client: ServiceBusClient) -> None:
        with client.get_queue_sender("later") as sender:
            sender.schedule_messages(ServiceBusMessage("scheduled"), datetime.now(UTC) + timedelta(seconds=6))

    def check_locks(self, client: ServiceBusClient) -> None:
        """The first is settled by its old lock, the second comes back when its lock ends, counted."""
        with client.get_queue_receiver("held") as receiver:
            self.held[0]._is_deferred_message = True  # its link is gone: settle by lock token
            receiver.complete_message(self.held[0])
            assert receiver.receive_messages(2, max_wait_time=0.3) == []
            (back,) = receiver.receive_messages(2, max_wait_time=LOCK + 5)
            receiver.complete_message(back)
        assert (str(back), back.delivery_count) == ("second", 1)

    def check_count(self, client: ServiceBusClient) -> None:
        with client.get_queue_receiver("counted") as receiver:
            (counted,) = _drain(receiver, 0.5)
        assert counted.delivery_count == 2

    def check_memory(self, client: ServiceBusClient) -> None:
        with client.get_queue_sender("once") as sender, client.get_queue_receiver("once") as receiver:
            sender.send_messages(ServiceBusMessage("again", message_id="once"))
            assert receiver.receive_messages(1, max_wait_time=0.5) == []

    def check_schedule(self, client: ServiceBusClient) -> None:
        with client.get_queue_receiver("later") as receiver:
            (fired,) = receiver.receive_messages(1, max_wait_time=60)
            receiver.complete_message(fired)
        assert str(fired) == "scheduled"


def _together(bus: RunningBus, *steps: Callable[[ServiceBusClient], None]) -> None:
    """Run steps side by side, each with a client of its own: opening and closing links is most of the time."""

    def run(step: Callable[[ServiceBusClient], None]) -> None:
        with ServiceBusClient.from_connection_string(bus.connection_string, retry_total=0) as client:
            step(client)

    with ThreadPoolExecutor(len(steps)) as pool:
        list(pool.map(run, steps))


def _drain(receiver: ServiceBusReceiver, wait: float) -> list[ServiceBusReceivedMessage]:
    found: list[ServiceBusReceivedMessage] = []
    while more := receiver.receive_messages(100, max_wait_time=wait):
        for message in more:
            receiver.complete_message(message)
        found += more
    return found


@pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")
def test_a_killed_broker_keeps_every_promise(tmp_path: Path) -> None:
    queues, promises = write_queues(tmp_path, QUEUES), Promises()
    with running_bus(tmp_path / "state", queues, lock_seconds=LOCK) as bus:
        _together(bus, promises.count, promises.remember, promises.schedule)
        load = Load(bus)
        for thread in load.threads:
            thread.start()
        _together(bus, promises.hold)
        deadline = time.monotonic() + 60
        while len(load.completed) < 100 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(load.completed) >= 100
        bus.kill()
        for thread in load.threads:
            thread.join(timeout=60)

    with running_bus(tmp_path / "state", queues, lock_seconds=LOCK) as bus:
        assert bus.depths("held")["locked"] == 2  # a lock outlives its broker
        checks = (promises.check_locks, promises.check_count, promises.check_memory, promises.check_schedule)
        _together(bus, *checks, lambda client: _check_load(bus, client, load))
        assert {queue: sum(bus.depths(queue).values()) for queue in ("load", "held", "counted", "later", "once")} == {
            "load": 0, "held": 0, "counted": 0, "later": 0, "once": 0,
        }  # fmt: skip
    gc.collect()  # the client leaves the socket of a lost connection to the collector


def _check_load(bus: RunningBus, client: ServiceBusClient, load: Load) -> None:
    """Every acknowledged send is there; nothing that was completed returns; numbers go on."""
    with client.get_queue_receiver("load") as receiver, client.get_queue_sender("load") as sender:
        sender.send_messages(ServiceBusMessage("after"))
        rest: list[ServiceBusReceivedMessage] = []
        while sum(bus.depths("load").values()):  # until the locks of the killed receiver have ended
            rest += _drain(receiver, 0.3)
    texts = [str(message) for message in rest]
    assert len(texts) == len(set(texts))
    assert load.acknowledged <= load.completed | load.in_doubt | set(texts)
    assert not load.completed & set(texts)
    last = next(message for message in rest if str(message) == "after")
    assert (last.sequence_number or 0) > load.highest


def test_an_orderly_stop_keeps_messages_and_exits_with_zero(tmp_path: Path) -> None:
    queues = write_queues(tmp_path, ["work"])
    with running_bus(tmp_path / "state", queues) as bus:
        with ServiceBusClient.from_connection_string(bus.connection_string, retry_total=0) as client:
            client.get_queue_sender("work").send_messages([ServiceBusMessage("kept") for _ in range(3)])
        assert bus.stop() == 0
    with running_bus(tmp_path / "state", queues) as bus:
        assert bus.depths("work")["active"] == 3


def test_a_damaged_file_stops_the_start(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "messages.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(RuntimeError, match="cannot be used"), running_bus(state):
        pass
    assert (state / "messages.sqlite").read_bytes().startswith(b"this is no database")


def test_a_file_of_a_newer_version_stops_the_start(tmp_path: Path) -> None:
    with running_bus(tmp_path):
        pass
    with sqlite3.connect(tmp_path / "messages.sqlite") as file:
        file.execute("PRAGMA user_version = 99")
    file.close()
    with pytest.raises(RuntimeError, match="newer version"), running_bus(tmp_path):
        pass


def test_one_folder_serves_one_broker(tmp_path: Path) -> None:
    with running_bus(tmp_path), pytest.raises(RuntimeError, match="locked"), running_bus(tmp_path):
        pass


def test_a_taken_port_stops_the_start(tmp_path: Path) -> None:
    port = free_port()
    with (
        running_bus(tmp_path / "one", port=port),
        pytest.raises(RuntimeError, match="in use"),
        running_bus(tmp_path / "two", port=port),
    ):
        pass


def test_a_queue_option_that_is_not_served_stops_the_start(tmp_path: Path) -> None:
    queues = write_queues(tmp_path, [{"name": "sessions", "requiresSession": True}])
    with pytest.raises(RuntimeError, match="requiresSession is not served"), running_bus(tmp_path / "state", queues):
        pass
