"""The whole app in this process on a clock that tests move: its webhook on a real port, its timers, its queue functions.

Nothing sleeps: when no message is due, the clock goes on to whatever comes next. One function runs at a time, in an order that
a seed decides. A worker can be made to die at any of its calls to storage or queues, as a process does: whatever it wanted to
do afterwards, giving back a lease for instance, does not happen, and its message comes back when the lock ends.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import azure.functions as func
import azure.servicebus
import pytest
import urllib3

from functions import graph_timers, graph_webhook, graph_workers, record_updates
from local.host.ncrontab import Schedule
from shared.graph import client
from tests.doubles.processes import forget
from tests.doubles.virtual_bus import VirtualBus
from tests.doubles.virtual_time import VirtualTime
from tests.local.graph_process import RunningGraph

WORKERS = {
    "graph-lifecycle": graph_workers.graph_lifecycle,
    "graph-dirty": graph_workers.graph_dirty,
    "graph-backfill": graph_workers.graph_backfill,
    "record-updates": record_updates.record_updates,
    "people-updates": record_updates.people_updates,
}
TIMERS = (
    graph_timers.consent_check,
    graph_timers.poll_mailboxes,
    graph_timers.renew_subscriptions,
    graph_timers.reconcile_subscriptions,
)
ROUTES = {"notifications": graph_webhook.post_graph_notifications, "lifecycle": graph_webhook.post_graph_lifecycle}
MOST_DEATHS = 20
CONNECTION = "Endpoint=sb://nowhere.example/;SharedAccessKeyName=a;SharedAccessKey=b"


class WorkerDiedError(BaseException):
    """The process is gone. No `except Exception` sees it, and nothing that still runs reaches anything."""


def start_anew() -> None:
    """As a process that has just begun: no connection, nothing remembered."""
    client.close()
    forget()


def _function(builder: Any) -> Callable[..., Any]:
    """What stands behind a trigger's decorators."""
    found: Callable[..., Any] = builder.build().get_user_function()
    return found


class VirtualApp:
    """See the module. `rate`: share of calls to storage or queues at which a worker dies, before or after the call.

    Only the first `MOST_DEATHS` happen: starting anew costs more than anything else here.
    """

    def __init__(self, graph: RunningGraph, clock: VirtualTime, seed: int = 1) -> None:
        self.graph, self.clock = graph, clock
        self.bus = VirtualBus(clock.time)
        self.bus.around = self._may_die
        self.rate = 0.0
        self.is_down = False  # the whole app: the webhook refuses, no function runs
        self.deaths = self.forgotten_throttles = 0
        self._draw = random.Random(seed)
        self._worker = threading.get_ident()
        self._works = self._is_dead = False
        self._schedules = [(Schedule(each.build().get_trigger().schedule), _function(each)) for each in TIMERS]
        self._next_timer = [self._after(schedule) for schedule, _ in self._schedules]

    def _after(self, schedule: Schedule) -> float:
        return schedule.next_after(datetime.fromtimestamp(self.clock.time(), UTC)).timestamp()

    # Dying

    def _may_die(self) -> None:
        """Called before and after every call to storage and queues."""
        if not self._works or threading.get_ident() != self._worker:
            return
        if self._is_dead or (self.deaths < MOST_DEATHS and self._draw.random() < self.rate / 2):
            self._is_dead = True
            raise WorkerDiedError

    def _run(self, work: Callable[[], object]) -> bool:
        """Whether the function came to its end. Raises what it raised."""
        self._works = True
        try:
            work()
        except WorkerDiedError:
            self.deaths += 1
            self._works = self._is_dead = False
            log = self.graph.control.get("requests", status=429)
            last = self.graph.control.get("requests", since=log[-1]["n"] - 1) if log else []
            # Refused, and dead before it could write that down.
            self.forgotten_throttles += len(last) == 1
            start_anew()
            return False
        finally:
            self._works = False
        return True

    # Time

    def advance_to(self, at: float) -> None:
        """Let the clocks of the app and of Graph go on, and Graph deliver what is due by then."""
        seconds = max(at - self.clock.time(), 0.0)
        self.clock.advance(seconds)
        self.graph.control.advance(seconds)
        self.settle()

    def settle(self) -> None:
        """Wait until Graph has delivered whatever is due."""
        while True:
            now = self.graph.control.get("clock")["seconds"]
            found = self.graph.control.get("notifications")
            if not found["inFlight"] and all(each["due"] > now for each in found["pending"]):
                return
            time.sleep(0.002)  # the simulator is another process

    def run_until(self, end: float) -> None:
        """Do all that comes until an instant."""
        while True:
            self._work_off()
            upcoming = [*self._next_timer, self.bus.next_due(), self._next_notification()]
            following = min(at for at in upcoming if at is not None)
            if following > end:
                self.advance_to(end)
                self._work_off()
                return
            self.advance_to(following + 0.001)
            self._fire_timers()

    def _next_notification(self) -> float | None:
        return min((each["due"] for each in self.graph.control.get("notifications")["pending"]), default=None)

    def _fire_timers(self) -> None:
        for number, (schedule, timer) in enumerate(self._schedules):
            if self._next_timer[number] <= self.clock.time():
                self._next_timer[number] = self._after(schedule)
                try:
                    self._run(lambda timer=timer: timer(None))  # type: ignore[misc]
                except Exception:  # as in the cloud: a timer that failed comes again next time
                    continue

    def _work_off(self) -> None:
        """Run queue functions until nothing is due, one after another, of queues in any order."""
        while not self.is_down:
            order = self._draw.sample(list(WORKERS), len(WORKERS))
            if not [queue for queue in order if (found := self.bus.receive(queue)) and self._handle(queue, found)]:
                return

    def _handle(self, queue: str, found: tuple[func.ServiceBusMessage, Any]) -> bool:
        message, lock = found
        try:
            if self._run(lambda: _function(WORKERS[queue])(message)):
                self.bus.complete(queue, lock)
        except Exception:
            self.bus.abandon(queue, lock)
        return True


def _server(app: VirtualApp) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            address = urlsplit(self.path)
            params = {name: values[0] for name, values in parse_qs(address.query).items()}
            request = func.HttpRequest("POST", self.path, params=params, body=body, headers=dict(self.headers))
            answer = (
                func.HttpResponse(status_code=503)
                if app.is_down
                else _function(ROUTES[address.path.rpartition("/")[2]])(request)
            )
            content = answer.get_body()
            self.send_response(answer.status_code)
            self.send_header("Content-Type", f"{answer.mimetype}; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None: ...

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


@contextmanager
def running_app(graph: RunningGraph, patch: pytest.MonkeyPatch, start: float, seed: int = 1) -> Iterator[VirtualApp]:
    """The app with its webhook listening; both clocks stand at `start`. Settings of Graph and storage are the caller's."""
    clock = VirtualTime()
    clock.install(patch)
    clock.set(start)
    graph.control.post("clock", set=datetime.fromtimestamp(start, UTC).isoformat())
    app = VirtualApp(graph, clock, seed)
    patch.setattr(azure.servicebus.ServiceBusClient, "from_connection_string", lambda *_, **__: app.bus)
    real = urllib3.connectionpool.HTTPConnectionPool.urlopen

    def urlopen(pool: Any, *request: Any, **options: Any) -> Any:
        app._may_die()
        answer = real(pool, *request, **options)
        app._may_die()
        return answer

    patch.setattr(urllib3.connectionpool.HTTPConnectionPool, "urlopen", urlopen)
    server = _server(app)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    patch.setenv("SERVICEBUS", CONNECTION)
    patch.setenv("GRAPH_NOTIFICATION_URL", f"http://127.0.0.1:{server.server_address[1]}/api")
    start_anew()
    try:
        yield app
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        start_anew()
