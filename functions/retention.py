"""The timer that erases what is older than its term."""

from __future__ import annotations

import time

import azure.functions as func

from shared import telemetry

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]
SECONDS = 240.0


@blueprint.timer_trigger(arg_name="timer", schedule="0 10,30,50 3-5 * * *", run_on_startup=False)
def retention_pass(timer: func.TimerRequest) -> None:
    """Go on with the night's pass; after it is done, the later calls of the night find nothing to do."""
    from shared import retention_sweep

    with telemetry.timer_run("retention_pass"):
        retention_sweep.sweep(int(time.time()), SECONDS)
