"""Noise that only headers show, from simulator to ledger: asked for of few mails, counted by sign, judged by the rules."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from typing import Any

import pytest

from local.tokens import TENANT
from shared import partitions
from shared.graph import client, consent, consent_state, headers, reading, senders
from shared.graph.calls import GraphCallError
from shared.graph.consent import Scope
from shared.graph.mailboxes import Mailbox
from shared.keys import keys
from shared.kpi.interactions import Interactions
from shared.kpi.noise import EVERY_SIGN, Sign
from shared.ledger import ledger
from shared.ledger_query import LedgerQuery
from shared.membership import person_anchor
from tests.doubles.mailboxes import ANNA, KIM, ago, reading_from, tell_the_crm
from tests.local.graph_process import RunningGraph, running_graph

NOW = int(time.time())
NEWS = "news@cust.example"
LISTED = [{"name": "List-Id", "value": "<news.cust.example>"}, {"name": "Precedence", "value": "bulk"}]
ABSENT = [{"name": "Auto-Submitted", "value": "auto-replied"}]
AT_ONCE = base64.b64encode(b"\x01" + bytes(21) + (1_000).to_bytes(4, "big") + b"\x00").decode()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGraph]:
    with running_graph(tmp_path_factory.mktemp("graph")) as found:
        yield found


@pytest.fixture
def graph(
    running: RunningGraph, storage: object, queues: object, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningGraph]:
    running.control.post("reset")
    with reading_from(running, monkeypatch, TENANT, GRAPH_MODE="poll"):
        tell_the_crm()
        yield running


@pytest.fixture
def anna(graph: RunningGraph) -> Mailbox:
    """A new, empty mailbox for Anna's address: a user of another number."""
    found = graph.control.post("users", mail=f"{time.time_ns()}.{ANNA}")
    return Mailbox(id=found["id"], address=ANNA, connected_at=NOW)


def _arrives(graph: RunningGraph, mailbox: Mailbox, sender: str = KIM, days: float = 1, **more: Any) -> str:
    found = graph.control.mail(mailbox.id, **{"from": sender, "to": [ANNA], "at": ago(days), "quiet": True, **more})
    return str(found["id"])


def _read(mailbox: Mailbox) -> None:
    reading.list_mail(client.graph(), mailbox, "inbox", NOW - 20 * 86_400, NOW)


def _asked(graph: RunningGraph) -> int:
    """Of how many messages headers were asked for."""
    entries = graph.control.get("requests", in_batch=True)
    assert all(entry["selected"] in ([headers.SELECT], None) for entry in entries)
    return sum(entry["selected"] == [headers.SELECT] for entry in entries)


def _facts(address: str) -> Interactions:
    return partitions.read(person_anchor(keys().address(address))).live.facts


def _signs(address: str) -> list[int]:
    return sorted((_facts(address).flags & EVERY_SIGN).tolist())


def test_newsletters_carry_their_signs_and_are_asked_about_once(graph: RunningGraph, anna: Mailbox) -> None:
    for day in (1, 2, 3):
        _arrives(graph, anna, NEWS, day, internetMessageHeaders=LISTED)
        _read(anna)
    assert _signs(NEWS) == [Sign.LIST_ID | Sign.PRECEDENCE] * 3
    assert _asked(graph) == 1


def test_answers_of_absence_are_found_though_the_sender_is_known(graph: RunningGraph, anna: Mailbox) -> None:
    _arrives(graph, anna, days=3)
    _read(anna)
    _arrives(graph, anna, days=2)
    _read(anna)
    assert _asked(graph) == 1
    _arrives(graph, anna, days=1, internetMessageHeaders=ABSENT, conversationIndex=AT_ONCE)
    _read(anna)
    assert _signs(KIM) == [0, 0, Sign.AUTO_SUBMITTED]
    assert senders.known([KIM]) == {KIM: 0}


def test_a_person_who_once_sent_noise_stays_unknown(graph: RunningGraph, anna: Mailbox) -> None:
    _arrives(graph, anna, days=3, internetMessageHeaders=ABSENT)
    _read(anna)
    assert senders.known([KIM]) == {}
    _arrives(graph, anna, days=2)
    _read(anna)
    assert senders.known([KIM]) == {KIM: 0}
    assert _signs(KIM) == [0, Sign.AUTO_SUBMITTED]


def test_our_own_mail_drafts_and_machines_by_name_are_not_asked_about(graph: RunningGraph, anna: Mailbox) -> None:
    _arrives(graph, anna, "ben@us.example")
    _arrives(graph, anna, "no-reply@cust.example")
    _arrives(graph, anna, isDraft=True)
    _arrives(graph, anna, **{"@odata.type": "#microsoft.graph.eventMessageRequest"})
    _read(anna)
    assert _asked(graph) == 0
    assert _signs("no-reply@cust.example") == [Sign.SENDER]


def test_many_are_asked_in_batches_one_after_another(graph: RunningGraph, anna: Mailbox) -> None:
    for number in range(25):
        _arrives(graph, anna, f"person{number}@cust.example")
    _read(anna)
    assert _asked(graph) == 25
    assert len(graph.control.get("requests", method="POST")) == 2
    assert graph.control.get("report")["mostConcurrent"] == 1


def test_a_message_that_is_gone_stops_nobody_else(graph: RunningGraph, anna: Mailbox) -> None:
    ids = [_arrives(graph, anna, f"person{number}@cust.example", internetMessageHeaders=LISTED) for number in range(4)]
    graph.control.delete(f"mailboxes/{anna.id}/messages/{ids[1]}")
    found = headers.fetch(client.graph(), anna.id, ids)
    assert found == {id: Sign.LIST_ID | Sign.PRECEDENCE for id in ids if id != ids[1]}


def test_a_throttle_in_the_middle_ends_the_run_with_its_advice(graph: RunningGraph, anna: Mailbox) -> None:
    for number in range(4):
        _arrives(graph, anna, f"person{number}@cust.example")
    graph.control.fault("internetMessageHeaders", "throttle", nth=[3], retryAfter="200")
    with pytest.raises(GraphCallError) as refused:
        _read(anna)
    assert (refused.value.status, refused.value.wait) == (429, 200.0)
    assert len(_facts("person0@cust.example")) == 0


def test_old_rules_do_not_count_and_are_asked_anew(
    graph: RunningGraph, anna: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    _arrives(graph, anna, NEWS, internetMessageHeaders=LISTED)
    _read(anna)
    monkeypatch.setattr(senders, "RULES_VERSION", senders.RULES_VERSION + 1)
    senders._read.clear()
    assert senders.known([NEWS]) == {}


def test_the_ledger_counts_by_sign_and_follows_the_rules(graph: RunningGraph, anna: Mailbox) -> None:
    consent_state.change(lambda held: consent.enable(held, Scope(roles=("salesperson",)), NOW), NOW, "test")
    consent_state.change(lambda held: consent.probed(held, True, NOW), NOW, "test")
    _arrives(graph, anna, days=3)
    _arrives(graph, anna, days=2, internetMessageHeaders=LISTED)
    _arrives(graph, anna, days=1, internetMessageHeaders=ABSENT)
    _read(anna)
    found = ledger("contact:b1", LedgerQuery(), NOW + 1)
    assert found.noise == {"autoSubmitted": 1, "listId": 1, "precedence": 1}
    assert {"automatic": 1, "bulk": 1}.items() <= found.reasons.items()
    assert [entry.noise for entry in found.activities] == [["autoSubmitted"], ["listId", "precedence"], []]
