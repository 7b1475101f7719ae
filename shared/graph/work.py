"""What the queues of mailbox reading carry: one small message per mailbox and kind of work."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeVar

import msgspec

from shared import decoders, delays, queues
from shared.errors import PoisonMessageError
from shared.settings import settings

MOST_A_SECOND = 10  # mailboxes for whom work that nobody waits for is begun
CATCH_UP_SECONDS = 6 * 3_600  # a mailbox that nobody has told of for so long is read all the same
Kind = Literal["mail", "calendar"]
MAIL: Kind = "mail"
CALENDAR: Kind = "calendar"
KINDS: tuple[Kind, Kind] = (MAIL, CALENDAR)


class Dirty(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something may have changed in a mailbox. `settled`: nobody was told of it just now, so one run is enough.

    `tries` counts the runs that ended with a fault of the service.
    """

    mailbox: str
    kind: Kind
    settled: bool = False
    tries: int = 0


class Backfill(msgspec.Struct, frozen=True, omit_defaults=True):
    """Read the next piece of a mailbox's past: a week of mail or a month of calendar, whichever is newer."""

    mailbox: str
    tries: int = 0


class Lifecycle(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something to do about subscriptions or the connection; which of the ids are given follows from `do`.

    `introduce`: a mail to an introducer (`mailbox`) that Exchange did not take: `subscription` is the request's id, `address`
    that of the answer page.
    """

    do: Literal[
        "reconcile",
        "connect",
        "hold",
        "erase",
        "probe",
        "recompute",
        "renew",
        "folders",
        "compare",
        "introduce",
        "reauthorizationRequired",
        "subscriptionRemoved",
        "missed",
    ]
    mailbox: str = ""
    address: str = ""
    subscription: str = ""
    tries: int = 0


Task = Dirty | Backfill | Lifecycle
Work = TypeVar("Work", Dirty, Backfill, Lifecycle)


def _queue(work: Task) -> str:
    config = settings()
    if isinstance(work, Dirty):
        return config.graph_dirty_queue
    return config.graph_backfill_queue if isinstance(work, Backfill) else config.graph_lifecycle_queue


def read(body: bytes, kind: type[Work]) -> Work:
    """The content of a message. Raises PoisonMessageError for anything else."""
    try:
        return decoders.of_json(kind).decode(body)
    except msgspec.DecodeError as error:
        raise PoisonMessageError(f"The message is no {kind.__name__}: {error}.") from None


def send(works: Iterable[Task], due: float | None = None) -> None:
    """Queue work under fresh ids, so that it never folds with what has run already."""
    _send((work, due) for work in works)


def spread(works: Sequence[Task], now: float, longest: int) -> None:
    """Queue work on many mailboxes over a time: ten a second, for at most `longest` seconds; a few at once.

    A mailbox has its place by its id's hash, so whoever is asked for twice comes twice at about the same time.
    """
    period = min(len(works) // MOST_A_SECOND, longest)
    _send((work, now + second if (second := place(work.mailbox, period)) else None) for work in works)


def place(mailbox: str, period: int) -> int:
    """The second of a period that belongs to a mailbox; 0 where there is no period.

    >>> place("m1", 900), place("m2", 900), place("m1", 0)
    (548, 408, 0)
    """
    digest = hashlib.blake2b(mailbox.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % period if period else 0


def _send(works: Iterable[tuple[Task, float | None]]) -> None:
    by_queue: dict[str, list[queues.Message]] = {}
    for work, due in works:
        message = queues.Message(body=msgspec.json.encode(work), due=due, properties=_carried(work))
        by_queue.setdefault(_queue(work), []).append(message)
    for queue, messages in by_queue.items():
        queues.send(queue, messages)


def again(work: Task, due: float) -> None:
    """Queue work for a time that is known, for a mailbox that may not be called before: dirty flags fold."""
    body = msgspec.json.encode(work)
    name = f"{work.mailbox}|{work.kind}|{int(due)}" if isinstance(work, Dirty) else ""
    queues.send(_queue(work), [queues.Message(body=body, id=name, due=due, properties=_carried(work))])


def _carried(work: Task) -> dict[str | bytes, Any]:
    """What is dirty still is what we were told of; a look after it, or the past, is not."""
    return delays.carried() if isinstance(work, Dirty) and not work.settled else {}


def window(kind: str) -> int:
    """Seconds in which notifications of one mailbox become one run."""
    config = settings()
    return config.graph_calendar_window_seconds if kind == CALENDAR else config.graph_mail_window_seconds


def announce(marks: Iterable[tuple[str, Kind]]) -> None:
    """Mark mailboxes as dirty, once at the end of the present window; one send for all."""
    now, tenant = time.time(), settings().graph_tenant_id
    messages = [
        queues.in_window(
            f"{tenant}|{mailbox}|{kind}",
            msgspec.json.encode(Dirty(mailbox, kind)),
            now,
            window(kind),
            delays.begin(kind, now),
        )
        for mailbox, kind in marks
    ]
    queues.send(settings().graph_dirty_queue, messages)
