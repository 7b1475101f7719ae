"""Calendars of the Graph simulator, through the real client."""

from __future__ import annotations

from typing import Any

import pytest

from tests.doubles.graph_client import GraphClient, with_client
from tests.local.graph_process import POLL, RunningGraph

WINDOW = "startDateTime=2026-07-01T00:00:00Z&endDateTime=2026-07-08T00:00:00Z"
VIEW = "/users/{u}/calendarView?" + WINDOW
DELTA = "/users/{u}/calendarView/delta?" + WINDOW


def meet(graph: RunningGraph, mailbox: str, day: str, start: str = "10:00", end: str = "11:00", **more: Any) -> str:
    event = graph.control.event(mailbox, start=f"2026-{day}T{start}:00Z", end=f"2026-{day}T{end}:00Z", **more)
    return str(event["id"])


def series(graph: RunningGraph, mailbox: str) -> list[str]:
    """A master and three occurrences, of which the last is an exception."""
    common = {"seriesMasterId": "AAkMaster", "seriesICalUId": "of-the-series"}
    meet(graph, mailbox, "07-01", type="seriesMaster", iCalUId="of-the-series", subject="master")
    keys = [meet(graph, mailbox, f"07-0{n}", type="occurrence", iCalUId=f"day-{n}", **common) for n in (1, 2)]
    return [*keys, meet(graph, mailbox, "07-03", type="exception", iCalUId="day-3", subject="moved", **common)]


def listed(graph: RunningGraph, path: str) -> list[dict[str, Any]]:
    pages = with_client(graph.base_url, lambda client: client.pages(path))
    return [each for page in pages for each in page["value"]]


def test_the_view_expands_a_series(graph: RunningGraph, mailbox: str) -> None:
    keys = series(graph, mailbox)
    found = listed(graph, VIEW.format(u=mailbox) + "&$select=iCalUId,type,subject,seriesMasterId&$top=2")
    assert [each["id"] for each in found] == keys
    assert [each["type"] for each in found] == ["occurrence", "occurrence", "exception"]
    assert [each["iCalUId"] for each in found] == ["day-1", "day-2", "day-3"] and found[2]["subject"] == "moved"


def test_a_series_may_share_one_id(graph: RunningGraph, mailbox: str) -> None:
    series(graph, mailbox)
    graph.control.behaviour(iCalUIdPerSeries=True)
    assert {each["iCalUId"] for each in listed(graph, VIEW.format(u=mailbox))} == {"of-the-series"}


def test_a_deleted_occurrence_leaves_the_view(graph: RunningGraph, mailbox: str) -> None:
    keys = series(graph, mailbox)
    graph.control.delete(f"mailboxes/{mailbox}/events/{keys[1]}")
    assert [each["id"] for each in listed(graph, VIEW.format(u=mailbox))] == [keys[0], keys[2]]


def test_a_list_may_fail_on_its_second_page(graph: RunningGraph, mailbox: str) -> None:
    series(graph, mailbox)
    graph.control.fault(r"calendarView\?.*\$skip=2", "status", status=500)

    async def work(client: GraphClient) -> int:
        first = await client.get(VIEW.format(u=mailbox) + "&$top=2")
        error = await client.refusal("GET", first["@odata.nextLink"])
        return int(error.response_status_code or 0)

    assert with_client(graph.base_url, work) == 500


def test_the_window_takes_what_overlaps_it(graph: RunningGraph, mailbox: str) -> None:
    meet(graph, mailbox, "06-30", "22:00", "23:59", subject="before")
    graph.control.event(mailbox, start="2026-06-30T23:30:00Z", end="2026-07-01T00:30:00Z", subject="into")
    graph.control.event(mailbox, start="2026-07-07T23:30:00Z", end="2026-07-08T00:30:00Z", subject="out of")
    meet(graph, mailbox, "07-08", "00:00", "01:00", subject="after")
    assert [each["subject"] for each in listed(graph, VIEW.format(u=mailbox))] == ["into", "out of"]


def test_private_events_and_answers_are_shown_as_they_are(graph: RunningGraph, mailbox: str) -> None:
    for sensitivity in ("private", "confidential"):
        attendees = [{"address": "x@cust.example", "response": "declined", "type": "optional"}]
        meet(graph, mailbox, "07-01", sensitivity=sensitivity, organizer=mailbox, attendees=attendees)
    found = listed(graph, VIEW.format(u=mailbox) + "&$select=sensitivity,attendees,organizer")
    assert [each["sensitivity"] for each in found] == ["private", "confidential"]
    [attendee] = found[0]["attendees"]
    assert (attendee["status"]["response"], attendee["type"]) == ("declined", "optional")
    assert found[0]["organizer"]["emailAddress"]["address"] == mailbox


@pytest.mark.parametrize("options", ["&$select=createdDateTime", "&$select=lastModifiedDateTime", "&$select=colour"])
def test_some_properties_cannot_be_selected(graph: RunningGraph, mailbox: str, options: str) -> None:
    assert graph.ask("GET", VIEW.format(u=mailbox) + options)[0] == 400


def test_the_view_needs_a_window(graph: RunningGraph, mailbox: str) -> None:
    assert graph.ask("GET", f"/users/{mailbox}/calendarView?$select=id")[0] == 400


def test_basic_permission_shows_no_body_of_an_event(graph: RunningGraph, mailbox: str) -> None:
    meet(graph, mailbox, "07-01", text="what it is about")
    _, whole = graph.ask("GET", VIEW.format(u=mailbox))
    _, basic = graph.ask("GET", VIEW.format(u=mailbox), app=POLL)
    assert whole["value"][0]["body"]["content"] == "what it is about"
    assert not {"body", "bodyPreview"} & basic["value"][0].keys()


@pytest.mark.parametrize("option", ["$select=id", "$filter=isAllDay eq true", "$orderby=start", "$expand=x", "$top=5"])
def test_delta_of_the_view_takes_no_options(graph: RunningGraph, mailbox: str, option: str) -> None:
    assert graph.ask("GET", f"{DELTA.format(u=mailbox)}&{option}")[0] == 400


def test_delta_of_the_view_has_sparse_occurrences(graph: RunningGraph, mailbox: str) -> None:
    keys = series(graph, mailbox)
    by = {each["id"]: each for each in listed(graph, DELTA.format(u=mailbox))}
    occurrence, exception = by[keys[0]], by[keys[2]]
    assert occurrence.keys() == {"@odata.etag", "id", "seriesMasterId", "type", "start", "end"}
    assert exception["subject"] == "moved" and "iCalUId" in exception
    assert any(each["type"] == "seriesMaster" for each in by.values())


def test_delta_of_the_view_removes_what_lies_outside_too(graph: RunningGraph, mailbox: str) -> None:
    keys = series(graph, mailbox)
    outside = meet(graph, mailbox, "08-01")
    gone = meet(graph, mailbox, "07-04")
    path = DELTA.format(u=mailbox)
    link = with_client(graph.base_url, lambda client: client.pages(path))[-1]["@odata.deltaLink"]
    graph.control("PATCH", f"mailboxes/{mailbox}/events/{outside}", {"subject": "changed"})
    graph.control.delete(f"mailboxes/{mailbox}/events/{gone}")
    graph.control.delete(f"mailboxes/{mailbox}/events/{keys[0]}")
    found = listed(graph, link)
    assert found == [{"id": key, "@removed": {"reason": "deleted"}} for key in (outside, gone)]


def test_a_moved_event_is_listed_at_its_new_time(graph: RunningGraph, mailbox: str) -> None:
    key = meet(graph, mailbox, "07-01", iCalUId="kept")
    body = {"start": "2026-07-02T12:00:00Z", "end": "2026-07-02T13:00:00Z"}
    graph.control("PATCH", f"mailboxes/{mailbox}/events/{key}", body)
    [found] = listed(graph, VIEW.format(u=mailbox))
    assert (found["start"]["dateTime"], found["iCalUId"]) == ("2026-07-02T12:00:00.0000000", "kept")
