"""Log lines of constant text about the connection to Microsoft 365, which alerts read (infra/alerts.json, docs/alerts.md).

They are told again at every turn of a timer for as long as they hold, so that a line that gets lost on the way costs time only.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from shared.graph import consent_state, subscriptions
from shared.graph.consent import DAY, State
from shared.graph.mailboxes import Mailbox
from shared.settings import settings

DEADLINE_SECONDS = 2 * DAY
BEHIND_SECONDS = 1_800
_log = logging.getLogger(__name__)


def connection(now: int) -> None:
    """Say what threatens the connection: a consent that is doubtful, withdrawn or about to end, subscriptions likewise."""
    state = consent_state.read()
    if state.state is State.WITHDRAWN:
        _log.warning("consent withdrawn")
    elif state.suspect_since:
        _log.warning("consent suspect")
    if state.state is State.PENDING_CONSENT and state.deadline - now < DEADLINE_SECONDS:
        _log.warning("consent ends soon: %d hours left", max(0, state.deadline - now) // 3_600)
    if state.is_reading and settings().graph_mode == "push":
        _subscriptions(now)


def _subscriptions(now: int) -> None:
    ending = sum(1 for one in subscriptions.read_all() if one.expires - now < DAY)
    if ending:
        _log.warning("subscriptions end soon: %d", ending)


def freshness(connected: Sequence[Mailbox], patience: int, now: int) -> None:
    """Say how many mailboxes have not been read for half an hour longer than `patience` seconds; parked ones are known."""
    counted = [one for one in connected if one.parked_until <= now]
    late = now - patience - BEHIND_SECONDS
    behind = [one for one in counted if max(min(one.mail_until, one.calendar_until), one.connected_at) < late]
    if counted:
        _log.info("mailboxes behind: %d of %d mailboxes", len(behind), len(counted))
