"""HTTP: from an aiohttp request to a function and back, by the rules of the real host."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import azure.functions as func
from aiohttp import web
from azure.functions.http import HttpRequest
from multidict import CIMultiDict

from local.host.bindings import LoadedFunction
from local.host.cors import Cors
from local.host.invocation import Invoker, TraceContext
from local.host.keys import Keys
from local.host.routes import Router, Template

log = logging.getLogger("host.http")

# FUNCTIONS_REQUEST_BODY_SIZE_LIMIT of the real host
MOST_BYTES = 104_857_600
# the real server takes 32 KiB of headers, so a long token passes there
_MOST_HEADER_BYTES = 32_768

Admin = Callable[[web.BaseRequest, str], Awaitable[web.Response]]


def make_router(functions: Iterable[LoadedFunction], prefix: str) -> Router[LoadedFunction]:
    """All HTTP functions behind the route prefix (which may be empty)."""
    routes = []
    for one in functions:
        if one.trigger.type == "httpTrigger":
            template = Template(f"{prefix}/{one.trigger.text('route').strip('/')}")
            routes.append((template, frozenset(one.trigger.options.get("methods", ())), one))
    return Router(routes)


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Repeated names joined with a comma."""
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


class HttpFunctions:
    """The request handler. While `stopping` is set, new requests are answered 503."""

    def __init__(self, router: Router[LoadedFunction], invoker: Invoker, keys: Keys, cors: Cors, admin: Admin) -> None:
        self._router, self._invoker, self._keys, self._cors, self._admin = router, invoker, keys, cors, admin
        self.stopping = False

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; never raises for what a function does."""
        if self.stopping:
            return web.Response(status=503)
        response = self._cors.preflight(request)
        if response is None:
            response = await self._answer(request)
        self._cors.mark(request, response)
        return response

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        path = request.rel_url.raw_path.strip("/")
        if path.lower().startswith("admin/"):
            return await self._admin(request, path)
        found = self._router.find(request.method, path)
        if found is None:
            return web.Response(status=404)
        function, values = found
        headers = _joined((name.lower(), value) for name, value in request.headers.items())
        query = _joined(request.rel_url.query.items()) if request.query_string else {}
        level = function.trigger.text("authLevel") or "function"
        if not self._keys.lets_in(level, function.name, headers, query):
            return web.Response(status=401)
        try:
            body = await _body(request)
        except web.HTTPRequestEntityTooLarge:
            return web.Response(status=413)
        url = f"{request.scheme}://{request.host}{request.rel_url.raw_path_qs}"
        taken = HttpRequest(
            request.method, url, headers=headers, params=query, route_params=values, body_type="bytes", body=body
        )
        return await self._call(function, taken, headers)

    async def _call(self, function: LoadedFunction, request: HttpRequest, headers: dict[str, str]) -> web.Response:
        trace = TraceContext(headers.get("traceparent", ""), headers.get("tracestate", ""))
        try:
            result = await self._invoker.call(function, request, trace=trace)
        except Exception:
            # logged by the invoker; the caller learns nothing of it
            return web.Response(status=500)
        try:
            return _response(result)
        except (TypeError, ValueError):
            log.exception("%s gave a response that cannot be sent", function.name)
            return web.Response(status=500)


async def _body(request: web.BaseRequest) -> bytes:
    if request.headers.get("Transfer-Encoding") and request.can_read_body:
        # the real host passes a body on only when its Content-Length is above 0
        lost = await request.read()
        log.warning("%s %s: a chunked body of %d bytes is lost", request.method, request.path, len(lost))
        return b""
    return await request.read() if request.can_read_body else b""


def _response(result: Any) -> web.Response:
    if isinstance(result, str):
        return web.Response(text=result)
    if not isinstance(result, func.HttpResponse):
        return web.Response(status=204)
    headers: CIMultiDict[str] = CIMultiDict()
    for name, value in result.headers.items():
        if name.lower() == "set-cookie":
            headers.add(name, value)
        elif name.lower() not in ("content-length", "transfer-encoding"):
            headers[name] = value
    if "content-type" not in headers:
        charset = f"; charset={result.charset}" if result.mimetype.startswith("text/") else ""
        headers["content-type"] = f"{result.mimetype}{charset}"
    return web.Response(status=result.status_code, body=result.get_body(), headers=headers)


def make_server(handler: HttpFunctions) -> web.Server:
    """aiohttp's low-level server: no routing and no access log of its own, so that a request costs little."""

    def make_request(message: Any, payload: Any, protocol: Any, writer: Any, task: asyncio.Task[None]) -> Any:
        loop = asyncio.get_running_loop()
        return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=MOST_BYTES)

    return web.Server(handler.handle, request_factory=make_request, access_log=None, max_field_size=_MOST_HEADER_BYTES)
