"""Accepting changes: understood whole or refused whole, queued, and only then acknowledged."""

from __future__ import annotations

import time

from msgspec import Struct

from shared import delays, queues, telemetry
from shared.changes import Change, parse_batch
from shared.crm.dataverse import is_execution_context, parse_execution_context
from shared.errors import TooLargeError
from shared.settings import settings


class Accepted(Struct, frozen=True, rename="camel"):
    """The answer to accepted changes: how many, and the id under which logs tell of them."""

    accepted: int
    correlation_id: str


def accept(body: bytes) -> Accepted:
    """Queue the changes of a body. Raises InvalidInputError, TooLargeError or UnavailableError; then nothing was queued whole."""
    from shared.ingest import packed

    changes = parse(body)
    limit = settings().max_changes
    if len(changes) > limit:
        raise TooLargeError(f"The body has {len(changes)} changes, {limit} are allowed in one call.")
    begun = delays.begin("crm", time.time())
    queues.send(settings().crm_changes_queue, [queues.Message(body=part, properties=begun) for part in packed(changes)])
    return Accepted(len(changes), telemetry.correlation_id())


def parse(body: bytes) -> list[Change]:
    """The changes of a plain batch or of a Dataverse execution context. Raises InvalidInputError with the path of the fault."""
    return parse_execution_context(body) if is_execution_context(body) else parse_batch(body)
