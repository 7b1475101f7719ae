"""Who of our people knows somebody outside, or a company, and what our people choose about being named and asked."""

from __future__ import annotations

import time

import azure.functions as func

from shared.auth import ADMIN, PERSON, PRIVACY, READER, caller
from shared.errors import ForbiddenError, InvalidInputError, NotFoundError, TooManyRequestsError, UnavailableError
from shared.http import endpoint, json_response, query_of, request_of

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]
_ERRORS = (InvalidInputError, UnavailableError)


@blueprint.route(route="who-knows-whom/{type}/{id}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="Who of our people knows this contact, lead, account, or the people of this deal or case",
    roles=(READER,),
    response="shared.known_colleagues.WhoKnowsWhom",
    query="shared.known_colleagues.RecordQuery",
    errors=(*_ERRORS, ForbiddenError, NotFoundError),
)
def get_who_knows_record(req: func.HttpRequest) -> func.HttpResponse:
    """One point read, then the choices people made and the caller's own order."""
    from shared import looking_up, reading
    from shared.known_colleagues import RecordQuery

    record = reading.record_of(req.route_params)
    return json_response(req, looking_up.record(record, query_of(req, RecordQuery), caller(), int(time.time())))


@blueprint.route(route="who-knows-whom", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="Who of our people knows an outside mail address, or a company by its mail domain",
    roles=(READER,),
    response="shared.known_colleagues.WhoKnowsWhom",
    query="shared.known_colleagues.AddressQuery",
    errors=(*_ERRORS, TooManyRequestsError),
)
def get_who_knows_address(req: func.HttpRequest) -> func.HttpResponse:
    """The same for what has no record; counted and logged, since no record's right can decide."""
    from shared import looking_up
    from shared.known_colleagues import AddressQuery

    return json_response(req, looking_up.address(query_of(req, AddressQuery), caller(), int(time.time())))


@blueprint.route(route="me/choices", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="The caller's own choices about being named and asked",
    roles=(READER, PERSON),
    response="shared.choices.Choices",
    errors=(ForbiddenError, UnavailableError),
)
def get_my_choices(req: func.HttpRequest) -> func.HttpResponse:
    """What the caller chose; the defaults before."""
    from shared import looking_up

    return json_response(req, looking_up.my_choices(caller()))


@blueprint.route(route="me/choices", methods=["PUT"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="Choose: hide my name, do not ask me, do not ask me for these, opt out",
    roles=(READER, PERSON),
    request="shared.choices.Choices",
    response="shared.choices.Choices",
    errors=(ForbiddenError, *_ERRORS),
)
def put_my_choices(req: func.HttpRequest) -> func.HttpResponse:
    """Replaces the caller's choices; in force when this returns."""
    from shared import looking_up
    from shared.choices import Choices

    return json_response(req, looking_up.choose(caller(), request_of(req, Choices), int(time.time())))


@blueprint.route(route="me/opt-out", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="The receipt of the caller's own opt-out",
    roles=(READER, PERSON),
    response="shared.receipts.Receipt",
    errors=(ForbiddenError, NotFoundError, UnavailableError),
)
def get_my_opt_out(req: func.HttpRequest) -> func.HttpResponse:
    """How far the erasure has come, and what it took out."""
    from shared import looking_up

    return json_response(req, looking_up.my_receipt(caller(), int(time.time())))


@blueprint.route(route="me/accesses", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="Who read data about the caller, when and what for",
    roles=(READER, PERSON),
    response="shared.access_log.Accesses",
    query="shared.access_log.AccessQuery",
    errors=(ForbiddenError, *_ERRORS),
)
def get_my_accesses(req: func.HttpRequest) -> func.HttpResponse:
    """To the hour; the caller's own readings are left out."""
    from shared import looking_up
    from shared.access_log import AccessQuery

    return json_response(req, looking_up.my_accesses(caller(), query_of(req, AccessQuery), int(time.time())))


@blueprint.route(route="accesses", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="How much each reader read of person-level data",
    roles=(ADMIN, PRIVACY),
    response="shared.access_log.ReaderCounts",
    query="shared.access_log.AccessQuery",
    errors=_ERRORS,
)
def get_accesses(req: func.HttpRequest) -> func.HttpResponse:
    """Counts only."""
    from shared import access_log
    from shared.access_log import AccessQuery

    return json_response(req, access_log.per_reader(query_of(req, AccessQuery), int(time.time())))


@blueprint.route(route="opt-outs", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="The receipts of everybody who has opted out",
    roles=(ADMIN, PRIVACY),
    response="shared.receipts.Receipts",
    errors=(UnavailableError,),
)
def get_opt_outs(req: func.HttpRequest) -> func.HttpResponse:
    """By key, without names."""
    from shared import erasure
    from shared.receipts import Receipts

    return json_response(req, Receipts(erasure.receipts(int(time.time()))))


@blueprint.route(route="opt-outs/{address}", methods=["PUT"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="Take an outside person out of the product (better: POST opt-outs, which keeps the address out of the path)",
    roles=(ADMIN, PRIVACY),
    response="shared.receipts.Receipt",
    errors=_ERRORS,
)
def put_opt_out(req: func.HttpRequest) -> func.HttpResponse:
    """Hidden when this returns; the receipt tells how far the erasure has come."""
    from shared import looking_up

    return json_response(req, looking_up.opt_out(req.route_params["address"], int(time.time())))


@blueprint.route(route="people/{address}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="What an address resolves to, and why (better: POST people/resolve, which keeps the address out of the path)",
    roles=(ADMIN, PRIVACY),
    response="shared.resolutions.Resolution",
    errors=_ERRORS,
)
def get_person(req: func.HttpRequest) -> func.HttpResponse:
    """Every step from the text to the person, the records and the company."""
    from shared import looking_up

    return json_response(req, looking_up.resolve(req.route_params["address"], caller(), int(time.time())))
