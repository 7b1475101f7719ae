"""Queue list, tokens, and the promise that no answer leaves before its change is in the file."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.bus.broker import DEAD_LETTERS, Broker
from local.bus.errors import EntityNotFoundError, LockLostError, NotAllowedError
from local.bus.history import History
from local.bus.messages import DATA, parse, section
from local.bus.queues import QueueListError, QueueOptions, load_queues, milliseconds
from local.bus.service import Service
from local.bus.store import Store
from local.bus.tokens import Grant, TokenRefusedError, check_token

ROOT = Path(__file__).resolve().parents[2]
KEY, NOW = "key ü", 1_000_000.0


def test_the_queues_of_the_app_are_read_with_their_defaults() -> None:
    queues = {queue.name: queue for queue in load_queues(ROOT / "infra" / "queues.json")}
    assert queues["graph-dirty"] == QueueOptions("graph-dirty", 300_000, 10, None, True, 600_000)
    assert {queue.lock_duration for queue in load_queues(ROOT / "infra" / "queues.json", 1.5)} == {1500}


@pytest.mark.parametrize(
    ("text", "expected"), [("PT20S", 20_000), ("P7D", 604_800_000), ("PT1H30M", 5_400_000), ("PT0.5S", 500)]
)
def test_durations(text: str, expected: int) -> None:
    assert expected == milliseconds(text)


@pytest.mark.parametrize(
    "listed",
    [
        [], {}, {"queues": [{}]}, {"queues": ["name"]},
        {"queues": [{"name": "a"}, {"name": "A"}]},
        {"queues": [{"name": "a", "lockDuration": "5 minutes"}]},
        {"queues": [{"name": "a", "lockDuration": "PT"}]},
        {"queues": [{"name": "a", "lockDuration": "PT6M"}]},
        {"queues": [{"name": "a", "maxDeliveryCount": 0}]},
        {"queues": [{"name": "a", "requiresSession": True}]},
        {"queues": [{"name": "a", "forwardTo": "b"}]},
    ],
)  # fmt: skip
def test_a_bad_queue_list_is_refused(tmp_path: Path, listed: Any) -> None:
    path = tmp_path / "queues.json"
    path.write_text(json.dumps(listed), "utf-8")
    with pytest.raises(QueueListError):
        load_queues(path)
    with pytest.raises(QueueListError, match="not a queue list"):
        load_queues(tmp_path / "missing.json")


def _token(
    resource: str = "sb://localhost:5672/orders", end: str = "1000600", key: str = KEY, name: str = "Root"
) -> str:
    signed = f"{quote_plus(resource)}\n{end}".encode()
    signature = base64.b64encode(hmac.new(key.encode(), signed, hashlib.sha256).digest())
    return (
        f"SharedAccessSignature sr={quote_plus(resource)}&sig={quote_plus(signature)}&se={end}"
        f"&skn={name}ManageSharedAccessKey"
    )


def test_a_token_grants_its_queue_and_all_below_until_it_ends() -> None:
    grant = check_token(_token(), KEY, NOW)
    assert grant == Grant("orders", 1_000_600)
    assert [grant.covers(path, NOW) for path in ("orders", "orders/$deadletterqueue", "orders2", "other")] == [
        True, True, False, False,
    ]  # fmt: skip
    assert not grant.covers("orders", 1_000_600)
    assert check_token(_token("sb://localhost/"), KEY, NOW).covers("anything", NOW)


@pytest.mark.parametrize(
    ("token", "why"),
    [
        (_token(key="another"), "signature is wrong"),
        (_token().replace("1000600", "1000601"), "signature is wrong"),
        (_token(end="1000000"), "expired"),
        (_token(name="Other"), "the only key"),
        (_token(end="never"), "has sr, sig, se and skn"),
        ("SharedAccessSignature sr=x", "has sr, sig, se and skn"),
        ("Bearer abc", "not a shared access signature"),
    ],
)
def test_a_bad_token_is_refused_with_the_reason(token: str, why: str) -> None:
    with pytest.raises(TokenRefusedError, match=why):
        check_token(token, KEY, NOW)


@given(st.text(max_size=80))
def test_any_text_is_refused_as_a_token(text: str) -> None:
    for token in (text, f"SharedAccessSignature {text}"):
        with pytest.raises(TokenRefusedError):
            check_token(token, KEY, NOW)


def test_there_is_no_queue_that_is_not_listed_and_nothing_is_sent_to_dead_letters() -> None:
    broker = Broker([QueueOptions("Orders")], uuid4)
    with pytest.raises(EntityNotFoundError, match="There is no queue 'orders2'"):
        broker.entity("orders2")
    with pytest.raises(NotAllowedError):
        broker.send(broker.entity("ORDERS" + DEAD_LETTERS), [parse(section(DATA, b""))], 1)


class Recorder:
    """A connection that notes what happened to it and to the file at that time."""

    def __init__(self, store: Store) -> None:
        self.store, self.events = store, []  # type: tuple[Store, list[str]]

    def flush(self) -> None:
        check = Broker([QueueOptions("q")], uuid4)
        self.store.load(check)
        self.events.append(f"answered with {len(check.entity('q').messages)} in the file")

    def abort(self) -> None:
        self.events.append("aborted")

    def detach_senders(self, since: float) -> int:
        return 0

    def close(self, condition: str | None = None, description: str = "") -> None: ...


def _turn(folder: Path, *, can_write: bool) -> tuple[list[str], bool]:
    async def run() -> tuple[list[str], bool]:
        store = Store(folder)
        service = Service(Broker([QueueOptions("q")], uuid4), store, KEY)
        connection = Recorder(store)
        service.connections.add(connection)
        service.broker.send(service.broker.entity("q"), [parse(section(DATA, b"x"))], service.begin())
        service.outlets.add(connection)
        if not can_write:
            store.close()
        service.end_turn()
        store.close()
        return connection.events, service.failed.done()

    return asyncio.run(run())


def test_an_answer_leaves_when_its_change_is_in_the_file(tmp_path: Path) -> None:
    assert _turn(tmp_path, can_write=True) == (["answered with 1 in the file"], False)


def test_without_a_file_to_write_there_is_no_answer_and_the_service_ends(tmp_path: Path) -> None:
    assert _turn(tmp_path, can_write=False) == (["aborted"], True)


def test_an_id_is_forgotten_when_its_window_ends_and_not_before() -> None:
    history = History(100)
    assert history.admit("a", 1000)
    assert history.forget(1099) == [] and not history.admit("a", 1099)
    assert history.forget(1100) == ["a"] and history.admit("a", 1100)
    assert all(History(None).admit("a", now) and history.admit(None, now) for now in (1, 2))


def test_a_lock_ends_at_its_last_millisecond_even_before_time_was_told_so() -> None:
    broker = Broker([QueueOptions("q", lock_duration=100)], uuid4)
    queue = broker.entity("q")
    broker.send(queue, [parse(section(DATA, b"x"))], 1000)
    message = broker.receive(queue, 1000)
    assert message is not None and message.lock is not None
    assert broker.renew(queue, [message.lock], 1099) == [1199]
    with pytest.raises(LockLostError):
        broker.complete(queue, message.lock, 1199)
    assert broker.next_deadline() == 1199
