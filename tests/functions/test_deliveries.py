"""What becomes of messages: postponed while something is away, given up after enough attempts, poison left to the broker."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from contextlib import closing
from typing import Any

import azure.functions as func
import pytest
from azure.functions.servicebus import ServiceBusMessage

from shared import deliveries
from shared.deliveries import ATTEMPTS, MOST_ATTEMPTS
from shared.errors import PoisonMessageError, RetryLaterError, UnavailableError
from tests.local.bus_process import RunningBus

pytestmark = pytest.mark.usefixtures("queues")
QUEUE = "graph-backfill"  # which no other test reads


def message(body: bytes, attempts: int | None = None) -> func.ServiceBusMessage:
    """A message as the worker hands it over."""
    properties = {} if attempts is None else {ATTEMPTS: attempts}
    return ServiceBusMessage(
        body=body, message_id=uuid.uuid4().hex, application_properties=properties, user_properties={}
    )


def failing(error: Exception) -> Callable[[bytes], None]:
    def work(_: bytes) -> None:
        raise error

    return work


def scheduled(body: bytes) -> list[tuple[dict[str, Any], float]]:
    """Properties of the waiting copies of a body, and the seconds until they are due."""
    from shared.queues import client

    with closing(client().get_queue_receiver(QUEUE)) as receiver:
        held = [m for m in receiver.peek_messages(200) if b"".join(m.body) == body]
    now = time.time()
    return [
        (
            {(k.decode() if isinstance(k, bytes) else k): v for k, v in (m.application_properties or {}).items()},
            m.scheduled_enqueue_time_utc.timestamp() - now if m.scheduled_enqueue_time_utc else 0.0,
        )
        for m in held
    ]


def test_what_needs_a_service_that_is_away_comes_again_later(queues: RunningBus) -> None:
    body = uuid.uuid4().bytes
    deliveries.handle(message(body, attempts=8), QUEUE, failing(UnavailableError("away")))
    ((properties, seconds),) = scheduled(body)
    assert properties[ATTEMPTS] == 9
    assert 200 < seconds <= 256


def test_what_says_when_comes_again_then(queues: RunningBus) -> None:
    body = uuid.uuid4().bytes
    deliveries.handle(message(body), QUEUE, failing(RetryLaterError("throttled", seconds=3_000)))
    ((properties, seconds),) = scheduled(body)
    assert properties[ATTEMPTS] == 1
    assert 2_900 < seconds <= 3_000


@pytest.mark.parametrize("attempts", [None, 3, MOST_ATTEMPTS])
def test_who_only_waits_for_another_to_be_done_waits_for_as_long_as_it_takes(
    queues: RunningBus, attempts: int | None
) -> None:
    body = uuid.uuid4().bytes
    error = RetryLaterError("somebody is at it", seconds=30, counts=False)
    deliveries.handle(message(body, attempts), QUEUE, failing(error))
    ((properties, seconds),) = scheduled(body)
    assert properties[ATTEMPTS] == (attempts or 0)
    assert 20 < seconds <= 30


def test_after_the_most_attempts_it_is_left_to_the_broker(queues: RunningBus) -> None:
    body = uuid.uuid4().bytes
    with pytest.raises(UnavailableError):
        deliveries.handle(message(body, attempts=MOST_ATTEMPTS), QUEUE, failing(UnavailableError("away")))
    assert scheduled(body) == []


@pytest.mark.parametrize("error", [PoisonMessageError("poison"), ValueError("a fault of ours")])
def test_what_fails_by_itself_is_left_to_the_broker_at_once(queues: RunningBus, error: Exception) -> None:
    body = uuid.uuid4().bytes
    with pytest.raises(type(error)):
        deliveries.handle(message(body), QUEUE, failing(error))
    assert scheduled(body) == []


def test_work_that_succeeds_leaves_nothing(queues: RunningBus) -> None:
    done: list[bytes] = []
    body = uuid.uuid4().bytes
    deliveries.handle(message(body), QUEUE, done.append)
    assert done == [body]
    assert scheduled(body) == []
