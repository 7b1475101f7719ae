"""Asking a colleague for an introduction: template, draft, mail, answer, states."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import azure.functions as func

from shared.auth import ADMIN, READER, caller
from shared.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError, TooManyRequestsError
from shared.http import body_of, endpoint, json_response, query_of, request_of

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]
_ERRORS = (ForbiddenError, InvalidInputError, NotFoundError, ConflictError, TooManyRequestsError)


@blueprint.route(route="introductions/preview", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="The mail for a request, stored nowhere",
    roles=(READER,),
    request="shared.introduction_shapes.Wanted",
    response="shared.introduction_shapes.FilledMail",
    errors=_ERRORS,
)
def post_introduction_preview(req: func.HttpRequest) -> func.HttpResponse:
    """Fill the template."""
    from shared import introductions
    from shared.introduction_shapes import Wanted

    return json_response(req, introductions.preview(request_of(req, Wanted), caller(), _answers(req), int(time.time())))


@blueprint.route(route="introductions", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="The caller's own requests, as asker or as introducer, and how they ended",
    roles=(READER,),
    response="shared.introduction_shapes.Requests",
    query="shared.introduction_shapes.ListQuery",
    errors=(ForbiddenError,),
)
def get_introductions(req: func.HttpRequest) -> func.HttpResponse:
    """Newest first; nobody sees another's."""
    from shared import introductions
    from shared.introduction_shapes import ListQuery

    return json_response(req, introductions.listed(query_of(req, ListQuery).role, caller(), int(time.time())))


@blueprint.route(route="introductions/{id:guid}", methods=["PUT"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="Keep a request as a draft, under an id of the caller's choice",
    roles=(READER,),
    request="shared.introduction_shapes.Wanted",
    response="shared.introduction_shapes.RequestView",
    errors=_ERRORS,
)
def put_introduction(req: func.HttpRequest) -> func.HttpResponse:
    """Repeating it changes nothing."""
    from shared import introductions
    from shared.introduction_shapes import Wanted

    wanted, id = request_of(req, Wanted), req.route_params["id"].lower()
    return json_response(req, introductions.draft(id, wanted, caller(), int(time.time())))


@blueprint.route(route="introductions/{id:guid}/mail", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="The mail of the caller's own request, as text and as mailto link",
    roles=(READER,),
    response="shared.introduction_shapes.FilledMail",
    errors=_ERRORS,
)
def get_introduction_mail(req: func.HttpRequest) -> func.HttpResponse:
    """For callers who send it themselves."""
    from shared import introductions

    id = req.route_params["id"].lower()
    return json_response(req, introductions.mail_of(id, caller(), _answers(req), int(time.time())))


@blueprint.route(route="introductions/{id:guid}/send", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="Send the mail of a draft from the caller's own mailbox, at most once",
    roles=(READER,),
    response="shared.introduction_shapes.RequestView",
    errors=_ERRORS,
)
def post_introduction_send(req: func.HttpRequest) -> func.HttpResponse:
    """The state says what is known of the mail's fate."""
    from shared import introductions

    id = req.route_params["id"].lower()
    return json_response(req, introductions.send(id, caller(), _answers(req), int(time.time())))


@blueprint.route(route="introductions/{id:guid}/state", methods=["PUT"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="Move a request: sent by hand, accepted, declined, cancelled, done",
    roles=(READER,),
    request="shared.introduction_shapes.NewState",
    response="shared.introduction_shapes.RequestView",
    errors=_ERRORS,
)
def put_introduction_state(req: func.HttpRequest) -> func.HttpResponse:
    """Each move belongs to the asker or to the introducer."""
    from shared import introductions
    from shared.introduction_shapes import NewState

    id, wanted = req.route_params["id"].lower(), request_of(req, NewState)
    return json_response(req, introductions.move(id, wanted.state, caller(), int(time.time())))


@blueprint.route(route="introductions/template/{language}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="The template of a language",
    roles=(READER, ADMIN),
    response="shared.introduction_mail.Template",
    errors=(InvalidInputError,),
)
def get_introduction_template(req: func.HttpRequest) -> func.HttpResponse:
    """The administrator's, else the supplied one."""
    from shared import introduction_rows

    return json_response(req, introduction_rows.template(_language(req)))


@blueprint.route(route="introductions/template/{language}", methods=["PUT"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="Replace the template of a language",
    roles=(ADMIN,),
    request="shared.introduction_mail.Template",
    response="shared.introduction_mail.Template",
    errors=(InvalidInputError,),
)
def put_introduction_template(req: func.HttpRequest) -> func.HttpResponse:
    """Refused with every unknown placeholder named."""
    from shared import introduction_mail, introduction_rows
    from shared.introduction_mail import Template

    language, new = _language(req), introduction_mail.checked(request_of(req, Template))
    introduction_rows.save_template(language, new)
    return json_response(req, new)


@blueprint.route(route="introductions/answer", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(summary="The page behind the link in the mail; looking at it changes nothing", roles=None)
def get_introduction_answer(req: func.HttpRequest) -> func.HttpResponse:
    """Mail programs open links by themselves, so the answer is given by a button."""
    from shared import introduction_page

    return _page(introduction_page.question(req.params.get("token", ""), int(time.time())))


@blueprint.route(route="introductions/answer", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(summary="The introducer's yes or no from that page; works once", roles=None)
def post_introduction_answer(req: func.HttpRequest) -> func.HttpResponse:
    """A form of two fields: token and answer."""
    from shared import introduction_page

    return _page(introduction_page.answered(body_of(req, 8_192), int(time.time())))


def _page(content: tuple[int, str]) -> func.HttpResponse:
    policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
    return func.HttpResponse(
        content[1], status_code=content[0], mimetype="text/html", headers={"Content-Security-Policy": policy}
    )


def _answers(req: func.HttpRequest) -> str:
    """The address of the answer page, at the host that was asked."""
    url = urlsplit(req.url)
    return f"{url.scheme}://{url.netloc}/api/introductions/answer"


def _language(req: func.HttpRequest) -> str:
    from shared.introduction_mail import LANGUAGES

    language = str(req.route_params["language"]).lower()
    if language not in LANGUAGES:
        raise InvalidInputError(f"the language is one of {', '.join(LANGUAGES)}", "$.language")
    return language
