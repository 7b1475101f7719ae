"""What the clock starts: the consent check, and catching up with mailboxes that nobody has told us of."""

from __future__ import annotations

import logging

from shared import telemetry
from shared.graph import consent, consent_state, lifecycle, mailboxes, signals, work
from shared.graph.lifecycle import catch_up
from shared.graph.work import CATCH_UP_SECONDS, Lifecycle
from shared.settings import settings

_log = logging.getLogger(__name__)


def consent_check(now: int) -> None:
    """The hourly probe. It also decides at the deadline; mailboxes are brought in line whatever it finds.

    Who has not consented yet is reminded: by the record of transitions, which the status shows, and in the log.
    """
    lifecycle.check(now, "timer")
    if reminder := consent_state.change(lambda state: consent.remind(state, now), now, "timer"):
        _log.warning("consent is pending: day %d", reminder.consent.reminded)
    work.send([Lifecycle(do="reconcile")])
    signals.connection(now)


def poll(now: int) -> int:
    """Mark mailboxes as dirty: all in poll mode, in push mode those not read for six hours; how many."""
    if not consent_state.read().is_reading:
        return 0
    connected = [one for one in mailboxes.read_all() if one.state == "connected"]
    patience = 0 if settings().graph_mode == "poll" else CATCH_UP_SECONDS
    due = [one.id for one in connected if min(one.mail_until, one.calendar_until) + patience <= now]
    catch_up(due)
    signals.freshness(connected, patience, now)
    telemetry.count("rapport.graph.polled", len(due))
    return len(due)
