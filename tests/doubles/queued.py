"""What the app has sent to a queue, taken out as its function would get it."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator
from contextlib import closing

STATUS_URL = "SERVICEBUS_STATUS_URL"  # where the stand-in tells how deep its queues are; set by the fixtures
PATIENCE = 30.0


def received(queue: str, scheduled_within: float = 0.0) -> Iterator[bytes]:
    """The bodies of a queue's messages, each completed once its turn is over; also of those sent in the meantime.

    Ends when no message is ready; with `scheduled_within`, when none is scheduled either, or when none has fallen due
    for that many seconds.
    """
    from shared.queues import client

    if not _held(queue, scheduled=scheduled_within > 0):
        return
    with closing(client().get_queue_receiver(queue)) as receiver:
        while _held(queue, scheduled=scheduled_within > 0):
            wait = PATIENCE if _held(queue) else scheduled_within
            messages = receiver.receive_messages(max_message_count=1, max_wait_time=wait)
            if not messages:
                return
            yield b"".join(messages[0].body)
            receiver.complete_message(messages[0])


def _held(queue: str, *, scheduled: bool = False) -> int:
    """How many messages are ready, or scheduled."""
    with urllib.request.urlopen(f"{os.environ[STATUS_URL]}/queues", timeout=60) as answer:
        depths: dict[str, int] = json.load(answer)[queue]
    return depths["active"] + (depths["scheduled"] if scheduled else 0)
