"""The organisation's settings: read, publish, undo, try out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import azure.functions as func

from shared.auth import ADMIN, READER, caller
from shared.errors import InvalidInputError, NotFoundError, PreconditionError, TooLargeError, UnavailableError
from shared.http import endpoint, json_response, query_of, request_of

if TYPE_CHECKING:
    from shared.publishing import PublishedSettings

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]
_CHANGE_ERRORS = (InvalidInputError, NotFoundError, PreconditionError, TooLargeError, UnavailableError)


def _version(req: func.HttpRequest, found: PublishedSettings) -> func.HttpResponse:
    """A version of the settings; its number is the ETag that a change names."""
    return json_response(req, found, etag=str(found.version))


@blueprint.route(route="settings", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="The organisation's settings in force; the ETag goes into If-Match of a change",
    roles=(READER, ADMIN),
    response="shared.publishing.PublishedSettings",
    errors=(UnavailableError,),
)
def get_settings(req: func.HttpRequest) -> func.HttpResponse:
    """The whole document with its version."""
    from shared import publishing

    return _version(req, publishing.current())


@blueprint.route(route="settings", methods=["PUT"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="Publish settings as a new version (If-Match is required); all records are computed again",
    roles=(ADMIN,),
    request="shared.publishing.SettingsChange",
    response="shared.publishing.PublishedSettings",
    errors=_CHANGE_ERRORS,
)
def put_settings(req: func.HttpRequest) -> func.HttpResponse:
    """What the document leaves out becomes the default."""
    from shared import publishing
    from shared.conditions import base_version
    from shared.publishing import SettingsChange

    return _version(req, publishing.publish(request_of(req, SettingsChange), base_version(req), caller()))


@blueprint.route(route="settings/undo", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="Publish the content of an older version again, as a new version (If-Match is required)",
    roles=(ADMIN,),
    request="shared.publishing.UndoRequest",
    response="shared.publishing.PublishedSettings",
    errors=_CHANGE_ERRORS,
)
def post_settings_undo(req: func.HttpRequest) -> func.HttpResponse:
    """Nothing is deleted: the undone version stays in the list."""
    from shared import publishing
    from shared.conditions import base_version
    from shared.publishing import UndoRequest

    return _version(req, publishing.undo(request_of(req, UndoRequest), base_version(req), caller()))


@blueprint.route(route="settings/versions", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="Who published which version of the settings, when and why",
    roles=(ADMIN,),
    response="shared.publishing.Versions",
    query="shared.publishing.VersionsQuery",
    errors=(InvalidInputError, UnavailableError),
)
def get_settings_versions(req: func.HttpRequest) -> func.HttpResponse:
    """The newest first."""
    from shared import publishing
    from shared.publishing import VersionsQuery

    return json_response(req, publishing.versions(query_of(req, VersionsQuery)))


@blueprint.route(route="settings/versions/{version:int}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="One version of the settings",
    roles=(ADMIN,),
    response="shared.publishing.PublishedSettings",
    errors=(InvalidInputError, NotFoundError, UnavailableError),
)
def get_settings_version(req: func.HttpRequest) -> func.HttpResponse:
    """A published version never changes; version 0 are the defaults."""
    from shared import publishing

    return _version(req, publishing.published(int(req.route_params["version"])))


@blueprint.route(route="settings/preview", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="What settings would do: records per grade before and after, and those that would move most; nothing is saved",
    roles=(ADMIN,),
    request="shared.preview_shapes.PreviewRequest",
    response="shared.preview_shapes.Preview",
    errors=(InvalidInputError, TooLargeError, UnavailableError),
)
def post_settings_preview(req: func.HttpRequest) -> func.HttpResponse:
    """Computed from what is stored; a sample where there are many records, and it says so."""
    from shared import preview
    from shared.preview_shapes import PreviewRequest

    return json_response(req, preview.preview(request_of(req, PreviewRequest), int(time.time())))


@blueprint.route(route="settings/progress", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="How far the computing by the settings in force has come",
    roles=(ADMIN,),
    response="shared.settings_progress.Progress",
    errors=(UnavailableError,),
)
def get_settings_progress(req: func.HttpRequest) -> func.HttpResponse:
    """Counted from the records themselves, so that a stop in the middle is seen as what it is."""
    from shared import settings_progress

    return json_response(req, settings_progress.progress())


@blueprint.route(route="settings/weights/import", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="Activity weights of Dynamics 365 (sliders, or numbers of 3 to 9) as weights of these settings; nothing is saved",
    roles=(ADMIN,),
    request="shared.weight_import.WeightImport",
    response="shared.weight_import.ImportedWeights",
    errors=(InvalidInputError, TooLargeError),
)
def post_settings_weights_import(req: func.HttpRequest) -> func.HttpResponse:
    """Arithmetic alone: the answer goes into a document to preview and publish."""
    from shared import weight_import
    from shared.weight_import import WeightImport

    return json_response(req, weight_import.imported(request_of(req, WeightImport)))
