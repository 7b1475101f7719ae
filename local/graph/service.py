"""The way of every call: log, token, limits, faults, and then what it asked for."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from local.graph import batch
from local.graph.access import claims_challenge, identify
from local.graph.calls import Answer, Call
from local.graph.delta import sync_state_lost
from local.graph.errors import GraphError
from local.graph.gate import throttled
from local.graph.log import Entry
from local.graph.notifier import Notifier
from local.graph.routing import mailbox_key, route
from local.graph.world import World

HOME = "127.0.0.1"
HTML = b"<!DOCTYPE html><html><body><h1>Bad Gateway</h1></body></html>"


class ConnectionCut(Exception):
    """The connection ends here without an answer."""


class Service:
    """Answers calls, one after another and at once."""

    def __init__(self, world: World, notifier: Notifier) -> None:
        self._world, self._notifier = world, notifier

    async def handle(self, call: Call) -> Answer:
        """Never raises but ConnectionCut."""
        entry = self._begin(call)
        try:
            answer = await self._answer(call, entry)
        except GraphError as error:
            entry.code = error.code
            answer = Answer(error.status, error.body(), error.headers)
        entry.status = answer.status
        entry.app, entry.selected = call.app, call.notes.get("selected")
        entry.mailbox = entry.mailbox or call.notes.get("mailbox", "")
        entry.body_fields = sorted(call.notes.get("bodyFields", ()))
        answer.headers = {"request-id": str(uuid.uuid4()), **answer.headers}
        return answer

    def _begin(self, call: Call) -> Entry:
        host = call.base.split("/")[2]
        return self._world.log.begin(
            method=call.method,
            path="/" + "/".join(call.segments),
            query=dict(call.query),
            host=host,
            authorized=bool(call.headers.get("authorization")),
            prefer=call.prefer,
            in_batch=call.in_batch,
            double_slash="//" in call.path,
            retry_attempt=call.headers.get("retry-attempt", ""),
            foreign=host.rpartition(":")[0] != HOME,
        )

    async def _answer(self, call: Call, entry: Entry) -> Answer:
        identify(self._world, call)
        if call.segments == ("$batch",) and call.method == "POST":
            return await self._batch(call, entry)
        key = mailbox_key(call)
        if not key:
            await asyncio.sleep(self._world.behaviour.latency)
            return await self._faulty(call, entry)
        entry.mailbox = mailbox = self._world.directory.user(key, call.tenant)["id"]
        over_all = self._world.behaviour.concurrencyOverAll
        with self._world.gate.entered(call.app, mailbox, over_all=over_all) as running:
            entry.concurrent = running
            await asyncio.sleep(self._world.behaviour.latency)
            if (left := self._world.gate.throttled_for(call.app, mailbox)) > 0:
                entry.during_throttle = True
                raise throttled(max(1.0, left))
            return await self._faulty(call, entry)

    async def _batch(self, call: Call, entry: Entry) -> Answer:
        if fault := self._fault(call, entry):
            return await self._strike(call, fault)
        return await batch.run(call, self.handle, lambda found: self._world.draws.shuffled("batch", found))

    def _fault(self, call: Call, entry: Entry) -> dict[str, Any] | None:
        options = "&".join(f"{name}={value}" for name, value in call.query.items())
        fault = self._world.faults.for_call(f"{call.method} /{'/'.join(call.segments)}?{options}")
        entry.fault = fault["kind"] if fault else ""
        return fault

    async def _faulty(self, call: Call, entry: Entry) -> Answer:
        fault = self._fault(call, entry)
        return await (self._strike(call, fault) if fault else self._work(call))

    async def _work(self, call: Call) -> Answer:
        return await route(self._world, self._notifier, call)

    async def _strike(self, call: Call, fault: dict[str, Any]) -> Answer:
        """Raises GraphError or ConnectionCut."""
        match fault["kind"]:
            case "status":
                return _refused(fault)
            case "throttle":
                return self._throttle(call, fault)
            case "empty":
                return Answer(200)
            case "reset":
                if fault.get("after"):
                    await self._work(call)
                raise ConnectionCut
            case "slow":
                await asyncio.sleep(float(fault.get("seconds", 1.0)))
                return await self._work(call)
            case "syncStateLost":
                raise sync_state_lost(call, int(fault.get("status", 410)), fault.get("code", "syncStateNotFound"))
            case "claims":
                raise claims_challenge()
            case _:  # accepted: the work was done, and the answer says it was not
                await self._work(call)
                return _refused({"status": 503})

    def _throttle(self, call: Call, fault: dict[str, Any]) -> Answer:
        """The throttle lasts as long as it says, unless `seconds` is given."""
        after = fault.get("retryAfter", "1")
        lasts = fault.get("seconds", after if str(after).isdecimal() else 0)
        if key := mailbox_key(call):
            self._world.gate.throttle(call.app, self._world.directory.user(key, call.tenant)["id"], float(lasts))
        headers = {} if after is None else {"Retry-After": str(after)}
        raise GraphError(429, "ApplicationThrottled", "Application is over its limit.", headers)


def _refused(fault: dict[str, Any]) -> Answer:
    status, headers = int(fault["status"]), {str(k): str(v) for k, v in fault.get("headers", {}).items()}
    if fault.get("html"):
        return Answer(status, headers=headers, raw=HTML, content_type="text/html")
    codes = {500: "InternalServerError", 502: "BadGateway", 503: "ServiceUnavailable", 504: "GatewayTimeout"}
    code = fault.get("code", codes.get(status, "UnknownError"))
    return Answer(status, GraphError(status, code, "The fault plan says so.").body(), headers)
