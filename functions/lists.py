"""List views and the pipeline chart: health columns of open records, page by page, and of single records by their ids."""

from __future__ import annotations

import time
from collections.abc import Sequence

import azure.functions as func

from shared.auth import ADMIN, READER, caller
from shared.errors import ForbiddenError, InvalidInputError, TooLargeError, UnavailableError
from shared.http import endpoint, json_response, query_of, request_of

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]


@blueprint.route(route="health/{type}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="Open records of a type by relationship: sorted, filtered, page by page",
    roles=(READER, ADMIN),
    response="shared.list_shapes.HealthList",
    query="shared.list_shapes.ListQuery",
    errors=(InvalidInputError, ForbiddenError, UnavailableError),
)
def get_health_list(req: func.HttpRequest) -> func.HttpResponse:
    """Reads the lists' packed rows, no activity and no snapshot."""
    from shared import lists
    from shared.list_shapes import ListQuery

    kind = lists.type_of(req.route_params["type"])
    return json_response(req, lists.health_list(kind, query_of(req, ListQuery), int(time.time()), caller()))


@blueprint.route(route="health/{type}/batch", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="Health columns of some records by their ids, open or closed",
    roles=(READER, ADMIN),
    response="shared.list_shapes.HealthBatch",
    query="shared.list_shapes.BatchQuery",
    errors=(InvalidInputError, UnavailableError),
)
def get_health_batch(req: func.HttpRequest) -> func.HttpResponse:
    """A point read for each."""
    from shared.list_shapes import BatchQuery

    return _batch(req, query_of(req, BatchQuery).ids)


@blueprint.route(route="health/{type}/batch", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="The same with the ids in the body",
    roles=(READER, ADMIN),
    request="shared.list_shapes.BatchRequest",
    response="shared.list_shapes.HealthBatch",
    errors=(InvalidInputError, TooLargeError, UnavailableError),
)
def post_health_batch(req: func.HttpRequest) -> func.HttpResponse:
    """For more ids than an address holds."""
    from shared.list_shapes import BatchRequest

    return _batch(req, request_of(req, BatchRequest).ids)


def _batch(req: func.HttpRequest, ids: Sequence[str]) -> func.HttpResponse:
    from shared import lists, row_rights

    found = lists.batch(lists.type_of(req.route_params["type"]), ids, int(time.time()))
    return json_response(req, row_rights.batch_for(caller(), found))


@blueprint.route(route="pipeline", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="The relationship pipeline: open opportunities by days to close, health and revenue",
    roles=(READER, ADMIN),
    response="shared.list_shapes.Pipeline",
    query="shared.list_shapes.PipelineQuery",
    errors=(InvalidInputError, ForbiddenError, UnavailableError),
)
def get_pipeline(req: func.HttpRequest) -> func.HttpResponse:
    """Reads the lists' packed rows."""
    from shared import pipeline_chart
    from shared.list_shapes import PipelineQuery

    return json_response(req, pipeline_chart.pipeline(query_of(req, PipelineQuery), int(time.time()), caller()))
