"""Timers: firing, missed occurrences, retries, and the status that survives a restart."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from azure.functions.timer import TimerRequest

from local.host.bindings import LoadedFunction
from local.host.errors import HostError
from local.host.invocation import Failure, Invoker, RetryContext
from local.host.ncrontab import Schedule
from local.host.settings import expand
from local.host.waiting import stops_within

log = logging.getLogger("host.timers")

# a sleep is cut into parts, so that a clock that is set forward is noticed
_LONGEST_SLEEP = 30.0


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Status:
    """When a timer fired last (None: never yet), when it is due next, and when this was written."""

    last: datetime | None
    next: datetime
    updated: datetime


class StatusFile:
    """One timer's status in the state folder; replaced in one step, so a crash leaves the old or the new one."""

    def __init__(self, folder: Path, function: str) -> None:
        self._path = folder / "timers" / f"{function}.json"
        self._path.parent.mkdir(parents=True, exist_ok=True)

    def read(self) -> Status | None:
        """The stored status, None before the first one. Raises HostError for a damaged file."""
        if not self._path.exists():
            return None
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            last = datetime.fromisoformat(kept["Last"]) if kept["Last"] else None
            return Status(last, datetime.fromisoformat(kept["Next"]), datetime.fromisoformat(kept["LastUpdated"]))
        except (ValueError, KeyError, TypeError) as error:
            raise HostError(f"{self._path} is damaged ({error}): remove it, then no run counts as missed") from error

    def write(self, status: Status) -> None:
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps(as_json(status)), encoding="utf-8")
        draft.replace(self._path)


def as_json(status: Status) -> dict[str, str | None]:
    """The names that the real host stores and that `TimerRequest.schedule_status` shows."""
    last = status.last.isoformat() if status.last else None
    return {"Last": last, "Next": status.next.isoformat(), "LastUpdated": status.updated.isoformat()}


def is_past_due(status: Status, schedule: Schedule, now: datetime) -> bool:
    """Whether an occurrence was missed since the status was written; counted by the schedule as it is today."""
    return schedule.next_after(status.last or status.updated) <= now


class Timer:
    """One timer function."""

    def __init__(self, function: LoadedFunction, invoker: Invoker, folder: Path, environ: Mapping[str, str]) -> None:
        self.function = function
        self._invoker = invoker
        self._schedule = Schedule(expand(function.trigger.text("schedule"), environ, function.name))
        if self._schedule.interval:
            log.warning("function %s: an interval as schedule works in App Service plans only", function.name)
        monitored = function.trigger.options.get("useMonitor", True)
        if monitored and not self._schedule.is_denser_than_a_minute(_now()):
            self._file: StatusFile | None = StatusFile(folder, function.name)
        else:
            self._file = None
        self._status: Status | None = None
        self._one_at_a_time = asyncio.Lock()

    async def run(self, stopping: asyncio.Event) -> None:
        """Fire at every occurrence until `stopping` is set; an occurrence during a run is skipped."""
        self._status = self._file.read() if self._file else None
        past_due = self._status is not None and is_past_due(self._status, self._schedule, _now())
        if self._status is None:
            self._keep(None)
        if past_due or self.function.trigger.options.get("runOnStartup"):
            await self.fire(stopping, past_due=past_due)
        while not stopping.is_set():
            due = self._schedule.next_after(_now())
            if await _wait_until(due, stopping):
                await self.fire(stopping)

    async def fire(self, stopping: asyncio.Event, *, past_due: bool = False) -> None:
        """Run the function once, with its retries. Never raises for what the function does."""
        async with self._one_at_a_time:
            if stopping.is_set():
                return
            fired = _now()
            shown = as_json(self._status) if self._status and self._file else None
            request = TimerRequest(past_due=past_due, schedule_status=shown, schedule={"AdjustForDST": True})
            await self._try(request, stopping)
            self._keep(fired)

    def _keep(self, fired: datetime | None) -> None:
        if self._file:
            now = _now()
            self._status = Status(fired, self._schedule.next_after(now), now)
            self._file.write(self._status)

    async def _try(self, request: TimerRequest, stopping: asyncio.Event) -> None:
        policy = self.function.retry
        most, count, failure = (policy.max_retries if policy else 0), 0, None
        while True:
            retry = RetryContext(count, most, failure) if policy else None
            try:
                await self._invoker.call(self.function, request, retry=retry)
                return
            except Exception as error:
                failure = _failure(error)
            if policy is None or (most != -1 and count >= most):
                return
            count += 1
            if await stops_within(policy.delay(count), stopping):
                return


def _failure(error: Exception) -> Failure:
    return Failure(type(error).__name__, "".join(traceback.format_exception(error)), str(error))


async def _wait_until(due: datetime, stopping: asyncio.Event) -> bool:
    """True when the time has come, False when the host stops."""
    while (left := (due - _now()).total_seconds()) > 0:
        if await stops_within(min(left, _LONGEST_SLEEP), stopping):
            return False
    return not stopping.is_set()


def make_timers(
    functions: list[LoadedFunction], invoker: Invoker, folder: Path, environ: Mapping[str, str]
) -> dict[str, Timer]:
    """The timer of each timer function, by its name."""
    chosen = [one for one in functions if one.trigger.type == "timerTrigger"]
    return {one.name: Timer(one, invoker, folder, environ) for one in chosen}
