"""The Service Bus stand-in through the asyncio client, which is the one the app uses."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from azure.servicebus import ServiceBusMessage, ServiceBusSubQueue
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver

from tests.local.bus_process import RunningBus, running_bus, write_queues


async def _texts(receiver: ServiceBusReceiver, count: int, wait: float = 60) -> list[str]:
    got = await receiver.receive_messages(count, max_wait_time=wait)
    for message in got:
        await receiver.complete_message(message)
    return [str(message) for message in got]


async def _every_way_to_settle(bus: RunningBus) -> None:
    async with (
        ServiceBusClient.from_connection_string(bus.connection_string, retry_total=0) as client,
        client.get_queue_sender("work") as sender,
        client.get_queue_receiver("work") as receiver,
        client.get_queue_receiver("work", sub_queue=ServiceBusSubQueue.DEAD_LETTER) as dead,
    ):
        names = ["complete", "abandon", "defer", "dead letter"]
        await sender.send_messages([ServiceBusMessage(name) for name in names])
        await sender.schedule_messages(ServiceBusMessage("later"), datetime.now(UTC) + timedelta(seconds=1))
        cancelled = await sender.schedule_messages(ServiceBusMessage("never"), datetime.now(UTC) + timedelta(seconds=1))
        assert [str(message) for message in await receiver.peek_messages(10)] == [*names, "later", "never"]
        await sender.cancel_scheduled_messages(cancelled)

        done, again, aside, bad = await receiver.receive_messages(4, max_wait_time=60)
        await receiver.renew_message_lock(done)
        await asyncio.gather(  # settled together, as the app does
            receiver.complete_message(done),
            receiver.abandon_message(again),
            receiver.defer_message(aside),
            receiver.dead_letter_message(bad, reason="why", error_description="how"),
        )
        (back,) = await receiver.receive_messages(1, max_wait_time=60)
        assert (str(back), back.delivery_count) == ("abandon", 1)
        await receiver.complete_message(back)
        assert aside.sequence_number is not None
        (aside,) = await receiver.receive_deferred_messages([aside.sequence_number])
        await receiver.complete_message(aside)
        (letter,) = await dead.receive_messages(1, max_wait_time=60)
        assert (letter.dead_letter_reason, letter.dead_letter_error_description) == ("why", "how")
        await dead.complete_message(letter)
        assert await _texts(receiver, 1) == ["later"]


async def _many_at_once(bus: RunningBus) -> None:
    """Four receivers, each with its own connection, take 200 messages between them and lose none."""
    async with AsyncExitStack() as stack:
        client = ServiceBusClient.from_connection_string(bus.connection_string, retry_total=0)
        await stack.enter_async_context(client)
        receivers = [client.get_queue_receiver("work") for _ in range(4)]
        await asyncio.gather(*(stack.enter_async_context(receiver) for receiver in receivers))
        sender = await stack.enter_async_context(client.get_queue_sender("work"))
        await sender.send_messages([ServiceBusMessage(f"{n}") for n in range(200)])

        async def take(receiver: ServiceBusReceiver) -> list[str]:
            seen: list[str] = []
            while sum(bus.depths("work").values()):
                seen += await _texts(receiver, 10, wait=0.5)
            return seen

        shares = await asyncio.gather(*(take(receiver) for receiver in receivers))
        await asyncio.gather(sender.close(), *(receiver.close() for receiver in receivers))  # one by one takes seconds
    assert sorted(int(text) for share in shares for text in share) == list(range(200))


def test_the_asyncio_client_sends_schedules_peeks_and_settles_in_every_way(tmp_path: Path) -> None:
    with running_bus(tmp_path / "state", write_queues(tmp_path, ["work"])) as bus:
        asyncio.run(_every_way_to_settle(bus))
        asyncio.run(_many_at_once(bus))
        assert set(bus.depths("work").values()) == {0}
