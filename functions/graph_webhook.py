"""What Graph calls: notifications of changes, and of the life of subscriptions. Checks, one send, an answer; no more."""

from __future__ import annotations

import azure.functions as func

from shared.errors import InvalidInputError, TooLargeError, UnauthenticatedError, UnavailableError
from shared.http import body_of, endpoint

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]
_ERRORS = (InvalidInputError, TooLargeError, UnauthenticatedError, UnavailableError)


def _handshake(req: func.HttpRequest) -> func.HttpResponse | None:
    """The answer to the test of an address: the token as it came, which is opaque. Deliveries follow it."""
    from shared.graph import notifications

    token = req.params.get("validationToken")
    if token is None:
        return None
    notifications.open_ahead()
    return func.HttpResponse(token, mimetype="text/plain", charset="utf-8")


@blueprint.route(route="graph/notifications", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(summary="Graph tells of changes in mailboxes", roles=None, response=None, errors=_ERRORS, status=202)
def post_graph_notifications(req: func.HttpRequest) -> func.HttpResponse:
    """202 once the flags are queued, 503 at once when they cannot be, so that Graph sends them again."""
    from shared.graph import notifications

    notifications.check_key(req.params.get("key", ""))
    if (answer := _handshake(req)) is not None:
        return answer
    notifications.take_changes(body_of(req, notifications.BODY_BYTES))
    return func.HttpResponse(status_code=202)


@blueprint.route(route="graph/lifecycle", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(summary="Graph tells of the life of subscriptions", roles=None, response=None, errors=_ERRORS, status=202)
def post_graph_lifecycle(req: func.HttpRequest) -> func.HttpResponse:
    """The same for reauthorisation, removal, and notifications that were missed."""
    from shared.graph import notifications

    notifications.check_key(req.params.get("key", ""))
    if (answer := _handshake(req)) is not None:
        return answer
    notifications.take_lifecycle(body_of(req, notifications.BODY_BYTES))
    return func.HttpResponse(status_code=202)
