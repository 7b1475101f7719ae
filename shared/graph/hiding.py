"""Mailboxes that leave the scope: what they alone told is hidden by a mark, before the erasure takes it out piece by piece."""

from __future__ import annotations

from collections.abc import Iterable

from shared import record_updates
from shared.graph import consent, consent_state, mailboxes, runs
from shared.graph.mailboxes import Mailbox


def hide(leaving: Iterable[Mailbox], now: int) -> None:
    """Stop reading these mailboxes and hide them: figures that are older than the mark do not hold. Repeating it is harmless."""
    new = [one for one in leaving if not one.hidden]
    if not new:
        return
    for one in new:
        mailboxes.change(one.id, state="held", hidden=True)
    # Only now: whoever sees the new instant reads the marks anew.
    consent_state.change(lambda state: consent.mailboxes_hidden(state, now), now, "timer")
    record_updates.announce_people({key for one in new for key in runs.people_of(one)})
