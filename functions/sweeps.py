"""Timers that keep true what no event touches."""

from __future__ import annotations

import time

import azure.functions as func

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]


@blueprint.timer_trigger(arg_name="timer", schedule="0 30 2 * * *", run_on_startup=False)
def nightly_sweep(timer: func.TimerRequest) -> None:
    """Have every snapshot computed that no longer holds, so that list views and trends are those of today."""
    from shared import sweeps

    sweeps.sweep(int(time.time()))
