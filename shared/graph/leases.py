"""The lease rows of a mailbox, and what a worker may do under one: write while the mailbox is read, and not for too long."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from shared import tables
from shared.errors import RetryLaterError
from shared.graph import consent_state, mailboxes

Work = Literal["sync", "backfill", "subscriptions", "sending"]
LEASE_SECONDS = 300
HELD_SECONDS = 30.0
BUDGET_SECONDS = 200.0  # a run goes on in a new message after this


class OutOfTimeError(Exception):
    """The run has used its time; what is read is kept, and a new message goes on from there.

    `reached`: up to when mail was listed, where a list broke off.
    """

    def __init__(self, reached: int = 0) -> None:
        super().__init__("The run has used its time.")
        self.reached = reached


class StoppedError(Exception):
    """The mailbox is not to be read any more, or is another worker's: nothing more may be written, and nothing follows."""


class Run:
    """What bounds a run. Without a mailbox nothing does: for whoever reads by hand.

    `may_write` is asked with an answer of Graph in the hand, before anything of it is kept: whoever erases a mailbox marks it
    first and then waits for its leases, so nothing is written behind the eraser's back.
    """

    def __init__(self, mailbox: str = "", work: Work = "sync", holder: str = "", until: float = 0.0) -> None:
        self._mailbox, self._work, self._holder, self._lease_until = mailbox, work, holder, until
        self._ends = time.monotonic() + BUDGET_SECONDS

    def may_write(self) -> None:
        """Raises StoppedError when the mailbox is no longer read, or the lease is lost. Renews the lease in time."""
        if not self._mailbox:
            return
        held = mailboxes.read(self._mailbox)
        if held is None or held.state != "connected" or not consent_state.recent().is_reading:
            raise StoppedError
        if time.time() > self._lease_until - LEASE_SECONDS / 2:
            self._renew()

    def check_time(self, reached: int = 0) -> None:
        """Raises OutOfTimeError when the time is used up. To be asked once what was read is written."""
        if self._mailbox and time.monotonic() > self._ends:
            raise OutOfTimeError(reached)

    def _renew(self) -> None:
        row = tables.read(mailboxes.SYNC, self._mailbox, _name(self._work))
        until = time.time() + LEASE_SECONDS
        if row is None or row["holder"] != self._holder:
            raise StoppedError
        if not tables.write_if(mailboxes.SYNC, _row(self._mailbox, self._work, self._holder, until), row["etag"]):
            raise StoppedError
        self._lease_until = until


UNBOUNDED = Run()


@contextmanager
def lease(mailbox: str, work: Work, now: float) -> Iterator[Run]:
    """Be the only one at this kind of work on a mailbox. Raises RetryLaterError when somebody else is.

    The lease ends by itself after five minutes, so a worker that died blocks nobody for long; a run that lives renews it.
    """
    holder, until = uuid.uuid4().hex, now + LEASE_SECONDS
    row = tables.read(mailboxes.SYNC, mailbox, _name(work))
    held = row is not None and row["until"] > now
    mine = _row(mailbox, work, holder, until)
    if held or not tables.write_if(mailboxes.SYNC, mine, row["etag"] if row else None):
        raise RetryLaterError("The mailbox is being worked on.", seconds=HELD_SECONDS, counts=False)
    try:
        yield Run(mailbox, work, holder, until)
    finally:
        row = tables.read(mailboxes.SYNC, mailbox, _name(work))
        if row is not None and row["holder"] == holder:
            tables.write_if(mailboxes.SYNC, {**mine, "until": 0.0}, row["etag"])


def is_held(mailbox: str, work: Work, now: float) -> bool:
    """Whether somebody is at this kind of work on a mailbox."""
    row = tables.read(mailboxes.SYNC, mailbox, _name(work))
    return row is not None and row["until"] > now


def _name(work: Work) -> str:
    return f"{mailboxes.LEASE}{work}"


def _row(mailbox: str, work: Work, holder: str, until: float) -> tables.Row:
    return {"PartitionKey": mailbox, "RowKey": _name(work), "v": 1, "until": until, "holder": holder}
