"""What becomes of a queue message: done, tried again later, or left to the broker, which dead-letters it in the end.

There is no delay between the broker's own tries, so waiting for a service to come back is done here: a copy is scheduled
and the message at hand is completed. What stays is a message that fails by itself (poison, or a fault of ours): it is
abandoned until its delivery count is used up, and then lies in the dead letters (docs/operations.md says how to replay).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from shared import delays, queues, telemetry
from shared.errors import PoisonMessageError, RetryLaterError, UnavailableError

if TYPE_CHECKING:
    import azure.functions as func

ATTEMPTS = "attempts"
MOST_ATTEMPTS = 20  # with the waits below: about an hour and a half
_LONGEST_WAIT = 300.0
_log = logging.getLogger(__name__)


def wait_before(attempt: int) -> float:
    """Seconds to wait before an attempt: 1, 2, 4, ... at most 300.

    >>> [wait_before(n) for n in (1, 2, 5, 12)]
    [1.0, 2.0, 16.0, 300.0]
    """
    return min(2.0 ** (attempt - 1), _LONGEST_WAIT)


def handle(message: func.ServiceBusMessage, queue: str, work: Callable[[bytes], None]) -> None:
    """Do the work of one message under its correlation id; postpone it when something that we need is away.

    Raises whatever the work raised for good, so that the broker counts the delivery as failed; without addresses, since the
    host logs it.
    """
    properties: dict[str, Any] = dict(message.application_properties or {})
    identifier = telemetry.message_correlation(properties)
    with (
        telemetry.redacting_errors(),
        telemetry.correlated(identifier),
        telemetry.span(queue),
        delays.continuing(properties),
    ):
        try:
            work(message.get_body())
            delays.note(queue, message.enqueued_time_utc)
        except (UnavailableError, RetryLaterError) as error:
            _postpone(message, queue, properties, error)
        except PoisonMessageError as error:
            _log.error("poison message: queue %s, message %s: %s", queue, message.message_id, error.detail)
            raise
        except Exception as error:
            _log.error("failed: queue %s, message %s, %s", queue, message.message_id, type(error).__name__)
            raise
    telemetry.count("rapport.messages", queue=queue)


def _postpone(
    message: func.ServiceBusMessage, queue: str, properties: dict[str, Any], error: UnavailableError | RetryLaterError
) -> None:
    attempt = int(properties.get(ATTEMPTS, 0)) + (not isinstance(error, RetryLaterError) or error.counts)
    if attempt > MOST_ATTEMPTS:
        _log.error("given up: queue %s, message %s: %s", queue, message.message_id, error.detail)
        raise error
    wait = error.seconds if isinstance(error, RetryLaterError) else wait_before(attempt)
    _log.warning("postponed: queue %s, attempt %d, in %.0f s: %s", queue, attempt, wait, error.detail)
    # A fresh id: the copy must not fold with a message that has run already.
    copy = queues.Message(
        body=message.get_body(), due=time.time() + wait, properties={ATTEMPTS: attempt, **delays.carried()}
    )
    queues.send(queue, [copy])
