"""What forms of the CRM show: widgets of a record, and the ledger behind them."""

from __future__ import annotations

import time

import azure.functions as func

from shared.auth import ADMIN, READER, caller
from shared.errors import ForbiddenError, InvalidInputError, NotFoundError, UnavailableError
from shared.http import endpoint, json_response, query_of

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]
_ERRORS = (InvalidInputError, ForbiddenError, NotFoundError, UnavailableError)


def _readable_record(req: func.HttpRequest) -> str:
    """The record of the route, which the caller may read."""
    from shared import reading, row_rights

    record = reading.record_of(req.route_params)
    row_rights.require(caller(), record)
    return record


@blueprint.route(route="records/{type}/{id}/widgets", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="All widgets of a record",
    roles=(READER, ADMIN),
    response="shared.widgets.RecordWidgets",
    query="shared.reading.AsOfQuery",
    errors=_ERRORS,
)
def get_record_widgets(req: func.HttpRequest) -> func.HttpResponse:
    """One point read; computed on the spot where time has passed the snapshot by, or for a past instant."""
    from shared import for_caller, reading
    from shared.reading import AsOfQuery

    found = reading.all_widgets(_readable_record(req), query_of(req, AsOfQuery), int(time.time()))
    answer = for_caller.all_for(caller(), found)
    return json_response(req, answer.body, etag=answer.tag)


@blueprint.route(route="records/{type}/{id}/widgets/{widget}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="One widget of a record",
    roles=(READER, ADMIN),
    response="shared.widgets.RecordWidget",
    query="shared.reading.AsOfQuery",
    errors=_ERRORS,
)
def get_record_widget(req: func.HttpRequest) -> func.HttpResponse:
    """The same snapshot, one widget of it."""
    from shared import for_caller, reading
    from shared.reading import AsOfQuery

    record, widget = _readable_record(req), req.route_params["widget"]
    answer = for_caller.one_for(
        caller(), reading.one_widget(record, widget, query_of(req, AsOfQuery), int(time.time()))
    )
    return json_response(req, answer.body, etag=answer.tag)


@blueprint.route(route="records/{type}/{id}/activities", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="The ledger: what is behind the numbers of a record, and why each activity counts or does not",
    roles=(READER, ADMIN),
    response="shared.widgets.Ledger",
    query="shared.ledger_query.LedgerQuery",
    errors=_ERRORS,
)
def get_record_activities(req: func.HttpRequest) -> func.HttpResponse:
    """Read the record's partition and say for every interaction why it counts."""
    from shared.ledger import ledger
    from shared.ledger_query import LedgerQuery

    return json_response(req, ledger(_readable_record(req), query_of(req, LedgerQuery), int(time.time())))
