"""JSON batching: up to 20 requests in one, each counted, limited and refused for itself."""

from __future__ import annotations

import asyncio
import json
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from local.graph.calls import Answer, Call
from local.graph.errors import bad_request

MOST = 20
AT_ONCE = 4


async def run(
    call: Call, handle: Callable[[Call], Awaitable[Answer]], shuffled: Callable[[list[Any]], list[Any]]
) -> Answer:
    """The batch answers 200 whatever its requests answer; the answers come in another order. Raises GraphError 400."""
    requests = call.body.get("requests") if isinstance(call.body, dict) else None
    if not isinstance(requests, list) or not 1 <= len(requests) <= MOST:
        raise bad_request(f"Number of batch request steps exceeds the maximum value of {MOST}, or there are none.")
    _check(requests)
    gate, done = (
        asyncio.Semaphore(AT_ONCE),
        {str(r["id"]): asyncio.get_running_loop().create_future() for r in requests},
    )

    async def one(request: Mapping[str, Any]) -> dict[str, Any]:
        earlier = [await done[str(key)] for key in request.get("dependsOn", ())]
        if any(status >= 400 for status in earlier):
            answer = Answer(
                424, {"error": {"code": "FailedDependency", "message": "A request before this one failed."}}
            )
        else:
            async with gate:
                answer = await handle(_inner(call, request))
        done[str(request["id"])].set_result(answer.status)
        return _written(str(request["id"]), answer)

    return Answer(body={"responses": shuffled(list(await asyncio.gather(*map(one, requests))))})


def _check(requests: list[Any]) -> None:
    known: set[str] = set()
    for request in requests:
        key, url = str(request.get("id", "")), str(request.get("url", ""))
        if not key or key in known:
            raise bad_request("Each request of a batch needs an id of its own.")
        if not url or re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//", url):
            raise bad_request(f"The url of a request must be relative: {url}")
        if unknown := set(map(str, request.get("dependsOn", ()))) - known:
            raise bad_request(f"dependsOn names {', '.join(sorted(unknown))}, which does not come before.")
        known.add(key)


def _inner(call: Call, request: Mapping[str, Any]) -> Call:
    path, _, query = str(request["url"]).partition("?")
    headers = {str(name).lower(): str(value) for name, value in (request.get("headers") or {}).items()}
    headers["authorization"] = call.headers.get("authorization", "")
    return replace(
        call,
        method=str(request.get("method", "GET")).upper(),
        path="/" + path.lstrip("/"),
        query=dict(parse_qsl(query, keep_blank_values=True)),
        headers=headers,
        body=request.get("body"),
        in_batch=True,
        segments=(),
        notes={},
    )


def _written(key: str, answer: Answer) -> dict[str, Any]:
    """JSON stands as itself, anything else in base64."""
    found: dict[str, Any] = {"id": key, "status": answer.status, "headers": dict(answer.headers)}
    content = answer.content()
    if content and answer.content_type == "application/json":
        found["body"] = json.loads(content)
        found["headers"] = {"Content-Type": "application/json"} | found["headers"]
    elif content:
        found["body"] = b64encode(content).decode()
    return found
