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
from shared.graph.leases import UNBOUNDED, OutOfTimeError, Run
from shared.graph.mailboxes import Folder, Mailbox, folders, put_folder
from shared.graph.times import instant_of, text_of

DAY = 86_400
WEEK = 7 * DAY
PAGE = 200
CALENDAR_BACK, CALENDAR_AHEAD = 35 * DAY, 14 * DAY
LONGEST_GAP = 30 * DAY
_PAGES = f"odata.maxpagesize={PAGE}"


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


def sync_mail(graph: Graph, mailbox: Mailbox, now: int, run: Run = UNBOUNDED) -> None:
    """Read what is new in all followed folders.

    Raises GraphCallError; OutOfTimeError when there is more to read than fits into one run; StoppedError.
    """
    for folder in folders(mailbox.id):
        with unless_gone(folder):
            _sync_folder(graph, mailbox, folder, now, run)


@contextmanager
def unless_gone(folder: Folder) -> Iterator[None]:
    """People delete folders: that ends the reading of this one, and of no other."""
    try:
        yield
    except GraphCallError as error:
        if not error.is_gone:
            raise
        followed.drop(folder)


def _sync_folder(graph: Graph, mailbox: Mailbox, folder: Folder, now: int, run: Run) -> None:
    if folder.until and not folder.link:
        _read_gap(graph, mailbox, folder, now, run)
        return
    try:
        _follow(graph, mailbox, folder, now, run)
        return
    except GraphCallError as error:
        if not error.is_resync:
            raise
    telemetry.count("rapport.graph.resyncs")
    folder = replace(folder, link="", since=0)
    # Before the gap is read: whoever has to go on sees that it is not.
    put_folder(folder)
    _read_gap(graph, mailbox, folder, now, run)


def _read_gap(graph: Graph, mailbox: Mailbox, folder: Folder, now: int, run: Run) -> None:
    """Read a folder without a link: what came since `folder.until`, then a new anchor.

    Not from the address that Graph offers with a lost link: it would list everything. A gap that breaks off is gone on with.
    """
    first = folder.gap or max(folder.until or now, now - LONGEST_GAP) - DAY
    for start in range(first, now, WEEK):
        end = min(start + WEEK, now)
        try:
            list_mail(graph, mailbox, folder.name, start, end, run=run)
            run.check_time(end)
        except OutOfTimeError as error:
            put_folder(replace(folder, gap=error.reached))
            raise
        folder = replace(folder, gap=end)
        put_folder(folder)
    _follow(graph, mailbox, folder, now, run)


def _follow(graph: Graph, mailbox: Mailbox, folder: Folder, now: int, run: Run) -> None:
    since = folder.since or now
    revision, page = revision_now(), _first_page(graph, mailbox, folder, now)
    while True:
        found = mail_copies(graph, page, mailbox)
        run.may_write()
        copies.put(mailbox.id, found, revision)
        link = page.get("@odata.nextLink")
        if not link:
            put_folder(replace(folder, link=page.get("@odata.deltaLink", ""), since=0, until=since, gap=0))
            return
        folder = replace(folder, link=link, since=since)
        put_folder(folder)
        run.check_time()
        revision, page = revision_now(), graph.get(link, None, (_PAGES,))


def _first_page(graph: Graph, mailbox: Mailbox, folder: Folder, now: int) -> dict[str, Any]:
    if folder.link:
        return graph.get(folder.link, None, (_PAGES,))
    path = f"/users/{mailbox.id}/mailFolders/{folder.name}/messages/delta"
    query = {"$select": mail.SELECT, "$filter": f"receivedDateTime ge {text_of(now - DAY)}"}
    return graph.get(path, query, (_PAGES,))


def list_mail(
    graph: Graph, mailbox: Mailbox, folder: str, start: int, end: int, *, bulk: bool = False, run: Run = UNBOUNDED
) -> int:
    """Read a folder's mails received in the half-open window, oldest first; how many were listed.

    Raises GraphCallError, StoppedError, and OutOfTimeError, which says up to when all is read. `bulk`: there are many such
    windows, so what they change may be computed later.
    """
    query = {
        "$filter": f"receivedDateTime ge {text_of(start)} and receivedDateTime lt {text_of(end)}",
        "$orderby": "receivedDateTime",
        "$top": str(PAGE),
        "$select": mail.SELECT,
    }
    revision, listed, reached = revision_now(), 0, start
    for page in graph.pages(f"/users/{mailbox.id}/mailFolders/{folder}/messages", query):
        messages = page.get("value", ())
        listed += len(messages)
        found = mail_copies(graph, page, mailbox)
        run.may_write()
        copies.put(mailbox.id, found, revision, known={}, bulk=bulk)
        if "@odata.nextLink" in page:
            # Whole seconds: the last one of the page may go on upon the next.
            reached = instant_of(messages[-1]["receivedDateTime"]) if messages else reached
            run.check_time(reached)
        revision = revision_now()
    return listed


def sync_calendar(graph: Graph, mailbox: Mailbox, now: int, run: Run = UNBOUNDED) -> None:
    """Make the meetings of five weeks back and two ahead be those of the calendar. Raises GraphCallError, StoppedError."""
    today = now // DAY * DAY
    list_calendar(graph, mailbox, today - CALENDAR_BACK, today + CALENDAR_AHEAD, now, run=run)


def list_calendar(
    graph: Graph, mailbox: Mailbox, start: int, end: int, now: int, *, bulk: bool = False, run: Run = UNBOUNDED
) -> None:
    """Make the meetings that start in the window be those of the calendar, once the whole list is read.

    A list that breaks off changes nothing, so nothing is ever taken for deleted that was only not read. Raises StoppedError, and
    GraphCallError, also where the list takes longer than a run may last.
    """
    query = {
        "startDateTime": text_of(start), "endDateTime": text_of(end), "$select": calendar.SELECT, "$top": str(PAGE)
    }  # fmt: skip
    revision, events = revision_now(), []
    for page in graph.pages(f"/users/{mailbox.id}/calendarView", query, (calendar.UTC_TIMES,)):
        events += page.get("value", ())
        if "@odata.nextLink" in page:
            _check_list(run)
    found = [calendar.event_copy(event, mailbox.id, mailbox.address) for event in events]
    run.may_write()
    copies.replace_window(mailbox.id, start, end, [copy for copy in found if copy is not None], revision, bulk=bulk)
    private = (instant_of(event["start"]["dateTime"]) for event in events if calendar.is_private(event))
    private_events.note(mailbox.id, (at for at in private if start <= at < end), (start, end), now)


def _check_list(run: Run) -> None:
    """A part of this list is of no use, so a service that is too slow for it counts as one that does not answer."""
    run.may_write()
    try:
        run.check_time()
    except OutOfTimeError:
        raise GraphCallError(0, "tooSlow") from None
