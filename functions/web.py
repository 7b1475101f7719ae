"""The widgets' scripts, for any form that embeds them; no sign-in, nothing of any customer."""

from __future__ import annotations

import azure.functions as func

from shared import web_files
from shared.errors import NotFoundError
from shared.http import endpoint

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]


@blueprint.route(route="web/{file}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(summary="Where the present version of a widgets' script is", roles=None, errors=(NotFoundError,), status=302)
def get_web_file(req: func.HttpRequest) -> func.HttpResponse:
    """A redirect; forms name this address."""
    from shared import web_files

    return _response(web_files.present_version(req.route_params["file"]))


@blueprint.route(route="web/{version}/{file}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(summary="A script of the widgets, in one version", roles=None, errors=(NotFoundError,))
def get_versioned_web_file(req: func.HttpRequest) -> func.HttpResponse:
    """The script, compressed where the caller takes it."""
    from shared import web_files

    return _response(web_files.versioned(req.route_params["version"], req.route_params["file"], req.headers))


def _response(answer: web_files.WebAnswer) -> func.HttpResponse:
    return func.HttpResponse(answer.body, status_code=answer.status, headers=answer.headers)
