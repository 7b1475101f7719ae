"""The host in one process: starts all parts, and stops them in order."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from local.host.admin import AdminRoutes
from local.host.bindings import LoadedFunction
from local.host.configuration import HostConfiguration
from local.host.cors import Cors
from local.host.errors import HostError
from local.host.http import HttpFunctions, make_router, make_server
from local.host.invocation import Invoker, pool_size
from local.host.keys import Keys
from local.host.messages import by_hand
from local.host.service_bus import Connections, QueueTrigger
from local.host.settings import LocalSettings
from local.host.timers import make_timers
from local.host.waiting import warn_of_stalls

log = logging.getLogger("host")


@dataclass(frozen=True)
class Start:
    """What a host is started with. folder: where keys and timer status lie. grace: seconds for running calls."""

    root: Path
    folder: Path
    port: int
    environ: Mapping[str, str]
    functions: list[LoadedFunction]
    configuration: HostConfiguration
    local_settings: LocalSettings
    enable_auth: bool = False
    grace: float = 10.0


class Host:
    """HTTP, timers and queues of one app. Bound to 127.0.0.1."""

    def __init__(self, start: Start) -> None:
        self._start = start
        self._connections = Connections(start.environ)
        self._invoker = Invoker(str(start.root), pool_size(start.environ), self._connections.send)
        keys = Keys(start.folder, (one.name for one in start.functions), start.enable_auth)
        prefix = start.configuration.route_prefix
        self._admin = AdminRoutes(start.functions, prefix, keys, self._call_by_hand)
        router = make_router(start.functions, prefix)
        self._http = HttpFunctions(router, self._invoker, keys, Cors(start.local_settings), self._admin.answer)
        self._timers = make_timers(start.functions, self._invoker, start.folder, start.environ)
        self._queues = [
            QueueTrigger(one, self._invoker, self._connections, start.configuration)
            for one in start.functions
            if one.trigger.type == "serviceBusTrigger"
        ]
        self._connections.prepare(start.functions)
        self._stopping = asyncio.Event()
        self._now = asyncio.Event()

    async def run(self) -> bool:
        """Serve until SIGTERM or SIGINT; True when all calls had ended, False when some were cut off.

        A second signal cuts them off at once. Raises HostError when the port is taken.
        """
        self._take_signals()
        runner = web.ServerRunner(make_server(self._http), shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", self._start.port).start()
        except OSError as error:
            await runner.cleanup()
            raise HostError(
                f"port {self._start.port} cannot be used: {error.strerror}; choose one by --port"
            ) from error
        try:
            return await self._serve()
        finally:
            await self._connections.close()
            await runner.cleanup()
            self._invoker.close()

    def _take_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._signalled)

    def _signalled(self) -> None:
        if self._stopping.is_set():
            self._now.set()
        self._stopping.set()

    async def _serve(self) -> bool:
        """Run all parts; when told to stop, give running calls their time."""
        parts: list[asyncio.Task[Any]] = [asyncio.create_task(one.run(self._stopping)) for one in self._timers.values()]
        parts += [asyncio.create_task(one.run(self._stopping)) for one in self._queues]
        watch = asyncio.create_task(warn_of_stalls(self._stopping, lambda: list(self._invoker.running.values())))
        senders = asyncio.create_task(self._open_senders())
        self._admin.state = "Running"
        log.info("listening on http://127.0.0.1:%d, %d functions", self._start.port, len(self._start.functions))
        stopped: asyncio.Task[Any] = asyncio.create_task(self._stopping.wait())
        await asyncio.wait([stopped, *parts], return_when=asyncio.FIRST_COMPLETED)
        broken = [part for part in parts if part.done() and not self._stopping.is_set()]
        self._stopping.set()
        self._http.stopping, self._admin.state = True, "Stopping"
        ended = await self._wait_for_all(parts)
        for task in (*parts, watch, senders):
            task.cancel()
        await asyncio.gather(*parts, watch, senders, return_exceptions=True)
        for part in broken:
            part.result()  # raises what broke it
        return ended

    async def _open_senders(self) -> None:
        try:
            await self._connections.open_senders()
        except Exception as error:
            log.warning("senders are opened at their first message, since now: %s", error)

    async def _wait_for_all(self, parts: list[asyncio.Task[None]]) -> bool:
        """Whether all running calls ended within their time and before a second signal."""
        ended = asyncio.gather(*parts, self._admin.wait_for_calls(), self._invoker.all_ended(), return_exceptions=True)
        now: asyncio.Task[Any] = asyncio.create_task(self._now.wait())
        waited: list[asyncio.Future[Any]] = [ended, now]
        await asyncio.wait(waited, timeout=self._start.grace, return_when=asyncio.FIRST_COMPLETED)
        now.cancel()
        if ended.done():
            return True
        ended.cancel()
        log.warning("cut off: %s", ", ".join(self._invoker.running.values()) or "closing of receivers")
        return False

    async def _call_by_hand(self, function: LoadedFunction, given: str) -> None:
        if function.name in self._timers:
            await self._timers[function.name].fire(self._stopping)
        elif function.trigger.is_many:
            await self._invoker.call(function, [by_hand(given)])
        else:
            await self._invoker.call(function, by_hand(given))
