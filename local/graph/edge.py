"""Graph over HTTP: every path below /v1.0 becomes a call."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from local.graph.calls import Answer, Call
from local.graph.errors import bad_request
from local.graph.service import ConnectionCut, Service

SERVICE = web.AppKey("service", Service)
ROOT = "/v1.0"


async def graph(request: web.Request) -> web.StreamResponse:
    """Any method, any path."""
    try:
        body = await _body(request)
    except ValueError:
        error = bad_request("Unable to read JSON request payload.")
        return web.json_response(error.body(), status=error.status)
    headers = {name.lower(): ", ".join(request.headers.getall(name)) for name in request.headers}
    call = Call(
        method=request.method,
        path=request.rel_url.raw_path.removeprefix(ROOT),
        query=dict(request.query),
        headers=headers,
        base=f"{request.scheme}://{request.host}{ROOT}",
        body=body,
    )
    try:
        return _response(await request.app[SERVICE].handle(call))
    except ConnectionCut:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()


async def _body(request: web.Request) -> Any:
    content = await request.read()
    return json.loads(content) if content else None


def _response(answer: Answer) -> web.Response:
    content = answer.content()
    kind = answer.content_type if content else None
    return web.Response(status=answer.status, body=content, headers=dict(answer.headers), content_type=kind)
