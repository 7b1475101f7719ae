"""Subscriptions of the Graph simulator: handshake, lifetimes, limits, life-cycle events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.graph.handshake import validate
from tests.doubles.graph_client import GraphClient, code_of, with_client
from tests.local.graph_process import POLL, PUSH, RunningGraph, running_graph
from tests.local.webhook_receiver import Receiver, receiving

STATE = "x" * 43


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def wanted(graph: RunningGraph, hook: Receiver, mailbox: str, minutes: float = 60, **more: Any) -> dict[str, Any]:
    """The body of a create; times count from the simulator's clock."""
    now = datetime.fromtimestamp(graph.control.get("clock")["seconds"], UTC)
    return {
        "changeType": "created,updated,deleted",
        "notificationUrl": hook.url,
        "lifecycleNotificationUrl": hook.url + "/lifecycle",
        "resource": f"users/{mailbox}/messages",
        "expirationDateTime": (now + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "clientState": STATE,
        **more,
    }


def create(graph: RunningGraph, body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = with_client(graph.base_url, lambda client: client.call("POST", "/subscriptions", body))
    return found


def refused(graph: RunningGraph, method: str, path: str, body: Any = None) -> tuple[int, str]:
    async def work(client: GraphClient) -> tuple[int, str]:
        error = await client.refusal(method, path, body)
        return int(error.response_status_code or 0), code_of(error)

    return with_client(graph.base_url, work)


def test_both_addresses_are_validated(graph: RunningGraph, hook: Receiver, mailbox: str) -> None:
    entry = create(graph, wanted(graph, hook, mailbox))
    assert entry["clientState"] == STATE and entry["id"]
    assert sorted(path.partition("?")[0] for path in hook.handshakes) == ["/hook", "/hook/lifecycle"]
    for awkward in ("%25", "%2B", "%2F", "%3D", "%20", "%3C"):
        assert all(awkward in path for path in hook.handshakes)


def test_the_same_address_twice_is_called_twice(graph: RunningGraph, hook: Receiver, mailbox: str) -> None:
    create(graph, wanted(graph, hook, mailbox, lifecycleNotificationUrl=hook.url))
    assert len(hook.handshakes) == 2


@pytest.mark.parametrize(
    "shake",
    [
        lambda token: (202, "text/plain", token),
        lambda token: (200, "application/json", token),
        lambda token: (200, "text/plain", token + "\n"),
        lambda token: (200, "text/plain", token.replace("<", "&lt;")),
        lambda token: (200, "text/plain", token.replace("+", " ")),
    ],
)
def test_a_bad_handshake_gives_no_subscription(
    graph: RunningGraph, hook: Receiver, mailbox: str, shake: Callable[[str], tuple[int, str, str]]
) -> None:
    hook.shake = shake
    assert refused(graph, "POST", "/subscriptions", wanted(graph, hook, mailbox)) == (400, "ValidationError")
    assert graph.control.get("subscriptions") == []


def test_an_unreachable_address_gives_no_subscription(graph: RunningGraph, hook: Receiver, mailbox: str) -> None:
    for url in ("http://127.0.0.1:9/hook", "http://example.com/hook"):
        body = wanted(graph, hook, mailbox, lifecycleNotificationUrl=url)
        assert refused(graph, "POST", "/subscriptions", body) == (400, "ValidationError")


def test_a_notification_may_come_before_the_create_call_returns(
    graph: RunningGraph, hook: Receiver, mailbox: str
) -> None:
    graph.control.mail(mailbox)
    graph.control.behaviour(notifyBeforeCreate=True)
    entry = create(graph, wanted(graph, hook, mailbox))
    assert [item["subscriptionId"] for item in hook.items] == [entry["id"]]


def test_a_subscription_expires_by_the_clock(graph: RunningGraph, hook: Receiver, mailbox: str) -> None:
    entry = create(graph, wanted(graph, hook, mailbox, minutes=60))
    graph.control.advance(3599 - 60)
    assert graph.ask("GET", f"/subscriptions/{entry['id']}")[0] == 200
    graph.control.advance(120)
    assert refused(graph, "GET", f"/subscriptions/{entry['id']}") == (404, "ResourceNotFound")
    graph.control.mail(mailbox)
    assert graph.control.get("notifications")["pending"] == []


def test_lifetimes_are_raised_to_45_minutes_and_end_at_7_days(
    graph: RunningGraph, hook: Receiver, mailbox: str
) -> None:
    short = create(graph, wanted(graph, hook, mailbox, minutes=5))
    now = graph.control.get("clock")["seconds"]
    left = datetime.fromisoformat(short["expirationDateTime"]).timestamp() - now
    assert 44 * 60 < left <= 45 * 60
    assert create(graph, wanted(graph, hook, mailbox, minutes=10_079))["id"]
    assert refused(graph, "POST", "/subscriptions", wanted(graph, hook, mailbox, minutes=10_090))[0] == 400


def test_patch_extends_and_unknown_ones_are_not_found(graph: RunningGraph, hook: Receiver, mailbox: str) -> None:
    entry = create(graph, wanted(graph, hook, mailbox, minutes=60))
    body = {"expirationDateTime": wanted(graph, hook, mailbox, minutes=600)["expirationDateTime"]}
    changed = with_client(graph.base_url, lambda client: client.call("PATCH", f"/subscriptions/{entry['id']}", body))
    assert changed["expirationDateTime"] == body["expirationDateTime"]
    for method, path, content in (("PATCH", "", body), ("POST", "/reauthorize", None), ("DELETE", "", None)):
        assert refused(graph, method, f"/subscriptions/none{path}", content) == (404, "ResourceNotFound")


def test_the_lifecycle_address_cannot_be_patched_in(graph: RunningGraph, hook: Receiver, mailbox: str) -> None:
    entry = create(graph, wanted(graph, hook, mailbox, lifecycleNotificationUrl=None))
    body = {"lifecycleNotificationUrl": hook.url, "expirationDateTime": "2030-01-01T00:00:00Z"}
    assert refused(graph, "PATCH", f"/subscriptions/{entry['id']}", body) == (400, "InvalidRequest")


def test_one_application_holds_several_on_one_resource(graph: RunningGraph, hook: Receiver, mailbox: str) -> None:
    keys = {create(graph, wanted(graph, hook, mailbox))["id"] for _ in range(2)}
    assert {each["id"] for each in graph.ask("GET", "/subscriptions")[1]["value"]} == keys
    graph.control.mail(mailbox)
    assert {item["subscriptionId"] for item in hook.wait(2)} == keys
    graph.ask("DELETE", f"/subscriptions/{keys.pop()}")
    assert len(graph.control.get("subscriptions")) == 1


def test_a_mailbox_holds_1000_of_all_applications(graph: RunningGraph, hook: Receiver, mailbox: str) -> None:
    graph.control.post("subscriptions/others", mailbox=mailbox, count=999)
    create(graph, wanted(graph, hook, mailbox))
    code, found = graph.ask("POST", "/subscriptions", wanted(graph, hook, mailbox))
    assert (code, "1000" in found["error"]["message"]) == (403, True)


def test_the_list_is_limited_to_25_in_20_seconds(graph: RunningGraph) -> None:
    async def work(client: GraphClient) -> tuple[int, int]:
        for _ in range(25):
            await client.get("/subscriptions")
        error = await client.refusal("GET", "/subscriptions")
        graph.control.advance(21)
        await client.get("/subscriptions")
        return int(error.response_status_code or 0), graph.control.get("report")["overLimit"]

    assert with_client(graph.base_url, work) == (429, 1)


def test_basic_permissions_get_no_subscription(graph: RunningGraph, hook: Receiver, mailbox: str) -> None:
    for resource in ("messages", "events"):
        body = wanted(graph, hook, mailbox, resource=f"users/{mailbox}/{resource}")
        assert graph.ask("POST", "/subscriptions", body, app=POLL)[0] == 403
        assert graph.ask("POST", "/subscriptions", body, app=PUSH)[0] == 201


def test_scoped_permissions_may_be_refused_for_subscriptions(graph: RunningGraph, hook: Receiver, mailbox: str) -> None:
    graph.control.behaviour(refuseScopedSubscriptions=True)
    assert refused(graph, "POST", "/subscriptions", wanted(graph, hook, mailbox)) == (403, "ErrorAccessDenied")
    assert graph.ask("GET", f"/users/{mailbox}/messages?$select=id")[0] == 200


def test_events_of_the_life_cycle_go_to_their_address(graph: RunningGraph, hook: Receiver, mailbox: str) -> None:
    entry = create(graph, wanted(graph, hook, mailbox))
    for event in ("missed", "reauthorizationRequired", "subscriptionRemoved"):
        graph.control.post(f"subscriptions/{entry['id']}/lifecycle", event=event)
    found = {item["lifecycleEvent"]: item for item in hook.wait(3)}
    assert found.keys() == {"missed", "reauthorizationRequired", "subscriptionRemoved"}
    assert all(item["clientState"] == STATE and "resourceData" not in item for item in found.values())
    assert refused(graph, "POST", f"/subscriptions/{entry['id']}/reauthorize") == (404, "ResourceNotFound")


@pytest.mark.parametrize("answer", ["reauthorize", "renew"])
def test_deliveries_stop_when_reauthorization_is_ignored(
    graph: RunningGraph, hook: Receiver, mailbox: str, answer: str
) -> None:
    entry = create(graph, wanted(graph, hook, mailbox, minutes=600))
    graph.control.behaviour(reauthorizeEvery=300)
    graph.control.advance(301)
    hook.wait(1)
    graph.control.advance(301)
    assert [item["lifecycleEvent"] for item in hook.wait(2)] == ["reauthorizationRequired"] * 2
    graph.control.advance(3600)
    before = len(hook.wait(3))
    graph.control.mail(mailbox)
    held = graph.control.get("notifications")["pending"]
    assert (len(held), len(hook.items)) == (1, before)
    if answer == "renew":
        body = {"expirationDateTime": wanted(graph, hook, mailbox, minutes=700)["expirationDateTime"]}
        graph.ask("PATCH", f"/subscriptions/{entry['id']}", body)
    else:
        graph.ask("POST", f"/subscriptions/{entry['id']}/reauthorize")
    graph.control.advance(61)
    assert hook.wait(before + 1)[-1]["changeType"] == "created"


def test_subscriptions_changes_and_consent_survive_a_kill(tmp_path: Path, hook: Receiver) -> None:
    mailbox = "a@us.example"
    with running_graph(tmp_path, mailboxes=[mailbox]) as graph:
        entry = create(graph, wanted(graph, hook, mailbox, minutes=6000))
        graph.control.mail(mailbox, subject="before")
        path = f"/users/{mailbox}/mailFolders/inbox/messages/delta?$select=subject"
        link = graph.ask("GET", path)[1]["@odata.deltaLink"]
        graph.control.post("consent", client="poll", withdraw=["Mail.ReadBasic.All"])
        graph.control.advance(86_400)
        graph.control.mail(mailbox, subject="after")
        hook.wait(2)
        graph.kill()
    port = int(graph.base_url.rpartition(":")[2])
    with running_graph(tmp_path, port=port) as again:
        assert again.control.get("subscriptions")[0]["id"] == entry["id"]
        assert again.control.get("clock")["seconds"] > time.time() + 86_000
        page = with_client(again.base_url, lambda client: client.get(link))
        assert [each["subject"] for each in page["value"]] == ["after"]
        again.control.mail(mailbox, subject="new")
        assert len(hook.wait(3)) == 3
        assert again.ask("GET", f"/users/{mailbox}/messages", app=POLL)[0] == 403


def test_a_folder_has_one_simulator(tmp_path: Path) -> None:
    with (
        running_graph(tmp_path),
        pytest.raises(RuntimeError, match="cannot be used"),
        running_graph(tmp_path),
    ):
        pass


def test_a_handshake_has_its_time(hook: Receiver) -> None:
    assert asyncio.run(validate(hook.url, 5.0)) is None

    def late(token: str) -> tuple[int, str, str]:
        time.sleep(0.5)
        return 200, "text/plain", token

    hook.shake = late
    assert asyncio.run(validate(hook.url, 0.2)) == "The address did not answer within 0.2 seconds."
