"""The app's own HTTP functions behind the form server: what a page does here, it does to real tables and real queues.

The sign-in gives the role itself as the token, and the functions are called as the platform would call them for who has it.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from local.form.server import Form, make_app
from local.tokens import TENANT
from tests.doubles.platform import as_caller
from tests.doubles.routes import Route, routes

_GIVEN = ("Accept-Encoding", "If-Match", "If-None-Match", "Content-Type")


class RealApp:
    """`url`: of the form server; `asked`: every question to the app, as method and path."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        found = [(_pattern(one.route), one) for one in routes()]
        # A route without places goes before one that would take its path as a place.
        self._routes = sorted(found, key=lambda one: one[1].route.count("{"))

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.path}")
        path = request.path.removeprefix("/api/")
        for pattern, route in self._routes:
            found = pattern.fullmatch(path)
            if found and route.method == request.method:
                return await self._call(route, request, found.groupdict())
        raise web.HTTPNotFound

    async def _call(self, route: Route, request: web.Request, params: dict[str, str]) -> web.Response:
        role = request.headers.get("Authorization", "").removeprefix("Bearer ")
        given = {name: request.headers[name] for name in _GIVEN if name in request.headers}
        headers = {**given, **(_ada(role) if role else {})}
        content: dict[str, Any] = {"params": params, "query": dict(request.query), "body": await request.read()}
        found = await asyncio.to_thread(route.call, headers=headers, **content)
        answered = {**dict(found.headers), "Content-Type": found.headers.get("Content-Type", found.mimetype)}
        return web.Response(status=found.status_code, body=found.get_body(), headers=answered)


def _ada(role: str) -> dict[str, str]:
    """Ada with this role, of the tenant of the local sign-in."""
    [(header, text)] = as_caller(role).items()
    principal = json.loads(base64.b64decode(text))
    principal["claims"] += [{"typ": "name", "val": "Ada"}, {"typ": "tid", "val": TENANT}]
    return {header: base64.b64encode(json.dumps(principal).encode()).decode()}


def _pattern(route: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)(?::\w+)?\}", route)
    texts = [f"(?P<{part}>[^/]+)" if number % 2 else re.escape(part) for number, part in enumerate(parts)]
    return re.compile("".join(texts))


async def _token(request: web.Request) -> web.Response:
    return web.json_response({"access_token": (await request.json())["roles"][0]})


@asynccontextmanager
async def _listening(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _serve(behind: RealApp, folder: Path, ready: threading.Event, stop: asyncio.Event) -> None:
    app = web.Application()
    app.router.add_post("/control/token", _token)
    app.router.add_route("*", "/api/{path:.+}", behind.answer)
    async with _listening(app) as url, _listening(make_app(Form(url, url, folder))) as behind.url:
        ready.set()
        await stop.wait()


@contextmanager
def running_app(folder: Path) -> Iterator[RealApp]:
    """The form server on a free port, and behind it the app of this process, in a thread of their own."""
    behind, ready, stop = RealApp(), threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=lambda: loop.run_until_complete(_serve(behind, folder, ready, stop)))
    thread.start()
    try:
        if not ready.wait(30):
            raise RuntimeError("the form server did not start")
        yield behind
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
