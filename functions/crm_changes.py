"""Changes of the CRM: taken in over HTTP, worked off from the queue."""

from __future__ import annotations

import azure.functions as func

from shared.auth import INGEST
from shared.errors import InvalidInputError, TooLargeError, UnavailableError
from shared.http import body_of, endpoint, json_response
from shared.settings import settings

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]


@blueprint.route(route="crm/changes", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="Take in changes of CRM rows: a plain batch, or what Dataverse posts from a webhook",
    roles=(INGEST,),
    response="shared.acceptance.Accepted",
    errors=(InvalidInputError, TooLargeError, UnavailableError),
    status=202,
)
def post_crm_changes(req: func.HttpRequest) -> func.HttpResponse:
    """Check the body, queue its changes, answer 202 with their number."""
    from shared.acceptance import accept

    return json_response(req, accept(body_of(req)), status=202)


@blueprint.service_bus_queue_trigger(arg_name="message", queue_name="%CRM_CHANGES_QUEUE%", connection="SERVICEBUS")
def crm_changes(message: func.ServiceBusMessage) -> None:
    """Bring states, rosters and partitions in line, then have the records computed."""
    from shared import deliveries, feed

    deliveries.handle(message, settings().crm_changes_queue, feed.work_off)
