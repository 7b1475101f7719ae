"""Changes of the CRM: taken in over HTTP, worked off from the queue."""

from __future__ import annotations

import azure.functions as func

from shared.auth import ADMIN, INGEST
from shared.errors import InvalidInputError, TooLargeError, UnauthenticatedError, UnavailableError
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


@blueprint.route(route="crm/dataverse", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="Take in what a webhook of Dataverse posts, which shows a key instead of a token",
    roles=None,
    response="shared.acceptance.Accepted",
    errors=(InvalidInputError, TooLargeError, UnauthenticatedError, UnavailableError),
    status=202,
)
def post_dataverse_change(req: func.HttpRequest) -> func.HttpResponse:
    """The same as for changes with a token, after the key has been checked."""
    from shared import crm_webhook
    from shared.acceptance import accept

    crm_webhook.check(req.headers.get(crm_webhook.HEADER, ""))
    return json_response(req, accept(body_of(req)), status=202)


@blueprint.route(route="crm/dataverse/key", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="The key that a webhook of Dataverse has to send, for whoever registers it",
    roles=(ADMIN,),
    response="shared.crm_webhook.WebhookKey",
)
def get_dataverse_key(req: func.HttpRequest) -> func.HttpResponse:
    """Kept by no cache."""
    from shared import crm_webhook

    answer = json_response(req, crm_webhook.present())
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.service_bus_queue_trigger(arg_name="message", queue_name="%CRM_CHANGES_QUEUE%", connection="SERVICEBUS")
def crm_changes(message: func.ServiceBusMessage) -> None:
    """Bring states, rosters and partitions in line, then have the records computed."""
    from shared import crm_backlog, deliveries, feed

    deliveries.handle(message, settings().crm_changes_queue, feed.work_off)
    crm_backlog.note(message.enqueued_time_utc)
