"""Liveness and the document of the interface; no sign-in, nothing of any customer."""

from __future__ import annotations

import azure.functions as func

from shared.errors import UnavailableError
from shared.http import endpoint, json_response

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]


@blueprint.route(route="health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="Whether the app and its storage answer",
    roles=None,
    response="shared.liveness.Health",
    errors=(UnavailableError,),
)
def get_health(req: func.HttpRequest) -> func.HttpResponse:
    """200 when the tables answer, 503 otherwise."""
    from shared import liveness

    return json_response(req, liveness.check())


@blueprint.route(route="openapi.json", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(summary="The OpenAPI document of this interface", roles=None, response=None)
def get_openapi(req: func.HttpRequest) -> func.HttpResponse:
    """The document that is generated from the code's own types (`make openapi`)."""
    from shared import liveness

    return json_response(req, liveness.openapi())
