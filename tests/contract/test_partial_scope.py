"""A tenant that opens only some of its mailboxes in Exchange: who is asked, who is parked, and what withdraws the whole."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from local.tokens import TENANT
from shared import ingest
from shared.changes import parse_batch
from shared.graph import consent, consent_state, lifecycle, mailboxes, witnesses
from shared.graph.consent import Scope, State
from shared.graph.mailboxes import Mailbox
from tests.doubles.mailboxes import reading_from
from tests.doubles.queued import received
from tests.local.graph_process import RunningGraph, running_graph

SALES = Scope(roles=("salesperson",))
NOW = int(time.time())
ADDRESSES = [f"seller{number}@us.example" for number in range(9)]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGraph]:
    with running_graph(tmp_path_factory.mktemp("graph"), mailboxes=ADDRESSES) as found:
        yield found


@pytest.fixture
def graph(
    running: RunningGraph, storage: object, queues: object, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningGraph]:
    """Nine sellers, whom the CRM knows, in push mode; nothing here makes a subscription."""
    running.control.post("reset")
    with reading_from(running, monkeypatch, TENANT, GRAPH_MODE="push", GRAPH_NOTIFICATION_URL=running.base_url):
        ingest.take_in(parse_batch(_crm()))
        consent_state.change(lambda held: consent.enable(held, SALES, NOW), NOW, "admin")
        yield running


def _crm() -> bytes:
    import json

    rows = [
        {
            "entity": "user", "id": f"u{number}", "version": 1, "operation": "upsert",
            "attributes": {"name": address, "emails": [address], "roles": ["salesperson"]},
        }
        for number, address in enumerate(ADDRESSES)
    ]  # fmt: skip
    return json.dumps({"changes": rows}).encode()


def _open(graph: RunningGraph, ids: list[str] | str) -> None:
    for permission in ("Mail.Read", "Calendars.Read"):
        graph.control.post("scope", permission=permission, mailboxes=ids)


def _ids(graph: RunningGraph) -> list[str]:
    """All mailboxes, in the order of their ids."""
    return sorted(user["id"] for user in graph.control.get("users") if user["mail"] in ADDRESSES)


def _read_once(id: str, at: int, **more: Any) -> None:
    mailboxes.put(Mailbox(id=id, address=f"{id}@us.example", mail_until=at, calendar_until=at, mail_from=1, **more))


def _states() -> list[str]:
    return [event.name for event in consent_state.history()]


def test_the_one_open_mailbox_is_found_wherever_it_stands(graph: RunningGraph) -> None:
    for id in _ids(graph):
        _open(graph, [id])
        assert lifecycle.passes_now(NOW) is True


def test_nobody_with_a_mailbox_among_the_first_is_no_reason_to_wait(graph: RunningGraph) -> None:
    for address in sorted(ADDRESSES, key=lambda a: _ids(graph).index(_id(graph, a)))[:6]:
        graph.control.post("users", mail=address, hasMailbox=False)
    try:
        assert lifecycle.check(NOW, "test")
        assert consent_state.read().state is State.BACKFILL
    finally:
        for address in ADDRESSES:
            graph.control.post("users", mail=address, hasMailbox=True)


def _id(graph: RunningGraph, address: str) -> str:
    return next(user["id"] for user in graph.control.get("users") if user["mail"] == address)


def test_mailboxes_outside_the_scope_are_parked_and_the_tenant_stays_connected(graph: RunningGraph) -> None:
    opened = _ids(graph)[7]
    _open(graph, [opened])
    lifecycle.check(NOW, "test")
    _read_once(opened, NOW)
    outside = [id for id in _ids(graph) if id != opened]
    for id in outside:
        mailboxes.put(Mailbox(id=id, address=f"{id}@us.example"))
    # Each refused a call: its owner left the scope, or never was in it. All report it, in any order.
    for id in outside:
        lifecycle.check(NOW, "worker", id)
    lifecycle.check(NOW, "timer")
    assert _states() == ["T1", "T2"]
    parked = {one.id for one in mailboxes.read_all() if one.parked_until > NOW}
    assert parked == set(outside)
    # And nobody goes on asking the parked ones: they are neither connected anew nor witnesses.
    list(received("graph-lifecycle"))
    asked = len(graph.control.get("requests"))
    lifecycle.reconcile(lifecycle.graph(), NOW)
    lifecycle.check(NOW + 60, "timer")
    assert list(received("graph-lifecycle")) == []
    assert {entry["mailbox"] for entry in graph.control.get("requests")[asked:]} <= {"", None, opened}


def test_all_that_were_read_left_and_another_answers(graph: RunningGraph) -> None:
    _open(graph, "*")
    lifecycle.check(NOW, "test")
    first, second, *_, third = _ids(graph)
    for id in (first, second):
        _read_once(id, NOW)
    _open(graph, [third])
    lifecycle.check(NOW, "worker", first)
    assert _states() == ["T1", "T2"]
    assert (mailboxes.read(first) or pytest.fail()).error == "ErrorAccessDenied"


def test_nobody_answers_any_more_and_that_withdraws(graph: RunningGraph) -> None:
    _open(graph, "*")
    lifecycle.check(NOW, "test")
    for id in _ids(graph):
        _read_once(id, NOW)
    _open(graph, [])
    lifecycle.check(NOW, "worker", _ids(graph)[0])
    lifecycle.check(NOW + 901, "worker")
    assert _states() == ["T1", "T2", "suspect", "T8"]


def test_the_last_one_that_is_not_parked_counts_alone_and_is_not_parked_when_it_answers(graph: RunningGraph) -> None:
    *rest, last = _ids(graph)
    lifecycle.check(NOW, "test")
    _read_once(last, NOW)
    for id in rest:
        _read_once(id, NOW, parked_until=NOW + 3_600)
    _open(graph, [last])
    lifecycle.check(NOW, "worker", last)
    assert (mailboxes.read(last) or pytest.fail()).parked_until == 0
    _open(graph, [])
    assert lifecycle.passes_now(NOW) is False


def test_who_passed_is_asked_first_then_who_was_read_most_lately_then_others_by_turns() -> None:
    known = {
        id: Mailbox(id=id, address="", mail_until=until, parked_until=parked, not_before=waits)
        for id, until, parked, waits in (
            ("old", NOW - 900, 0, 0), ("new", NOW - 60, 0, 0), ("passed", 0, 0, 0),
            ("parked", NOW, NOW + 9_000, 0), ("waiting", NOW, 0, NOW + 9_000),
        )
    }  # fmt: skip
    strangers = [f"stranger{number}" for number in range(100)]
    found = [*strangers, *known, "reporter"]
    order = witnesses.in_order(found, known, "reporter", "passed", NOW)
    assert order[:3] == ["passed", "new", "old"]
    assert len(order) == witnesses.MOST and set(order[3:]) < set(strangers)
    later = witnesses.in_order(found, known, "reporter", "passed", NOW + 3_600)
    assert later[:3] == order[:3] and set(later) != set(order)
