"""Throttling, faults, batches and sending of the Graph simulator, through the real client."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from kiota_abstractions.api_error import APIError

from local.graph.clock import Clock
from local.graph.errors import GraphError
from local.graph.gate import WINDOW_REQUESTS, Gate
from tests.doubles.graph_client import GraphClient, code_of, header_of, with_client
from tests.local.graph_process import RunningGraph

LIST = "/users/{u}/mailFolders/inbox/messages?$select=id"
PARTY = {"emailAddress": {"address": "x@cust.example"}}


def refused(graph: RunningGraph, path: str, *, retry: bool = False) -> APIError:
    async def work(client: GraphClient) -> APIError:
        return await client.refusal("GET", path, retry=retry)

    return with_client(graph.base_url, work)


@pytest.mark.parametrize("after", ["1", "2", "179", "180", "200", "600", "0", "Mon, 23 Nov 2026 03:00:00 GMT", None])
def test_a_throttle_says_how_long_in_many_ways(graph: RunningGraph, mailbox: str, after: str | None) -> None:
    graph.control.fault("messages", "throttle", nth=[1], retryAfter=after)
    error = refused(graph, LIST.format(u=mailbox))
    assert (error.response_status_code, code_of(error)) == (429, "ApplicationThrottled")
    assert header_of(error, "Retry-After") == after


def test_calls_during_a_throttle_are_refused_and_reported(graph: RunningGraph, mailbox: str) -> None:
    graph.control.fault("messages", "throttle", nth=[1], retryAfter="200")
    for _ in range(3):
        assert refused(graph, LIST.format(u=mailbox)).response_status_code == 429
    assert graph.control.get("report")["duringThrottle"] == 2
    graph.control.advance(201)
    assert graph.ask("GET", LIST.format(u=mailbox))[0] == 200


def test_the_library_does_not_retry_180_seconds_and_more(graph: RunningGraph, mailbox: str) -> None:
    graph.control.fault("messages", "throttle", nth=[1], retryAfter="180")
    assert refused(graph, LIST.format(u=mailbox), retry=True).response_status_code == 429
    assert graph.control.get("report")["retriesByLibrary"] == 0


def test_a_retry_of_the_library_is_seen(graph: RunningGraph, mailbox: str) -> None:
    graph.control.fault("messages", "throttle", nth=[1], retryAfter="1", seconds=0)

    async def work(client: GraphClient) -> Any:
        return await client.call("GET", LIST.format(u=mailbox), retry=True)

    assert with_client(graph.base_url, work)["value"] == []
    assert graph.control.get("report")["retriesByLibrary"] == 1


def gather(graph: RunningGraph, paths: list[str]) -> list[int]:
    """Status of calls that run at once."""

    async def one(client: GraphClient, path: str) -> int:
        try:
            await client.get(path)
        except APIError as error:
            assert error.response_status_code == 429 and "MailboxConcurrency" in str(error)
            return 429
        return 200

    async def work(client: GraphClient) -> list[int]:
        return list(await asyncio.gather(*(one(client, path) for path in paths)))

    return with_client(graph.base_url, work)


def test_four_run_at_once_in_a_mailbox(graph: RunningGraph, mailbox: str) -> None:
    graph.control.behaviour(latency=0.5)
    assert sorted(gather(graph, [LIST.format(u=mailbox)] * 6)) == [200] * 4 + [429] * 2
    assert graph.control.get("report")["mostConcurrent"] == 4


def test_the_four_may_count_over_all_mailboxes(graph: RunningGraph, new_mailbox: Callable[[], str]) -> None:
    paths = [LIST.format(u=new_mailbox()) for _ in range(2)] * 3
    graph.control.behaviour(latency=0.5)
    assert gather(graph, paths) == [200] * 6
    graph.control.behaviour(concurrencyOverAll=True)
    assert sorted(gather(graph, paths)) == [200] * 4 + [429] * 2


def test_ten_thousand_requests_in_ten_minutes() -> None:
    now = 1000.0
    gate = Gate(Clock(real=lambda: now))

    def ask(mailbox: str = "m") -> None:
        with gate.entered("app", mailbox):
            pass

    for _ in range(WINDOW_REQUESTS):
        ask()
    with pytest.raises(GraphError) as caught:
        ask()
    assert (caught.value.status, caught.value.headers["Retry-After"]) == (429, "600")
    ask("another")
    now += 601
    ask()


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_errors_come_as_json_and_as_html(graph: RunningGraph, mailbox: str, status: int) -> None:
    graph.control.fault("messages", "status", nth=[1], status=status)
    graph.control.fault("messages", "status", status=status, html=True)
    assert code_of(refused(graph, LIST.format(u=mailbox)))
    html = refused(graph, LIST.format(u=mailbox))
    assert html.response_status_code == status and type(html) is APIError


def test_an_answer_may_be_empty_slow_or_cut(graph: RunningGraph, mailbox: str) -> None:
    for number, fault in enumerate(("empty", "slow", "reset"), 1):
        graph.control.fault("messages", fault, nth=[number], seconds=0.3)

    async def work(client: GraphClient) -> tuple[Any, Any]:
        empty = await client.get(LIST.format(u=mailbox))
        began = time.monotonic()
        slow = await client.get(LIST.format(u=mailbox))
        assert time.monotonic() - began >= 0.3
        with pytest.raises(httpx.TransportError):
            await client.get(LIST.format(u=mailbox))
        return empty, slow

    assert with_client(graph.base_url, work) == (None, {"value": []})


def test_faults_strike_by_share_with_the_seed_and_are_switched_off(graph: RunningGraph, mailbox: str) -> None:
    def strikes() -> list[int]:
        graph.control.post("seed", seed=3)
        return [graph.ask("GET", LIST.format(u=mailbox))[0] for _ in range(12)]

    graph.control.fault("messages", "status", rate=0.5, status=503)
    first = strikes()
    assert first == strikes() and {200, 503} == set(first)
    graph.control.delete("faults")
    assert set(strikes()) == {200}


def mail(*names: str) -> dict[str, Any]:
    to = [{"emailAddress": {"address": name}} for name in names] or [PARTY]
    return {"message": {"subject": "hello", "body": {"contentType": "text", "content": "x"}, "toRecipients": to}}


def send(graph: RunningGraph, mailbox: str, body: dict[str, Any]) -> Any:
    return with_client(graph.base_url, lambda client: client.call("POST", f"/users/{mailbox}/sendMail", body))


def test_sent_mail_is_counted_and_delivered(graph: RunningGraph, new_mailbox: Callable[[], str]) -> None:
    sender, recipient = new_mailbox(), new_mailbox()
    body = mail(recipient)
    body["message"]["internetMessageHeaders"] = [{"name": "X-Rapport", "value": "1"}]
    assert send(graph, sender, body) is None
    assert len(graph.control.get("sent")) == 1
    path = "/users/{u}/mailFolders/{f}/messages?$select=internetMessageId,internetMessageHeaders"
    _, sent = graph.ask("GET", path.format(u=sender, f="sentitems"))
    _, received = graph.ask("GET", path.format(u=recipient, f="inbox"))
    assert sent["value"][0]["internetMessageId"] == received["value"][0]["internetMessageId"]
    assert received["value"][0]["internetMessageHeaders"][0]["name"] == "X-Rapport"
    assert "internetMessageHeaders" not in sent["value"][0]


@pytest.mark.parametrize(
    ("fault", "sent"),
    [
        ({"kind": "status", "status": 503}, 0),
        ({"kind": "accepted"}, 1),
        ({"kind": "reset"}, 0),
        ({"kind": "reset", "after": True}, 1),
    ],
)
def test_a_failed_send_may_have_been_sent(graph: RunningGraph, mailbox: str, fault: dict[str, Any], sent: int) -> None:
    graph.control.post("faults", match="sendMail", fault=fault)
    with pytest.raises((APIError, httpx.TransportError)):
        send(graph, mailbox, mail())
    assert len(graph.control.get("sent")) == sent


def test_a_mail_without_recipient_is_refused(graph: RunningGraph, mailbox: str) -> None:
    body = {"message": {"subject": "x", "toRecipients": []}}
    assert graph.ask("POST", f"/users/{mailbox}/sendMail", body)[0] == 400
    body = mail()
    body["message"]["internetMessageHeaders"] = [{"name": "Auto-Submitted", "value": "x"}]
    assert graph.ask("POST", f"/users/{mailbox}/sendMail", body)[0] == 400
    assert graph.control.get("sent") == []


def batch(graph: RunningGraph, requests: list[dict[str, Any]]) -> dict[str, Any]:
    found = with_client(graph.base_url, lambda client: client.call("POST", "/$batch", {"requests": requests}))
    return {each["id"]: each for each in found["responses"]}


def gets(urls: list[str], **more: Any) -> list[dict[str, Any]]:
    return [{"id": str(number), "method": "GET", "url": url, **more} for number, url in enumerate(urls)]


def test_a_batch_answers_in_another_order_and_counts_each(graph: RunningGraph, mailbox: str) -> None:
    graph.control.post("seed", seed=1)
    body = {"requests": gets([LIST.format(u=mailbox)] * 20)}
    found = with_client(graph.base_url, lambda client: client.call("POST", "/$batch", body))["responses"]
    assert [each["id"] for each in found] != [str(n) for n in range(20)]
    assert {each["id"] for each in found} == {str(n) for n in range(20)}
    assert {each["status"] for each in found} == {200}  # four at a time, so none was one too many
    entries = [each for each in graph.control.get("requests") if each["in_batch"]]
    assert len(entries) == 20 and max(each["concurrent"] for each in entries) <= 4


@pytest.mark.parametrize("count", [0, 21])
def test_a_batch_holds_1_to_20(graph: RunningGraph, mailbox: str, count: int) -> None:
    assert graph.ask("POST", "/$batch", {"requests": gets([LIST.format(u=mailbox)] * count)})[0] == 400


def test_items_of_a_batch_fail_for_themselves(graph: RunningGraph, mailbox: str) -> None:
    graph.control.fault("mailFolders/inbox", "throttle", nth=[1], retryAfter="7", seconds=0)
    urls = [LIST.format(u=mailbox), f"/users/{mailbox}/messages/none", f"/users/{mailbox}/mailFolders?$top=1"]
    found = batch(graph, gets(urls))
    assert {key: each["status"] for key, each in found.items()} == {"0": 429, "1": 404, "2": 200}
    assert found["0"]["headers"]["Retry-After"] == "7"
    assert found["1"]["body"]["error"]["code"] == "ErrorItemNotFound"


def test_the_header_for_ids_belongs_to_each_item(graph: RunningGraph, mailbox: str) -> None:
    message = graph.control.mail(mailbox)
    requests = gets([LIST.format(u=mailbox)] * 2)
    requests[0]["headers"] = {"Prefer": 'IdType="ImmutableId"'}
    found = batch(graph, requests)
    assert [found[key]["body"]["value"][0]["id"] for key in "01"] == [message["id"], message["movingId"]]


@pytest.mark.parametrize("url", ["https://graph.microsoft.com/v1.0/users", "//elsewhere/users", ""])
def test_urls_of_a_batch_are_relative(graph: RunningGraph, url: str) -> None:
    assert graph.ask("POST", "/$batch", {"requests": gets([url])})[0] == 400


def test_a_failed_dependency_fails_what_follows(graph: RunningGraph, mailbox: str) -> None:
    requests = gets([f"/users/{mailbox}/messages/none", LIST.format(u=mailbox)])
    requests[1]["dependsOn"] = ["0"]
    assert batch(graph, requests)["1"]["status"] == 424
