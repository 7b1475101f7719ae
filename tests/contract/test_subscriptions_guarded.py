"""Subscriptions made, compared and ended by several at once: one of each, and none is taken for another's."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from local.tokens import TENANT
from shared.errors import RetryLaterError
from shared.graph import consent, consent_state, leases, lifecycle, mailboxes, subscriptions
from shared.graph.client import graph as client
from shared.graph.consent import Scope
from shared.graph.mailboxes import Mailbox
from shared.graph.work import Lifecycle
from tests.doubles.mailboxes import ANNA, reading_from
from tests.doubles.queued import received
from tests.local.graph_process import RunningGraph, running_graph
from tests.local.webhook_receiver import Receiver, receiving

NOW = int(time.time())
pytestmark = pytest.mark.usefixtures("storage", "queues")


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


def _connected(running: RunningGraph) -> str:
    user: dict[str, Any] = running.control.post("users", mail=f"{time.time_ns()}.{ANNA}")
    mailboxes.put(Mailbox(id=user["id"], address=ANNA, mail_from=1))
    return str(user["id"])


def _at_graph() -> dict[str, str]:
    """Resources by id, as Graph lists them."""
    return {item["id"]: item["resource"] for page in client().pages("/subscriptions") for item in page["value"]}


def test_two_workers_at_once_make_one_of_each_kind(running: RunningGraph, hook: Receiver) -> None:
    mailbox, made, waited = _connected(running), [], []
    both = threading.Barrier(2)
    slow = hook.shake

    def shake(token: str) -> tuple[int, str, str]:
        time.sleep(0.1)  # as the other one looks what there is
        return slow(token)

    hook.shake = shake

    def ensure() -> None:
        both.wait()
        try:
            made.append(subscriptions.ensure(client(), mailbox, NOW))
        except RetryLaterError as error:
            waited.append(error.counts)

    client()
    workers = [threading.Thread(target=ensure) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert made == [2] and waited == [False]
    assert sorted(_at_graph().values()) == [f"users/{mailbox}/events", f"users/{mailbox}/messages"]
    assert subscriptions.ensure(client(), mailbox, NOW) == 0


def test_what_is_being_made_is_no_stranger_and_what_was_cut_off_is(running: RunningGraph, hook: Receiver) -> None:
    mailbox = _connected(running)
    cut_off = subscriptions.create(client(), mailbox, "mail")
    subscriptions.drop(cut_off.id)  # Graph has it; the row is not written (yet)
    with leases.lease(mailbox, "subscriptions", time.time()):
        assert subscriptions.reconcile(client()) == ([], 0)
    assert set(_at_graph()) == {cut_off.id}
    assert subscriptions.reconcile(client()) == ([], 1)
    assert _at_graph() == {}


def test_of_two_for_the_same_the_one_that_lasts_longer_stays(running: RunningGraph, hook: Receiver) -> None:
    mailbox = _connected(running)
    older = subscriptions.create(client(), mailbox, "mail")
    running.control.advance(60)
    newer, other = (subscriptions.create(client(), mailbox, kind) for kind in ("mail", "calendar"))
    subscriptions._write(msgspec.structs.replace(older, expires=newer.expires - 60))
    assert subscriptions.reconcile(client()) == ([], 0)
    assert set(_at_graph()) == {each.id for each in subscriptions.read_all()} == {newer.id, other.id}


def test_the_daily_comparison_makes_what_lacks_and_ends_what_nobody_reads(
    running: RunningGraph, hook: Receiver
) -> None:
    lacking, complete, left = (_connected(running) for _ in range(3))
    for mailbox in (complete, left):
        subscriptions.ensure(client(), mailbox, NOW)
    subscriptions.create(client(), lacking, "mail")
    lost = next(each for each in subscriptions.read_all() if each.mailbox == complete and each.kind == "mail")
    client().send("DELETE", f"/subscriptions/{lost.id}")
    mailboxes.change(left, state="held")
    consent_state.change(lambda held: consent.enable(held, Scope(roles=("salesperson",)), NOW), NOW, "test")
    consent_state.change(lambda held: consent.probed(held, True, NOW), NOW, "test")

    lifecycle.daily(NOW)
    tasks = [msgspec.json.decode(body, type=Lifecycle) for body in received("graph-lifecycle")]
    assert sorted(task.do for task in tasks) == ["compare", "folders", "folders"]
    lifecycle.handle(msgspec.json.encode(Lifecycle(do="compare")))
    for body in received("graph-lifecycle"):
        lifecycle.handle(body)
    wanted = {f"users/{mailbox}/{what}" for mailbox in (lacking, complete) for what in ("events", "messages")}
    assert sorted(_at_graph().values()) == sorted(wanted)
    assert {each.mailbox for each in subscriptions.read_all()} == {lacking, complete}


def test_nothing_is_made_for_a_mailbox_that_is_not_read(running: RunningGraph, hook: Receiver) -> None:
    mailbox = _connected(running)
    mailboxes.change(mailbox, state="held")
    assert subscriptions.ensure(client(), mailbox, NOW) == 0
    assert _at_graph() == {}
