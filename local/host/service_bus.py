"""Service Bus queues: receivers that call functions and settle, senders for output bindings."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from local.host.bindings import Binding, LoadedFunction
from local.host.configuration import HostConfiguration
from local.host.errors import HostError
from local.host.invocation import Invoker
from local.host.messages import to_function
from local.host.settings import connection_string, expand
from local.host.waiting import stops_within

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from azure.servicebus import ServiceBusReceivedMessage
    from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver, ServiceBusSender

log = logging.getLogger("host.service_bus")

# how long one receive call waits for a first message: also what a stop waits for an idle receiver
_WAIT_SECONDS = 0.5
# settled together; each is a frame out and a frame in on one connection
_SETTLED_TOGETHER = 100
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0


class Connections:
    """One client for each connection string and one sender for each queue that output bindings write to."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        # without one of its own, every receiver and sender reads all certificates again (40 ms), even for plain TCP
        self._tls = ssl.create_default_context()
        self._clients: dict[str, ServiceBusClient] = {}
        self._senders: dict[tuple[str, str], tuple[ServiceBusSender, asyncio.Lock]] = {}

    def _client(self, function: LoadedFunction, binding: Binding) -> tuple[str, ServiceBusClient]:
        from azure.servicebus.aio import ServiceBusClient

        text = connection_string(binding.text("connection"), self._environ, function.name)
        if text not in self._clients:
            try:
                self._clients[text] = ServiceBusClient.from_connection_string(text, ssl_context=self._tls)
            except ValueError as error:
                name = binding.text("connection")
                raise HostError(f"function {function.name}: connection {name}: {error}") from error
        return text, self._clients[text]

    def queue(self, function: LoadedFunction, binding: Binding) -> str:
        return expand(binding.text("queueName"), self._environ, function.name)

    def receiver(self, function: LoadedFunction, prefetch: int) -> ServiceBusReceiver:
        """A new receiver of the function's queue, not yet open."""
        _, client = self._client(function, function.trigger)
        return client.get_queue_receiver(self.queue(function, function.trigger), prefetch_count=prefetch)

    def _sender(self, function: LoadedFunction, binding: Binding) -> tuple[ServiceBusSender, asyncio.Lock]:
        text, client = self._client(function, binding)
        key = (text, self.queue(function, binding))
        if key not in self._senders:
            self._senders[key] = (client.get_queue_sender(key[1]), asyncio.Lock())
        return self._senders[key]

    def prepare(self, functions: Sequence[LoadedFunction]) -> None:
        """Make the clients and senders that the functions need. Raises HostError for a wrong connection string."""
        for function in functions:
            for binding in (function.trigger, *function.outputs, function.returned):
                if binding and binding.type == "serviceBusTrigger":
                    self._client(function, binding)
                if binding and binding.type == "serviceBus":
                    self._sender(function, binding)

    async def open_senders(self) -> None:
        """Open all senders now: opening one takes half a second, which no first message should wait for."""
        for sender, lock in self._senders.values():
            async with lock:
                await sender.__aenter__()

    async def send(self, function: LoadedFunction, binding: Binding, body: str | bytes) -> None:
        """Send one message for an output binding. Raises the client's error when it cannot."""
        from azure.servicebus import ServiceBusMessage

        sender, lock = self._sender(function, binding)
        async with lock:
            await sender.send_messages(ServiceBusMessage(body))

    async def close(self) -> None:
        await asyncio.gather(*(sender.close() for sender, _ in self._senders.values()), return_exceptions=True)
        await asyncio.gather(*(client.close() for client in self._clients.values()), return_exceptions=True)


class QueueTrigger:
    """The receivers of one function: one for each concurrent call, or a single one that takes lists."""

    def __init__(
        self, function: LoadedFunction, invoker: Invoker, connections: Connections, options: HostConfiguration
    ) -> None:
        self.function = function
        self._invoker, self._connections, self._options = invoker, connections, options
        self._queue = connections.queue(function, function.trigger)

    async def run(self, stopping: asyncio.Event) -> None:
        """Receive until `stopping` is set, then let running calls end, settle and close."""
        slots = 1 if self.function.trigger.is_many else self._options.max_concurrent_calls
        await asyncio.gather(*(self._slot(stopping) for _ in range(slots)))

    async def _slot(self, stopping: asyncio.Event) -> None:
        """One receiver; opened again after an error that the client does not mend itself, with a growing pause."""
        from azure.servicebus.exceptions import ServiceBusError

        pause = _FIRST_PAUSE
        while not stopping.is_set():
            try:
                async with self._connections.receiver(self.function, self._options.prefetch_count) as receiver:
                    pause = _FIRST_PAUSE
                    await self._receive(receiver, stopping)
            except Exception as error:
                # whatever it is, the other queues and HTTP go on
                unknown = not isinstance(error, ServiceBusError)
                log.warning("queue %s: %s; next try in %.0f s", self._queue, error, pause, exc_info=unknown)
                await stops_within(pause, stopping)
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def _receive(self, receiver: ServiceBusReceiver, stopping: asyncio.Event) -> None:
        many = self.function.trigger.is_many
        most = self._options.max_batch_size if many else 1
        while not stopping.is_set():
            messages = await receiver.receive_messages(max_message_count=most, max_wait_time=_WAIT_SECONDS)
            if messages:
                await self._handle(receiver, messages, many)

    async def _handle(
        self, receiver: ServiceBusReceiver, messages: list[ServiceBusReceivedMessage], many: bool
    ) -> None:
        """Call the function once; success completes, any exception abandons, all messages alike."""
        settle = receiver.complete_message
        try:
            # locks of a list are not renewed: a batch must finish within the lock duration
            longest = 0.0 if many else self._options.max_lock_renewal
            async with _renewing(receiver, messages[0], longest):
                taken = [to_function(message) for message in messages]
                await self._invoker.call(self.function, taken if many else taken[0])
        except Exception as error:
            log.warning("queue %s: %d abandoned after %s", self._queue, len(messages), type(error).__name__)
            settle = receiver.abandon_message
        for start in range(0, len(messages), _SETTLED_TOGETHER):
            part = messages[start : start + _SETTLED_TOGETHER]
            results = await asyncio.gather(*(settle(message) for message in part), return_exceptions=True)
            failed = [result for result in results if isinstance(result, Exception)]
            if failed:
                # these messages come again when their locks have ended; nothing is lost
                log.warning("queue %s: %d not settled: %s", self._queue, len(failed), failed[0])


@asynccontextmanager
async def _renewing(
    receiver: ServiceBusReceiver, message: ServiceBusReceivedMessage, longest: float
) -> AsyncIterator[None]:
    """Keep a message's lock while the body runs, for at most `longest` seconds (0: not at all)."""
    done, renewals = asyncio.Event(), list[asyncio.Task[None]]()
    loop = asyncio.get_running_loop()
    until = loop.time() + longest

    def start() -> None:
        renewals.append(asyncio.create_task(_renew(receiver, message, until, done)))

    # most calls end long before: they cost a timer handle and no task
    timer = loop.call_later(_half_life(message), start) if longest else None
    try:
        yield
    finally:
        if timer:
            timer.cancel()
        done.set()
        # a renewal on its way is waited for: renewing and settling share one connection
        await asyncio.gather(*renewals)


def _half_life(message: ServiceBusReceivedMessage) -> float:
    ends = message.locked_until_utc
    return max((ends - datetime.now(UTC)).total_seconds() / 2, 0.0) if ends else 30.0


async def _renew(
    receiver: ServiceBusReceiver, message: ServiceBusReceivedMessage, until: float, done: asyncio.Event
) -> None:
    while not done.is_set() and asyncio.get_running_loop().time() < until:
        try:
            await receiver.renew_message_lock(message)
        except Exception as error:
            # the call goes on; if the lock is really lost, settling will say so
            log.warning("message %s: its lock was not renewed: %s", message.message_id, error)
            return
        await stops_within(_half_life(message), done)
