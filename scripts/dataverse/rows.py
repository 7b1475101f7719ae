"""A row of the Web API as a change of the plain format, read by the same rules as what Dataverse's webhooks send.

The version of a change is when the row was modified, so the same row, read again or told by a webhook, is one and the same
write. The Web API gives whole seconds; a row that rested for longer than any transaction lasts is taken at the end of its
second, since nothing else can have happened in that second that it does not show.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from scripts.dataverse.tables import Table, column_name
from shared.crm.attributes import RELATIONSHIPS
from shared.crm.dataverse_columns import attributes_of
from shared.crm.dataverse_values import ENTITIES, moment, reference

Row = Mapping[str, Any]
Change = dict[str, Any]

TARGET = "Microsoft.Dynamics.CRM.lookuplogicalname"
FORMATTED = "OData.Community.Display.V1.FormattedValue"
LONGEST_TRANSACTION = timedelta(minutes=2)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND, _DAY = timedelta(seconds=1), timedelta(days=1)
_LOOKUPS = frozenset(("Lookup", "Owner", "Customer"))
_INACTIVE = 1
# participationtypemask of an activity party, as the column of the activity that lists it
_ROLES = {1: "from", 2: "to", 3: "cc", 5: "requiredattendees", 6: "optionalattendees", 7: "organizer"}
PARTY_COLUMNS = {
    "activityid": "Lookup",
    "partyid": "Lookup",
    "participationtypemask": "Picklist",
    "addressused": "String",
    "unresolvedpartyname": "String",
}


def milliseconds(at: datetime) -> int:
    """An instant as a version."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def safe_version(read_at: datetime) -> int:
    """A version for what only a whole list tells: older than every operation that the list may not show yet."""
    return milliseconds(read_at - LONGEST_TRANSACTION)


def version_of(row: Row, read_at: datetime) -> int:
    """The version of a row's content; 0 for a row that does not say when it was modified."""
    modified = moment(row.get("modifiedon")) or moment(row.get("createdon"))
    if modified is None:
        return 0
    rested = read_at - modified > LONGEST_TRANSACTION
    return milliseconds(modified) + (999 if rested and modified.microsecond == 0 else 0)


def lookup(row: Row, name: str) -> dict[str, Any] | None:
    """A lookup column as an EntityReference; None when it is empty."""
    column = f"_{name}_value"
    if not row.get(column):
        return None
    return {
        "Id": row[column],
        "LogicalName": row.get(f"{column}@{TARGET}"),
        "Name": row.get(f"{column}@{FORMATTED}"),
    }


def columns_of_row(types: Mapping[str, str], row: Row) -> dict[str, Any]:
    """The columns of a row as an execution context would hold them."""
    found: dict[str, Any] = {}
    for name, kind in types.items():
        if kind in _LOOKUPS:
            found[name] = lookup(row, name)
        elif column_name(name, kind) in row:
            value = row[name]
            dated = kind == "DateTime" and isinstance(value, str) and len(value) == len("2026-01-31")
            found[name] = f"{value}T00:00:00Z" if dated else value
    return found


def parties_of(rows: Iterable[Row]) -> dict[str, dict[str, Any]]:
    """Rows of `activityparties` as the party columns of each activity: id -> column -> EntityCollection."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for row in rows:
        column = _ROLES.get(row.get("participationtypemask") or 0)
        if column is None:
            continue
        columns = columns_of_row(PARTY_COLUMNS, row)
        attributes = [{"key": name, "value": value} for name, value in columns.items() if name != "activityid"]
        listed = found[row["_activityid_value"]].setdefault(column, {"Entities": []})
        listed["Entities"].append({"LogicalName": "activityparty", "Attributes": attributes})
    return found


def change_of(
    table: Table, row: Row, read_at: datetime, parties: Mapping[str, Any] | None = None, closed: datetime | None = None
) -> Change:
    """A row as an upsert of all that it says. `closed` is when we first saw it closed, for tables that do not tell."""
    columns = columns_of_row(table.columns, row) | dict(parties or {})
    attributes = attributes_of(table.name, columns, {}, _closing(columns, closed))
    if attributes.get("private") is True:
        attributes = {"private": True}
    upsert = {"entity": ENTITIES[table.name], "id": row[table.key], "version": version_of(row, read_at)}
    return {**upsert, "operation": "upsert", "attributes": attributes}


def _closing(columns: Row, closed: datetime | None) -> datetime:
    """When a closed row was closed: within its closing day, which has no time of day, and not after its last change."""
    modified = moment(columns.get("modifiedon")) or _EPOCH
    dated = moment(columns.get("actualclosedate"))
    if dated is not None:
        return min(modified, dated + _DAY - _SECOND)
    return min(modified, closed) if closed else modified


def deletion(table: str, id: str, read_at: datetime) -> Change:
    """A row that is gone."""
    return {"entity": ENTITIES[table], "id": id, "version": safe_version(read_at), "operation": "delete"}


def connected(row: Row) -> tuple[tuple[str, str], tuple[str, str]] | None:
    """The two rows that a connection joins, as (entity, id); None when one of them means nothing to Rapport."""
    first, second = reference(lookup(row, "record1id")), reference(lookup(row, "record2id"))
    return (first, second) if first and second else None


def holds(row: Row, read_at: datetime) -> bool:
    """Whether a connection is active and has not ended."""
    ended = moment(row.get("effectiveend"))
    return row.get("statecode") != _INACTIVE and (ended is None or ended > read_at)


def links(operation: str, version: int, first: tuple[str, str], second: tuple[str, str]) -> list[Change]:
    """What joining two rows means: a contact is a stakeholder of a deal, a user is on its team; else nothing."""
    found: list[Change] = []
    for (entity, id), (other, other_id) in ((first, second), (second, first)):
        for relationship, related in RELATIONSHIPS.get(entity, {}).items():
            if related == other:
                change = {"entity": entity, "id": id, "version": version, "operation": operation}
                ref = {"entity": other, "id": other_id}
                found.append({**change, "relationship": relationship, "related": [ref]})
    return found
