"""How well the mailboxes are read: in numbers for all of them, and how far the past of each one is."""

from __future__ import annotations

from shared.graph import work
from shared.graph.mailboxes import Mailbox
from shared.settings import settings
from shared.widgets import Shape

LAG_SECONDS = 1_800
POLL_SECONDS = 900


class Coverage(Shape, frozen=True):
    """Mailboxes in numbers. `lagging`: watermark older than half an hour (poll: two intervals); `failed`: refused or parked.

    `progress`: share of the past that is read, 0 to 1; null without mailboxes.
    """

    connected: int
    lagging: int
    failed: int
    backfilled: int
    held: int
    progress: float | None


def patience() -> int:
    """Seconds after which a mailbox that nobody has read lags: where Graph tells of changes, silence is no lag."""
    if settings().graph_mode == "push":
        return work.CATCH_UP_SECONDS + LAG_SECONDS
    return 2 * POLL_SECONDS


def lags(mailbox: Mailbox, now: int) -> bool:
    """Whether a mailbox has not been read for longer than it should be; one that has just joined has time until then."""
    return max(min(mailbox.mail_until, mailbox.calendar_until), mailbox.connected_at) < now - patience()


def coverage(known: list[Mailbox], now: int) -> Coverage:
    """Count mailboxes; those that left count only as held while their data is kept."""
    connected = [one for one in known if one.state == "connected"]
    return Coverage(
        connected=len(connected),
        lagging=sum(lags(one, now) for one in connected),
        failed=sum(bool(one.error) for one in connected),
        backfilled=sum(one.is_backfilled for one in connected),
        held=sum(one.state == "held" for one in known),
        progress=round(sum(map(progress, connected)) / len(connected), 4) if connected else None,
    )


def progress(mailbox: Mailbox) -> float:
    """Share of a mailbox's past that is read, 0 to 1; 1 also for one that cannot be read now for a listed reason."""
    if mailbox.is_backfilled:
        return 1.0
    whole = 2 * (mailbox.connected_at - mailbox.target) or 1
    mail_from, calendar_from = (each or mailbox.connected_at for each in (mailbox.mail_from, mailbox.calendar_from))
    return min(1.0, max(0.0, 1 - (mail_from + calendar_from - 2 * mailbox.target) / whole))
