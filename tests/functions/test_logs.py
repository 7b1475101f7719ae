"""What is logged names nobody and can be followed: with the app loaded, and in the log of a host that runs."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from pathlib import Path

import azure.functions as func
import pytest
from azure.functions.servicebus import ServiceBusMessage

from shared import deliveries, telemetry
from shared.errors import PoisonMessageError
from shared.graph import call_log
from tests.local.bus_process import RunningBus
from tests.local.host_process import PROJECT, running_host, wait_until

ADDRESS = "ann@customer.example"
CORRELATION = "a-request-of-mine"
MESSAGE = json.dumps({"kind": ADDRESS}).encode()


def test_the_app_cleans_the_workers_log_lines() -> None:
    """The worker's handler is there before the app is loaded, and formats the text alone."""
    code = f"""
import logging, sys
handler = logging.StreamHandler(sys.stdout)
logging.getLogger().addHandler(handler)
import function_app
from shared import telemetry
with telemetry.correlated("{CORRELATION}"):
    logging.getLogger("any.library").warning("no mailbox %s", "{ADDRESS}")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout == f"no mailbox [address] [correlation {CORRELATION}]\n"


def message(body: bytes) -> func.ServiceBusMessage:
    return ServiceBusMessage(
        body=body, message_id="one", application_properties={"correlation_id": CORRELATION}, user_properties={}
    )


@pytest.mark.parametrize("error", [ValueError(f"no mailbox {ADDRESS}"), PoisonMessageError(f"{ADDRESS} is no kind")])
def test_an_error_that_leaves_a_function_names_nobody(error: Exception) -> None:
    def work(_: bytes) -> None:
        raise error

    with pytest.raises(telemetry.RedactedError, match=rf"{type(error).__name__}: .*\[address\]") as raised:
        deliveries.handle(message(b""), "graph-backfill", work)
    assert "work" in [frame.name for frame in raised.traceback]
    with pytest.raises(telemetry.RedactedError), telemetry.timer_run("nightly_sweep"):
        raise error


def test_calls_to_graph_are_counted_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    call_log._counts.clear()
    for second in range(60):
        call_log.answered(1000.0 + second)
    call_log.refused(429, "tooMany", 1030.0)
    call_log.refused(0, now=1031.0)
    call_log.refused(404, "ErrorItemNotFound", 1060.0)
    call_log.answered(1061.0)
    assert [record.getMessage() for record in caplog.records] == [
        "Graph refused: 429 tooMany",
        "Graph refused: 0 -",
        "Graph refused: 404 ErrorItemNotFound",
        "Graph calls: 63 calls, 1 refused for load, 1 unanswered",
    ]


@pytest.mark.stack
@pytest.mark.usefixtures("storage")
def test_the_hosts_log_can_be_followed_and_names_nobody(queues: RunningBus, tmp_path: Path) -> None:
    from shared.queues import Message, send

    with telemetry.correlated(CORRELATION):
        send("people-updates", [Message(body=MESSAGE)])
    example = json.loads((PROJECT / "local.settings.example.json").read_text())["Values"]
    names = {name: value for name, value in example.items() if name.endswith("_QUEUE")}
    with running_host(tmp_path, environ=names) as host:
        failed = re.compile(rf"poison message: queue people-updates, .*\[correlation {CORRELATION}\]")
        wait_until(lambda: failed.search(host.output()))
        wait_until(lambda: "Executed people_updates (Failed" in host.output())
        assert "customer.example" not in host.output()
