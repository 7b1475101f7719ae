"""How the local host stops, and what it refuses at the start, as its parent process sees it."""

from __future__ import annotations

import http.client
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusSender

from tests.doubles.ports import free_port
from tests.local.bus_process import RunningBus, running_bus, write_queues
from tests.local.host_process import (
    JOURNAL,
    PROJECT,
    RunningHost,
    make_app,
    read_journal,
    running_host,
    start_host,
    wait_until,
)

HTTP_APP = (
    JOURNAL
    + """
import asyncio
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="sleep/{seconds}")
def sleep(req: func.HttpRequest) -> str:
    note(f="sleep")
    time.sleep(float(req.route_params["seconds"]))
    return "slept"


@app.route(route="block")
async def block(req: func.HttpRequest) -> str:
    time.sleep(1.6)
    return "blocked the loop"
"""
)

QUEUE_APP = (
    JOURNAL
    + """
app = func.FunctionApp()


@app.service_bus_queue_trigger(arg_name="msg", queue_name="work", connection="BUS")
def work(msg: func.ServiceBusMessage) -> None:
    note(f="start", body=msg.get_body().decode(), count=msg.delivery_count)
    time.sleep(float(os.environ["WORK_SECONDS"]))
    note(f="end", body=msg.get_body().decode())
"""
)

LOCK_SECONDS = 2.0


class Request(threading.Thread):
    """One HTTP request on its way; status and body once it is answered, error if the connection was cut."""

    def __init__(self, host: RunningHost, path: str) -> None:
        super().__init__()
        self._host, self._path = host, path
        self.status, self.body, self.error = 0, b"", ""
        self.start()

    def run(self) -> None:
        connection = http.client.HTTPConnection(self._host.base_url.removeprefix("http://"), timeout=60)
        try:
            connection.request("GET", self._path)
            answer = connection.getresponse()
            self.status, self.body = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.error = type(error).__name__
        finally:
            connection.close()


def answered(host: RunningHost, path: str) -> Request:
    request = Request(host, path)
    request.join()
    return request


def http_host(tmp_path: Path, *options: str) -> Any:
    root = make_app(tmp_path / "app", HTTP_APP)
    return running_host(tmp_path / "state", root, {"JOURNAL": str(tmp_path / "journal")}, options=options)


def test_running_request_ends_and_new_ones_are_refused(tmp_path: Path) -> None:
    with http_host(tmp_path) as host:
        running = Request(host, "/api/sleep/1.5")
        wait_until(lambda: read_journal(tmp_path / "journal"))
        host.process.send_signal(signal.SIGTERM)
        wait_until(lambda: answered(host, "/api/sleep/0").status == 503)
        running.join()
        assert (running.status, running.body) == (200, b"slept")
        assert host.process.wait(timeout=60) == 0


def test_call_that_takes_too_long_is_cut_off(tmp_path: Path) -> None:
    with http_host(tmp_path, "--grace", "0.3") as host:
        running = Request(host, "/api/sleep/60")
        wait_until(lambda: read_journal(tmp_path / "journal"))
        assert host.stop() == 0
        running.join()
        assert running.status != 200
        assert "cut off: sleep" in host.output()


def test_second_signal_ends_at_once(tmp_path: Path) -> None:
    with http_host(tmp_path, "--grace", "60") as host:
        running = Request(host, "/api/sleep/60")
        wait_until(lambda: read_journal(tmp_path / "journal"))
        host.process.send_signal(signal.SIGINT)
        wait_until(lambda: answered(host, "/api/sleep/0").status == 503)
        host.process.send_signal(signal.SIGINT)
        assert host.process.wait(timeout=60) == 0
        running.join()


def test_loop_that_stands_still_is_reported(tmp_path: Path) -> None:
    with http_host(tmp_path) as host:
        assert answered(host, "/api/block").body == b"blocked the loop"
        wait_until(lambda: "the event loop stood still for" in host.output())


def refused(tmp_path: Path, root: Path, port: int | None = None) -> str:
    host = start_host(tmp_path / "state", root, {"JOURNAL": "-"}, port or free_port(), ())
    assert host.process.wait(timeout=60) == 1
    return host.output()


def test_taken_port_is_reported(tmp_path: Path) -> None:
    with http_host(tmp_path) as host:
        port = int(host.base_url.rsplit(":", 1)[1])
        assert f"port {port} cannot be used" in refused(tmp_path / "second", tmp_path / "app", port)


def test_refused_app_ends_with_exit_code_1(tmp_path: Path) -> None:
    code = HTTP_APP.replace("async def block(req: func.HttpRequest)", "async def block(req, more)")
    text = refused(tmp_path, make_app(tmp_path / "app", code))
    assert "cannot load the block function: the following parameters are declared in Python but not" in text
    assert "Expecting to find host.json" in refused(tmp_path, tmp_path)


def test_wrong_connection_string_and_damaged_status_are_named(tmp_path: Path) -> None:
    root = make_app(tmp_path / "app", QUEUE_APP)
    (root / "local.settings.json").write_text('{"Values": {"BUS": "no connection string"}}')
    assert "function work: connection BUS: " in refused(tmp_path, root)
    timer = "\n@app.timer_trigger(arg_name='t', schedule='0 0 0 29 2 *')\ndef yearly(t: func.TimerRequest) -> None: ..."
    root = make_app(tmp_path / "timer", HTTP_APP + timer)
    (tmp_path / "state" / "timers").mkdir(parents=True)
    (tmp_path / "state" / "timers" / "yearly.json").write_text('{"Last": ')
    assert "yearly.json is damaged" in refused(tmp_path, root)


def test_wrong_arguments_end_with_exit_code_2() -> None:
    command = [sys.executable, "-m", "local.host", "--port", "seven"]
    assert subprocess.run(command, cwd=PROJECT, capture_output=True, timeout=60, check=False).returncode == 2


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningBus, ServiceBusSender]]:
    folder = tmp_path_factory.mktemp("bus")
    with ExitStack() as opened:
        running = opened.enter_context(running_bus(folder, write_queues(folder, ["work"]), LOCK_SECONDS))
        client = opened.enter_context(ServiceBusClient.from_connection_string(running.connection_string))
        yield running, opened.enter_context(client.get_queue_sender("work"))


def queue_host(tmp_path: Path, bus: RunningBus, seconds: float, *options: str) -> Any:
    root = make_app(tmp_path / "app", QUEUE_APP, '{"version": "2.0"}')
    environ = {"BUS": bus.connection_string, "JOURNAL": str(tmp_path / "journal"), "WORK_SECONDS": str(seconds)}
    environ["AzureFunctionsJobHost__extensions__serviceBus__maxConcurrentCalls"] = "2"
    return running_host(tmp_path / "state", root, environ, options=options)


def send(bus: RunningBus, body: str) -> None:
    client = ServiceBusClient.from_connection_string(bus.connection_string)
    with client, client.get_queue_sender("work") as sender:
        sender.send_messages(ServiceBusMessage(body))


def noted(tmp_path: Path) -> list[tuple[Any, ...]]:
    entries = read_journal(tmp_path / "journal")
    return [(one["f"], one["body"], *([one["count"]] if "count" in one else [])) for one in entries]


def is_empty(bus: RunningBus) -> bool:
    return not any(bus.depths("work").values())


@pytest.mark.stack
def test_running_message_is_completed_before_the_stop(tmp_path: Path, bus: tuple[RunningBus, ServiceBusSender]) -> None:
    with queue_host(tmp_path, bus[0], 1.5) as host:
        bus[1].send_messages(ServiceBusMessage("a"))
        wait_until(lambda: noted(tmp_path))
        assert host.stop() == 0
    assert noted(tmp_path) == [("start", "a", 1), ("end", "a")]
    assert is_empty(bus[0])


@pytest.mark.stack
def test_message_that_was_cut_off_or_killed_comes_back(
    tmp_path: Path, bus: tuple[RunningBus, ServiceBusSender]
) -> None:
    with queue_host(tmp_path, bus[0], 60, "--grace", "0.3") as host:
        bus[1].send_messages(ServiceBusMessage("b"))
        wait_until(lambda: noted(tmp_path))
        assert host.stop() == 0
    with queue_host(tmp_path, bus[0], 60) as host:
        wait_until(lambda: len(noted(tmp_path)) == 2)
        host.kill()
    with queue_host(tmp_path, bus[0], 0):
        wait_until(lambda: ("end", "b") in noted(tmp_path))
        wait_until(lambda: is_empty(bus[0]))
    assert noted(tmp_path) == [("start", "b", 1), ("start", "b", 2), ("start", "b", 3), ("end", "b")]


@pytest.mark.stack
def test_host_goes_on_after_the_broker_was_away(tmp_path: Path) -> None:
    queues, port = write_queues(tmp_path, ["work"]), free_port()
    with ExitStack() as opened:
        with running_bus(tmp_path / "bus", queues, LOCK_SECONDS, port) as first:
            opened.enter_context(queue_host(tmp_path, first, 0))
            send(first, "before")
            wait_until(lambda: ("end", "before") in noted(tmp_path))
            wait_until(lambda: is_empty(first))
            first.kill()
        with running_bus(tmp_path / "bus", queues, LOCK_SECONDS, port) as second:
            send(second, "after")
            wait_until(lambda: ("end", "after") in noted(tmp_path), 60)
            wait_until(lambda: is_empty(second))
