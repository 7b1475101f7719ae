"""The admin routes: status, list of functions, calls by hand."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from local.host.bindings import Binding, LoadedFunction
from local.host.keys import Keys

log = logging.getLogger("host.admin")

CallByHand = Callable[[LoadedFunction, str], Awaitable[Any]]


def _described(binding: Binding) -> dict[str, Any]:
    return {**binding.options, "direction": "out" if binding.is_output else "in"}


class AdminRoutes:
    """Answers under `/admin`; with keys switched on they take the `_master` key only.

    state: what `/admin/host/status` says. call: runs a timer or queue function by hand.
    """

    def __init__(self, functions: list[LoadedFunction], prefix: str, keys: Keys, call: CallByHand) -> None:
        self._functions = {one.name.lower(): one for one in functions}
        self._prefix, self._keys, self._call = prefix, keys, call
        self._started = time.monotonic()
        self._calls: set[asyncio.Task[Any]] = set()
        self.state = "Initializing"

    async def answer(self, request: web.BaseRequest, path: str) -> web.Response:
        """Answer a path that starts with `admin/`."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        if not self._keys.lets_in("admin", "", headers, dict(request.rel_url.query)):
            return web.Response(status=401)
        path = path.lower()
        if path == "admin/host/status":
            return web.json_response(self._status())
        if path == "admin/host/ping":
            return web.Response()
        if path == "admin/functions":
            return web.json_response([self._function(one, request) for one in self._functions.values()])
        function = self._functions.get(path.removeprefix("admin/functions/"))
        if function is None or request.method not in ("GET", "POST"):
            return web.Response(status=404)
        if request.method == "GET":
            return web.json_response(self._function(function, request))
        return await self._run(function, request)

    def _status(self) -> dict[str, Any]:
        spent = int((time.monotonic() - self._started) * 1000)
        return {"id": "local", "state": self.state, "version": "local", "processUptime": spent}

    def _function(self, function: LoadedFunction, request: web.BaseRequest) -> dict[str, Any]:
        bindings = [one for one in (function.trigger, *function.outputs, function.returned) if one]
        found = {"name": function.name, "config": {"bindings": [_described(one) for one in bindings]}}
        if function.trigger.type == "httpTrigger":
            route = f"{self._prefix}/{function.trigger.text('route').strip('/')}".strip("/")
            found["invoke_url_template"] = f"{request.scheme}://{request.host}/{route}"
        return {**found, "language": "python", "isDisabled": False}

    async def _run(self, function: LoadedFunction, request: web.BaseRequest) -> web.Response:
        if function.trigger.type == "httpTrigger":
            return web.Response(status=400, text="call an HTTP function by its own address")
        try:
            asked = json.loads(await request.read() or b"{}")
            given = asked.get("input") or ""
        except (ValueError, AttributeError):
            return web.Response(status=400, text='a JSON object such as {"input": ""} is expected')
        task = asyncio.create_task(self._logged(function, given if isinstance(given, str) else json.dumps(given)))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        return web.Response(status=202)

    async def _logged(self, function: LoadedFunction, given: str) -> None:
        try:
            await self._call(function, given)
        except Exception as error:
            log.warning("%s, called by hand, failed: %s", function.name, type(error).__name__)

    async def wait_for_calls(self) -> None:
        """Until all calls by hand have ended."""
        await asyncio.gather(*self._calls)
