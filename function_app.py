"""The function app: its blueprints, nothing else."""

from __future__ import annotations

import azure.functions as func

from functions import (
    consent,
    crm_changes,
    graph_timers,
    graph_webhook,
    graph_workers,
    health,
    introductions,
    lists,
    privacy,
    quality,
    record_updates,
    retention,
    settings,
    similar_deals,
    sweeps,
    web,
    who_knows_whom,
    widgets,
)
from shared import telemetry

telemetry.install()  # the worker's handlers are there by now
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
MAILBOXES = (graph_webhook, graph_workers, graph_timers, consent)
for subject in (
    crm_changes,
    record_updates,
    similar_deals,
    sweeps,
    retention,
    widgets,
    who_knows_whom,
    privacy,
    introductions,
    lists,
    settings,
    quality,
    web,
    *MAILBOXES,
    health,
):
    app.register_functions(subject.blueprint)
