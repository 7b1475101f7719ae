"""Reading on the wire: one row by its keys, or the rows that match a filter, page after page.

The client library turns every property into a typed object by way of several generic layers. The answer is plain JSON with the
types of few properties beside them, so it is read here. `make bench` compares both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from msgspec import Struct, convert, json

from shared import decoders
from shared.entity_groups import Row
from shared.table_requests import Answer, TableRequests, TableServiceError

_HEADERS = {"Accept": "application/json;odata=minimalmetadata"}
_TYPE = "@odata.type"
_READERS: dict[str, Callable[[Any], Any]] = {
    "Edm.Binary": partial(convert, type=bytes),
    "Edm.Int64": int,
    "Edm.Double": float,
}


class _Page(Struct):
    value: list[Row]


_decoder = decoders.of_json(_Page)


def literal(value: str) -> str:
    """A text as a literal of the filter language.

    >>> literal("d'Arc")
    "'d''Arc'"
    """
    return "'" + value.replace("'", "''") + "'"


def row(
    requests: TableRequests, table: str, partition: str, key: str, select: Sequence[str] | None = None
) -> Row | None:
    """One row with its ETag under `etag`, None when it is not there. Raises as `rows` does."""
    keys = f"(PartitionKey={quote(literal(partition), safe='')},RowKey={quote(literal(key), safe='')})"
    answer = _answer(requests, f"/{table}{keys}", {"$select": ",".join(select or ())})
    return None if answer.status == 404 else _row(json.decode(answer.content))


def rows(
    requests: TableRequests, table: str, condition: str = "", select: Sequence[str] | None = None
) -> Iterator[Row]:
    """The matching rows in key order, with the ETag under `etag`; without a condition all rows of the table.

    Raises UnavailableError as `TableRequests.send`, TableServiceError for an answer that should not be.
    """
    wanted = {"$filter": condition, "$select": ",".join(select or ())}
    following: dict[str, str] = {}
    while True:
        answer = _answer(requests, f"/{table}()", {**wanted, **following})
        if answer.status == 404:  # the table itself
            raise TableServiceError(answer)
        for entity in _decoder.decode(answer.content).value:
            yield _row(entity)
        following = {
            name: answer.headers[header]
            for name in ("NextPartitionKey", "NextRowKey")
            if (header := f"x-ms-continuation-{name}") in answer.headers
        }
        if not following:
            return


def _answer(requests: TableRequests, path: str, parameters: dict[str, str]) -> Answer:
    asked = urlencode({name: value for name, value in parameters.items() if value}, quote_via=quote)
    answer = requests.send("GET", f"{path}?{asked}".rstrip("?"), _HEADERS)
    if answer.status not in (200, 404):
        raise TableServiceError(answer)
    return answer


def _row(entity: Row) -> Row:
    row: Row = {name: value for name, value in entity.items() if "odata." not in name}
    row.pop("Timestamp", None)  # the service's own, as in the client library not among the properties
    for name, kind in entity.items():
        place = name.removesuffix(_TYPE)
        if place != name and row.get(place) is not None:  # null: asked for by `select`, and not there
            row[place] = _READERS.get(kind, str)(row[place])
    row["etag"] = entity.get("odata.etag")
    return row
