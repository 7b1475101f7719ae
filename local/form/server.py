"""The form's server: its pages, tokens of the local sign-in for it, and the app behind `/api`, all from one origin.

`python -m local.form --port 7080 --app http://127.0.0.1:7071 --signin http://127.0.0.1:7090 --folder .local`
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from local.supervisor.folder import StateFolder
from local.supervisor.ready import token

HOST = "127.0.0.1"
OUR_NAMES = ("127.0.0.1", "localhost")
PAGE = Path(__file__).with_name("page")
# What is served under which name; a page `x` is x.html and x.js.
FILES = {"": "index.html", "lists": "lists.html", "me": "me.html", "admin": "admin.html"} | {
    name: name for name in ("form.css", "form.js", "lists.js", "me.js", "admin.js", "session.js")
}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
KEPT = (
    "authorization",
    "accept",
    "accept-encoding",
    "if-match",
    "if-none-match",
    "content-type",
)  # of a request for the app
GIVEN = (
    "content-type",
    "content-encoding",
    "etag",
    "vary",
    "cache-control",
    "location",
    "retry-after",
)  # of its answer
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "require-trusted-types-for 'script'"
)
ROLES = ("Rapport.Reader", "Rapport.Admin")  # the first is that of a page that names none


@dataclass(frozen=True)
class Form:
    """Where the app, the sign-in and the stack's folder are."""

    app: str
    signin: str
    folder: Path


FORM = web.AppKey("form", Form)
CLIENT = web.AppKey("client", aiohttp.ClientSession)
routes = web.RouteTableDef()


@web.middleware
async def from_here_only(request: web.Request, handler: web.Handler) -> web.StreamResponse:
    """No page of another origin gets a token or a number from here, not even under a name that points to this machine."""
    name = urlsplit(f"//{request.host}").hostname
    if name not in OUR_NAMES or request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        raise web.HTTPForbidden
    response: web.StreamResponse = await handler(request)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@routes.get("/health")
async def health(_: web.Request) -> web.Response:
    """Up."""
    return web.json_response({"status": "ok"})


@routes.post("/session/token")
async def session_token(request: web.Request) -> web.Response:
    """A token with `?role=`, as the sign-in of a real page would give it. POST, so that it is in no history and no cache."""
    role = request.query.get("role", ROLES[0])
    if role not in ROLES:
        raise web.HTTPBadRequest
    try:
        given = await asyncio.to_thread(token, request.app[FORM].signin, role)
    except OSError:
        raise web.HTTPServiceUnavailable from None
    return web.json_response({"token": given}, headers={"Cache-Control": "no-store"})


@routes.get("/session/records")
async def session_records(request: web.Request) -> web.Response:
    """One id a record type of the loaded sample; nothing while there is none."""
    file = StateFolder(request.app[FORM].folder).loaded
    records = json.loads(file.read_text(encoding="utf-8"))["records"] if file.exists() else {}
    return web.json_response(records, headers={"Cache-Control": "no-store"})


@routes.route("*", "/api/{path:.+}")
async def pass_on(request: web.Request) -> web.Response:
    """The app's own answer, as it is: status, tag, compression."""
    if request.method not in METHODS:
        raise web.HTTPMethodNotAllowed(request.method, METHODS)
    url = request.app[FORM].app + request.raw_path
    headers = {name: request.headers[name] for name in KEPT if name in request.headers}
    try:
        ask = request.app[CLIENT].request
        body = await request.read()
        async with ask(request.method, url, headers=headers, data=body or None, allow_redirects=False) as answer:
            given = {name: answer.headers[name] for name in GIVEN if name in answer.headers}
            return web.Response(body=await answer.read(), status=answer.status, headers=given)
    except aiohttp.ClientError:
        raise web.HTTPServiceUnavailable from None


@routes.get("/{file:[a-z.]*}")
async def page(request: web.Request) -> web.FileResponse:
    """A page and what it loads."""
    file = FILES.get(request.match_info["file"])
    if file is None:
        raise web.HTTPNotFound
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": POLICY}
    return web.FileResponse(PAGE / file, headers=headers)


async def _client(app: web.Application) -> AsyncIterator[None]:
    async with aiohttp.ClientSession(auto_decompress=False) as client:
        app[CLIENT] = client
        yield


def make_app(form: Form) -> web.Application:
    """The form as an application."""
    app = web.Application(middlewares=[from_here_only])
    app[FORM] = form
    app.cleanup_ctx.append(_client)
    app.add_routes(routes)
    return app
