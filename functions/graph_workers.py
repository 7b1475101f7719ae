"""Queues of mailbox reading: what is dirty, what is past, what concerns subscriptions and the connection."""

from __future__ import annotations

import azure.functions as func

from shared.settings import settings

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]


@blueprint.service_bus_queue_trigger(arg_name="message", queue_name="%GRAPH_DIRTY_QUEUE%", connection="SERVICEBUS")
def graph_dirty(message: func.ServiceBusMessage) -> None:
    """Read what is new in one mailbox."""
    from shared import deliveries
    from shared.graph import runs

    deliveries.handle(message, settings().graph_dirty_queue, runs.sync)


@blueprint.service_bus_queue_trigger(arg_name="message", queue_name="%GRAPH_BACKFILL_QUEUE%", connection="SERVICEBUS")
def graph_backfill(message: func.ServiceBusMessage) -> None:
    """Read the next piece of one mailbox's past."""
    from shared import deliveries
    from shared.graph import runs

    deliveries.handle(message, settings().graph_backfill_queue, runs.backfill)


@blueprint.service_bus_queue_trigger(arg_name="message", queue_name="%GRAPH_LIFECYCLE_QUEUE%", connection="SERVICEBUS")
def graph_lifecycle(message: func.ServiceBusMessage) -> None:
    """See to one subscription, one mailbox that joins or leaves, or the connection as a whole."""
    from shared import deliveries
    from shared.graph import lifecycle

    deliveries.handle(message, settings().graph_lifecycle_queue, lifecycle.handle)
