"""Timers that keep true what no event touches."""

from __future__ import annotations

import time

import azure.functions as func

from shared import telemetry

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]
FOLDING_SECONDS = 240.0
MIGRATION_SECONDS = 240.0


@blueprint.timer_trigger(arg_name="timer", schedule="0 30 2 * * *", run_on_startup=False)
def nightly_sweep(timer: func.TimerRequest) -> None:
    """Have every snapshot computed that no longer holds, so that list views and trends are those of today; fold tails."""
    from shared import sweeps

    with telemetry.timer_run("nightly_sweep"):
        sweeps.sweep(int(time.time()))
        sweeps.fold_tails(FOLDING_SECONDS)


@blueprint.timer_trigger(arg_name="timer", schedule="0 5,15,25,35,45,55 * * * *", run_on_startup=False)
def migrate_rows(timer: func.TimerRequest) -> None:
    """Bring rows of old formats into the present one, a few minutes at a time; nothing is left to do most of the time."""
    from shared import migration

    with telemetry.timer_run("migrate_rows"):
        migration.migrate(MIGRATION_SECONDS)
