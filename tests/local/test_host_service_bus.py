"""Service Bus triggers and outputs of the local host, with the real client and the stand-in."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.servicebus import (
    ServiceBusClient,
    ServiceBusMessage,
    ServiceBusReceiver,
    ServiceBusSender,
    ServiceBusSubQueue,
)
from azure.servicebus.amqp import AmqpAnnotatedMessage, AmqpMessageBodyType

from tests.local.bus_process import RunningBus, running_bus, write_queues
from tests.local.host_process import JOURNAL, RunningHost, make_app, read_journal, running_host, wait_until

pytestmark = pytest.mark.stack

LOCK_SECONDS = 2.0
QUEUES = ["single", "many", "bad-many", "poison", "slow", "chatty", "outputs", "returned", "out", "list-out"]
APP = (
    JOURNAL
    + """
import typing
import azure.functions as func
app = func.FunctionApp()


@app.service_bus_queue_trigger(arg_name="msg", queue_name="%SINGLE%", connection="BUS")
async def single(msg: func.ServiceBusMessage, context: func.Context) -> None:
    note(f="single", body=msg.get_body().decode(), id=msg.message_id, count=msg.delivery_count,
         properties=msg.application_properties, user=msg.user_properties, correlation=msg.correlation_id,
         content=msg.content_type, subject=msg.subject, number=msg.sequence_number, lock=len(msg.lock_token),
         ttl=msg.time_to_live.total_seconds() if msg.time_to_live else None,
         enqueued=msg.enqueued_time_utc.timestamp(), until=msg.locked_until.timestamp(), function=context.function_name)


@app.service_bus_queue_trigger(arg_name="msgs", queue_name="many", connection="BUS", cardinality="many")
def many(msgs: typing.List[func.ServiceBusMessage]) -> None:
    note(f="many", bodies=[one.get_body().decode() for one in msgs])


@app.service_bus_queue_trigger(arg_name="msgs", queue_name="bad-many", connection="BUS", cardinality="many")
def bad_many(msgs: typing.List[func.ServiceBusMessage]) -> None:
    note(f="bad_many", counts=[one.delivery_count for one in msgs])
    if msgs[0].delivery_count == 1:
        raise RuntimeError("the first try of a list fails")


@app.service_bus_queue_trigger(arg_name="msg", queue_name="poison", connection="BUS")
def poison(msg: func.ServiceBusMessage) -> None:
    note(f="poison", count=msg.delivery_count)
    raise ValueError("never")


@app.service_bus_queue_trigger(arg_name="msg", queue_name="slow", connection="BUS")
def slow(msg: func.ServiceBusMessage) -> None:
    note(f="slow", count=msg.delivery_count)
    time.sleep(4.5)
    note(f="slow-end")


@app.service_bus_queue_trigger(arg_name="msg", queue_name="chatty", connection="BUS")
def chatty(msg: func.ServiceBusMessage):
    note(f="chatty", count=msg.delivery_count)
    return "something"


@app.service_bus_queue_trigger(arg_name="msg", queue_name="outputs", connection="BUS")
@app.service_bus_queue_output(arg_name="out", queue_name="out", connection="BUS")
def outputs(msg: func.ServiceBusMessage, out: func.Out[str]) -> None:
    body = msg.get_body().decode()
    if body != "nothing":
        out.set("first, replaced")
        out.set("from " + body)


@app.service_bus_queue_trigger(arg_name="msg", queue_name="list-out", connection="BUS")
@app.service_bus_queue_output(arg_name="out", queue_name="out", connection="BUS")
def list_out(msg: func.ServiceBusMessage, out: func.Out[str]) -> None:
    out.set(["a", "b"])


@app.service_bus_queue_trigger(arg_name="msg", queue_name="returned", connection="BUS")
@app.service_bus_queue_output(arg_name="$return", queue_name="out", connection="BUS")
async def returned(msg: func.ServiceBusMessage) -> str:
    return "returned " + msg.get_body().decode()
"""
)
HOST_JSON = json.dumps(
    {"version": "2.0", "extensions": {"serviceBus": {"maxConcurrentCalls": 2, "maxMessageBatchSize": 20}}}
)


@dataclass
class Stack:
    """A stand-in, a client and a host that serve the test app."""

    bus: RunningBus
    client: ServiceBusClient
    host: RunningHost
    journal: Path
    senders: dict[str, ServiceBusSender]

    def noted(self, function: str) -> list[dict[str, Any]]:
        return [entry for entry in read_journal(self.journal) if entry["f"] == function]

    def send(self, queue: str, *messages: Any) -> None:
        # opening and closing a sender takes a second: once for each queue
        sender = self.senders.setdefault(queue, self.client.get_queue_sender(queue))
        sender.send_messages(list(messages) if len(messages) > 1 else messages[0])

    def is_empty(self, queue: str) -> bool:
        depths = self.bus.depths(queue)
        return not depths["active"] and not depths["locked"]


def taken(receiver: ServiceBusReceiver, count: int) -> list[Any]:
    """That many messages, completed."""
    found: list[Any] = []
    with receiver:
        ends = time.monotonic() + 60
        while len(found) < count and time.monotonic() < ends:
            for message in receiver.receive_messages(max_message_count=count - len(found), max_wait_time=1):
                receiver.complete_message(message)
                found.append(message)
    return found


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    queues = write_queues(folder, QUEUES)
    root = make_app(folder / "app", APP, HOST_JSON)
    with ExitStack() as opened:
        bus = opened.enter_context(running_bus(folder, queues, LOCK_SECONDS))
        client = opened.enter_context(ServiceBusClient.from_connection_string(bus.connection_string))
        # sent before the host listens, so that one call can take many
        for queue, amount in (("many", 50), ("bad-many", 10)):
            with client.get_queue_sender(queue) as sender:
                sender.send_messages([ServiceBusMessage(str(number)) for number in range(amount)])
        journal = folder / "journal"
        environ = {"BUS": bus.connection_string, "SINGLE": "single", "JOURNAL": str(journal)}
        host = opened.enter_context(running_host(folder / "state", root, environ))
        yield Stack(bus, client, host, journal, {})


def test_message_arrives_with_its_properties_and_is_completed(stack: Stack) -> None:
    message = ServiceBusMessage(
        "ü",
        message_id="m-1",
        correlation_id="c-1",
        content_type="text/plain",
        subject="s-1",
        time_to_live=timedelta(minutes=9),
        application_properties={"text": "t", "number": 7, "true": True},
    )
    stack.send("single", message)
    found = wait_until(lambda: stack.noted("single"))[0]
    properties = {"text": "t", "number": 7, "true": True}
    expected = {"body": "ü", "id": "m-1", "count": 1, "correlation": "c-1", "content": "text/plain", "subject": "s-1"}
    assert expected.items() <= found.items()
    assert (found["properties"], found["user"], found["ttl"]) == (properties, properties, 540.0)
    assert (found["function"], found["lock"]) == ("single", 36)
    assert found["until"] - found["enqueued"] >= LOCK_SECONDS
    assert wait_until(lambda: stack.is_empty("single"))
    assert len(stack.noted("single")) == 1


def test_body_that_is_a_value_arrives_as_text(stack: Stack) -> None:
    seen = len(stack.noted("single"))
    body = AmqpAnnotatedMessage(value_body={"a": 1})
    assert body.body_type == AmqpMessageBodyType.VALUE
    stack.send("single", body)
    assert json.loads(wait_until(lambda: stack.noted("single")[seen:])[0]["body"]) == {"a": 1}


def test_many_are_taken_in_lists_up_to_the_batch_size(stack: Stack) -> None:
    wait_until(lambda: stack.is_empty("many"))
    lists = [entry["bodies"] for entry in stack.noted("many")]
    assert [body for one in lists for body in one] == [str(number) for number in range(50)]
    assert [len(one) for one in lists] == [20, 20, 10]


def test_one_failure_gives_the_whole_list_back(stack: Stack) -> None:
    wait_until(lambda: stack.is_empty("bad-many"))
    assert [entry["counts"] for entry in stack.noted("bad_many")] == [[1] * 10, [2] * 10]


def test_poison_message_is_dead_lettered_after_its_tries(stack: Stack) -> None:
    stack.send("poison", ServiceBusMessage("x"))
    dead = stack.client.get_queue_receiver("poison", sub_queue=ServiceBusSubQueue.DEAD_LETTER)
    assert [message.dead_letter_reason for message in taken(dead, 1)] == ["MaxDeliveryCountExceeded"]
    assert [entry["count"] for entry in stack.noted("poison")] == list(range(1, 11))


def test_result_without_return_binding_fails_the_call(stack: Stack) -> None:
    stack.send("chatty", ServiceBusMessage("x"))
    wait_until(lambda: stack.bus.depths("chatty")["dead_letter"] == 1)
    assert "function 'chatty' without a $return bindingreturned a non-None value" in stack.host.output()


def test_lock_is_renewed_while_a_call_takes_longer(stack: Stack) -> None:
    stack.send("slow", ServiceBusMessage("x"))
    wait_until(lambda: stack.noted("slow-end"))
    wait_until(lambda: stack.is_empty("slow"))
    assert [entry["count"] for entry in stack.noted("slow")] == [1]
    assert stack.bus.depths("slow")["dead_letter"] == 0


def test_outputs_send_what_was_set_last_and_nothing_for_nothing(stack: Stack) -> None:
    for body in ("nothing", "a", "b"):
        stack.send("outputs", ServiceBusMessage(body))
    stack.send("returned", ServiceBusMessage("c"))
    bodies = [str(message) for message in taken(stack.client.get_queue_receiver("out"), 3)]
    assert sorted(bodies) == ["from a", "from b", "returned c"]
    assert wait_until(lambda: stack.is_empty("outputs"))
    assert stack.bus.depths("out")["active"] == 0


def test_list_as_output_is_refused(stack: Stack) -> None:
    stack.send("list-out", ServiceBusMessage("x"))
    wait_until(lambda: stack.bus.depths("list-out")["dead_letter"] == 1)
    assert "a Service Bus output takes str or bytes, one message; got list" in stack.host.output()


def post(host: RunningHost, function: str, text: str) -> int:
    body = json.dumps({"input": text}).encode()
    with urllib.request.urlopen(f"{host.base_url}/admin/functions/{function}", data=body, timeout=60) as answer:
        status: int = answer.status
        return status


def test_queue_function_is_called_by_hand(stack: Stack) -> None:
    assert post(stack.host, "many", "by hand") == 202
    assert wait_until(lambda: [one for one in stack.noted("many") if one["bodies"] == ["by hand"]])


def test_failed_call_by_hand_is_logged(stack: Stack) -> None:
    assert post(stack.host, "poison", "by hand") == 202
    assert wait_until(lambda: "poison, called by hand, failed: ValueError" in stack.host.output())
