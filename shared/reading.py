"""Reading snapshots for callers: which record, which instant, which widget. Loads nothing heavy while snapshots are fresh."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from msgspec import Meta, Raw, Struct, json

from shared import crm_backlog, decoders, exchange, insights
from shared.crm.values import normal_id
from shared.errors import InvalidInputError, NotFoundError
from shared.rosters import RECORD_TYPES

_SNAPSHOT = decoders.of_json(dict[str, Raw])
Found = TypeVar("Found")
SIMILAR = "similarWonOpportunities"  # of a past instant, it is found only when it is asked for by name
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)


class AsOfQuery(Struct, frozen=True, rename="camel"):
    """`asOf`: the instant (RFC 3339) whose numbers are wanted, from what is held today; without it, now. `language` (such as
    `de` or `ar`): have the sentences of the summary put into words."""

    as_of: datetime | None = None
    language: Annotated[str, Meta(max_length=35)] = ""


class WidgetQuery(AsOfQuery, frozen=True, rename="camel"):
    """`person` (such as `user:<id>`), for `coverRisk`: what is left if this colleague leaves, instead of the one on whom most
    hangs."""

    person: Annotated[str, Meta(max_length=400)] = ""


class Answer(Struct, frozen=True):
    """JSON bytes and the tag of the snapshot they are of; no tag for what was computed for this caller."""

    body: bytes
    tag: str | None


def record_of(route: Mapping[str, Any]) -> str:
    """The record named by a route's `type` and `id`. Raises InvalidInputError for what can be no record."""
    kind = str(route["type"]).lower()
    if kind not in RECORD_TYPES:
        raise InvalidInputError(f"the record type is one of {', '.join(RECORD_TYPES)}", "$.type")
    try:
        return f"{kind}:{normal_id(str(route['id']))}"
    except ValueError as error:
        raise InvalidInputError(str(error), "$.id") from None


def past_instant(query: AsOfQuery, now: int) -> int | None:
    """The wanted instant in whole seconds, None for now. Raises InvalidInputError for the future and for no time zone."""
    if query.as_of is None:
        return None
    if query.as_of.tzinfo is None:
        raise InvalidInputError("asOf needs a time zone, such as Z", "$.asOf")
    instant = int(query.as_of.timestamp()) if query.as_of >= _EARLIEST else 0
    if not instant or instant > now:
        raise InvalidInputError("asOf lies between 1990 and now", "$.asOf")
    return instant


def all_widgets(record: str, query: AsOfQuery, now: int, with_similar: bool = False) -> Answer:
    """All widgets of a record. Raises NotFoundError when there is no such record."""
    found = _with_suspicion(_snapshot(record, query, now, with_similar))
    if not query.language:
        return found
    envelope = _SNAPSHOT.decode(found.body)
    widgets = _SNAPSHOT.decode(envelope["widgets"])
    widgets["summary"] = _in_words(widgets["summary"], query.language)
    return Answer(json.encode({**envelope, "widgets": widgets}), None)


def _with_suspicion(answer: Answer) -> Answer:
    """The answer with what snapshots know nothing of: that a failed probe pauses the reading of Exchange, that changes of the CRM
    wait to be computed."""
    more = [exchange.SUSPECT] * (exchange.SUSPECT in exchange.flags())
    more += [crm_backlog.STALE] * (crm_backlog.complete_until() is not None)
    if not more:
        return answer
    envelope = _SNAPSHOT.decode(answer.body)
    flags = [*decoders.of_json(list[str]).decode(envelope["flags"]), *more]
    return Answer(json.encode({**envelope, "flags": flags}), None)


def _in_words(summary: Raw, language: str) -> Raw:
    from shared.sentences import in_words

    return Raw(in_words(bytes(summary), language))


def _snapshot(record: str, query: AsOfQuery, now: int, with_similar: bool) -> Answer:
    instant = past_instant(query, now)
    if instant is not None:
        from shared.recompute import as_of

        return Answer(_existing(as_of(record, instant, now, with_similar), record), None)
    stored = insights.read(record)
    if stored is None or now >= stored.valid_until or stored.computed_at <= exchange.changed_at():
        from shared.failures import recompute_or_tell

        stored, failed = recompute_or_tell(record, now)
        if failed:
            return Answer(_existing(stored, record).body, None)
        if stored and stored.similar_due:
            from shared.similar_updates import announce_round

            announce_round()
    found = _existing(stored, record)
    return Answer(found.body, found.tag)


def one_widget(record: str, widget: str, query: AsOfQuery, now: int) -> Answer:
    """One widget with its envelope. Raises NotFoundError for an unknown record or widget."""
    whole = all_widgets(record, query, now, with_similar=widget == SIMILAR)
    envelope = _SNAPSHOT.decode(whole.body)
    widgets = _SNAPSHOT.decode(envelope.pop("widgets"))
    if widget not in widgets:
        raise NotFoundError(f"There is no widget of that name. Widgets: {', '.join(widgets)}.")
    body = json.encode({**envelope, "widget": widget, "data": widgets[widget]})
    return Answer(body, f"{whole.tag}-{widget}" if whole.tag else None)


def _existing(found: Found | None, record: str) -> Found:
    if found is None:
        raise NotFoundError(f"There is no {record.partition(':')[0]} with this id.")
    return found
