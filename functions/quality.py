"""How good the score is on the organisation's own past: read, made anew on demand, made every week."""

from __future__ import annotations

import azure.functions as func

from shared import telemetry
from shared.auth import ADMIN, READER
from shared.errors import NotFoundError, UnavailableError
from shared.http import endpoint, json_response

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]


@blueprint.route(route="quality", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="How well the score foretold, on the organisation's own mail and closed deals",
    roles=(READER, ADMIN),
    response="shared.quality_shapes.QualityReport",
    errors=(NotFoundError, UnavailableError),
)
def get_quality(req: func.HttpRequest) -> func.HttpResponse:
    """One point read of the last report."""
    from shared import quality_report

    return json_response(req, quality_report.latest())


@blueprint.route(route="quality", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    summary="Have the quality report made anew",
    roles=(ADMIN,),
    response="shared.quality_shapes.QualityRequested",
    errors=(UnavailableError,),
    status=202,
)
def post_quality(req: func.HttpRequest) -> func.HttpResponse:
    """It takes minutes, so it is done from the queue."""
    from shared import record_updates
    from shared.quality_shapes import QualityRequested

    record_updates.announce_quality()
    return json_response(req, QualityRequested(queued=True), status=202)


@blueprint.timer_trigger(arg_name="timer", schedule="0 45 3 * * 0", run_on_startup=False)
def weekly_quality(timer: func.TimerRequest) -> None:
    """Have the report made anew every week."""
    from shared import record_updates

    with telemetry.timer_run("weekly_quality"):
        record_updates.announce_quality()
