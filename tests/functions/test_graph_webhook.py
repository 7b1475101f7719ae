"""The webhook as Graph and others call it: handshake, checks, one send; what it must not load, and what it must refuse."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
import urllib3
from azure.servicebus import ServiceBusSender
from azure.servicebus.exceptions import ServiceBusError

from functions.graph_webhook import post_graph_lifecycle, post_graph_notifications
from local.graph.handshake import new_token
from shared import queues as sending
from shared.graph import notifications, subscriptions
from shared.graph.subscriptions import Subscription
from shared.graph.work import CALENDAR, MAIL, Dirty, Kind, Lifecycle
from shared.settings import settings
from tests.doubles.processes import forget
from tests.doubles.queued import received

ROOT = Path(__file__).resolve().parents[2]
TENANT, STATE = "11111111-2222-3333-4444-555555555555", "the secret of the subscription"
DIRTY, LIFECYCLE = "graph-dirty", "graph-lifecycle"
SOON = 2.5  # seconds: a window of one, and what it adds for slow clocks


@pytest.fixture
def app(storage: object, queues: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three subscriptions of two mailboxes."""
    monkeypatch.setenv("GRAPH_TENANT_ID", TENANT)
    monkeypatch.setenv("GRAPH_MAIL_WINDOW_SECONDS", "1")
    monkeypatch.setenv("GRAPH_CALENDAR_WINDOW_SECONDS", "1")
    settings.cache_clear()
    known: tuple[tuple[str, str, Kind], ...] = (("s1", "m1", MAIL), ("s2", "m1", CALENDAR), ("s3", "m2", MAIL))
    for id, mailbox, kind in known:
        subscriptions._write(Subscription(id, mailbox, kind, 2_000_000_000, subscriptions._hashed(STATE)))


def sent(queue: str) -> list[Any]:
    """What the app has sent to the queue, in the order of its text."""
    return sorted((json.loads(body) for body in received(queue, scheduled_within=SOON)), key=json.dumps)


def item(subscription: str = "s1", **more: Any) -> dict[str, Any]:
    return {
        "id": "n1", "subscriptionId": subscription, "clientState": STATE, "tenantId": TENANT, "changeType": "created",
        "subscriptionExpirationDateTime": "2026-03-01T00:00:00Z", "resource": "Users/somebody-else/Messages/A=",
        "resourceData": {"id": "A="}, **more,
    }  # fmt: skip


def call(body: Any, key: str | None = None, route: Any = post_graph_notifications, **params: str) -> func.HttpResponse:
    content = body if isinstance(body, bytes) else json.dumps({"value": body}).encode()
    query = {"key": subscriptions.url_keys(settings())[0] if key is None else key, **params}
    request = func.HttpRequest("POST", "https://app.example/api/graph/notifications", params=query, body=content)
    answer: func.HttpResponse = (
        route.build().get_user_function()(request) if hasattr(route, "build") else route(request)
    )
    return answer


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("route", [post_graph_notifications, post_graph_lifecycle])
def test_handshake_gives_the_token_back_as_it_came(route: Any) -> None:
    token = new_token()
    answer = call(b"", route=route, validationToken=token)
    assert (answer.status_code, answer.get_body().decode(), answer.mimetype) == (200, token, "text/plain")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.usefixtures("app")
def test_notifications_become_one_flag_per_mailbox_and_kind() -> None:
    assert call([item() for _ in range(100)] + [item("s2"), item("s3")]).status_code == 202
    assert call([item()]).status_code == 202
    marks = sent(DIRTY)
    expected = [
        {"mailbox": "m1", "kind": "calendar"},
        {"mailbox": "m1", "kind": "mail"},
        {"mailbox": "m2", "kind": "mail"},
    ]
    # The second call may have fallen into the next window.
    assert [mark for n, mark in enumerate(marks) if mark not in marks[:n]] == sorted(expected, key=json.dumps)
    assert len(marks) <= 4


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    "forged",
    [{"subscriptionId": "unknown"}, {"clientState": "guessed"}, {"tenantId": "another"}, {"clientState": None}],
    ids=["subscription", "client state", "tenant", "no client state"],
)
def test_forged_items_are_dropped_without_a_word(forged: dict[str, Any]) -> None:
    given = {name: value for name, value in item(**forged).items() if value is not None}
    answer = call([given, item("s3")])
    assert (answer.status_code, answer.get_body()) == (202, b"")
    assert sent(DIRTY) == [{"mailbox": "m2", "kind": "mail"}]


@pytest.mark.usefixtures("app")
def test_whose_mailbox_it_is_stands_in_our_own_table() -> None:
    call([item(resource="Users/m2/Messages/A=")])
    assert sent(DIRTY) == [{"mailbox": "m1", "kind": "mail"}]


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("body", "key", "status"),
    [
        (b'{"value":[{', None, 400), (b"[]", None, 400), (b'{"value": 1}', None, 400), (b"\xff", None, 400),
        (b" " * 1_000_001, None, 413), (b'{"value":[]}', "wrong", 401), (b'{"value":[]}', "", 401),
    ],
)  # fmt: skip
def test_what_is_no_delivery_is_refused(body: bytes, key: str | None, status: int) -> None:
    assert call(body, key).status_code == status


@pytest.mark.usefixtures("app")
def test_key_before_the_present_one_still_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    old = subscriptions.url_keys(settings())[0]
    for version, status in ((2, 202), (3, 401)):
        monkeypatch.setenv("GRAPH_KEY_VERSION", str(version))
        settings.cache_clear()
        assert call([], old).status_code == status


@pytest.mark.usefixtures("app")
def test_lifecycle_events_are_queued_each_once() -> None:
    events = [item(event, lifecycleEvent="missed") for event in ("s1", "s1", "s3")] + [
        item(lifecycleEvent="unheard of")
    ]
    assert call(events, route=post_graph_lifecycle).status_code == 202
    expected = [
        Lifecycle(do="missed", subscription="s1", mailbox="m1"),
        Lifecycle(do="missed", subscription="s3", mailbox="m2"),
    ]
    assert [(one["do"], one["subscription"], one["mailbox"]) for one in sent(LIFECYCLE)] == [
        (one.do, one.subscription, one.mailbox) for one in expected
    ]


@pytest.mark.usefixtures("app")
def test_queue_that_is_away_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port where nobody speaks Service Bus: the client goes on trying, the answer does not wait for it."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        connection = (
            f"Endpoint=sb://localhost:{port};SharedAccessKeyName=a;SharedAccessKey=b;UseDevelopmentEmulator=true;"
        )
        monkeypatch.setenv("SERVICEBUS", connection)
        monkeypatch.setattr(notifications, "SEND_SECONDS", 0.2)
        settings.cache_clear()
        sending.client().close()
        sending.client.cache_clear()
        sending._sender.cache_clear()
        answers: list[int] = []
        caller = threading.Thread(target=lambda: answers.append(call([item()]).status_code))
        caller.start()
        caller.join(60)
        assert answers == [503]


@pytest.mark.usefixtures("app")
def test_tables_that_hang_are_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that takes connections and never answers: the look-up would wait for minutes, the answer does not."""
    monkeypatch.setattr(notifications, "SEND_SECONDS", 0.2)
    with _silent() as port:
        account = f"AccountName=devstoreaccount1;AccountKey=a2V5;TableEndpoint=http://127.0.0.1:{port}/devstoreaccount1"
        monkeypatch.setenv("TABLES", f"DefaultEndpointsProtocol=http;{account};")
        forget()
        answers: list[int] = []
        routes = (post_graph_notifications, post_graph_lifecycle)
        missed = item(lifecycleEvent="missed")
        callers = [
            threading.Thread(target=lambda route=route: answers.append(call([missed], route=route).status_code))
            for route in routes
        ]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(20)
        assert answers == [503, 503]


@contextmanager
def _silent() -> Iterator[int]:
    """The port of somebody who listens and says nothing; at the end the connections break."""
    taken: list[socket.socket] = []
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()

        def accept() -> None:
            with suppress(OSError):
                while True:
                    taken.append(silent.accept()[0])

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield int(silent.getsockname()[1])
        silent.shutdown(socket.SHUT_RDWR)
        thread.join(20)
        for connection in taken:
            connection.close()


@pytest.mark.usefixtures("app")
def test_what_is_not_in_memory_is_looked_up_in_one_query(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = urllib3.connectionpool.HTTPConnectionPool.urlopen

    def urlopen(pool: Any, method: str, url: str, *rest: Any, **options: Any) -> Any:
        asked.extend([url] if method == "GET" and "subscriptions" in url else [])
        return real(pool, method, url, *rest, **options)

    monkeypatch.setattr(urllib3.connectionpool.HTTPConnectionPool, "urlopen", urlopen)
    body = [item("s1"), item("s3"), item("unknown"), item("u" * 5_000), item("s2")]
    for _ in range(2):  # the second time all is remembered, also that nobody knows the last
        assert call(body).status_code == 202
    assert len(asked) == 1
    assert len({(mark["mailbox"], mark["kind"]) for mark in sent(DIRTY)}) == 3


@pytest.mark.usefixtures("app")
def test_senders_are_open_once_the_address_was_tried() -> None:
    assert not any(sending._sender(queue).is_open for queue in (DIRTY, LIFECYCLE))
    call(b"", validationToken="token")
    _in_the_background()
    assert all(sending._sender(queue).is_open for queue in (DIRTY, LIFECYCLE))
    call([item()])
    assert sent(DIRTY) == [{"mailbox": "m1", "kind": "mail"}]


def _in_the_background() -> None:
    """Wait for what opens and closes senders."""
    for thread in threading.enumerate():
        if thread.name.startswith(sending.BACKGROUND):
            thread.join(60)


@pytest.mark.usefixtures("app")
def test_a_sender_that_failed_is_closed_and_the_next_one_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[ServiceBusSender] = []
    real = ServiceBusSender.close
    monkeypatch.setattr(ServiceBusSender, "close", lambda sender: [closed.append(sender), real(sender)])
    call([item()])
    assert (failing := sending._sender(DIRTY)._sender)
    with monkeypatch.context() as broken:
        broken.setattr(ServiceBusSender, "send_messages", _broken)
        assert call([item()]).status_code == 503
    _in_the_background()
    assert failing in closed
    assert call([item("s3")]).status_code == 202
    assert {"mailbox": "m2", "kind": "mail"} in sent(DIRTY)


def _broken(*_: Any, **__: Any) -> None:
    raise ServiceBusError("the link is gone")


def test_webhook_loads_neither_graph_nor_numpy() -> None:
    code = """
import sys
from functions import consent, graph_timers, graph_webhook, graph_workers
heavy = ("msgraph", "kiota", "httpx", "numpy", "azure.data", "azure.servicebus", "azure.identity", "jwt")
print([name for name in sys.modules if name.startswith(heavy)])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def test_worker_loads_no_model_of_graph() -> None:
    """The models cost seconds and tens of megabytes; the pipeline and the errors are all that is used."""
    code = """
import os, sys
os.environ.update(GRAPH_TENANT_ID="t", GRAPH_CLIENT_ID="c")
from shared.graph.client import Graph
from shared.settings import settings
from tests.doubles.processes import forget
from tests.doubles.queued import received
Graph(settings())
found = [name for name in sys.modules if name.startswith("msgraph.")]
print(len(found), "msgraph.generated.models.entity" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    count, entity = done.stdout.split()
    assert int(count) <= 70 and entity == "False"


def test_dirty_flags_are_small() -> None:
    import msgspec

    assert msgspec.json.encode(Dirty("m1", MAIL)) == b'{"mailbox":"m1","kind":"mail"}'
