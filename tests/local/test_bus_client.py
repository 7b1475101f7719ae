"""The Service Bus stand-in through the real client: what a queue does with messages.

One sender and one receiver a queue are shared: opening one takes half a second in the client.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from azure.servicebus import (
    NEXT_AVAILABLE_SESSION,
    AutoLockRenewer,
    ServiceBusClient,
    ServiceBusMessage,
    ServiceBusReceivedMessage,
    ServiceBusReceiveMode,
    ServiceBusReceiver,
)
from azure.servicebus.amqp import AmqpAnnotatedMessage, AmqpMessageBodyType
from azure.servicebus.exceptions import (
    MessageLockLostError,
    MessageNotFoundError,
    MessageSizeExceededError,
    MessagingEntityNotFoundError,
    ServiceBusAuthenticationError,
    ServiceBusError,
)

from tests.local.bus_process import Desk, running_bus, write_queues

QUEUES = [
    {"name": "plain", "maxDeliveryCount": 3},
    {"name": "short", "lockDuration": "PT5S"},
    {"name": "once", "requiresDuplicateDetection": True, "duplicateDetectionHistoryTimeWindow": "PT3S"},
    {"name": "expiring", "deadLetteringOnMessageExpiration": True},
    {"name": "spare"},
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("bus")
    with running_bus(folder / "state", write_queues(folder, QUEUES)) as bus, Desk(bus) as desk:
        yield desk


@pytest.fixture(autouse=True)
def every_queue_is_left_empty(desk: Desk) -> Iterator[None]:
    """A test that leaves messages behind would change the next one."""
    yield
    left = {str(queue["name"]): desk.bus.depths(str(queue["name"])) for queue in QUEUES}
    desk.bus.empty()
    assert {name for name, depths in left.items() if any(depths.values())} == set()


def receive(receiver: ServiceBusReceiver, count: int, wait: float = 5) -> list[ServiceBusReceivedMessage]:
    """Exactly `count` messages, however many calls that takes."""
    found: list[ServiceBusReceivedMessage] = []
    while len(found) < count:
        more = receiver.receive_messages(count - len(found), max_wait_time=wait)
        assert more, f"{len(found)} of {count} messages came"
        found += more
    return found


def bodies(messages: list[ServiceBusReceivedMessage]) -> list[str]:
    return [str(message) for message in messages]


def complete(receiver: ServiceBusReceiver, messages: list[ServiceBusReceivedMessage]) -> None:
    for message in messages:
        receiver.complete_message(message)


def test_a_message_keeps_all_its_properties(desk: Desk) -> None:
    moment = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    identity = uuid4()
    given = {"text": "ä", "number": 7, "half": 0.5, "yes": True, "raw": b"\0\1", "when": moment, "id": identity}
    message = ServiceBusMessage(
        b"\x00body\xff",
        application_properties=dict(given),
        content_type="application/json",
        correlation_id="c-1",
        subject="subject",
        message_id="m-1",
        to="to",
        reply_to="reply",
        partition_key="key",
        time_to_live=timedelta(hours=1),
    )
    before = datetime.now(UTC)
    desk.sender("plain").send_messages(message)
    (got,) = receive(desk.receiver("plain"), 1)
    desk.receiver("plain").complete_message(got)

    assert b"".join(got.body) == b"\x00body\xff"
    assert got.application_properties == {
        b"text": "ä".encode(), b"number": 7, b"half": 0.5, b"yes": True, b"raw": b"\0\1",
        b"when": int(moment.timestamp() * 1000), b"id": identity,
    }  # fmt: skip
    named = (got.content_type, got.correlation_id, got.subject, got.message_id, got.to, got.reply_to)
    assert named == ("application/json", "c-1", "subject", "m-1", "to", "reply")
    assert (got.partition_key, got.time_to_live, got.delivery_count) == ("key", timedelta(hours=1), 0)
    assert got.sequence_number is not None and got.enqueued_time_utc is not None
    assert timedelta(seconds=-1) < got.enqueued_time_utc - before < timedelta(seconds=10)


def test_bodies_that_are_values_and_sequences_pass(desk: Desk) -> None:
    desk.sender("plain").send_messages(AmqpAnnotatedMessage(value_body={"a": [1, None, "x"]}))
    desk.sender("plain").send_messages(AmqpAnnotatedMessage(sequence_body=[[1, 2], ["b"]]))
    value, sequence = receive(desk.receiver("plain"), 2)
    complete(desk.receiver("plain"), [value, sequence])
    assert (value.body_type, value.body) == (AmqpMessageBodyType.VALUE, {b"a": [1, None, b"x"]})
    assert (sequence.body_type, list(sequence.body)) == (AmqpMessageBodyType.SEQUENCE, [[1, 2], [b"b"]])


def test_a_list_and_a_batch_keep_their_order(desk: Desk) -> None:
    sender, receiver = desk.sender("plain"), desk.receiver("plain")
    sender.send_messages([ServiceBusMessage(f"list {n}") for n in range(50)])
    batch = sender.create_message_batch()
    for n in range(50):
        batch.add_message(ServiceBusMessage(f"batch {n}", message_id=f"id {n}"))
    sender.send_messages(batch)
    got = receive(receiver, 100)
    complete(receiver, got)
    assert bodies(got) == [f"list {n}" for n in range(50)] + [f"batch {n}" for n in range(50)]
    assert [message.message_id for message in got[50:]] == [f"id {n}" for n in range(50)]


def test_a_message_of_many_frames_arrives_whole(desk: Desk) -> None:
    body = bytes(range(250)) * 800
    desk.sender("plain").send_messages(ServiceBusMessage(body))
    (got,) = receive(desk.receiver("plain"), 1)
    desk.receiver("plain").complete_message(got)
    assert b"".join(got.body) == body


def test_a_message_over_the_limit_is_refused(desk: Desk) -> None:
    with pytest.raises(MessageSizeExceededError):
        desk.sender("plain").send_messages(ServiceBusMessage(b"x" * 300_000))
    with pytest.raises(ServiceBusError, match="larger than"):
        desk.sender("plain").schedule_messages(ServiceBusMessage(b"x" * 300_000), datetime.now(UTC))


def test_an_abandoned_message_comes_back_at_once_and_is_dead_lettered_at_the_maximum(desk: Desk) -> None:
    desk.sender("plain").send_messages(ServiceBusMessage("poison", application_properties={"kept": "yes"}))
    counts = []
    for _ in range(3):
        (got,) = receive(desk.receiver("plain"), 1)
        counts.append(got.delivery_count)
        desk.receiver("plain").abandon_message(got)
    assert counts == [0, 1, 2]
    (dead,) = receive(desk.dead("plain"), 1)
    desk.dead("plain").complete_message(dead)
    assert (str(dead), dead.dead_letter_reason) == ("poison", "MaxDeliveryCountExceeded")
    assert dead.dead_letter_error_description == "Delivered 3 times without being completed."
    assert dead.application_properties is not None and dead.application_properties[b"kept"] == b"yes"


def test_a_dead_letter_carries_reason_and_description(desk: Desk) -> None:
    desk.sender("plain").send_messages(ServiceBusMessage("bad", correlation_id="trace"))
    (got,) = receive(desk.receiver("plain"), 1)
    desk.receiver("plain").dead_letter_message(got, reason="no such record", error_description="record 7 is gone")
    (dead,) = receive(desk.dead("plain"), 1)
    desk.dead("plain").complete_message(dead)
    told = (dead.dead_letter_reason, dead.dead_letter_error_description, dead.correlation_id, str(dead))
    assert told == ("no such record", "record 7 is gone", "trace", "bad")


def test_an_ended_lock_brings_the_message_back_and_settling_late_fails(desk: Desk) -> None:
    receiver = desk.receiver("short")
    desk.sender("short").send_messages(ServiceBusMessage("slow"))
    (late,) = receive(receiver, 1)
    (again,) = receive(receiver, 1)
    assert (late.delivery_count, again.delivery_count) == (0, 1)
    with pytest.raises(MessageLockLostError):
        receiver.complete_message(late)
    late._expiry = datetime.now(UTC) + timedelta(hours=1)  # past the client's own check, to the broker's
    with pytest.raises(MessageLockLostError):
        receiver.complete_message(late)
    receiver.complete_message(again)


def test_a_renewed_lock_holds_beyond_its_duration(desk: Desk) -> None:
    receiver = desk.receiver("short")
    desk.sender("short").send_messages(ServiceBusMessage("long work"))
    (got,) = receive(receiver, 1)
    first_end = got.locked_until_utc
    assert first_end is not None and receiver.renew_message_lock(got) > first_end
    with AutoLockRenewer() as renewer:
        renewer.register(receiver, got, max_lock_renewal_duration=30)
        time.sleep((first_end - datetime.now(UTC)).total_seconds() + 0.5)
    assert got.auto_renew_error is None
    receiver.complete_message(got)


def test_a_lock_that_has_ended_cannot_be_renewed(desk: Desk) -> None:
    receiver = desk.receiver("short")
    desk.sender("short").send_messages(ServiceBusMessage("late"))
    (late,) = receive(receiver, 1)
    (again,) = receive(receiver, 1)
    late._expiry = datetime.now(UTC) + timedelta(hours=1)
    with pytest.raises(MessageLockLostError):
        receiver.renew_message_lock(late)
    receiver.complete_message(again)


def test_a_scheduled_time_on_a_plain_send_is_kept(desk: Desk) -> None:
    due = datetime.now(UTC) + timedelta(seconds=1.5)
    desk.sender("plain").send_messages(ServiceBusMessage("later", scheduled_enqueue_time_utc=due))
    assert desk.bus.depths("plain")["scheduled"] == 1
    (waiting,) = desk.receiver("plain").peek_messages(5, sequence_number=1)
    assert (str(waiting), waiting.state.name) == ("later", "SCHEDULED")
    (got,) = receive(desk.receiver("plain"), 1)
    assert datetime.now(UTC) >= due
    assert got.enqueued_time_utc is not None and got.enqueued_time_utc >= due - timedelta(milliseconds=1)
    assert waiting.sequence_number is not None and (got.sequence_number or 0) > waiting.sequence_number
    desk.receiver("plain").complete_message(got)


def test_scheduled_messages_can_be_cancelled_once(desk: Desk) -> None:
    sender, due = desk.sender("plain"), datetime.now(UTC) + timedelta(seconds=1)
    numbers = sender.schedule_messages([ServiceBusMessage("one"), ServiceBusMessage("two")], due)
    assert len(set(numbers)) == 2
    sender.cancel_scheduled_messages(numbers[0])
    with pytest.raises(MessageNotFoundError):
        sender.cancel_scheduled_messages(numbers[0])
    got = receive(desk.receiver("plain"), 1)
    complete(desk.receiver("plain"), got)
    assert bodies(got) == ["two"]
    with pytest.raises(MessageNotFoundError):
        sender.cancel_scheduled_messages(numbers[1])


def test_a_schedule_in_the_past_means_now(desk: Desk) -> None:
    desk.sender("plain").schedule_messages(ServiceBusMessage("past"), datetime.now(UTC) - timedelta(days=1))
    got = receive(desk.receiver("plain"), 1)
    complete(desk.receiver("plain"), got)
    assert bodies(got) == ["past"]


def test_peek_shows_everything_takes_nothing_and_goes_on(desk: Desk) -> None:
    sender, receiver = desk.sender("spare"), desk.receiver("spare")
    sender.send_messages([ServiceBusMessage(f"{n}") for n in range(6)])
    (locked,) = receive(receiver, 1)
    first = receiver.peek_messages(4, sequence_number=1)
    second, third = receiver.peek_messages(4), receiver.peek_messages(4)
    assert bodies(first) + bodies(second) == ["0", "1", "2", "3", "4", "5"]
    assert third == []
    assert desk.bus.depths("spare") == {"active": 5, "scheduled": 0, "locked": 1, "deferred": 0, "dead_letter": 0}
    complete(receiver, [locked, *receive(receiver, 5)])


def test_a_deferred_message_comes_only_when_asked_for(desk: Desk) -> None:
    sender, receiver = desk.sender("plain"), desk.receiver("plain")
    sender.send_messages([ServiceBusMessage("aside"), ServiceBusMessage("next")])
    aside, following = receive(receiver, 2)
    receiver.defer_message(aside)
    receiver.complete_message(following)
    assert desk.bus.depths("plain")["deferred"] == 1
    assert [message.state.name for message in receiver.peek_messages(5, sequence_number=1)] == ["DEFERRED"]
    assert aside.sequence_number is not None
    (back,) = receiver.receive_deferred_messages([aside.sequence_number])
    assert str(back) == "aside"
    receiver.complete_message(back)
    with pytest.raises(MessageNotFoundError):
        receiver.receive_deferred_messages([aside.sequence_number])


def test_a_deferred_message_can_be_dead_lettered_with_a_reason(desk: Desk) -> None:
    receiver = desk.receiver("plain")
    desk.sender("plain").send_messages(ServiceBusMessage("aside"))
    (aside,) = receive(receiver, 1)
    receiver.defer_message(aside)
    assert aside.sequence_number is not None
    (back,) = receiver.receive_deferred_messages(aside.sequence_number)
    receiver.dead_letter_message(back, reason="given up", error_description="twice")
    (dead,) = receive(desk.dead("plain"), 1)
    desk.dead("plain").complete_message(dead)
    assert (dead.dead_letter_reason, dead.dead_letter_error_description) == ("given up", "twice")


def test_receive_and_delete_removes_at_once(desk: Desk) -> None:
    receiver = desk.receiver("spare", receive_mode=ServiceBusReceiveMode.RECEIVE_AND_DELETE)
    desk.sender("spare").send_messages([ServiceBusMessage("a"), ServiceBusMessage("b")])
    got = receive(receiver, 2)
    assert bodies(got) == ["a", "b"]
    assert desk.bus.depths("spare")["active"] == 0


def test_an_expired_message_is_dropped_or_dead_lettered_as_the_queue_says(desk: Desk) -> None:
    for queue in ("spare", "expiring"):
        desk.sender(queue).send_messages(ServiceBusMessage("brief", time_to_live=timedelta(seconds=0.3)))
    (dead,) = receive(desk.dead("expiring"), 1)
    desk.dead("expiring").complete_message(dead)
    assert (str(dead), dead.dead_letter_reason) == ("brief", "TTLExpiredException")
    # One of its own: a receiver that has waited in vain gets the next message, whoever asks for it then.
    with desk.client.get_queue_receiver("spare") as receiver:
        assert receiver.receive_messages(1, max_wait_time=0.3) == []


def test_an_unknown_queue_is_named_as_such(desk: Desk) -> None:
    with pytest.raises(MessagingEntityNotFoundError), desk.client.get_queue_sender("nowhere") as sender:
        sender.send_messages(ServiceBusMessage("lost"))
    with pytest.raises(MessagingEntityNotFoundError), desk.client.get_queue_receiver("nowhere") as receiver:
        receiver.receive_messages(1, max_wait_time=1)


def test_queue_names_compare_without_case(desk: Desk) -> None:
    desk.sender("PLAIN").send_messages(ServiceBusMessage("case"))
    complete(desk.receiver("plain"), receive(desk.receiver("plain"), 1))


def test_what_a_prefetching_receiver_did_not_use_is_released_uncounted(desk: Desk) -> None:
    desk.sender("spare").send_messages([ServiceBusMessage(f"{n}") for n in range(10)])
    used = []
    with desk.client.get_queue_receiver("spare", prefetch_count=20, max_wait_time=2) as receiver:
        for message in receiver:
            used.append(message)
            receiver.complete_message(message)
            if len(used) == 4:
                break
    assert bodies(used) == ["0", "1", "2", "3"]
    rest = receive(desk.receiver("spare"), 6)
    complete(desk.receiver("spare"), rest)
    assert [(str(message), message.delivery_count) for message in rest] == [(f"{n}", 0) for n in range(4, 10)]


def test_two_receivers_share_without_doubling(desk: Desk) -> None:
    second = desk.client.get_queue_receiver("spare")
    receivers = [desk.receiver("spare"), second]
    for receiver in receivers:  # both are open before there is anything to share
        assert receiver.peek_messages(1) == []
    desk.sender("spare").send_messages([ServiceBusMessage(f"{n}") for n in range(200)])

    def drain(receiver: ServiceBusReceiver) -> list[str]:
        seen: list[str] = []
        while got := receiver.receive_messages(10, max_wait_time=1):
            seen += bodies(got)
            complete(receiver, got)
        return seen

    with ThreadPoolExecutor(2) as pool:
        shares = list(pool.map(drain, receivers))
    second.close()
    assert all(shares)
    assert sorted(int(n) for share in shares for n in share) == list(range(200))


def test_a_wrong_key_is_an_authentication_error(desk: Desk) -> None:
    wrong = desk.bus.connection_string_with("another key")
    with ServiceBusClient.from_connection_string(wrong, retry_total=0) as client:
        sender = client.get_queue_sender("plain")
        with pytest.raises(ServiceBusAuthenticationError), sender:
            sender.send_messages(ServiceBusMessage("no"))


def test_a_message_id_is_accepted_once_within_the_window(desk: Desk) -> None:
    sender, receiver = desk.sender("once"), desk.receiver("once")
    sender.send_messages(ServiceBusMessage("plain", message_id="a"))
    start = datetime.now(UTC)
    sender.send_messages(ServiceBusMessage("again", message_id="a"))
    sender.send_messages([ServiceBusMessage("in a batch", message_id="b"), ServiceBusMessage("twice", message_id="b")])
    (number,) = sender.schedule_messages(ServiceBusMessage("scheduled", message_id="c"), start + timedelta(seconds=0.5))
    (dropped,) = sender.schedule_messages(ServiceBusMessage("re-scheduled", message_id="c"), start)
    sender.send_messages(ServiceBusMessage("sent after its schedule", message_id="c"))
    sender.send_messages([ServiceBusMessage("no id"), ServiceBusMessage("no id")])
    got = receive(receiver, 5)
    complete(receiver, got)
    sender.send_messages(ServiceBusMessage("after it was consumed", message_id="a"))
    assert bodies(got) == ["plain", "in a batch", "no id", "no id", "scheduled"]
    assert isinstance(dropped, int) and dropped != number
    assert desk.bus.depths("once")["active"] == 0

    time.sleep(max(0.0, 3.2 - (datetime.now(UTC) - start).total_seconds()))
    sender.send_messages(ServiceBusMessage("after the window", message_id="a"))
    late = receive(receiver, 1)
    complete(receiver, late)
    assert bodies(late) == ["after the window"]


def test_a_session_receiver_is_refused_with_the_reason(desk: Desk) -> None:
    for session in ("one", NEXT_AVAILABLE_SESSION):
        receiver = desk.client.get_queue_receiver("plain", session_id=session)  # type: ignore[arg-type]
        with pytest.raises(ServiceBusError, match="Sessions are not served here"), receiver:
            receiver.receive_messages(1, max_wait_time=1)


def test_a_subscription_is_refused_with_the_reason(desk: Desk) -> None:
    receiver = desk.client.get_subscription_receiver("topic", "mine")
    with pytest.raises(ServiceBusError, match="Topics and subscriptions are not served here"), receiver:
        receiver.receive_messages(1, max_wait_time=1)


def test_the_stand_in_listens_on_this_machine_alone(desk: Desk) -> None:
    listeners = Path(f"/proc/{desk.bus.process.pid}/net/tcp")
    if not listeners.exists():
        pytest.skip("only Linux tells who listens where")
    lines = [line.split() for line in listeners.read_text().splitlines()[1:]]
    bound = {line[1] for line in lines if line[3] == "0A" and line[1].endswith(f":{desk.bus.port:04X}")}
    assert bound == {f"0100007F:{desk.bus.port:04X}"}
