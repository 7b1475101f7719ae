"""How the Graph simulator delivers notifications: real POSTs, late, twice, lost, shuffled, retried, forged."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.graph.endpoints import Endpoint
from local.graph.notifications import FORGERIES
from tests.local.graph_process import PUSH, RunningGraph, call
from tests.local.test_graph_subscriptions import STATE, create, wanted
from tests.local.webhook_receiver import Receiver, receiving


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def subscription(graph: RunningGraph, hook: Receiver, mailbox: str) -> dict[str, Any]:
    return create(graph, wanted(graph, hook, mailbox, minutes=10_000))


def counts(graph: RunningGraph) -> dict[str, int]:
    found: dict[str, int] = graph.control.get("notifications")["counts"]
    return found


def eventually(what: Callable[[], Any]) -> Any:
    until = time.monotonic() + 60
    while not (found := what()) and time.monotonic() < until:
        time.sleep(0.01)
    assert found
    return found


def test_a_notification_names_the_item_and_nothing_of_it(
    graph: RunningGraph, hook: Receiver, subscription: dict[str, Any], mailbox: str
) -> None:
    message = graph.control.mail(mailbox, subject="secret")
    [item] = hook.wait(1)
    assert (item["subscriptionId"], item["clientState"], item["changeType"]) == (subscription["id"], STATE, "created")
    assert item["resourceData"]["id"] == message["id"] and item["resource"].endswith(message["id"])
    assert b"secret" not in hook.bodies[0]


def test_updates_deletes_and_events_notify_who_asked(graph: RunningGraph, hook: Receiver, mailbox: str) -> None:
    create(graph, wanted(graph, hook, mailbox, changeType="deleted"))
    create(graph, wanted(graph, hook, mailbox, resource=f"users/{mailbox}/events"))
    inbox = f"users/{mailbox}/mailFolders('inbox')/messages"
    create(graph, wanted(graph, hook, mailbox, resource=inbox, changeType="created"))
    graph.control.mail(mailbox, folder="sentitems")
    message = graph.control.mail(mailbox)
    event = graph.control.event(mailbox, start="2026-07-01T10:00:00Z", end="2026-07-01T11:00:00Z")
    graph.control.delete(f"mailboxes/{mailbox}/messages/{message['id']}")
    found = sorted((item["changeType"], item["resourceData"]["id"]) for item in hook.wait(3))
    assert found == sorted([("created", message["id"]), ("created", event["id"]), ("deleted", message["id"])])


def test_without_the_header_a_subscription_names_moving_ids(graph: RunningGraph, hook: Receiver, mailbox: str) -> None:
    graph.ask("POST", "/subscriptions", wanted(graph, hook, mailbox))
    message = graph.control.mail(mailbox)
    assert hook.wait(1)[0]["resourceData"]["id"] == message["movingId"] != message["id"]


@pytest.mark.usefixtures("subscription")
def test_a_refused_delivery_is_retried_until_it_is_taken(graph: RunningGraph, hook: Receiver, mailbox: str) -> None:
    hook.status = 503
    graph.control.mail(mailbox)
    for attempts in (1, 2):
        eventually(lambda n=attempts: [p for p in graph.control.get("notifications")["pending"] if p["attempts"] == n])
        graph.control.advance(10 * 2 ** (attempts - 1) + 1)
    eventually(lambda: [p for p in graph.control.get("notifications")["pending"] if p["attempts"] == 3])
    hook.status = 202
    graph.control.advance(41)
    eventually(lambda: not graph.control.get("notifications")["pending"] and len(hook.posts) == 4)


@pytest.mark.usefixtures("subscription")
def test_a_delivery_is_given_up_after_four_hours(graph: RunningGraph, hook: Receiver, mailbox: str) -> None:
    hook.status = 503
    given_up = counts(graph).get("givenUp", 0)
    graph.control.mail(mailbox)
    eventually(lambda: [p for p in graph.control.get("notifications")["pending"] if p["attempts"] == 1])
    graph.control.advance(4 * 3600)
    eventually(lambda: counts(graph).get("givenUp", 0) == given_up + 1)
    assert graph.control.get("notifications")["pending"] == []


@pytest.mark.usefixtures("subscription")
def test_a_late_answer_does_not_count_but_on_a_retry(graph: RunningGraph, hook: Receiver, mailbox: str) -> None:
    graph.control.behaviour(answerWithin=0.1, retryAnswerWithin=5.0)
    hook.seconds = 0.4
    graph.control.mail(mailbox)
    eventually(lambda: [p for p in graph.control.get("notifications")["pending"] if p["attempts"] == 1])
    graph.control.advance(11)
    eventually(lambda: len(hook.posts) == 2 and not graph.control.get("notifications")["pending"])
    time.sleep(0.6)
    assert len(hook.posts) == 2


def answer_late(graph: RunningGraph, hook: Receiver, mailbox: str) -> None:
    """Ten posts at once, all answered after 0.8 seconds."""
    graph.control.behaviour(itemsPerPost=1)
    hook.seconds = 0.8
    graph.control.mail(mailbox, count=10)
    eventually(lambda: graph.control.get("notifications")["endpoints"].get(hook.url, "normal") != "normal")
    hook.seconds = 0.0


@pytest.mark.usefixtures("subscription")
def test_a_slow_address_gets_everything_ten_minutes_late(graph: RunningGraph, hook: Receiver, mailbox: str) -> None:
    graph.control.behaviour(answerWithin=0.4)
    answer_late(graph, hook, mailbox)
    assert graph.control.get("notifications")["endpoints"][hook.url] == "slow"
    graph.control.behaviour(answerWithin=3.0)
    graph.control.mail(mailbox)
    late = max(each["due"] - each["born"] for each in graph.control.get("notifications")["pending"])
    assert late == pytest.approx(600)
    graph.control.advance(601)
    eventually(lambda: not graph.control.get("notifications")["pending"])
    assert len(hook.wait(21)) == 21  # ten of them twice: the late answers did not count
    assert graph.control.get("notifications")["endpoints"][hook.url] == "normal"


@pytest.mark.usefixtures("subscription")
def test_a_very_slow_address_loses_what_comes_in_ten_minutes(graph: RunningGraph, hook: Receiver, mailbox: str) -> None:
    graph.control.behaviour(answerWithin=0.2, retryAnswerWithin=0.4)
    answer_late(graph, hook, mailbox)
    assert graph.control.get("notifications")["endpoints"][hook.url] == "drop"
    graph.control.behaviour(answerWithin=3.0, retryAnswerWithin=10.0)
    lost = graph.control.mail(mailbox)["id"]
    assert counts(graph)["dropped"] == 1
    graph.control.advance(601)
    kept = graph.control.mail(mailbox)["id"]
    eventually(lambda: kept in {item["resourceData"]["id"] for item in hook.items})
    assert lost not in {item["resourceData"]["id"] for item in hook.items}


@pytest.mark.parametrize(
    ("late", "very_late", "mode"), [(1, 0, "normal"), (2, 0, "slow"), (0, 1, "normal"), (0, 2, "drop"), (3, 1, "slow")]
)
def test_more_than_10_in_100_late_is_slow_and_15_in_100_very_late_is_drop(late: int, very_late: int, mode: str) -> None:
    endpoint = Endpoint()
    times = [11.0] * very_late + [3.5] * late
    for number, seconds in enumerate([*times, *[0.1] * (10 - len(times))]):
        endpoint.answered(100.0 + number, seconds, slow=3.0, drop=10.0)
    assert (endpoint.mode(110.0), endpoint.mode(100.0 + 9 + 600)) == (mode, "normal")


def test_answers_are_forgotten_after_ten_minutes() -> None:
    endpoint = Endpoint()
    for at in range(5):
        endpoint.answered(float(at), 5.0, slow=3.0, drop=10.0)
    for at in range(20):
        endpoint.answered(604.0 + at, 0.1, slow=3.0, drop=10.0)
    assert endpoint.mode(624.0) == "normal"


@pytest.mark.usefixtures("subscription")
def test_notifications_come_late_twice_or_not_at_all(graph: RunningGraph, hook: Receiver, mailbox: str) -> None:
    graph.control.post("notifications", loss=1.0)
    graph.control.mail(mailbox)
    graph.control.post("notifications", loss=0.0, duplication=1.0)
    message = graph.control.mail(mailbox)
    assert [item["resourceData"]["id"] for item in hook.wait(2)] == [message["id"]] * 2
    graph.control.post("notifications", duplication=0.0, delay=3000)
    graph.control.mail(mailbox)
    [pending] = graph.control.get("notifications")["pending"]
    assert 0 < pending["due"] - pending["born"] < 3000
    graph.control.advance(3000)
    assert len(hook.wait(3)) == 3


@pytest.mark.usefixtures("subscription")
def test_notifications_are_shuffled_by_the_seed(graph: RunningGraph, hook: Receiver, mailbox: str) -> None:
    graph.control.post("notifications", shuffle=True)
    graph.control.post("seed", seed=7)
    found = graph.control.post(f"mailboxes/{mailbox}/messages", count=20)
    arrived = [item["resourceData"]["id"] for item in hook.wait(20)]
    assert len(hook.posts) == 1
    assert arrived != [each["id"] for each in found] and set(arrived) == {each["id"] for each in found}


def test_one_post_mixes_subscriptions_and_tenants(graph: RunningGraph, hook: Receiver, mailbox: str) -> None:
    other = "5a3c1f0e-7d42-4b7e-9a51-2f60c8d1e0bb"
    graph.control.post("users", mail="far@mixed.example", tenant=other)
    graph.control.post("consent", client="push", tenant=other, grant=True)
    graph.control.post("scope", tenant=other, permission="Mail.Read", mailboxes="*")
    here = create(graph, wanted(graph, hook, mailbox))
    token = graph.token(PUSH, tenant=other)[1]["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    body = wanted(graph, hook, "far@mixed.example")
    there = call("POST", f"{graph.graph_url}/subscriptions", body, bearer)[1]
    for items in (100, 1000):
        found = graph.control.post("notifications/burst", subscriptions=[here["id"], there["id"]], items=items)
        assert found["status"] == 202 and len(hook.posts[-1]) == items
    assert len({item["tenantId"] for item in hook.posts[-1]}) == 2


@pytest.mark.parametrize("kind", FORGERIES)
def test_a_forgery_differs_in_one_thing(
    graph: RunningGraph, hook: Receiver, subscription: dict[str, Any], kind: str
) -> None:
    found = graph.control.post("notifications/forge", subscription=subscription["id"], kind=kind)
    assert found["status"] == 202
    [body] = hook.bodies
    item = hook.items[0] if hook.items else {}
    genuine = {
        "unknownSubscription": item.get("subscriptionId") == subscription["id"],
        "wrongClientState": item.get("clientState") == STATE,
        "wrongTenant": item.get("tenantId", "").startswith("5a3c"),
        "otherResource": subscription["resource"].split("/")[1] in item.get("resource", ""),
        "brokenJson": bool(item),
        "tooLarge": len(body) < 2 * 1024 * 1024,
    }
    wrong = [name for name, holds in genuine.items() if not holds]
    assert kind in wrong and (kind == "brokenJson" or set(wrong) <= {kind, "otherResource"})


@pytest.mark.usefixtures("subscription")
def test_sent_mail_first_notifies_an_id_that_is_not_there(graph: RunningGraph, hook: Receiver, mailbox: str) -> None:
    graph.control.behaviour(ghostOnSend=True)
    graph.control.mail(mailbox, folder="sentitems")
    found = [item["resourceData"]["id"] for item in hook.wait(2)]
    assert [graph.ask("GET", f"/users/{mailbox}/messages/{key}?$select=id")[0] for key in found] == [404, 200]


@pytest.mark.usefixtures("subscription")
@pytest.mark.parametrize(("switch", "what"), [(False, "updated"), (True, "created")])
def test_a_move_may_look_like_a_new_message(
    graph: RunningGraph, hook: Receiver, mailbox: str, switch: bool, what: str
) -> None:
    graph.control.behaviour(createdOnMove=switch)
    key = graph.control.mail(mailbox)["id"]
    graph.control.post(f"mailboxes/{mailbox}/messages/{key}/move", folder="archive")
    found = [(item["changeType"], item["resourceData"]["id"]) for item in hook.wait(2)]
    assert found == [("created", key), (what, key)]
