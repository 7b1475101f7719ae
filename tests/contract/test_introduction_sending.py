"""Sending at most once, against a Graph that fails in every way: whatever happens, nobody gets two mails."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import msgspec
import pytest

from local.tokens import TENANT
from shared import choices, closeness, introduction_rows, introductions
from shared.auth import READER, Caller
from shared.errors import ConflictError, ForbiddenError
from shared.graph import leases, sending
from shared.graph.work import Lifecycle
from shared.introduction_mail import Mail
from shared.introduction_requests import CLAIM_SECONDS, claimed
from shared.introduction_shapes import RequestView, Wanted
from tests.doubles.mailboxes import reading_from
from tests.doubles.talk import NOW, mail, organisation, told
from tests.local.graph_process import RunningGraph, running_graph

BASE = "https://app.example/api/introductions/answer"
ANNA = Caller(id="oid-anna", name="anna", roles=frozenset({READER}), tenant="t", address="anna@us.example")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGraph]:
    with running_graph(tmp_path_factory.mktemp("graph")) as found:
        for address in ("anna@us.example", "ben@us.example"):
            found.control.post("users", mail=address)
        yield found


@pytest.fixture
def graph(
    running: RunningGraph, storage: object, queues: object, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningGraph]:
    running.control.post("reset")
    with reading_from(running, monkeypatch, TENANT, SEND_INTRODUCTIONS="true"):
        told([*organisation(), mail(4, "ben", "kim")])
        yield running


def drafted() -> str:
    id = str(uuid.uuid4())
    introductions.draft(id, Wanted(introducer="user:ben", target="contact:kim", reason="<b>News</b>"), ANNA, NOW)
    return id


def send(id: str, now: int = NOW) -> RequestView:
    return introductions.send(id, ANNA, BASE, now)


def sent(graph: RunningGraph) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = graph.control.get("sent")
    return found


def test_the_mail_goes_out_from_the_askers_mailbox_with_values_escaped(graph: RunningGraph) -> None:
    request = send(drafted())
    assert (request.state, request.outbox) == ("requested", "sent")
    (mail_sent,) = sent(graph)
    assert mail_sent["from"] == "anna@us.example"
    assert mail_sent["message"]["toRecipients"] == [{"emailAddress": {"address": "ben@us.example"}}]
    assert "&lt;b&gt;News&lt;/b&gt;" in mail_sent["message"]["text"]


@pytest.mark.parametrize(
    ("fault", "went_out"),
    [
        ({"kind": "status", "status": 503}, 0),
        ({"kind": "status", "status": 500}, 0),
        ({"kind": "accepted"}, 1),
        ({"kind": "reset"}, 0),
    ],
)
def test_an_unclear_answer_is_shown_as_unknown_and_never_repeated(
    graph: RunningGraph, fault: dict[str, Any], went_out: int
) -> None:
    graph.control.post("faults", match="sendMail", fault=fault, nth=[1])
    id = drafted()
    request = send(id)
    assert (request.state, request.outbox) == ("unclear", "unknown")
    with pytest.raises(ConflictError):
        send(id, NOW + 3600)
    assert len(sent(graph)) == went_out


def test_after_an_unclear_answer_the_asker_decides(graph: RunningGraph) -> None:
    graph.control.post("faults", match="sendMail", fault={"kind": "status", "status": 503}, nth=[1])
    id = drafted()
    send(id)
    assert introductions.move(id, "draft", ANNA, NOW).outbox == "planned"
    assert send(id).state == "requested"
    assert len(sent(graph)) == 1


def test_a_throttled_mail_stays_a_draft_and_may_be_sent_again(graph: RunningGraph) -> None:
    graph.control.post("faults", match="sendMail", fault={"kind": "throttle", "retryAfter": "1", "seconds": 0}, nth=[1])
    id = drafted()
    request = send(id)
    assert (request.state, request.outbox) == ("draft", "planned")
    assert request.note
    assert send(id).outbox == "sent"
    assert len(sent(graph)) == 1


def test_what_exchange_does_not_take_now_is_sent_by_itself_when_exchange_says(graph: RunningGraph) -> None:
    fault = {"kind": "throttle", "retryAfter": "40", "seconds": 0}
    graph.control.post("faults", match="sendMail", fault=fault, nth=[1])
    id = drafted()
    assert send(id).outbox == "planned"
    [(task, due)] = _planned()
    assert (task.do, due) == ("introduce", NOW + 40)
    introductions.send_planned(task.mailbox, task.subscription, task.address, task.tries, NOW + 40)
    assert introductions.listed("asker", ANNA, NOW + 41).requests[0].outbox == "sent"
    # The message comes twice, or the asker was quicker.
    introductions.send_planned(task.mailbox, task.subscription, task.address, task.tries, NOW + 41)
    assert len(sent(graph)) == 1


@pytest.mark.parametrize("change", ["do not ask", "by hand"])
def test_a_mail_that_waits_is_not_sent_when_it_is_no_longer_wished(graph: RunningGraph, change: str) -> None:
    fault = {"kind": "throttle", "retryAfter": "40", "seconds": 0}
    graph.control.post("faults", match="sendMail", fault=fault, nth=[1])
    id = drafted()
    send(id)
    if change == "do not ask":
        choices.choose(closeness.user_key("ben"), choices.Choices(do_not_ask=True))
    else:
        introductions.move(id, "requested", ANNA, NOW + 1)
    introductions.send_planned("ben", id, BASE, 1, NOW + 40)
    assert sent(graph) == []


def test_tries_come_to_an_end(graph: RunningGraph) -> None:
    fault = {"kind": "throttle", "retryAfter": "5", "seconds": 0}
    graph.control.post("faults", match="sendMail", fault=fault)
    id = drafted()
    send(id)
    for tries in range(1, 9):
        introductions.send_planned("ben", id, BASE, tries, NOW + 10 * tries)
    assert [task.tries for task, _ in _planned()] == [1, 2, 3, 4, 5]
    assert introductions.listed("asker", ANNA, NOW + 100).requests[0].outbox == "planned"


def _planned() -> list[tuple[Lifecycle, int]]:
    """What is scheduled in the queue, and for when."""
    from shared.queues import client

    with closing(client().get_queue_receiver("graph-lifecycle")) as receiver:
        found = receiver.peek_messages(100)
    return [
        (msgspec.json.decode(b"".join(each.body), type=Lifecycle), int(each.scheduled_enqueue_time_utc.timestamp()))
        for each in found
        if each.scheduled_enqueue_time_utc
    ]


def test_one_mail_of_a_sender_at_a_time(graph: RunningGraph) -> None:
    first, second = drafted(), drafted()
    with leases.lease("sender|anna", "sending", NOW):
        with pytest.raises(ConflictError, match="Another mail"):
            send(first)
        assert introductions.listed("asker", ANNA, NOW).requests[0].outbox == "planned"
    assert send(first).outbox == "sent"
    assert send(second).outbox == "sent"


def test_a_refused_mail_is_a_draft_with_the_reason(graph: RunningGraph) -> None:
    graph.control.post("faults", match="sendMail", fault={"kind": "status", "status": 403})
    request = send(drafted())
    assert (request.state, request.outbox, len(sent(graph))) == ("draft", "refused", 0)


def test_a_crash_between_sending_and_storing_is_unknown_and_never_sent_again(graph: RunningGraph) -> None:
    """The steps of a worker that dies after the mail has gone out."""
    id = drafted()
    introduction_rows.change("ben", id, lambda held, old: claimed(introductions.present(old), NOW))
    assert sending.send("anna@us.example", Mail("ben@us.example", "s", "b", "en"), id) == sending.Outcome("sent")
    with pytest.raises(ConflictError):
        send(id, NOW + CLAIM_SECONDS - 1)
    with pytest.raises(ConflictError):
        send(id, NOW + CLAIM_SECONDS)
    shown = introductions.listed("asker", ANNA, NOW + CLAIM_SECONDS).requests[0]
    assert (shown.state, shown.outbox) == ("unclear", "unknown")
    assert len(sent(graph)) == 1


def test_pressing_send_many_times_at_once_sends_one_mail(graph: RunningGraph) -> None:
    id = drafted()

    def press(_: int) -> bool:
        try:
            return send(id).state == "requested"
        except ConflictError:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(press, range(4))) == [False, False, False, True]
    assert len(sent(graph)) == 1


def test_without_the_setting_nothing_is_sent(graph: RunningGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    with reading_from(graph, monkeypatch, TENANT, SEND_INTRODUCTIONS="false"):
        id = drafted()
        assert not introductions.mail_of(id, ANNA, BASE, NOW).can_send
        with pytest.raises(ForbiddenError, match="not switched on"):
            send(id)
    assert sent(graph) == []
