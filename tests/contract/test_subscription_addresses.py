"""Subscriptions follow the app's address: after a move or a new key they are made anew at the present one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from local.tokens import TENANT
from shared.graph import subscriptions
from shared.graph.client import graph as client
from shared.settings import settings
from tests.doubles.mailboxes import ANNA, reading_from
from tests.local.graph_process import RunningGraph, running_graph
from tests.local.webhook_receiver import Receiver, receiving

pytestmark = pytest.mark.usefixtures("storage")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGraph]:
    with running_graph(tmp_path_factory.mktemp("graph")) as found:
        yield found


@pytest.fixture
def hook(running: RunningGraph, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """An app that answers handshakes, and the settings that name it."""
    running.control.post("reset")
    with receiving() as receiver:
        address = f"http://{urlsplit(receiver.url).netloc}/api"
        with reading_from(running, monkeypatch, TENANT, GRAPH_NOTIFICATION_URL=address):
            yield receiver


def registered() -> list[str]:
    """The addresses that Graph calls now."""
    pages = client().pages("/subscriptions")
    return [item["notificationUrl"] for page in pages for item in page.get("value", ())]


def subscribe(running: RunningGraph) -> None:
    user = running.control.post("users", mail=f"{time.time_ns()}.{ANNA}")
    subscriptions.create(client(), user["id"], "mail")


def test_present_addresses_are_left_alone(running: RunningGraph, hook: Receiver) -> None:
    subscribe(running)
    before = registered()
    assert subscriptions.reconcile(client()) == ([], 0)
    assert registered() == before
    assert len(subscriptions.read_all()) == 1


@pytest.mark.parametrize("change", ["key", "address"])
def test_old_addresses_end_and_are_made_anew(
    running: RunningGraph, hook: Receiver, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    subscribe(running)
    (old,) = registered()
    if change == "key":
        monkeypatch.setenv("GRAPH_KEY_VERSION", "2")
    else:
        monkeypatch.setenv(
            "GRAPH_NOTIFICATION_URL", settings().graph_notification_url.replace("127.0.0.1", "localhost")
        )
    settings.cache_clear()
    lost, strangers = subscriptions.reconcile(client())
    assert ([one.mailbox for one in lost], strangers) == ([lost[0].mailbox], 0)
    assert (registered(), subscriptions.read_all()) == ([], [])
    subscribe(running)
    assert registered() != [old]
    assert subscriptions.reconcile(client()) == ([], 0)
