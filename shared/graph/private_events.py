"""How many private events there were, by UTC day, over all mailboxes: the only thing that is kept of them.

Calendars are listed again and again, so each mailbox's row says which of its days are in the totals already. Row and totals
change in one transaction: whatever breaks off and is repeated, no event counts twice. No number of one mailbox is stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from shared import tables
from shared.errors import UnavailableError
from shared.graph.mailboxes import PARTITION, TABLE, TOTALS, Mailbox, of_row, row_of

DAY = 86_400
FLOOR = 5  # a smaller number could be one person's day
_TRIES = 16


def note(id: str, starts: Iterable[int], window: tuple[int, int], now: int) -> None:
    """Add the private events of a mailbox that start in a window which was read to its end; only days that are over.

    Raises UnavailableError when others change the same totals all the time.
    """
    found = Counter(start // DAY for start in starts)
    for _ in range(_TRIES):
        row = tables.read(TABLE, PARTITION, id)
        if row is None:
            return
        mailbox = of_row(row)
        first, last = window[0] // DAY, min(window[1], now) // DAY
        days, known = fresh_days(mailbox, first, last)
        if not days:
            return
        changed: list[tables.Operation] = [("write", row_of(known), row["etag"])]
        changed += [_added(day, found[day]) for day in days if found[day]]
        if tables.transact(TABLE, changed):
            return
    raise UnavailableError("The totals of private events are being changed by too many workers.")


def fresh_days(mailbox: Mailbox, first: int, last: int) -> tuple[list[int], Mailbox]:
    """The days from `first` up to `last` that a mailbox has not told of, and the mailbox once it has.

    Days between two windows that do not touch are never told.

    >>> told = Mailbox(id="m", address="", private_from=10, private_until=20)
    >>> fresh_days(told, 8, 22)[0], fresh_days(told, 12, 20)[0]
    ([8, 9, 20, 21], [])
    """
    from msgspec.structs import replace

    if first >= last:
        return [], mailbox
    if not mailbox.private_until:
        return list(range(first, last)), replace(mailbox, private_from=first, private_until=last)
    before, after = range(first, min(mailbox.private_from, last)), range(max(first, mailbox.private_until), last)
    known = replace(
        mailbox, private_from=min(first, mailbox.private_from), private_until=max(last, mailbox.private_until)
    )
    return [*before, *after], known


def _added(day: int, number: int) -> tables.Operation:
    name = f"{TOTALS}{_date(day)}"
    row = tables.read(TABLE, PARTITION, name)
    total = (row["total"] if row else 0) + number
    return "write", {"PartitionKey": PARTITION, "RowKey": name, "v": 1, "total": total}, row["etag"] if row else None


def _date(day: int) -> str:
    return datetime.fromtimestamp(day * DAY, UTC).date().isoformat()


def totals(since: int) -> dict[str, int]:
    """How many private events there were on each day from the one of an instant on; days with fewer than five are left out."""
    first = f"{TOTALS}{_date(since // DAY)}"
    found: Iterable[dict[str, Any]] = tables.query(TABLE, PARTITION, first, f"{TOTALS}~")
    return {row["RowKey"].removeprefix(TOTALS): int(row["total"]) for row in found if int(row["total"]) >= FLOOR}
