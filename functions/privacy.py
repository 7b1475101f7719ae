"""What is held about a person: shown to the person, exported for others, taken out. Addresses stand in bodies."""

from __future__ import annotations

import time

import azure.functions as func

from shared.auth import ADMIN, PERSON, PRIVACY, READER, caller
from shared.errors import ForbiddenError, InvalidInputError, UnavailableError
from shared.http import endpoint, json_response, query_of, request_of

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]
_ERRORS = (InvalidInputError, UnavailableError)


@blueprint.route(route="me/data", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="What is held about the caller, page by page",
    roles=(READER, PERSON),
    response="shared.personal_data_shapes.PersonalData",
    query="shared.personal_data_shapes.OwnDataQuery",
    errors=(ForbiddenError, *_ERRORS),
)
def get_my_data(req: func.HttpRequest) -> func.HttpResponse:
    """Everything: facts, readings, figures, stored copies. Go on with `nextPage` until it is null."""
    from shared import personal_data
    from shared.personal_data_shapes import OwnDataQuery

    return json_response(req, personal_data.own(caller(), query_of(req, OwnDataQuery), int(time.time())))


@blueprint.route(route="people/data", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="What is held about whoever has an address, page by page; noted in the access log",
    roles=(ADMIN, PRIVACY),
    request="shared.personal_data_shapes.PersonalDataRequest",
    response="shared.personal_data_shapes.PersonalData",
    errors=_ERRORS,
)
def post_person_data(req: func.HttpRequest) -> func.HttpResponse:
    """For requests of people from outside, former colleagues, and whoever cannot sign in."""
    from shared import personal_data
    from shared.personal_data_shapes import PersonalDataRequest

    request = request_of(req, PersonalDataRequest)
    return json_response(req, personal_data.of_address(request, caller(), int(time.time())))


@blueprint.route(route="people/resolve", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="What an address resolves to, and why; noted in the access log",
    roles=(ADMIN, PRIVACY),
    request="shared.personal_data_shapes.AddressRequest",
    response="shared.resolutions.Resolution",
    errors=_ERRORS,
)
def post_person_resolution(req: func.HttpRequest) -> func.HttpResponse:
    """Every step from the text to the person, the records and the company."""
    from shared import looking_up
    from shared.personal_data_shapes import AddressRequest

    return json_response(req, looking_up.resolve(request_of(req, AddressRequest).address, caller(), int(time.time())))


@blueprint.route(route="opt-outs", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="Take out a person from outside, a former colleague, or one of ours whom the CRM does not know",
    roles=(ADMIN, PRIVACY),
    request="shared.personal_data_shapes.AddressRequest",
    response="shared.receipts.Receipt",
    errors=_ERRORS,
)
def post_opt_out(req: func.HttpRequest) -> func.HttpResponse:
    """Hidden when this returns; the receipt tells how far the erasure has come."""
    from shared import looking_up
    from shared.personal_data_shapes import AddressRequest

    return json_response(req, looking_up.opt_out(request_of(req, AddressRequest).address, int(time.time())))
