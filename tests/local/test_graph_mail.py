"""Lists and delta of messages in the Graph simulator, through the real client."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.doubles.graph_client import GraphClient, code_of, header_of, with_client
from tests.local.graph_process import RunningGraph, call

INBOX = "/users/{u}/mailFolders/inbox/messages"
DELTA = INBOX + "/delta?$select=subject"


def subjects(pages: list[Any]) -> list[str]:
    return [each["subject"] for page in pages for each in page["value"] if "@removed" not in each]


def anchored(graph: RunningGraph, path: str) -> tuple[list[Any], str]:
    """All pages of a round, and its deltaLink."""
    pages = with_client(graph.base_url, lambda client: client.pages(path))
    return pages, pages[-1]["@odata.deltaLink"]


def rerun(graph: RunningGraph, link: str) -> list[Any]:
    return with_client(graph.base_url, lambda client: client.pages(link))


def refused(graph: RunningGraph, path: str) -> Any:
    async def work(client: GraphClient) -> Any:
        return await client.refusal("GET", path)

    return with_client(graph.base_url, work)


def test_delta_tells_what_came_since(graph: RunningGraph, mailbox: str) -> None:
    graph.control.mail(mailbox, subject="old")
    pages, link = anchored(graph, DELTA.format(u=mailbox))
    assert subjects(pages) == ["old"]
    assert subjects(rerun(graph, link)) == []
    graph.control.mail(mailbox, subject="new")
    assert subjects(rerun(graph, link)) == ["new"]
    assert subjects(rerun(graph, link)) == ["new"]  # a link may be used again


def test_delta_of_an_empty_folder_still_gives_a_link_that_works(graph: RunningGraph, mailbox: str) -> None:
    pages, link = anchored(graph, DELTA.format(u=mailbox))
    graph.control.mail(mailbox, subject="first")
    assert (subjects(pages), subjects(rerun(graph, link))) == ([], ["first"])


def test_an_updated_message_comes_again(graph: RunningGraph, mailbox: str) -> None:
    key = graph.control.mail(mailbox, subject="one")["id"]
    _, link = anchored(graph, DELTA.format(u=mailbox))
    graph.control("PATCH", f"mailboxes/{mailbox}/messages/{key}", {"subject": "changed"})
    assert subjects(rerun(graph, link)) == ["changed"]


@pytest.mark.parametrize(("what", "expected"), [("created", ["new"]), ("updated", ["seen"]), ("deleted", [])])
def test_change_types_are_kept_over_rounds(graph: RunningGraph, mailbox: str, what: str, expected: list[str]) -> None:
    key = graph.control.mail(mailbox, subject="seen")["id"]
    gone = graph.control.mail(mailbox, subject="gone")["id"]
    _, link = anchored(graph, DELTA.format(u=mailbox) + f"&changeType={what}")
    graph.control.mail(mailbox, subject="new")
    graph.control("PATCH", f"mailboxes/{mailbox}/messages/{key}", {"isRead": False})
    graph.control.delete(f"mailboxes/{mailbox}/messages/{gone}")
    pages = rerun(graph, link)
    assert subjects(pages) == expected
    assert sum("@removed" in each for page in pages for each in page["value"]) == (what == "deleted")


def test_pages_keep_the_size_and_reach_everything(graph: RunningGraph, mailbox: str) -> None:
    graph.control.mail(mailbox, subject="x", count=7)
    pages, link = anchored(graph, DELTA.format(u=mailbox) + "&$top=3")
    assert [len(page["value"]) for page in pages] == [3, 3, 1]
    assert len({each["id"] for page in pages for each in page["value"]}) == 7
    graph.control.mail(mailbox, subject="y", count=4)
    assert [len(page["value"]) for page in rerun(graph, link)] == [3, 1]


def test_mail_that_comes_between_pages_is_not_lost(graph: RunningGraph, mailbox: str) -> None:
    graph.control.mail(mailbox, subject="old", count=4)

    async def work(client: GraphClient) -> list[str]:
        first = await client.get(DELTA.format(u=mailbox) + "&$top=2")
        graph.control.mail(mailbox, subject="meanwhile")
        rest = await client.pages(first["@odata.nextLink"])
        return subjects([first, *rest, *await client.pages(rest[-1]["@odata.deltaLink"])])

    assert with_client(graph.base_url, work) == ["old"] * 4 + ["meanwhile"]


def test_empty_pages_come_first_and_between(graph: RunningGraph, mailbox: str) -> None:
    graph.control.behaviour(emptyPages=2)
    graph.control.mail(mailbox, subject="x", count=3)
    pages, link = anchored(graph, DELTA.format(u=mailbox) + "&$top=2")
    assert [len(page["value"]) for page in pages] == [0, 0, 2, 0, 0, 1]
    graph.control.mail(mailbox, subject="y")
    assert [len(page["value"]) for page in rerun(graph, link)] == [0, 0, 1]


def test_items_and_pages_come_twice(graph: RunningGraph, mailbox: str) -> None:
    graph.control.mail(mailbox, subject="x", count=3)
    graph.control.behaviour(repeatItems=True)
    pages, _ = anchored(graph, DELTA.format(u=mailbox) + "&$top=2")
    assert [len(page["value"]) for page in pages] == [3, 2]
    assert pages[0]["value"][0] == pages[0]["value"][-1]
    graph.control.behaviour(repeatItems=False, replayPages=True)
    pages, _ = anchored(graph, DELTA.format(u=mailbox) + "&$top=2")
    assert [len(page["value"]) for page in pages] == [2, 2, 1, 1] and pages[0]["value"] == pages[1]["value"]


@pytest.mark.parametrize("reason", ["deleted", "changed"])
def test_a_delete_and_a_move_look_alike(graph: RunningGraph, mailbox: str, reason: str) -> None:
    moved, deleted = graph.control.mail(mailbox)["id"], graph.control.mail(mailbox)["id"]
    _, link = anchored(graph, DELTA.format(u=mailbox))
    graph.control.post(f"mailboxes/{mailbox}/messages/{moved}/move", folder="archive", reason=reason)
    graph.control.delete(f"mailboxes/{mailbox}/messages/{deleted}?reason={reason}")
    [page] = rerun(graph, link)
    assert page["value"] == [{"id": key, "@removed": {"reason": reason}} for key in (moved, deleted)]
    status = [graph.ask("GET", f"/users/{mailbox}/messages/{key}?$select=id")[0] for key in (moved, deleted)]
    assert status == [200, 404]


def test_delta_lags_behind_the_notification(graph: RunningGraph, mailbox: str) -> None:
    _, link = anchored(graph, DELTA.format(u=mailbox))
    graph.control.behaviour(deltaLag=60)
    graph.control.mail(mailbox, subject="late")
    assert subjects(rerun(graph, link)) == []
    graph.control.advance(61)
    assert subjects(rerun(graph, link)) == ["late"]


@pytest.mark.parametrize(
    ("status", "code"),
    [(410, "syncStateNotFound"), (400, "SyncStateNotFound"), (404, "resyncRequired"), (400, "syncStateNotFound")],
)
def test_a_forgotten_link_stays_forgotten(graph: RunningGraph, mailbox: str, status: int, code: str) -> None:
    _, link = anchored(graph, DELTA.format(u=mailbox))
    graph.control.post(f"mailboxes/{mailbox}/forget-delta", status=status, code=code)
    errors = [refused(graph, link) for _ in range(2)]
    assert [(error.response_status_code, code_of(error)) for error in errors] == [(status, code)] * 2
    location = header_of(errors[0], "Location")
    assert (location is not None and location.endswith("?$deltatoken=")) == (status == 410)
    assert subjects(rerun(graph, anchored(graph, DELTA.format(u=mailbox))[1])) == []


def test_a_filter_caps_delta_at_5000(graph: RunningGraph, mailbox: str) -> None:
    graph.control.mail(mailbox, at="2026-01-01T00:00:00Z", count=5001, quiet=True)
    everything = DELTA.format(u=mailbox) + "&$top=1000"
    since = everything + "&$filter=receivedDateTime ge 2026-01-01T00:00:00Z"
    assert sum(len(page["value"]) for page in anchored(graph, since)[0]) == 5000
    assert sum(len(page["value"]) for page in anchored(graph, everything)[0]) == 5001


def test_delta_filters_by_a_lower_bound_of_time(graph: RunningGraph, mailbox: str) -> None:
    graph.control.mail(mailbox, subject="before", at="2026-03-01T11:59:59Z")
    graph.control.mail(mailbox, subject="at", at="2026-03-01T12:00:00Z")
    pages, _ = anchored(graph, DELTA.format(u=mailbox) + "&$filter=receivedDateTime ge 2026-03-01T12:00:00Z")
    assert subjects(pages) == ["at"]
    pages, _ = anchored(graph, DELTA.format(u=mailbox) + "&$filter=receivedDateTime gt 2026-03-01T12:00:00Z")
    assert subjects(pages) == []


@pytest.mark.parametrize(
    "options",
    [
        "$filter=receivedDateTime lt 2026-01-01T00:00:00Z",
        "$filter=isRead eq true",
        "$filter=receivedDateTime ge 2026-01-01T00:00:00Z and isRead eq true",
        "$orderby=receivedDateTime asc",
        "$search=x",
        "$skip=2",
        "changeType=moved",
    ],
)
def test_delta_refuses_what_it_does_not_take(graph: RunningGraph, mailbox: str, options: str) -> None:
    assert refused(graph, f"{INBOX.format(u=mailbox)}/delta?{options}").response_status_code == 400


def test_a_list_has_a_window_in_time_and_an_order(graph: RunningGraph, mailbox: str) -> None:
    for day in range(1, 6):
        graph.control.mail(mailbox, subject=str(day), at=f"2026-03-0{day}T12:00:00Z")
    window = "$filter=receivedDateTime ge 2026-03-02T12:00:00Z and receivedDateTime lt 2026-03-05T12:00:00Z"
    path = f"{INBOX.format(u=mailbox)}?{window}&$orderby=receivedDateTime&$top=2&$select=subject"
    pages = with_client(graph.base_url, lambda client: client.pages(path))
    assert [[each["subject"] for each in page["value"]] for page in pages] == [["2", "3"], ["4"]]
    newest = with_client(graph.base_url, lambda client: client.get(f"{INBOX.format(u=mailbox)}?$top=1&$select=subject"))
    assert subjects([newest]) == ["5"]


def test_the_order_must_come_first_in_the_filter(graph: RunningGraph, mailbox: str) -> None:
    wrong = "$filter=isRead eq true and receivedDateTime ge 2026-01-01T00:00:00Z&$orderby=receivedDateTime"
    error = refused(graph, f"{INBOX.format(u=mailbox)}?{wrong}")
    assert (error.response_status_code, code_of(error)) == (400, "InefficientFilter")
    right = "$filter=receivedDateTime ge 2026-01-01T00:00:00Z and isRead eq true&$orderby=receivedDateTime"
    graph.control.mail(mailbox, subject="read")
    graph.control.mail(mailbox, subject="unread", isRead=False)
    assert subjects(rerun(graph, f"{INBOX.format(u=mailbox)}?{right}&$select=subject")) == ["read"]


def test_page_sizes_end_at_1000_and_large_ones_may_time_out(graph: RunningGraph, mailbox: str) -> None:
    assert refused(graph, f"{INBOX.format(u=mailbox)}?$top=1001").response_status_code == 400
    graph.control.behaviour(largePage504=500)
    assert refused(graph, f"{INBOX.format(u=mailbox)}?$top=501").response_status_code == 504
    assert rerun(graph, f"{INBOX.format(u=mailbox)}?$top=500&$select=id") == [{"value": []}]


def test_chat_messages_and_deleted_ones_are_in_the_list_of_the_mailbox_only(graph: RunningGraph, mailbox: str) -> None:
    for folder in ("inbox", "deleteditems", "teamsmessagesdata"):
        graph.control.mail(mailbox, subject=folder, folder=folder)
    everything = rerun(graph, f"/users/{mailbox}/messages?$select=subject")
    assert set(subjects(everything)) == {"inbox", "deleteditems", "teamsmessagesdata"}
    assert subjects(rerun(graph, INBOX.format(u=mailbox) + "?$select=subject")) == ["inbox"]


def test_odd_messages_stay_odd(graph: RunningGraph, mailbox: str) -> None:
    kind = "#microsoft.graph.eventMessageRequest"
    graph.control.mail(mailbox, subject="invitation", meetingMessageType="meetingRequest", **{"@odata.type": kind})
    graph.control.mail(mailbox, subject="draft", isDraft=True, internetMessageId=None)
    for subject in ("reused", "again"):
        graph.control.mail(mailbox, subject=subject, internetMessageId="<same@x.example>")
    graph.control.mail(mailbox, subject="for", sender="pa@us.example", **{"from": "boss@us.example"})
    _, found = graph.ask("GET", f"{INBOX.format(u=mailbox)}?$select=subject,isDraft,internetMessageId,from,sender")
    by = {each["subject"]: each for each in found["value"]}
    assert by["invitation"]["@odata.type"] == kind and "@odata.type" not in by["draft"]
    assert by["draft"]["isDraft"] and "internetMessageId" not in by["draft"]
    assert by["reused"]["internetMessageId"] == by["again"]["internetMessageId"] == "<same@x.example>"
    assert [by["for"][n]["emailAddress"]["address"] for n in ("from", "sender")] == ["boss@us.example", "pa@us.example"]


def test_transport_headers_come_if_selected_and_never_in_sent_items(graph: RunningGraph, mailbox: str) -> None:
    headers = [{"name": "Auto-Submitted", "value": "auto-replied"}]
    for folder in ("inbox", "sentitems"):
        graph.control.mail(mailbox, folder=folder, internetMessageHeaders=headers)
    _, plain = graph.ask("GET", INBOX.format(u=mailbox))
    assert "internetMessageHeaders" not in plain["value"][0]
    for folder, expected in (("inbox", headers), ("sentitems", [])):
        _, found = graph.ask("GET", f"/users/{mailbox}/mailFolders/{folder}/messages?$select=internetMessageHeaders")
        assert found["value"][0].get("internetMessageHeaders", [])[: len(headers)] == expected


def test_a_link_to_a_foreign_host_gets_no_token(graph: RunningGraph, mailbox: str) -> None:
    graph.control.mail(mailbox, count=2)
    graph.control.behaviour(foreignLinks=graph.base_url.removeprefix("http://").replace("127.0.0.1", "localhost"))

    async def work(client: GraphClient) -> int:
        page = await client.get(DELTA.format(u=mailbox) + "&$top=1")
        assert "//localhost:" in page["@odata.nextLink"]
        error = await client.refusal("GET", page["@odata.nextLink"])
        return int(error.response_status_code or 0)

    assert with_client(graph.base_url, work) == 401
    [foreign] = [each for each in graph.control.get("requests") if each["foreign"]]
    assert (foreign["authorized"], graph.control.get("report")["tokensToForeignHost"]) == (False, 0)
    link = graph.base_url.replace("127.0.0.1", "localhost") + "/v1.0/users"
    token = graph.token()[1]["access_token"]
    call("GET", link, headers={"Authorization": f"Bearer {token}"})
    assert graph.control.get("report")["tokensToForeignHost"] == 1


def test_folders_have_a_list_and_a_delta(graph: RunningGraph, new_mailbox: Callable[[], str]) -> None:
    mailbox = new_mailbox()
    pages = rerun(graph, f"/users/{mailbox}/mailFolders/delta?$select=displayName")
    names = [each["displayName"] for each in pages[0]["value"]]
    assert names[:2] == ["Inbox", "Sent Items"] and "Archive" in names
    graph.control.post(f"mailboxes/{mailbox}/folders", names=["Customers"])
    [page] = rerun(graph, pages[-1]["@odata.deltaLink"])
    assert [each["displayName"] for each in page["value"]] == ["Customers"]
    key = page["value"][0]["id"]
    graph.control.mail(mailbox, subject="filed", folder="customers")
    assert subjects(rerun(graph, f"/users/{mailbox}/mailFolders/{key}/messages/delta?$select=subject")) == ["filed"]
    listed = rerun(graph, f"/users/{mailbox}/mailFolders?$top=4")
    assert sum(len(page["value"]) for page in listed) == len(names) + 1


def test_a_new_mail_is_dated_by_the_clock_of_the_simulator(graph: RunningGraph, mailbox: str) -> None:
    graph.control.advance(3600)
    graph.control.mail(mailbox)
    _, found = graph.ask("GET", f"{INBOX.format(u=mailbox)}?$select=receivedDateTime")
    received = datetime.fromisoformat(found["value"][0]["receivedDateTime"])
    assert received > datetime.now(UTC) + timedelta(minutes=50)


def test_a_fault_may_lose_the_sync_state_once(graph: RunningGraph, mailbox: str) -> None:
    _, link = anchored(graph, DELTA.format(u=mailbox))
    graph.control.fault("delta", "syncStateLost", nth=[1], status=404, code="SyncStateNotFound")
    error = refused(graph, link)
    assert (error.response_status_code, code_of(error)) == (404, "SyncStateNotFound")
    assert subjects(rerun(graph, link)) == []
