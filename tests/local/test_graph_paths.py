"""Paths, ids and options of the Graph simulator, through the real client."""

from __future__ import annotations

from typing import Any

import pytest
from kiota_abstractions.base_request_configuration import RequestConfiguration

from tests.doubles.graph_client import IMMUTABLE, GraphClient, code_of, with_client
from tests.local.graph_process import POLL, RunningGraph, call

BODY_FIELDS = {"body", "bodyPreview", "uniqueBody"}


@pytest.mark.parametrize(
    "path",
    [
        "/users/{u}/mailFolders/inbox/messages/delta",
        "/users/{u}/mailFolders/inbox/messages/delta()",
        "/users/{u}/mailFolders('inbox')/messages/delta()",
        "//users/{u}/mailFolders/inbox//messages/delta",
    ],
)
def test_spellings_of_a_path_are_one(graph: RunningGraph, mailbox: str, path: str) -> None:
    graph.control.mail(mailbox, subject="one")
    status, found = graph.ask("GET", path.format(u=mailbox) + "?$select=subject")
    [entry] = graph.control.get("requests")
    assert (status, [each["subject"] for each in found["value"]]) == (200, ["one"])
    assert entry["double_slash"] == path.startswith("//")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDK's builders, when they are first imported
def test_the_addresses_of_the_sdk_are_understood(graph: RunningGraph, mailbox: str) -> None:
    graph.control.mail(mailbox, subject="one")

    async def work(client: GraphClient) -> Any:
        delta = client.typed.users.by_user_id(mailbox).mail_folders.by_mail_folder_id("inbox").messages.delta
        options: Any = RequestConfiguration(
            query_parameters=delta.DeltaRequestBuilderGetQueryParameters(select=["subject"])
        )
        return await client.send(delta.to_get_request_information(options))

    found = with_client(graph.base_url, work)
    assert [each["subject"] for each in found["value"]] == ["one"]
    assert graph.control.get("requests")[0]["selected"] == ["subject"]


def test_select_gives_what_it_names_and_no_more(graph: RunningGraph, mailbox: str) -> None:
    graph.control.mail(mailbox, subject="one")
    _, found = graph.ask("GET", f"/users/{mailbox}/messages?$select=subject,from")
    assert {"@odata.etag", "id", "subject", "from"} == found["value"][0].keys()


def test_without_select_the_body_comes_and_the_log_tells(graph: RunningGraph, mailbox: str) -> None:
    graph.control.mail(mailbox, text="what was said")
    _, found = graph.ask("GET", f"/users/{mailbox}/mailFolders/inbox/messages")
    assert found["value"][0]["body"]["content"] == "what was said"
    report = graph.control.get("report")
    assert (report["withBodyFields"], report["withoutSelect"]) == (1, 1)


def test_basic_permission_yields_no_body_even_when_selected(graph: RunningGraph, mailbox: str) -> None:
    graph.control.mail(mailbox, text="what was said")
    for options in ("", "?$select=body,bodyPreview,uniqueBody,subject"):
        _, found = graph.ask("GET", f"/users/{mailbox}/mailFolders/inbox/messages{options}", app=POLL)
        assert not BODY_FIELDS & found["value"][0].keys()
    assert graph.control.get("report")["withBodyFields"] == 0


def test_an_unknown_property_is_refused(graph: RunningGraph, mailbox: str) -> None:
    async def work(client: GraphClient) -> str:
        return code_of(await client.refusal("GET", f"/users/{mailbox}/messages?$select=colour"))

    assert with_client(graph.base_url, work) == "RequestBroker--ParseUri"


def test_ids_are_immutable_only_with_the_header(graph: RunningGraph, mailbox: str) -> None:
    message = graph.control.mail(mailbox)

    async def ids(client: GraphClient) -> tuple[str, str]:
        path = f"/users/{mailbox}/messages?$select=id"
        fixed, moving = await client.get(path, [IMMUTABLE]), await client.get(path, [])
        return fixed["value"][0]["id"], moving["value"][0]["id"]

    fixed, moving = with_client(graph.base_url, ids)
    graph.control.post(f"mailboxes/{mailbox}/messages/{message['id']}/move", folder="archive")
    fixed_after, moving_after = with_client(graph.base_url, ids)
    assert fixed == fixed_after == message["id"]
    assert len({fixed, moving, moving_after}) == 3
    assert graph.ask("GET", f"/users/{mailbox}/messages/{moving}")[0] == 404


def test_the_header_counts_for_its_own_page_only(graph: RunningGraph, mailbox: str) -> None:
    fixed = {graph.control.mail(mailbox)["id"] for _ in range(2)}

    async def work(client: GraphClient) -> list[bool]:
        first = await client.get(f"/users/{mailbox}/mailFolders/inbox/messages/delta?$select=id&$top=1", [IMMUTABLE])
        second = await client.get(first["@odata.nextLink"], [])
        return [page["value"][0]["id"] in fixed for page in (first, second)]

    assert with_client(graph.base_url, work) == [True, False]


def test_two_ids_differ_only_in_case(graph: RunningGraph, mailbox: str) -> None:
    one, other = graph.control.mail(mailbox, subject="one"), graph.control.mail(mailbox, subject="other")
    assert one["id"] != other["id"] and one["id"].lower() == other["id"].lower()
    found = [graph.ask("GET", f"/users/{mailbox}/messages/{each['id']}?$select=subject")[1] for each in (one, other)]
    assert [each["subject"] for each in found] == ["one", "other"]


@pytest.mark.parametrize("order", [0, 1])
def test_preferences_come_joined_in_any_order(graph: RunningGraph, mailbox: str, order: int) -> None:
    for _ in range(3):
        graph.control.mail(mailbox)
    prefer = [IMMUTABLE, "odata.maxpagesize=2"]
    joined = ", ".join(prefer[::-1] if order else prefer)
    _, found = graph.ask("GET", f"/users/{mailbox}/mailFolders/inbox/messages/delta?$select=id", Prefer=joined)
    assert len(found["value"]) == 2
    assert all(graph.control.get("requests")[0]["prefer"].values()) and found["value"][0]["id"].startswith("AAkA")


def test_times_have_seven_decimals_in_the_zone_that_was_asked_for(graph: RunningGraph, mailbox: str) -> None:
    graph.control.event(mailbox, start="2026-07-01T10:00:00Z", end="2026-07-01T11:00:00Z")
    path = f"/users/{mailbox}/calendarView?startDateTime=2026-07-01T00:00:00Z&endDateTime=2026-07-02T00:00:00Z"
    _, utc = graph.ask("GET", path, Prefer='outlook.timezone="UTC"')
    _, berlin = graph.ask("GET", path, Prefer='outlook.timezone="Europe/Berlin"')
    assert utc["value"][0]["start"] == {"dateTime": "2026-07-01T10:00:00.0000000", "timeZone": "UTC"}
    assert berlin["value"][0]["start"] == {"dateTime": "2026-07-01T12:00:00.0000000", "timeZone": "Europe/Berlin"}


def test_nothing_lies_outside_the_known_paths(graph: RunningGraph) -> None:
    assert graph.ask("GET", "/sites")[0] == 400
    assert call("GET", f"{graph.base_url}/v1.0/users")[0] == 401
