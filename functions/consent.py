"""The connection to Microsoft 365 as administrators see and change it."""

from __future__ import annotations

import time

import azure.functions as func

from shared.auth import ADMIN, caller
from shared.errors import ConflictError, ForbiddenError, InvalidInputError, UnavailableError
from shared.http import endpoint, json_response, query_of, request_of

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]
_ERRORS = (InvalidInputError, ForbiddenError, ConflictError, UnavailableError)


@blueprint.route(route="settings/status", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="How the connection stands",
    roles=(ADMIN,),
    query="shared.graph.administration.StatusQuery",
    response="shared.graph.administration.Status",
    errors=(InvalidInputError, UnavailableError),
)
def get_settings_status(req: func.HttpRequest) -> func.HttpResponse:
    """State, banner, mailboxes in numbers, every transition."""
    from shared.graph import administration as admin

    return json_response(req, admin.status(int(time.time()), query_of(req, admin.StatusQuery).language))


@blueprint.route(route="mailboxes", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="The mailboxes that are read, page by page: what each is doing, how far it is read, what is wrong with it",
    roles=(ADMIN,),
    query="shared.graph.mailbox_list.MailboxQuery",
    response="shared.graph.mailbox_list.MailboxList",
    errors=(InvalidInputError, UnavailableError),
)
def get_mailboxes(req: func.HttpRequest) -> func.HttpResponse:
    """From the app's own table; asks nobody."""
    from shared.graph import mailbox_list

    return json_response(req, mailbox_list.listed(query_of(req, mailbox_list.MailboxQuery), int(time.time())))


@blueprint.route(route="consent/enable", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="Enable reading, or choose other roles and groups",
    roles=(ADMIN,),
    request="shared.graph.administration.Choice",
    response="shared.graph.administration.Status",
    errors=_ERRORS,
)
def post_consent_enable(req: func.HttpRequest) -> func.HttpResponse:
    """Begin the 14 days in which consent must be given."""
    from shared.graph import administration as admin

    return json_response(req, admin.enable(request_of(req, admin.Choice), caller().id, int(time.time())))


@blueprint.route(route="consent/reconcile", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="Compare subscriptions with Graph's list and the app's address now, instead of next night",
    roles=(ADMIN,),
    response="shared.graph.administration.Status",
    errors=_ERRORS,
    status=202,
)
def post_consent_reconcile(req: func.HttpRequest) -> func.HttpResponse:
    """What a deployment asks for; nothing happens while nothing is read."""
    from shared.graph import administration as admin
    from shared.graph import lifecycle

    lifecycle.daily(int(time.time()))
    return json_response(req, admin.status(int(time.time())), status=202)


@blueprint.route(route="consent/disable", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="Disable reading",
    roles=(ADMIN,),
    query="shared.graph.administration.StopQuery",
    response="shared.graph.administration.Status",
    errors=_ERRORS,
)
def post_consent_disable(req: func.HttpRequest) -> func.HttpResponse:
    """Hide what Exchange told; it is erased some days later (setting `exchangeKeepDays`), or at once."""
    from shared.graph import administration as admin

    return json_response(req, admin.disable(caller().id, int(time.time()), query_of(req, admin.StopQuery).erase_now))


@blueprint.route(route="consent/erasures", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="Signed receipts for the erasure of what Exchange told, the latest first",
    roles=(ADMIN,),
    response="shared.graph.erasures.ErasureReceipts",
    errors=(UnavailableError,),
)
def get_consent_erasures(req: func.HttpRequest) -> func.HttpResponse:
    """How far each has come, and what was taken out."""
    from shared.graph import erasures

    return json_response(req, erasures.receipts(int(time.time())))


@blueprint.route(route="consent/switch", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="Turn the Exchange switch",
    roles=(ADMIN,),
    request="shared.graph.administration.Switch",
    response="shared.graph.administration.Status",
    errors=_ERRORS,
)
def post_consent_switch(req: func.HttpRequest) -> func.HttpResponse:
    """Off: as with the CRM alone. On: go on where reading stopped."""
    from shared.graph import administration as admin

    return json_response(req, admin.switch(request_of(req, admin.Switch), caller().id, int(time.time())))


@blueprint.route(route="consent/preview", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="Whose mailboxes would be read, which fields, and about how much",
    roles=(ADMIN,),
    request="shared.graph.administration.Choice",
    response="shared.graph.scope_preview.Preview",
    errors=_ERRORS,
)
def post_consent_preview(req: func.HttpRequest) -> func.HttpResponse:
    """Asks the directory, before consent the CRM alone; reads no mailbox."""
    from shared.graph import administration as admin

    return json_response(req, admin.previewed(request_of(req, admin.Choice)))


@blueprint.route(route="consent/roles", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="The CRM's security roles to choose from, with the number of users of each",
    roles=(ADMIN,),
    response="shared.graph.roles.KnownRoles",
    errors=(UnavailableError,),
)
def get_consent_roles(req: func.HttpRequest) -> func.HttpResponse:
    """What the CRM has told; asks nobody."""
    from shared.graph import scope_preview

    return json_response(req, scope_preview.known_roles())


@blueprint.route(route="consent/link", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(summary="Where to give consent", roles=(ADMIN,), response="shared.graph.administration.Link", errors=_ERRORS)
def post_consent_link(req: func.HttpRequest) -> func.HttpResponse:
    """The address of Microsoft's consent page, for this administrator and ten minutes."""
    from shared.graph import administration as admin

    return json_response(req, admin.consent_link(caller().id, int(time.time())))


@blueprint.route(route="consent/returned", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="What the consent page answered",
    roles=(ADMIN,),
    request="shared.graph.administration.Returned",
    response="shared.graph.administration.Status",
    errors=_ERRORS,
)
def post_consent_returned(req: func.HttpRequest) -> func.HttpResponse:
    """Checked against who was sent there and which tenant it is; then the connection is probed."""
    from shared.graph import administration as admin

    who = caller()
    return json_response(req, admin.consent_returned(request_of(req, admin.Returned), who.id, who.tenant))


@blueprint.route(route="consent/done", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(summary="The page to which the consent page leads back", roles=None)
def get_consent_done(req: func.HttpRequest) -> func.HttpResponse:
    """Hands the answer to the window that asked for consent; knows nothing and decides nothing."""
    from shared.graph import consent_page

    headers = {"Content-Security-Policy": consent_page.policy(), "Referrer-Policy": "no-referrer"}
    return func.HttpResponse(consent_page.page(), mimetype="text/html", headers=headers)
