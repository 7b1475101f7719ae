"""Queues that say what must be computed again: records, and people of ours who changed."""

from __future__ import annotations

import time

import azure.functions as func

from shared.settings import settings

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]


@blueprint.service_bus_queue_trigger(arg_name="message", queue_name="%RECORD_UPDATES_QUEUE%", connection="SERVICEBUS")
def record_updates(message: func.ServiceBusMessage) -> None:
    """Compute one record's snapshot. One message a call: a record that fails is dead-lettered alone."""
    from shared import deliveries, recompute
    from shared.record_updates import read_record_update

    def work(body: bytes) -> None:
        recompute.recompute(read_record_update(body).record, int(time.time()))

    deliveries.handle(message, settings().record_updates_queue, work)


@blueprint.service_bus_queue_trigger(arg_name="message", queue_name="%PEOPLE_UPDATES_QUEUE%", connection="SERVICEBUS")
def people_updates(message: func.ServiceBusMessage) -> None:
    """Have every record computed that names a person of ours who changed."""
    from shared import deliveries, insights
    from shared.record_updates import announce, read_people_update

    def work(body: bytes) -> None:
        announce(insights.naming(read_people_update(body).keys), bulk=True)

    deliveries.handle(message, settings().people_updates_queue, work)
