"""Delivers notifications: real POSTs, retried for 4 hours with growing pauses, late or lost for slow endpoints."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from local.graph.endpoints import WINDOW, Endpoint
from local.graph.mailboxes import MESSAGE, Change
from local.graph.notifications import change_item, lifecycle_item
from local.graph.world import World

RETRY_FOR = 4 * 3600.0
FIRST_PAUSE, LONGEST_PAUSE = 10.0, 600.0
HELD_PAUSE = 60.0


@dataclass
class Pending:
    """A notification on its way. Times are the simulator's."""

    subscription: str
    address: str
    item: dict[str, Any]
    born: float
    due: float
    attempts: int = 0
    lifecycle: bool = False


class Notifier:
    """`run` is its task. What is pending lives in memory: a kill loses it, as an outage of the service would."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.pending: list[Pending] = []
        self.endpoints: dict[str, Endpoint] = defaultdict(Endpoint)
        self.counts: Counter[str] = Counter()
        self._posts: set[asyncio.Task[None]] = set()
        world.mailboxes.on_change = self.changed

    @property
    def in_flight(self) -> int:
        """POSTs that are on the wire."""
        return len(self._posts)

    def _subscriptions(self) -> list[dict[str, Any]]:
        now = self._world.clock.now()
        return [each for each in self._world.store.all("subscription").values() if each["expires"] > now]

    def changed(self, change: Change) -> None:
        """Notify every subscription that wants it; each has deliveries of its own."""
        for each in self._subscriptions():
            wanted = change.what in each["changeType"].split(",")
            here = each["folder"] in (None, change.row["folder"])
            if wanted and here and (each["user"], each["kind"]) == (change.user, change.kind):
                if self._world.behaviour.ghostOnSend and change.what == "created" and _is_sent(change):
                    self._add(each, change_item(each, "created", change.row, f"AAMkGhost{change.row['n']}="))
                self._add(each, change_item(each, change.what, change.row))

    def lifecycle(self, subscription: Mapping[str, Any], event: str) -> None:
        """To the lifecycle address; nothing without one."""
        if address := subscription["lifecycleNotificationUrl"]:
            now = self._world.clock.now()
            item = lifecycle_item(subscription, event)
            self.pending.append(Pending(subscription["id"], address, item, now, now, lifecycle=True))
            self._world.clock.wake()

    def _add(self, subscription: Mapping[str, Any], item: dict[str, Any]) -> None:
        behaviour, draws, now = self._world.behaviour, self._world.draws, self._world.clock.now()
        address = subscription["notificationUrl"]
        mode = self.endpoints[address].mode(now)
        if draws.number("loss") < behaviour.loss or mode == "drop":
            self.counts["dropped" if mode == "drop" else "lost"] += 1
            return
        copies = 2 if draws.number("duplication") < behaviour.duplication else 1
        for _ in range(copies):
            late = draws.number("delay") * behaviour.notificationDelay + (WINDOW if mode == "slow" else 0.0)
            self.pending.append(Pending(subscription["id"], address, item, now, now + late))
        self._world.clock.wake()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._remind()
            self._send_due()
            times = [each.due for each in self.pending]
            if next_reminder := self._next_reminder():
                times.append(next_reminder)
            await self._world.clock.wait_until(min(times, default=None))

    def _send_due(self) -> None:
        now, due = self._world.clock.now(), defaultdict(list)
        alive = {each["id"]: each for each in self._subscriptions()}
        for each in [each for each in self.pending if each.due <= now]:
            self.pending.remove(each)
            if not each.lifecycle and each.subscription not in alive:
                self.counts["unsubscribed"] += 1
            elif not each.lifecycle and self._held(alive[each.subscription]):
                self._again(each, now, HELD_PAUSE)
            else:
                due[each.address, each.attempts > 0].append(each)
        for (address, _), found in due.items():
            size = self._world.behaviour.itemsPerPost
            for start in range(0, len(found), size):
                task = asyncio.create_task(self._deliver(address, found[start : start + size]))
                self._posts.add(task)
                task.add_done_callback(self._posts.discard)

    def _held(self, subscription: Mapping[str, Any]) -> bool:
        """Deliveries stop when a request to reauthorise has been ignored."""
        since = subscription["ignoredSince"]
        return since is not None and self._world.clock.now() > since + self._world.behaviour.reauthorizeWithin

    async def _deliver(self, address: str, found: list[Pending]) -> None:
        behaviour, clock = self._world.behaviour, self._world.clock
        if behaviour.shuffle:
            found = self._world.draws.shuffled("shuffle", found)
        status, seconds = await self.post(address, json.dumps({"value": [each.item for each in found]}).encode())
        now = clock.now()
        self.endpoints[address].answered(now, seconds, behaviour.answerWithin, behaviour.retryAnswerWithin)
        allowed = behaviour.retryAnswerWithin if found[0].attempts else behaviour.answerWithin
        if 200 <= status < 300 and seconds <= allowed:
            self.counts["delivered"] += len(found)
            return
        for each in found:
            each.attempts += 1
            self._again(each, now, min(FIRST_PAUSE * 2.0 ** (each.attempts - 1), LONGEST_PAUSE))
        clock.wake()

    def _again(self, each: Pending, now: float, pause: float) -> None:
        each.due = now + pause
        if each.due > each.born + RETRY_FOR:
            self.counts["givenUp"] += 1
        else:
            self.counts["retries"] += 1
            self.pending.append(each)

    async def post(self, address: str, body: bytes) -> tuple[int, float]:
        """Status, 0 for no answer within the longest time allowed, and seconds."""
        longest = max(self._world.behaviour.answerWithin, self._world.behaviour.retryAnswerWithin)
        began, headers = time.monotonic(), {"Content-Type": "application/json; charset=utf-8"}
        self.counts["posts"] += 1
        try:
            limit = aiohttp.ClientTimeout(total=longest + 0.05)
            async with (
                aiohttp.ClientSession(timeout=limit) as session,
                session.post(address, data=body, headers=headers) as answer,
            ):
                await answer.read()
                return answer.status, time.monotonic() - began
        except (TimeoutError, aiohttp.ClientError):
            return 0, time.monotonic() - began

    async def send_now(self, subscription: Mapping[str, Any]) -> None:
        """A change to the newest item, delivered before anything else happens."""
        sql = "SELECT * FROM items WHERE user = ? AND kind = ? ORDER BY n DESC LIMIT 1"
        if row := self._world.store.one(sql, (subscription["user"], subscription["kind"])):
            item = change_item(subscription, "updated", row)
            await self.post(subscription["notificationUrl"], json.dumps({"value": [item]}).encode())

    def require_reauthorization(self, subscription: Mapping[str, Any]) -> None:
        """Ask once more; from the first time on the clock runs."""
        now = self._world.clock.now()
        since = subscription["ignoredSince"] if subscription["ignoredSince"] is not None else now
        changed = {**subscription, "reminded": now, "ignoredSince": since}
        self._world.store.put("subscription", subscription["id"], changed)
        self.lifecycle(subscription, "reauthorizationRequired")

    def _next_reminder(self) -> float | None:
        every = self._world.behaviour.reauthorizeEvery
        times = [each["reminded"] + every for each in self._subscriptions()] if every else []
        return min(times, default=None)

    def _remind(self) -> None:
        every, now = self._world.behaviour.reauthorizeEvery, self._world.clock.now()
        for each in self._subscriptions() if every else ():
            if each["reminded"] + every <= now:
                self.require_reauthorization(each)

    def forget(self) -> None:
        """Nothing is on its way, every address is judged afresh, counts begin at 0."""
        self.pending.clear()
        self.endpoints.clear()
        self.counts.clear()

    async def close(self) -> None:
        for task in list(self._posts):
            task.cancel()
        await asyncio.gather(*self._posts, return_exceptions=True)


def _is_sent(change: Change) -> bool:
    return change.kind == MESSAGE and bool(change.row["folder"] == "sentitems")


def burst(found: Sequence[Mapping[str, Any]], items: int) -> bytes:
    """One POST with `items` notifications over these subscriptions in turn."""
    row = {"id": "AAkABurst=", "moving_id": "AAMkBurst=", "changed": 0}
    value = [change_item(found[n % len(found)], "updated", row) for n in range(items)]
    return json.dumps({"value": value}).encode()
