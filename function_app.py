"""The function app: its blueprints, nothing else."""

from __future__ import annotations

import azure.functions as func

from functions import crm_changes, health, record_updates, similar_deals, sweeps, widgets

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
for subject in (crm_changes, record_updates, similar_deals, sweeps, widgets, health):
    app.register_functions(subject.blueprint)
