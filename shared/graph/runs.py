"""What the workers do with a message: one mailbox, one kind of work, under its lease."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from msgspec.structs import replace

from shared import record_updates, stamps
from shared.directory import directory, user_keys
from shared.graph import consent, consent_state, folders, leases, mailboxes, own_addresses, reading, throttle, work
from shared.graph.calls import GraphCallError
from shared.graph.client import Graph, graph
from shared.graph.leases import UNBOUNDED, OutOfTimeError, Run, StoppedError
from shared.graph.mailboxes import Mailbox
from shared.graph.reading import DAY, WEEK
from shared.graph.work import CALENDAR, Backfill, Dirty, Kind
from shared.keys import keys
from shared.settings import settings

SETTLE_SECONDS = 60
BACKFILL_SECONDS = 20.0  # well below the time in which reading must stop when somebody says so
MONTH = 30 * DAY
PAST = 365 * DAY
MOST_WEEKS = 13  # of mail in one piece of the past, however little there is


def sync(body: bytes) -> None:
    """A mailbox is dirty: read what is new in its mail or its calendar."""
    task, now = work.read(body, Dirty), int(time.time())
    mailbox = _callable(task, now)
    if mailbox is None:
        return
    with leases.lease(mailbox.id, "sync", now) as run:
        if _run(task, mailbox, now, lambda: sync_kind(graph(), mailbox, task.kind, now, run)) and not task.settled:
            # What was announced may not be in the delta yet.
            work.send([replace(task, settled=True)], due=now + SETTLE_SECONDS)


def sync_kind(client: Graph, mailbox: Mailbox, kind: Kind, now: int, run: Run = UNBOUNDED) -> None:
    """Read what is new and note the watermark: the start of this run. Raises GraphCallError, OutOfTimeError, StoppedError."""
    if kind == CALENDAR:
        reading.sync_calendar(client, mailbox, now, run)
        mailboxes.change(mailbox.id, calendar_until=now, error="", parked_until=0)
    else:
        reading.sync_mail(client, mailbox, now, run)
        mailboxes.change(mailbox.id, mail_until=now, error="", parked_until=0)


def backfill(body: bytes) -> None:
    """Read a mailbox's past, newest first, piece by piece for a while; what is left then is a message of its own."""
    task, now = work.read(body, Backfill), int(time.time())
    mailbox = _callable(task, now)
    if mailbox is None:
        return
    with leases.lease(mailbox.id, "backfill", now) as run:
        done = _run(task, mailbox, now, lambda: _read_pieces(graph(), mailbox, now, run))
    after = mailboxes.read(mailbox.id)
    if after is None or after.is_backfilled:
        if done and after is not None:
            # What says from when on records are complete has changed, and nothing else may change for long.
            record_updates.announce_people(people_of(after))
        finish_backfill(now)
    elif done:
        work.send([Backfill(mailbox.id)])


def people_of(mailbox: Mailbox) -> list[int]:
    """The keys under which the owner of a mailbox takes part in interactions."""
    our_people = directory(stamps.read().people)
    owner = our_people.users.get(our_people.address_owner.get(mailbox.address, ""))
    return user_keys(owner) if owner else [keys().address(mailbox.address)]


def finish_backfill(now: int) -> None:
    """Go live when no mailbox has any past left to read."""
    connected = [mailbox for mailbox in mailboxes.read_all() if mailbox.state == "connected"]
    if connected and all(mailbox.is_backfilled for mailbox in connected):
        consent_state.change(consent.backfilled, now, "worker")


def _read_pieces(client: Graph, mailbox: Mailbox, now: int, run: Run) -> None:
    until, held, weeks = time.monotonic() + BACKFILL_SECONDS, mailbox, 1
    # The other worker of this mailbox may have been told to wait.
    while not held.is_backfilled and held.not_before <= time.time() and time.monotonic() < until:
        read = read_piece(client, held, now, weeks, run)
        weeks = weeks if read is None else next_weeks(weeks, read)
        held = mailboxes.read(mailbox.id) or held


def next_weeks(weeks: int, read: int) -> int:
    """How many weeks of mail the next piece has, after one of `weeks` that had `read` mails: about a page a folder.

    >>> next_weeks(1, 30), next_weeks(8, 30), next_weeks(8, 300), next_weeks(8, 900)
    (2, 13, 8, 4)
    """
    if read < reading.PAGE:
        return min(2 * weeks, MOST_WEEKS)
    return max(weeks // 2, 1) if read > 4 * reading.PAGE else weeks


def read_piece(client: Graph, mailbox: Mailbox, now: int, weeks: int = 1, run: Run = UNBOUNDED) -> int | None:
    """Read the newest piece that is missing, some weeks of mail or a month of calendar, so that both go back side by side.

    How many mails it was; None for calendar. Broken off, it is read again as a whole, but for what a lack of time left.
    """
    if mailbox.calendar_from > max(mailbox.mail_from, mailbox.target):
        start = max(mailbox.calendar_from - MONTH, mailbox.target)
        reading.list_calendar(client, mailbox, start, mailbox.calendar_from, now, bulk=True, run=run)
        mailboxes.change(mailbox.id, calendar_from=start, backfilled_at=now)
        return None
    start = max(mailbox.mail_from - weeks * WEEK, mailbox.target)
    read = _read_mail(client, mailbox, start, run)
    mailboxes.change(mailbox.id, mail_from=start, backfilled_at=now, broke_off=False)
    if mailbox.broke_off:
        mailboxes.put_listed(mailbox.id, {})
    return read


def _read_mail(client: Graph, mailbox: Mailbox, start: int, run: Run) -> int:
    """Read a piece of mail, folder by folder; how many. When time runs out, what is listed is noted for whoever goes on."""
    end, read = mailbox.mail_from, 0
    listed = mailboxes.listed(mailbox.id) if mailbox.broke_off else {}
    for folder in mailboxes.folders(mailbox.id):
        first, last = listed.get(folder.name, (start, start))
        begin = max(start, last) if first <= start else start
        if begin == end:
            continue
        try:
            with reading.unless_gone(folder):
                read += reading.list_mail(client, mailbox, folder.name, begin, end, bulk=True, run=run)
            run.check_time(end)
        except OutOfTimeError as error:
            mailboxes.put_listed(mailbox.id, {**listed, folder.name: (start, error.reached)})
            mailboxes.change(mailbox.id, broke_off=True)
            raise
        listed[folder.name] = start, end
    return read


def connect(client: Graph, id: str, address: str, now: int, run: Run = UNBOUNDED) -> None:
    """Begin to read a mailbox, or go on: subscriptions, anchors, then its past.

    Raises GraphCallError, OutOfTimeError, StoppedError.

    The anchor comes before the past, so that nothing falls between the two. Whoever goes on keeps links and watermarks.
    """
    known = mailboxes.read(id)
    fresh = Mailbox(id=id, address=address, connected_at=now, target=now - PAST)
    if known is not None and (known.state == "gone" or known.hidden):  # erased, or partly so
        known = replace(fresh, private_from=known.private_from, private_until=known.private_until)
    mailbox = fresh if known is None else replace(known, state="connected", address=address)
    mailboxes.put(mailbox)
    own_addresses.begins(address)
    if settings().graph_mode == "push":
        from shared.graph import subscriptions

        subscriptions.ensure(client, id, now)
    folders.discover(client, id)
    for kind in work.KINDS:
        sync_kind(client, mailbox, kind, now, run)
    if not mailbox.mail_from:
        start = now // DAY * DAY - reading.CALENDAR_BACK
        mailboxes.change(id, mail_from=now, calendar_from=start, backfilled_at=now)
        work.send([Backfill(id)])


def _callable(task: Dirty | Backfill, now: int) -> Mailbox | None:
    """The mailbox, if it may be called now; a message that comes too early is scheduled for when it may."""
    if not consent_state.read().is_reading:
        return None
    mailbox = mailboxes.read(task.mailbox)
    if mailbox is None or mailbox.state != "connected" or mailbox.parked_until > now:
        return None
    if mailbox.not_before > now:
        work.again(task, mailbox.not_before)
        return None
    return mailbox


def _run(task: Dirty | Backfill, mailbox: Mailbox, now: int, read: Callable[[], None]) -> Literal[True] | None:
    """True when the run came to its end."""
    try:
        read()
    except OutOfTimeError:
        work.send([task])
    except StoppedError:
        return None  # whoever stopped it sees to the rest
    except GraphCallError as error:
        throttle.refused(error, task, mailbox, now)
    else:
        return True
    return None
