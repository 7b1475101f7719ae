"""From a message of the Service Bus client to the one that a function receives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from azure.functions.servicebus import ServiceBusMessage

if TYPE_CHECKING:
    from azure.servicebus import ServiceBusReceivedMessage


def _text(value: Any) -> Any:
    """AMQP gives texts as bytes, also as keys and inside of maps and lists."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, dict):
        return {_text(key): _text(one) for key, one in value.items()}
    return [_text(one) for one in value] if isinstance(value, list | tuple) else value


def body_of(message: ServiceBusReceivedMessage) -> bytes:
    """The body as bytes: data sections as they are, a value or a sequence section as text or JSON."""
    from azure.servicebus.amqp import AmqpMessageBodyType

    if message.body_type == AmqpMessageBodyType.DATA:
        return b"".join(message.body)
    body = message.body if message.body_type == AmqpMessageBodyType.VALUE else list(message.body)
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else json.dumps(_text(body), default=str).encode()


def to_function(message: ServiceBusReceivedMessage) -> ServiceBusMessage:
    """The message with what a function may read. The wire counts deliveries from 0, functions from 1."""
    properties = _text(message.application_properties or {})
    return ServiceBusMessage(
        body=body_of(message),
        trigger_metadata=None,
        application_properties=properties,
        user_properties=properties,
        content_type=message.content_type,
        correlation_id=message.correlation_id,
        dead_letter_error_description=message.dead_letter_error_description,
        dead_letter_reason=message.dead_letter_reason,
        dead_letter_source=message.dead_letter_source,
        delivery_count=(message.delivery_count or 0) + 1,
        enqueued_sequence_number=message.enqueued_sequence_number,
        enqueued_time_utc=message.enqueued_time_utc,
        expires_at_utc=message.expires_at_utc,
        label=message.subject,
        locked_until=message.locked_until_utc,
        lock_token=str(message.lock_token),
        message_id=message.message_id or "",
        partition_key=message.partition_key,
        reply_to=message.reply_to,
        reply_to_session_id=message.reply_to_session_id,
        scheduled_enqueue_time_utc=message.scheduled_enqueue_time_utc,
        sequence_number=message.sequence_number,
        session_id=message.session_id,
        subject=message.subject,
        time_to_live=message.time_to_live,
        to=message.to,
    )


def by_hand(text: str) -> ServiceBusMessage:
    """A message made from the `input` of a call by hand: a body and nothing else."""
    return ServiceBusMessage(
        body=text.encode(), application_properties={}, user_properties={}, message_id="", delivery_count=1
    )
