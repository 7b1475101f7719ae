"""Queries of the Web API as the simulator understands them: what is not published is refused, as Dataverse refuses it.

`dataverse_schema.json` holds names and types of tables and columns: facts of an organisation's metadata (version 9.0, as
published in the generated classes of daryllabar/XrmUnitTest), with `internetmessageheaders` and `unresolvedpartyname` added from
Microsoft's table reference.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

SCHEMA: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "dataverse_schema.json").read_text())
SETS = {table["set"]: name for name, table in SCHEMA.items()}
LOOKUPS = ("Lookup", "Owner", "Customer")
NOT_TRACKABLE = ("filter", "orderby", "expand", "top")
_IN = re.compile(r"Microsoft\.Dynamics\.CRM\.In\(PropertyName='(\w+)',PropertyValues=\[((?:'[^']*',?)*)\]\)")
_EQUAL = re.compile(r"(\w+) eq (?:'((?:[^']|'')*)'|([\w-]+))")
_EXPANDED = re.compile(r"(\w+)\(\$select=([\w,]+)\)")

Row = dict[str, Any]


class RefusedQuery(Exception):
    """What the Web API answers: status, code, message."""

    def __init__(self, message: str, status: int = 400, code: str = "0x80060888") -> None:
        super().__init__(message)
        self.status, self.code = status, code


def unknown(name: str, table: str) -> RefusedQuery:
    """The answer to a property that the table does not have."""
    return RefusedQuery(f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{table}'.")


def column_of(table: str, name: str) -> str:
    """The logical name of a property (`_ownerid_value` is ownerid). Raises RefusedQuery for an unknown one."""
    columns = SCHEMA[table]["columns"]
    inner = re.fullmatch(r"_(\w+)_value", name)
    if inner and columns.get(inner[1]) in LOOKUPS:
        return inner[1]
    if columns.get(name) in (None, "PartyList", *LOOKUPS):
        raise unknown(name, table)
    return name


@dataclass(frozen=True)
class Query:
    """A checked query of one table: the properties to answer with, conditions, an expanded lookup, links' tokens."""

    table: str
    select: tuple[str, ...]
    conditions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    filter: str = ""
    expand: tuple[str, tuple[str, ...]] | None = None
    skip: int = 0
    since: int | None = None
    options: tuple[str, ...] = ()

    def matches(self, row: Row) -> bool:
        """Whether all conditions hold for a row."""
        return all(_text(row.get(column)) in values for column, values in self.conditions)


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return str(value[1])
    return str(value).lower() if isinstance(value, bool) else str(value)


def parse(table: str, text: str) -> Query:
    """The query of an address. Raises RefusedQuery for whatever the Web API would refuse."""
    given = dict(parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text)))
    known = {"$select", "$filter", "$expand", "$skiptoken", "$deltatoken"}
    if unfit := set(given) - known:
        raise RefusedQuery(f"The query parameter {sorted(unfit)[0]} is not supported.", code="0x80060888")
    select = tuple(filter(None, given.get("$select", "").split(",")))
    for name in select:
        column_of(table, name)
    return Query(
        table,
        select,
        tuple(_conditions(table, given.get("$filter", ""))),
        given.get("$filter", ""),
        _expanded(table, given.get("$expand", "")),
        int(given.get("$skiptoken", "0")),
        int(given["$deltatoken"].partition("!")[0]) if "$deltatoken" in given else None,
        tuple(name.removeprefix("$") for name in given),
    )


def _conditions(table: str, text: str) -> list[tuple[str, tuple[str, ...]]]:
    found: list[tuple[str, tuple[str, ...]]] = []
    for part in filter(None, text.split(" and ")):
        if chosen := _IN.fullmatch(part):
            # The function takes logical names, unlike the comparisons of OData.
            if chosen[1] not in SCHEMA[table]["columns"]:
                message = f"'{table}' entity doesn't contain attribute with Name = '{chosen[1]}'."
                raise RefusedQuery(message, code="0x80041103")
            found.append((chosen[1], tuple(one.strip("'") for one in chosen[2].split(","))))
        elif equal := _EQUAL.fullmatch(part):
            value = equal[3] if equal[2] is None else equal[2].replace("''", "'")
            found.append((column_of(table, equal[1]), (value,)))
        else:
            raise RefusedQuery(f"Syntax error in $filter: {part}")
    return found


def _expanded(table: str, text: str) -> tuple[str, tuple[str, ...]] | None:
    if not text:
        return None
    found = _EXPANDED.fullmatch(text)
    if found is None or SCHEMA[table]["columns"].get(found[1]) not in LOOKUPS:
        raise RefusedQuery(f"Could not find a navigation property in $expand: {text}")
    return found[1], tuple(found[2].split(","))


def shown(query: Query, row: Row, annotations: str) -> Row:
    """A row as the answer holds it: the selected properties, the key, and the annotations that were asked for."""
    names = query.select or tuple(
        f"_{name}_value" if kind in LOOKUPS else name
        for name, kind in SCHEMA[query.table]["columns"].items()
        if kind != "PartyList"
    )
    key = SCHEMA[query.table]["key"]
    answer: Row = {"@odata.etag": f'W/"{row["versionnumber"]}"'}
    for name in dict.fromkeys((*names, key)):
        value = row.get(column_of(query.table, name))
        answer[name] = value[1] if isinstance(value, tuple) else value
        if isinstance(value, tuple):
            if "lookuplogicalname" in annotations:
                answer[f"{name}@Microsoft.Dynamics.CRM.lookuplogicalname"] = value[0]
            if "FormattedValue" in annotations and value[2]:
                answer[f"{name}@OData.Community.Display.V1.FormattedValue"] = value[2]
    return answer


def path_of(address: str) -> tuple[str, str]:
    """Path below the version, decoded, and the query."""
    path, _, query = address.partition("?")
    return unquote(path).removeprefix("/api/data/v9.2/"), query
