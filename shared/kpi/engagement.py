"""Email engagement: what became of the followed mails, machines left out (kpis 10.1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.kpi.interactions import Bools, Indices
from shared.kpi.machine_events import EventKind, Events
from shared.kpi.rounding import rounded


@dataclass(frozen=True)
class FollowedMails:
    """The f followed mails of the window. Unfollowed mails are in no figure."""

    delivered: Bools  # (f,) sent and not bounced
    opened: Bools  # by a human
    opened_by_machine: Bools
    links: Indices  # number of tracked links
    clicked: Bools  # by a human
    clicked_by_machine: Bools
    attachments: Indices  # number of followed attachments
    attachments_viewed: Indices
    replied: Bools  # its asked turn was answered (kpis 7.3)


@dataclass(frozen=True)
class Engagement:
    """Counts and shares (0 to 1, four decimals; higher is better). A share is None when its denominator is 0.

    `opened_by_machine_only` and `clicked_by_machine_only` are in no share.
    """

    sent: int
    delivered: int
    opened: int
    opened_by_machine_only: int
    with_links: int
    clicked: int
    clicked_by_machine_only: int
    attachments: int
    attachments_viewed: int
    replied: int
    open_rate: float | None
    click_rate: float | None
    attachment_rate: float | None
    reply_rate: float | None


def with_events(
    delivered: Bools,
    links: Indices,
    attachments: tuple[Indices, Indices],
    replied: Bools,
    events: Events,
    machine: Bools,
) -> FollowedMails:
    """Followed mails with their opens and clicks taken from events, split by who made them.

    `attachments` are the followed and the viewed number per mail, `machine` comes from `machine_events.is_machine`.
    """

    def touched(kind: EventKind, by_machine: bool) -> Bools:
        marks = np.zeros(len(delivered), dtype=bool)
        marks[events.mail[(events.kind == kind) & (machine == by_machine)]] = True
        return marks

    opened, opened_by_machine = (touched(EventKind.OPEN, by_machine) for by_machine in (False, True))
    clicked, clicked_by_machine = (touched(EventKind.CLICK, by_machine) for by_machine in (False, True))
    return FollowedMails(
        delivered, opened, opened_by_machine, links, clicked, clicked_by_machine, *attachments, replied
    )


def engagement(mails: FollowedMails) -> Engagement:
    """The figures of followed mails. None followed gives zeros and no shares. A click is not an open."""
    arrived = mails.delivered
    linked = arrived & (mails.links > 0)
    delivered, with_links = _number(arrived), _number(linked)
    followed = mails.attachments[arrived]
    # Counters count views: one attachment viewed twice is viewed.
    attachments, viewed = int(followed.sum()), int(np.minimum(mails.attachments_viewed[arrived], followed).sum())
    opened, clicked = _number(arrived & mails.opened), _number(linked & mails.clicked)
    replied = _number(arrived & mails.replied)
    return Engagement(
        sent=len(arrived),
        delivered=delivered,
        opened=opened,
        opened_by_machine_only=_number(arrived & mails.opened_by_machine & ~mails.opened),
        with_links=with_links,
        clicked=clicked,
        clicked_by_machine_only=_number(linked & mails.clicked_by_machine & ~mails.clicked),
        attachments=attachments,
        attachments_viewed=viewed,
        replied=replied,
        open_rate=_share(opened, delivered),
        click_rate=_share(clicked, with_links),
        attachment_rate=_share(viewed, attachments),
        reply_rate=_share(replied, delivered),
    )


def _number(marks: Bools) -> int:
    return int(np.count_nonzero(marks))


def _share(part: int, whole: int) -> float | None:
    return rounded(part / whole, 4) if whole else None
