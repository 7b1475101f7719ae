"""`python -m scripts.dead_letters list|replay|purge --queue NAME`: messages that could not be processed.

Works on any Service Bus that the settings name, in the cloud or on this machine: SERVICEBUS holds a connection
string, or SERVICEBUS__fullyQualifiedNamespace a host name that is reached with the caller's identity.
"""

from __future__ import annotations

import argparse
import json
import sys
import uuid
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from shared.errors import RapportError
from shared.queues import client

if TYPE_CHECKING:
    from azure.servicebus import ServiceBusReceivedMessage, ServiceBusReceiver
    from azure.servicebus.amqp import AmqpAnnotatedMessage

PAGE = 100
WAIT_SECONDS = 10.0
_ADDED = ("DeadLetterReason", "DeadLetterErrorDescription")


def _dead_letters(queue: str) -> ServiceBusReceiver:
    from azure.servicebus import ServiceBusSubQueue

    return client().get_queue_receiver(queue, sub_queue=ServiceBusSubQueue.DEAD_LETTER)


def _peek(receiver: ServiceBusReceiver) -> Iterator[ServiceBusReceivedMessage]:
    """All dead letters, oldest first; nothing is locked."""
    start = 1
    while page := receiver.peek_messages(PAGE, sequence_number=start):
        yield from page
        start = (page[-1].sequence_number or start) + 1


def _take(receiver: ServiceBusReceiver, limit: int | None) -> Iterator[ServiceBusReceivedMessage]:
    """Dead letters to settle, at most as many as lie there now: one that fails again is not taken twice."""
    left = sum(1 for _ in islice(_peek(receiver), limit))
    while left and (page := receiver.receive_messages(min(left, PAGE), max_wait_time=WAIT_SECONDS)):
        yield from page
        left -= len(page)


def _text(value: Any) -> Any:
    """The client gives text as bytes; what is no text stays bytes."""
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


def _body(message: ServiceBusReceivedMessage) -> str:
    from azure.servicebus.amqp import AmqpMessageBodyType

    if message.body_type is AmqpMessageBodyType.DATA:
        return b"".join(message.body).decode(errors="backslashreplace")
    return str(message.body)


def _line(message: ServiceBusReceivedMessage, *, with_body: bool) -> str:
    enqueued = message.enqueued_time_utc
    shown = {
        "sequence": message.sequence_number,
        "reason": message.dead_letter_reason,
        "description": message.dead_letter_error_description,
        "enqueued": None if enqueued is None else enqueued.isoformat(),
        "correlationId": message.correlation_id,
        **({"body": _body(message)} if with_body else {}),
    }
    return json.dumps(shown, ensure_ascii=False)


def _copy(message: ServiceBusReceivedMessage) -> AmqpAnnotatedMessage:
    """The message as it was sent, under a new id: the old one would be dropped as a duplicate."""
    from azure.servicebus.amqp import AmqpAnnotatedMessage

    kind = message.body_type.value
    given = {_text(key): _text(value) for key, value in (message.application_properties or {}).items()}
    names = ("content_type", "correlation_id", "subject", "to", "reply_to")
    kept = {name: value for name in names if (value := getattr(message, name)) is not None}
    ttl = message.time_to_live
    body: dict[str, Any] = {f"{kind}_body": message.body if kind == "value" else list(message.body)}
    return AmqpAnnotatedMessage(
        **body,
        application_properties={name: value for name, value in given.items() if name not in _ADDED},
        properties={**kept, "message_id": str(uuid.uuid4())},
        header=None if ttl is None else {"time_to_live": round(ttl.total_seconds() * 1000)},
    )


def show(queue: str, limit: int | None, *, with_body: bool) -> None:
    """Print one JSON line a dead letter; bodies only when asked for, because people's data may be in them."""
    with _dead_letters(queue) as receiver:
        for message in islice(_peek(receiver), limit):
            print(_line(message, with_body=with_body))


def replay(queue: str, limit: int | None) -> int:
    """Send dead letters to their queue again; each is removed only after its copy was accepted. Gives how many."""
    count = 0
    with _dead_letters(queue) as receiver, client().get_queue_sender(queue) as sender:
        for message in _take(receiver, limit):
            sender.send_messages(_copy(message))
            receiver.complete_message(message)
            print(_line(message, with_body=False))
            count += 1
    return count


def purge(queue: str, limit: int | None) -> int:
    """Remove dead letters for good, oldest first. Gives how many."""
    count = 0
    with _dead_letters(queue) as receiver:
        for message in _take(receiver, limit):
            receiver.complete_message(message)
            print(_line(message, with_body=False))
            count += 1
    return count


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scripts.dead_letters", description=__doc__)
    parser.add_argument("action", choices=("list", "replay", "purge"))
    parser.add_argument("--queue", required=True)
    parser.add_argument("--limit", type=_positive, help="at most so many, oldest first; all without it")
    parser.add_argument("--body", action="store_true", help="list: show bodies as well")
    return parser.parse_args()


def main() -> None:
    from azure.servicebus.exceptions import ServiceBusError

    arguments = _arguments()
    try:
        if arguments.action == "list":
            show(arguments.queue, arguments.limit, with_body=arguments.body)
            return
        act = replay if arguments.action == "replay" else purge
        count = act(arguments.queue, arguments.limit)
    except (ServiceBusError, RapportError) as reason:
        sys.exit(f"{arguments.action} on {arguments.queue}: {reason}")
    print(f"{arguments.action}: {count} messages of {arguments.queue}", file=sys.stderr)


if __name__ == "__main__":
    main()
