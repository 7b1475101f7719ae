"""What is left of a record if one chosen colleague leaves (kpis 12), for those to whom cover risk names colleagues."""

from __future__ import annotations

from msgspec import json

from shared import for_caller, stamps
from shared import widgets as w
from shared.auth import Caller
from shared.errors import InvalidInputError, NotFoundError
from shared.insight_widgets import cover_risk
from shared.reading import WidgetQuery, past_instant
from shared.recompute import computation
from shared.snapshots import Computation, envelope

WIDGET = "coverRisk"


def if_leaves(who: Caller, record: str, widget: str, query: WidgetQuery, now: int) -> bytes:
    """Cover risk with `ifLeaves` for the person asked about, computed for this caller.

    Raises InvalidInputError for another widget, ForbiddenError for a caller to whom no colleague is named (whoever could ask
    name by name would learn what is withheld), NotFoundError for an unknown record, and for a person who is none of ours on it.
    """
    if widget != WIDGET:
        raise InvalidInputError(f"person goes with the widget {WIDGET}", "$.person")
    instant, in_force = past_instant(query, now), stamps.read()
    found = computation(record, now if instant is None else instant, in_force)
    if found is None:
        raise NotFoundError(f"There is no {record.partition(':')[0]} with this id.")
    computed, _ = found
    for_caller.require_names(who, computed.subject.overseers)
    data = cover_risk(computed, _colleague(computed, query.person))
    return json.encode(w.RecordWidget(**envelope(computed, now, now, in_force.parameters), widget=widget, data=data))


def _colleague(computed: Computation, id: str) -> int:
    ours = [key for key, person in computed.names.items() if person.side == "internal" and person.id == id]
    if not ours:
        raise NotFoundError("No colleague with this id has taken part in the record's interactions.")
    return ours[0]
