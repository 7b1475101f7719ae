"""Reading a mailbox: folders by delta, the calendar by a windowed list, the past piece by piece. One path for every cause.

A notification, a lost one, a poll tick and the regular catch-up all end in `sync_mail` or `sync_calendar`; what was read is
placed before the link that leads on is saved, so whatever breaks off is read again and changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from msgspec.structs import replace

from shared import telemetry
from shared.graph import calendar, copies, headers, mail, private_events
from shared.graph import folders as followed
from shared.graph.calls import GraphCallError
from shared.graph.client import Graph
from shared.graph.mailboxes import Folder, Mailbox, folders, put_folder
from shared.graph.times import instant_of, text_of

DAY = 86_400
WEEK = 7 * DAY
PAGE = 200
CALENDAR_BACK, CALENDAR_AHEAD = 35 * DAY, 14 * DAY
LONGEST_GAP = 30 * DAY
BUDGET_SECONDS = 200.0  # a run goes on in a new message after this
_PAGES = f"odata.maxpagesize={PAGE}"


class OutOfTimeError(Exception):
    """The run has used its time; what is read is kept, and a new message goes on from there."""


def revision_now() -> int:
    """The revision of what is read from now on: milliseconds UTC. Take it before the request."""
    return time.time_ns() // 1_000_000


def mail_copies(graph: Graph, page: Mapping[str, Any], mailbox: Mailbox) -> list[Any]:
    """The copies on a page. What left a folder is ignored: a move looks like it, and a sent mail stays sent.

    Raises GraphCallError, since some need their headers looked at.
    """
    messages = [message for message in page.get("value", ()) if "@removed" not in message]
    signs = headers.signs_of(graph, mailbox.id, mailbox.address, messages)
    found = (
        mail.mail_copy(message, mailbox.id, mailbox.address, signs.get(str(message["id"]), 0)) for message in messages
    )
    return [copy for copy in found if copy is not None]


def sync_mail(graph: Graph, mailbox: Mailbox, now: int) -> None:
    """Read what is new in all followed folders.

    Raises GraphCallError, and OutOfTimeError when there is more to read than fits into one run.
    """
    until = time.monotonic() + BUDGET_SECONDS
    for folder in folders(mailbox.id):
        with unless_gone(folder):
            _sync_folder(graph, mailbox, folder, now, until)


@contextmanager
def unless_gone(folder: Folder) -> Iterator[None]:
    """People delete folders: that ends the reading of this one, and of no other."""
    try:
        yield
    except GraphCallError as error:
        if not error.is_gone:
            raise
        followed.drop(folder)


def _sync_folder(graph: Graph, mailbox: Mailbox, folder: Folder, now: int, until: float) -> None:
    if folder.until and not folder.link:
        _read_gap(graph, mailbox, folder, now, until)
        return
    try:
        _follow(graph, mailbox, folder, now, until)
        return
    except GraphCallError as error:
        if not error.is_resync:
            raise
    telemetry.count("rapport.graph.resyncs")
    folder = replace(folder, link="", since=0)
    # Before the gap is read: whoever has to go on sees that it is not.
    put_folder(folder)
    _read_gap(graph, mailbox, folder, now, until)


def _read_gap(graph: Graph, mailbox: Mailbox, folder: Folder, now: int, until: float) -> None:
    """Read a folder without a link: what came since `folder.until`, then a new anchor.

    Not from the address that Graph offers with a lost link: it would list everything.
    """
    for start in range(max(folder.until or now, now - LONGEST_GAP) - DAY, now, WEEK):
        list_mail(graph, mailbox, folder.name, start, min(start + WEEK, now))
    _follow(graph, mailbox, folder, now, until)


def _follow(graph: Graph, mailbox: Mailbox, folder: Folder, now: int, until: float) -> None:
    since = folder.since or now
    revision, page = revision_now(), _first_page(graph, mailbox, folder, now)
    while True:
        copies.put(mailbox.id, mail_copies(graph, page, mailbox), revision)
        link = page.get("@odata.nextLink")
        if not link:
            put_folder(replace(folder, link=page.get("@odata.deltaLink", ""), since=0, until=since))
            return
        folder = replace(folder, link=link, since=since)
        put_folder(folder)
        if time.monotonic() > until:
            raise OutOfTimeError
        revision, page = revision_now(), graph.get(link, None, (_PAGES,))


def _first_page(graph: Graph, mailbox: Mailbox, folder: Folder, now: int) -> dict[str, Any]:
    if folder.link:
        return graph.get(folder.link, None, (_PAGES,))
    path = f"/users/{mailbox.id}/mailFolders/{folder.name}/messages/delta"
    query = {"$select": mail.SELECT, "$filter": f"receivedDateTime ge {text_of(now - DAY)}"}
    return graph.get(path, query, (_PAGES,))


def list_mail(graph: Graph, mailbox: Mailbox, folder: str, start: int, end: int, *, bulk: bool = False) -> int:
    """Read a folder's mails received in the half-open window; how many were listed. Raises GraphCallError.

    `bulk`: there are many such windows, so what they change may be computed later.
    """
    query = {
        "$filter": f"receivedDateTime ge {text_of(start)} and receivedDateTime lt {text_of(end)}",
        "$orderby": "receivedDateTime",
        "$top": str(PAGE),
        "$select": mail.SELECT,
    }
    revision, listed = revision_now(), 0
    for page in graph.pages(f"/users/{mailbox.id}/mailFolders/{folder}/messages", query):
        listed += len(page.get("value", ()))
        copies.put(mailbox.id, mail_copies(graph, page, mailbox), revision, known={}, bulk=bulk)
        revision = revision_now()
    return listed


def sync_calendar(graph: Graph, mailbox: Mailbox, now: int) -> None:
    """Make the meetings of five weeks back and two ahead be those of the calendar. Raises GraphCallError."""
    today = now // DAY * DAY
    list_calendar(graph, mailbox, today - CALENDAR_BACK, today + CALENDAR_AHEAD, now)


def list_calendar(graph: Graph, mailbox: Mailbox, start: int, end: int, now: int, *, bulk: bool = False) -> None:
    """Make the meetings that start in the window be those of the calendar, once the whole list is read.

    A list that breaks off changes nothing, so nothing is ever taken for deleted that was only not read.
    """
    query = {
        "startDateTime": text_of(start), "endDateTime": text_of(end), "$select": calendar.SELECT, "$top": str(PAGE)
    }  # fmt: skip
    revision = revision_now()
    path = f"/users/{mailbox.id}/calendarView"
    events = [event for page in graph.pages(path, query, (calendar.UTC_TIMES,)) for event in page.get("value", ())]
    found = (calendar.event_copy(event, mailbox.id, mailbox.address) for event in events)
    copies.replace_window(mailbox.id, start, end, [copy for copy in found if copy is not None], revision, bulk=bulk)
    private = (instant_of(event["start"]["dateTime"]) for event in events if calendar.is_private(event))
    private_events.note(mailbox.id, (at for at in private if start <= at < end), (start, end), now)
