"""What becomes of a mailbox's work when Graph refuses: later, parked, reported to the consent check, or given up.

Nothing ever sleeps in a function. A copy of the message is scheduled for the time that Graph named, the mailbox's row says
that nobody may call before, and the message at hand is done.
"""

from __future__ import annotations

import math
import random
import time

from msgspec.structs import replace

from shared import telemetry
from shared.graph import mailboxes, work
from shared.graph.calls import WAIT_WITHOUT_ADVICE, GraphCallError
from shared.graph.mailboxes import Mailbox
from shared.graph.work import Backfill, Dirty, Lifecycle

MOST_TRIES = 5
PARKED_SECONDS = 86_400
_LONGEST = 300.0


def wait_of(error: GraphCallError, tries: int, draw: float) -> float:
    """Seconds to wait: what Graph says, else 30 doubling to 300, up to a tenth more by `draw` in [0, 1).

    >>> wait_of(GraphCallError(429, retry_after=200.0), 0, 0.5), wait_of(GraphCallError(503), 2, 0.0)
    (200.0, 120.0)
    """
    if error.retry_after:
        return error.wait
    return min(WAIT_WITHOUT_ADVICE * 2.0 ** min(tries, 8), _LONGEST) * (1 + draw / 10)


def refused(error: GraphCallError, task: Dirty | Backfill | Lifecycle, mailbox: Mailbox, now: int) -> None:
    """Decide what follows a refusal. Raises the error when the message shall end in the dead letters."""
    telemetry.count("rapport.graph.refusals", status=error.status)
    if error.is_passing:
        _later(error, task, mailbox, now)
    elif error.is_denied:
        # The tenant withdrew its consent, or this mailbox left the scope: the check finds out which.
        work.send([Lifecycle(do="probe", mailbox=mailbox.id)])
    elif error.is_no_mailbox:
        mailboxes.change(mailbox.id, parked_until=now + PARKED_SECONDS, error=error.code)
    elif not error.is_gone:
        raise error


def _later(error: GraphCallError, task: Dirty | Backfill | Lifecycle, mailbox: Mailbox, now: int) -> None:
    if not error.is_busy and task.tries >= MOST_TRIES:
        raise error
    # From now on, not from when the run began: what Graph asks for counts from its answer. A whole second, because whoever
    # comes back compares with one: a fraction too early, the message would come back at once, again and again.
    due = math.ceil(max(now, time.time()) + wait_of(error, task.tries, random.random()))  # noqa: S311  jitter, no secret
    if error.is_busy:
        mailboxes.change(mailbox.id, not_before=due, error=error.code or str(error.status))
    work.again(replace(task, tries=task.tries + 1), due)
