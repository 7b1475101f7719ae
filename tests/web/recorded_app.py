"""An app that answers with recorded answers, behind the real form server; its scripts are served by the app's own code.

Records are named by what becomes of a question about them: `missing`, `forbidden`, `broken`, `slow`. Every other record has
the recorded answer, changed by what a test put into `edits`.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from local.form.server import Form, make_app
from shared import web_files
from shared.negotiation import entity_tag, is_unchanged
from tests.web.recorded_me import RecordedMe

PAYLOADS = Path(__file__).resolve().parents[1] / "payloads/widgets"
REFUSALS = {"missing": 404, "forbidden": 403, "broken": 503, "odd": 400}
RECORDED = {"widgets": "{}", "colleagues": "{}-colleagues"}
Edit = Callable[[dict[str, Any]], None]


def recorded(name: str) -> dict[str, Any]:
    """A recorded answer, such as `opportunity` or `account-activities`."""
    return _content_of(PAYLOADS / f"{name}.json")


def recorded_list(name: str) -> dict[str, Any]:
    """A recorded `list` or `pipeline`."""
    return _content_of(PAYLOADS.with_name("lists") / f"{name}.json")


def _content_of(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


@dataclass
class RecordedApp:
    """What the app was asked, and what tests change. `tokens`: those it takes; the sign-in gives the first of `given`."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    given: list[str] = field(default_factory=lambda: ["good"])
    authorizations: list[str] = field(default_factory=list)
    told: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)
    me: RecordedMe = field(default_factory=RecordedMe)
    can_send: bool = True
    refuse: bool = False
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        """Let the questions about `slow` be answered."""
        self.loop.call_soon_threadsafe(self.released.set)

    def reset(self) -> None:
        """As new."""
        self.loop.call_soon_threadsafe(self.released.clear)
        self.asked.clear()
        self.statuses.clear()
        self.edits.clear()
        self.authorizations.clear()
        self.told.clear()
        self.requests.clear()
        self.me = RecordedMe()
        self.can_send, self.refuse = True, False
        self.given[:] = ["good"]

    async def records(self, request: web.Request) -> web.Response:
        self.asked.append(request.path_qs)
        self.authorizations.append(request.headers.get("Authorization", ""))
        response = await self._answer(request)
        self.statuses.append(response.status)
        return response

    async def _answer(self, request: web.Request) -> web.Response:
        record, resource = request.match_info["id"], request.match_info.get("resource", "colleagues")
        if self.authorizations[-1] != "Bearer good":
            return _problem(401)
        if record in REFUSALS:
            return _problem(REFUSALS[record])
        if record == "slow":
            await self.released.wait()
        return self._content(request, request.match_info["type"], resource)

    def _content(self, request: web.Request, kind: str, resource: str) -> web.Response:
        pages = {"activities": _page, "people": _people}
        page = pages.get(resource)
        content = page(kind, request.query) if page else recorded(RECORDED[resource].format(kind))
        for edit in self.edits:
            edit(content)
        body = json.dumps(content).encode()
        headers = {"ETag": entity_tag(body), "Cache-Control": "private, no-cache"}
        if is_unchanged(request.headers.get("If-None-Match", ""), headers["ETag"]):
            return web.Response(status=304, headers=headers)
        return web.Response(body=body, content_type="application/json", headers=headers)

    async def introductions(self, request: web.Request) -> web.Response:
        """Requests as the app keeps them, of one asker; the body of each question is in `told`."""
        self.asked.append(request.path_qs)
        id, step = request.match_info.get("id", ""), request.match_info.get("step", "")
        content = await request.json() if request.can_read_body else {}
        self.told.append((request.method, (id and step) or request.match_info.get("id", ""), content))
        mail = {
            "to": "ilias.singh@us.example",
            "subject": "Could you introduce me?",
            "body": f"Hello, {content.get('reason', '')}",
            "mailto": "mailto:ilias.singh@us.example?subject=Hi",
            "canSend": self.can_send,
            "introduction": {"possible": True},
        }
        if id == "preview" or step == "mail":
            return web.json_response(mail)
        if self.refuse and step == "send":
            return web.json_response(
                {"status": 409, "detail": "The colleague has been asked enough for now."}, status=409
            )
        if not id:
            return web.json_response({"requests": list(self.requests.values()), "outcomes": {}})
        state = {"send": "requested", "state": content.get("state")}.get(step) or "draft"
        wanted = content if not step else {}
        view = self.requests.get(id) or {
            "id": id, "introducer": {"id": wanted["introducer"], "name": "Ilias Singh"},
            "target": {"id": wanted["target"], "name": "Clara Garcia"}, "createdAt": "2026-11-23T03:38:52Z", "proposal": "",
        }  # fmt: skip
        self.requests[id] = {**view, "state": state}
        return web.json_response(self.requests[id])

    async def lists(self, request: web.Request) -> web.Response:
        """The sample form's picker gets the recorded record; everybody else a page of the recorded list."""
        if request.query.get("limit") == "50" and "sort" not in request.query:
            found = recorded(request.match_info["type"])
            return web.json_response({"rows": [{"record": found["record"], "name": found["recordName"]}]})
        return await self._listed(request, _list_page(request.match_info["type"], request.query))

    async def pipeline(self, request: web.Request) -> web.Response:
        """The recorded chart."""
        return await self._listed(request, recorded_list("pipeline"))

    async def _listed(self, request: web.Request, content: dict[str, Any]) -> web.Response:
        self.asked.append(request.path_qs)
        if request.headers.get("Authorization") != "Bearer good":
            return _problem(401)
        if self.refuse:
            return _problem(403)
        for edit in self.edits:
            edit(content)
        return web.json_response(content)

    async def lookup(self, request: web.Request) -> web.Response:
        """Who knows an address or a domain: the recorded colleagues under its name."""
        asked = request.query.get("address") or request.query["domain"]
        found = recorded("opportunity-colleagues")
        named = [one | {"knows": None} for one in found["colleagues"]]
        return await self._listed(
            request, found | {"target": asked, "name": asked, "colleagues": named, "nextPage": None}
        )

    async def similar_refresh(self, request: web.Request) -> web.Response:
        """Similar deals, looked for now; or refused."""
        self.asked.append(request.path_qs)
        return _problem(409) if self.refuse else web.json_response({"widget": "similarWonOpportunities"})

    async def mine(self, request: web.Request) -> web.Response:
        """What is the caller's own."""
        return await self.me.answer(request)

    async def token(self, _: web.Request) -> web.Response:
        given = self.given.pop(0) if len(self.given) > 1 else self.given[0]
        return web.json_response({"access_token": given})


def _problem(status: int) -> web.Response:
    detail = "the record type is one of account, contact" if status == 400 else ""
    return web.json_response({"status": status, "detail": detail}, status=status)


def _page(kind: str, query: Any) -> dict[str, Any]:
    """A page of the recorded ledger, filtered as the app filters."""
    found = recorded(f"{kind}-activities")
    rows = [one for one in found["activities"] if one["reason"] == query.get("reason", one["reason"])]
    if "person" in query:
        rows = [one for one in rows if query["person"] in [person["id"] for person in one["people"]]]
    if "day" in query:
        rows = [one for one in rows if one["at"].startswith(query["day"])]
    if "kind" in query:
        rows = [one for one in rows if one["kind"] in query["kind"].split(",")]
    if "direction" in query:
        rows = [one for one in rows if one["direction"] == query["direction"]]
    if query.get("counted") == "true":
        rows = [one for one in rows if one["counted"]]
    first, limit = int(query.get("page", 0)), int(query["limit"])
    reasons = [one["reason"] for one in rows]
    return found | {
        "activities": rows[first : first + limit],
        "total": len(rows),
        "counted": sum(one["counted"] for one in rows),
        "reasons": {reason: reasons.count(reason) for reason in sorted(set(reasons))},
        "nextPage": str(first + limit) if first + limit < len(rows) else None,
    }


def _people(kind: str, query: Any) -> dict[str, Any]:
    """A page of five of the people of a side, three of whom the widget shows."""
    widget = recorded(kind)["widgets"]["mostContacted" if query["side"] == "customers" else "mostContactedBy"]
    shown, total = widget["people"], widget["total"]
    others = [shown[-1] | {"person": {"id": f"contact:{n}", "name": f"Person {n}"}} for n in range(len(shown), total)]
    first, everybody = int(query.get("page", 0)), [*shown, *others]
    rest = str(first + 5) if first + 5 < total else None
    return {"side": query["side"], "total": total, "people": everybody[first : first + 5], "nextPage": rest}


def _list_page(kind: str, query: Any) -> dict[str, Any]:
    """A page of twenty of the recorded list, filtered as the app filters; only names are put in order."""
    found = recorded_list("list") | {"type": kind}
    grades, trend = query.get("grade", ""), query.get("trend", "")
    rows = [one for one in found["rows"] if not grades or one["grade"] in grades.split(",")]
    rows = [one for one in rows if trend in ("", one["trendName"])]
    if query["sort"] == "name":
        rows.sort(key=lambda one: str(one["name"]), reverse=query["order"] == "desc")
    first, names = int(query.get("page", 0)), [one["grade"] for one in rows]
    return found | {
        "rows": rows[first : first + 20],
        "total": len(rows),
        "grades": {grade: names.count(grade) for grade in found["grades"]},
        "nextPage": str(first + 20) if first + 20 < len(rows) else None,
    }


async def _script(request: web.Request) -> web.Response:
    name, version = request.match_info["file"], request.match_info.get("version")
    answer = web_files.versioned(version, name, {}) if version else web_files.present_version(name)
    return web.Response(status=answer.status, body=answer.body, headers=answer.headers)


def _application(recorded_app: RecordedApp) -> web.Application:
    app = web.Application()
    app.router.add_get("/api/records/{type}/{id}/{resource}", recorded_app.records)
    app.router.add_post("/api/records/opportunity/{id}/similar/refresh", recorded_app.similar_refresh)
    app.router.add_get("/api/who-knows-whom/{type}/{id}", recorded_app.records)
    app.router.add_get("/api/who-knows-whom", recorded_app.lookup)
    for path in ("", "/{id}", "/{id}/{step}"):
        app.router.add_route("*", f"/api/introductions{path}", recorded_app.introductions)
    app.router.add_get("/api/health/{type}", recorded_app.lists)
    app.router.add_get("/api/pipeline", recorded_app.pipeline)
    app.router.add_route("*", "/api/me/{what}", recorded_app.mine)
    app.router.add_post("/control/token", recorded_app.token)
    app.router.add_get("/api/web/{file}", _script)
    app.router.add_get("/api/web/{version}/{file}", _script)
    return app


async def _listen(app: web.Application, runners: list[web.AppRunner]) -> str:
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    runners.append(runner)
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"


async def _serve(behind: RecordedApp, folder: Path, ready: threading.Event, stop: asyncio.Event) -> None:
    runners: list[web.AppRunner] = []
    try:
        app = await _listen(_application(behind), runners)
        behind.url = await _listen(make_app(Form(app, app, folder)), runners)
        ready.set()
        await stop.wait()
    finally:
        for runner in reversed(runners):
            await runner.cleanup()


@contextmanager
def running_form(folder: Path) -> Iterator[RecordedApp]:
    """The form server on a free port (`url`), its app and its sign-in behind it, in a thread of their own."""
    behind, ready, stop = RecordedApp(), threading.Event(), asyncio.Event()
    loop = behind.loop
    thread = threading.Thread(target=lambda: loop.run_until_complete(_serve(behind, folder, ready, stop)))
    thread.start()
    try:
        if not ready.wait(30):
            raise RuntimeError("the form server did not start")
        yield behind
    finally:
        behind.release()
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
