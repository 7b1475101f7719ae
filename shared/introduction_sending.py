"""The way of an introduction's mail: claimed, sent once, its fate written down, and tried again when Exchange says."""

from __future__ import annotations

import math
from collections.abc import Callable

from shared import introduction_rows, organisation
from shared.directory import directory
from shared.errors import NotFoundError
from shared.graph import leases, work
from shared.graph.work import Lifecycle
from shared.introduction_mail import Mail
from shared.introduction_requests import Request, after_sending
from shared.stamps import read as stamps

MOST_TRIES = 5
Claim = Callable[[list[Request], Request | None, int], Request]


def send(request: Request, mail: Mail, link_base: str, claim: Claim, now: int, tries: int = 0) -> Request:
    """Send a draft's mail, one mail of an asker at a time; the request as it is then.

    Raises RetryLaterError while another one is on its way, and what `claim` raises where the mail may not be sent.
    """
    from shared.graph.sending import send as send_by_graph

    sender = directory(stamps().people).users[request.asker].emails[0]
    with leases.lease(f"sender|{request.asker}", "sending", now):
        introduction_rows.change(request.introducer, request.id, lambda held, old: claim(held, old, now))
        outcome = send_by_graph(sender, mail, request.id)
        again = now + math.ceil(outcome.wait) if outcome.wait and tries < MOST_TRIES else 0
        days = organisation.in_force().introductions.expiry_days

        def decide(held: list[Request], old: Request | None) -> Request:
            if old is None:
                raise NotFoundError("There is no such request.")
            return after_sending(old, outcome.state, outcome.note, now, days, again)

        changed = introduction_rows.change(request.introducer, request.id, decide)
    if again:
        task = Lifecycle(
            do="introduce", mailbox=request.introducer, subscription=request.id, address=link_base, tries=tries + 1
        )
        work.send([task], due=again)
    return changed
