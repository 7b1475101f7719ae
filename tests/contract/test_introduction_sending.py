"""Sending at most once, against a Graph that fails in every way: whatever happens, nobody gets two mails."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.tokens import TENANT
from shared import introduction_rows, introductions
from shared.auth import READER, Caller
from shared.errors import ConflictError, ForbiddenError
from shared.graph import sending
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
def graph(running: RunningGraph, storage: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningGraph]:
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


def test_a_refused_mail_is_a_draft_with_the_reason(graph: RunningGraph) -> None:
    graph.control.post("faults", match="sendMail", fault={"kind": "status", "status": 403})
    request = send(drafted())
    assert (request.state, request.outbox, len(sent(graph))) == ("draft", "refused", 0)


def test_a_crash_between_sending_and_storing_is_unknown_and_never_sent_again(graph: RunningGraph) -> None:
    """The steps of a worker that dies after the mail has gone out."""
    id = drafted()
    introduction_rows.change("ben", id, lambda held, old: claimed(introductions.present(old), NOW))
    assert sending.send("anna@us.example", Mail("ben@us.example", "s", "b", "en"), id) == ("sent", "")
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
