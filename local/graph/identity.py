"""Tokens for Graph, the consent page, and an OpenID configuration that may name a wrong issuer.

These routes stand before those of `local.signin`, which answers for every other audience with the same keys.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from local import signin
from local.graph.access import RESOURCES
from local.graph.consent import Registration, registration
from local.graph.world import World
from local.tokens import TENANT, issue

WORLD = web.AppKey("world", World)
CONTINUOUS_SECONDS = 24 * 3600.0
OTHER_TENANT = "00000000-0000-4000-8000-00000000f0f0"
routes = web.RouteTableDef()


def _refusal(status: int, error: str, code: int, text: str) -> web.Response:
    body = {"error": error, "error_description": f"AADSTS{code}: {text}", "error_codes": [code]}
    return web.json_response(body, status=status)


@routes.get("/{tenant}/v2.0/.well-known/openid-configuration")
async def openid_configuration(request: web.Request) -> web.StreamResponse:
    """As the sign-in writes it, unless the switch says that the issuer is another."""
    answer = await signin.openid_configuration(request)
    if not request.app[WORLD].behaviour.wrongIssuer or not isinstance(answer, web.Response) or answer.text is None:
        return answer
    found = json.loads(answer.text)
    return web.json_response(found | {"issuer": f"https://login.elsewhere.example/{OTHER_TENANT}/v2.0"})


def _audience(request: web.Request, form: Any) -> str | None:
    """The resource of the scope when it is Graph: by its own address, or by the simulator's."""
    scope = str(form.get("scope", "")).removesuffix(".default").rstrip("/")
    own = (f"{request.scheme}://{request.host}", f"http://localhost:{request.url.port}")
    return scope if scope in (*RESOURCES, *own) else None


@routes.post("/{tenant}/oauth2/v2.0/token")
async def token(request: web.Request) -> web.StreamResponse:
    """Client credentials for Graph; the roles are those granted in the tenant at this moment."""
    form = await request.post()
    audience = _audience(request, form)
    if audience is None:
        return await signin.token(request)
    tenant, app = request.match_info["tenant"], registration(str(form.get("client_id")))
    if form.get("grant_type") != "client_credentials":
        return _refusal(400, "unsupported_grant_type", 70003, "The grant type is not supported.")
    if app is None:
        return _refusal(400, "unauthorized_client", 700016, "Application was not found in the directory.")
    granted = request.app[WORLD].consent.of(tenant, app.client_id)
    if form.get("client_secret") != app.secret or not granted["secret"]:
        return _refusal(401, "invalid_client", 7000215, "Invalid client secret provided.")
    if not granted["principal"]:
        text = "The client application is missing service principal in the tenant."
        return _refusal(400, "unauthorized_client", 7000229, text)
    return _signed(request, tenant, app, audience, granted["roles"], _continuous(form))


def _continuous(form: Any) -> bool:
    """Whether the client says that it understands claims challenges."""
    try:
        claims = json.loads(str(form.get("claims") or "{}"))
        return "cp1" in claims.get("access_token", {}).get("xms_cc", {}).get("values", [])
    except ValueError:
        return False


def _signed(
    request: web.Request, tenant: str, app: Registration, audience: str, roles: list[str], continuous: bool
) -> web.Response:
    world = request.app[WORLD]
    lifetime = CONTINUOUS_SECONDS if continuous else world.behaviour.tokenLifetime
    signed = issue(
        world.keys.current,
        roles,
        issuer=f"{request.scheme}://{request.host}/{tenant}/v2.0",
        audience=audience,
        tenant=tenant,
        subject=app.client_id,
        name=app.name,
        lifetime=lifetime,
        now=world.clock.now(),
        azp=app.client_id,
        appid=app.client_id,
        idtyp="app",
    )
    return web.json_response({"token_type": "Bearer", "expires_in": int(lifetime), "access_token": signed})


@routes.get("/{tenant}/v2.0/adminconsent")
async def admin_consent(request: web.Request) -> web.StreamResponse:
    """Answers at once, as an administrator would: `consentAnswer` of the switches says how."""
    wanted, world = request.query, request.app[WORLD]
    app, target = registration(wanted.get("client_id", "")), wanted.get("redirect_uri", "")
    if request.match_info["tenant"] == "common":
        return _refusal(400, "invalid_request", 90130, "Application consent is not supported over /common.")
    if app is None or not target:
        return _refusal(400, "unauthorized_client", 700016, "Application was not found in the directory.")
    if not wanted.get("scope", "").endswith("/.default"):
        return _refusal(400, "invalid_scope", 70011, "Application permissions come with /.default only.")
    answer = world.behaviour.consentAnswer
    tenant = _tenant(request.match_info["tenant"])
    earlier = world.store.get("state", "consent state", wanted.get("state", ""))
    world.store.put("state", "consent state", wanted.get("state", ""))
    shown: dict[str, str] = {"admin_consent": "True"}
    if answer == "refuse":
        text = "AADSTS65004: The resource owner or authorization server denied the request."
        shown |= {"error": "consent_required", "error_description": text}
    else:
        if answer == "grant":
            world.consent.grant(tenant, app)
        shown |= {"tenant": OTHER_TENANT if answer == "forgedTenant" else tenant, "scope": wanted["scope"]}
    shown["state"] = earlier if answer == "replayedState" else wanted.get("state", "")
    raise web.HTTPFound(f"{target}{'&' if '?' in target else '?'}{urlencode(shown)}")


def _tenant(named: str) -> str:
    """A GUID is itself; a domain and `organizations` are the sample tenant."""
    return TENANT if named == "organizations" or "." in named else named
