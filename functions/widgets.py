"""What forms of the CRM show: widgets of a record, and the ledger behind them."""

from __future__ import annotations

import time

import azure.functions as func

from shared.auth import ADMIN, READER, caller
from shared.errors import ForbiddenError, InvalidInputError, NotFoundError, TooLargeError, UnavailableError
from shared.http import endpoint, json_response, query_of, request_of

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]
_ERRORS = (InvalidInputError, ForbiddenError, NotFoundError, UnavailableError)


def _readable_record(req: func.HttpRequest, purpose: str) -> str:
    """The record of the route, which the caller may read; the reading is logged."""
    from shared import access_log, reading, row_rights

    record = reading.record_of(req.route_params)
    row_rights.require(caller(), record)
    access_log.note(caller(), record, purpose, int(time.time()))
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

    found = reading.all_widgets(_readable_record(req, "widgets"), query_of(req, AsOfQuery), int(time.time()))
    answer = for_caller.all_for(caller(), found)
    return json_response(req, answer.body, etag=answer.tag)


@blueprint.route(route="records/{type}/{id}/widgets/{widget}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="One widget of a record",
    roles=(READER, ADMIN),
    response="shared.widgets.RecordWidget",
    query="shared.reading.WidgetQuery",
    errors=_ERRORS,
)
def get_record_widget(req: func.HttpRequest) -> func.HttpResponse:
    """The same snapshot, one widget of it; cover risk also for another colleague than the one on whom most hangs."""
    from shared import for_caller, reading
    from shared.reading import WidgetQuery

    record, widget, now = _readable_record(req, "widgets"), req.route_params["widget"], int(time.time())
    query = query_of(req, WidgetQuery)
    if query.person:
        from shared import departures

        return json_response(req, departures.if_leaves(caller(), record, widget, query, now))
    answer = for_caller.one_for(caller(), reading.one_widget(record, widget, query, now))
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
    from shared.readable_entries import ledger_for

    found = ledger(_readable_record(req, "ledger"), query_of(req, LedgerQuery), int(time.time()))
    return json_response(req, ledger_for(caller(), found))


@blueprint.route(route="records/{type}/{id}/people", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="Most contacted people of one side, all of them, page by page",
    roles=(READER, ADMIN),
    response="shared.people_pages.PeoplePage",
    query="shared.people_pages.PeopleQuery",
    errors=_ERRORS,
)
def get_record_people(req: func.HttpRequest) -> func.HttpResponse:
    """What the widgets show the first three of."""
    from shared import people_pages
    from shared.people_pages import PeopleQuery

    return json_response(
        req, people_pages.people(_readable_record(req, "people"), query_of(req, PeopleQuery), int(time.time()))
    )


@blueprint.route(route="records/{type}/{id}/activities/dry-run", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="Would this activity count for the record, and why? Nothing is stored",
    roles=(READER, ADMIN),
    request="shared.dry_run.TriedActivity",
    response="shared.dry_run.DryRun",
    errors=(*_ERRORS, TooLargeError),
)
def post_record_dry_run(req: func.HttpRequest) -> func.HttpResponse:
    """An activity as the CRM would send it, decided for the record as it is now."""
    from shared import dry_run
    from shared.dry_run import TriedActivity

    tried = request_of(req, TriedActivity)
    found = dry_run.dry_run(_readable_record(req, "ledger"), tried, int(time.time()))
    return json_response(req, dry_run.for_caller(caller(), found))
