"""Similar won deals: a round every night, batches from the queue, and one deal on demand."""

from __future__ import annotations

import time

import azure.functions as func

from shared import telemetry
from shared.auth import ADMIN, READER, caller
from shared.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError, UnavailableError
from shared.http import endpoint, json_response
from shared.settings import settings

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]


@blueprint.timer_trigger(arg_name="timer", schedule="0 15 1 * * *", run_on_startup=False)
def similar_deals_round(timer: func.TimerRequest) -> None:
    """Have the pool built anew and every list found that would grow older than a week: each night about a sixth of them."""
    from shared import similar_updates

    with telemetry.timer_run("similar_deals_round"):
        similar_updates.announce_round()


@blueprint.service_bus_queue_trigger(arg_name="message", queue_name="%SIMILAR_UPDATES_QUEUE%", connection="SERVICEBUS")
def similar_updates(message: func.ServiceBusMessage) -> None:
    """Find what is due, or the similar deals of one batch."""
    from shared import deliveries, similar_updates

    def work(body: bytes) -> None:
        similar_updates.work_off(body, int(time.time()))

    deliveries.handle(message, settings().similar_updates_queue, work)


@blueprint.route(
    route="records/opportunity/{id}/similar/refresh", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS
)
@endpoint(
    summary="Look for the similar won deals of an open opportunity now, and answer the widget",
    roles=(READER, ADMIN),
    response="shared.widgets.RecordWidget",
    errors=(InvalidInputError, ForbiddenError, NotFoundError, ConflictError, UnavailableError),
)
def post_similar_refresh(req: func.HttpRequest) -> func.HttpResponse:
    """Once a minute at most for each deal; asked more often, the answer is the list just found."""
    from shared import for_caller, reading, row_rights
    from shared.similar_request import refreshed

    record = reading.record_of({"type": "opportunity", "id": req.route_params["id"]})
    row_rights.require(caller(), record)
    return json_response(req, for_caller.one_for(caller(), refreshed(record, int(time.time()))).body)
