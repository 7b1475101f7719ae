"""Timers of mailbox reading: the consent check with its deadline, renewals, catch-up, daily comparison."""

from __future__ import annotations

import time

import azure.functions as func

from shared import telemetry

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]


@blueprint.timer_trigger(arg_name="timer", schedule="0 7 * * * *", run_on_startup=False)
def consent_check(timer: func.TimerRequest) -> None:
    """Probe the connection; a pending one past its 14 days ends here. Then repeat whatever a transition entails."""
    from shared.graph import timers

    with telemetry.timer_run("consent_check"):
        timers.consent_check(int(time.time()))


@blueprint.timer_trigger(arg_name="timer", schedule="0 */15 * * * *", run_on_startup=False)
def poll_mailboxes(timer: func.TimerRequest) -> None:
    """Read every mailbox where nobody tells of changes; in push mode those that nobody has told of for six hours."""
    from shared.graph import timers

    with telemetry.timer_run("poll_mailboxes"):
        timers.poll(int(time.time()))


@blueprint.timer_trigger(arg_name="timer", schedule="0 20 */6 * * *", run_on_startup=False)
def renew_subscriptions(timer: func.TimerRequest) -> None:
    """Renew subscriptions with less than three days left."""
    from shared.graph import lifecycle

    with telemetry.timer_run("renew_subscriptions"):
        lifecycle.renew_due(int(time.time()))


@blueprint.timer_trigger(arg_name="timer", schedule="0 40 1 * * *", run_on_startup=False)
def reconcile_subscriptions(timer: func.TimerRequest) -> None:
    """Compare our subscriptions with Graph's list, once a day."""
    from shared.graph import lifecycle

    with telemetry.timer_run("reconcile_subscriptions"):
        lifecycle.daily(int(time.time()))
