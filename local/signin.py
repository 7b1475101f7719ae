"""The sign-in part of the simulator: OpenID configuration, key set with rotation, and signed tokens for apps and people.

`python -m local.signin --port 7090 --folder .local/graph`. It answers like Microsoft Entra where the app and its tests
look, and its keys are real RSA keys, kept in the folder so that tokens survive a restart. For development machines only.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from local.tokens import API_CLIENT_ID, LIFETIME_SECONDS, TENANT, KeyRing, issue

HOST = "127.0.0.1"

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class SampleApp:
    """A client that may ask for tokens: its published secret and, per audience, the roles granted to it."""

    client_id: str
    secret: str
    name: str
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def _sample(number: int, name: str, *roles: str) -> SampleApp:
    client_id = f"5a3c1f0e-7d42-4b7e-9a51-2f60c8d1e1{number:02d}"
    return SampleApp(client_id, f"local-secret-of-{name}", name, {API_CLIENT_ID: roles})


SAMPLE_APPS: tuple[SampleApp, ...] = (
    _sample(1, "sample-reader", "Rapport.Reader"),
    _sample(2, "sample-crm", "Rapport.Ingest"),
    _sample(3, "sample-admin", "Rapport.Admin"),
    _sample(4, "sample-without-role"),
)


KEYS = web.AppKey("keys", KeyRing)
APPS = web.AppKey("apps", dict[str, SampleApp])
routes = web.RouteTableDef()


def _issuer(request: web.Request, tenant: str) -> str:
    return f"{request.scheme}://{request.host}/{tenant}/v2.0"


def _refusal(status: int, error: str, code: int, text: str) -> web.Response:
    body = {"error": error, "error_description": f"AADSTS{code}: {text}", "error_codes": [code]}
    return web.json_response(body, status=status)


@routes.get("/health")
async def health(_: web.Request) -> web.Response:
    """Up."""
    return web.json_response({"status": "ok"})


@routes.get("/{tenant}/v2.0/.well-known/openid-configuration")
async def openid_configuration(request: web.Request) -> web.Response:
    """Where everything of this tenant is."""
    tenant = request.match_info["tenant"]
    if not _GUID.fullmatch(tenant):
        return _refusal(400, "invalid_tenant", 90002, "Tenant not found.")
    root = f"{request.scheme}://{request.host}/{tenant}"
    return web.json_response(
        {
            "issuer": _issuer(request, tenant),
            "jwks_uri": f"{root}/discovery/v2.0/keys",
            "token_endpoint": f"{root}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "response_types_supported": ["token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
    )


@routes.get("/{tenant}/discovery/v2.0/keys")
async def key_set(request: web.Request) -> web.Response:
    """The public keys."""
    return web.json_response(request.app[KEYS].key_set())


@routes.post("/{tenant}/oauth2/v2.0/token")
async def token(request: web.Request) -> web.Response:
    """Client credentials for the sample apps; `scope` is `api://<audience>/.default` or `<audience>/.default`."""
    tenant, form = request.match_info["tenant"], await request.post()
    if not _GUID.fullmatch(tenant):
        return _refusal(400, "invalid_tenant", 90002, "Tenant not found.")
    if form.get("grant_type") != "client_credentials":
        return _refusal(400, "unsupported_grant_type", 70003, "The grant type is not supported.")
    app = request.app[APPS].get(str(form.get("client_id")))
    if app is None:
        return _refusal(400, "unauthorized_client", 700016, "Application was not found in the directory.")
    if form.get("client_secret") != app.secret:
        return _refusal(401, "invalid_client", 7000215, "Invalid client secret provided.")
    scope = str(form.get("scope", ""))
    if not scope.endswith("/.default"):
        return _refusal(400, "invalid_scope", 70011, "The scope must end in /.default.")
    audience = scope.removesuffix("/.default").removeprefix("api://")
    if audience not in app.roles:
        return _refusal(400, "invalid_resource", 500011, "The resource was not found in the tenant.")
    signed = issue(
        request.app[KEYS].current,
        app.roles[audience],
        issuer=_issuer(request, tenant),
        audience=audience,
        tenant=tenant,
        subject=app.client_id,
        name=app.name,
        azp=app.client_id,
        idtyp="app",
    )
    return web.json_response({"token_type": "Bearer", "expires_in": LIFETIME_SECONDS, "access_token": signed})


@routes.post("/control/token")
async def control_token(request: web.Request) -> web.Response:
    """A token with the claims in the JSON body (those of `issue`): how the sample pages sign a made-up person in."""
    wanted = await request.json()
    wanted.setdefault("issuer", _issuer(request, wanted.get("tenant", TENANT)))
    return web.json_response({"access_token": issue(request.app[KEYS].current, **wanted)})


@routes.post("/control/rotate-keys")
async def control_rotate(request: web.Request) -> web.Response:
    """Sign with a new key; with `?withdraw=1` the old ones disappear at once."""
    return web.json_response({"kid": request.app[KEYS].rotate(withdraw="withdraw" in request.query).id})


def make_app(folder: Path, apps: Iterable[SampleApp] = SAMPLE_APPS) -> web.Application:
    """The sign-in routes as an application of their own; state lies in `folder`."""
    app = web.Application()
    app[KEYS] = KeyRing(folder)
    app[APPS] = {sample.client_id: sample for sample in apps}
    app.add_routes(routes)
    return app


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m local.signin", description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=7090)
    parser.add_argument("--folder", type=Path, default=Path(".local/graph"))
    options = parser.parse_args()
    web.run_app(make_app(options.folder), host=HOST, port=options.port, access_log=None)


if __name__ == "__main__":
    main()
