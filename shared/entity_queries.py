"""Reading on the wire: one row by its keys, or the rows that match a filter, page after page.

The client library turns every property into a typed object by way of several generic layers. The answer is plain JSON with the
types of few properties beside them, so it is read here, at half the library's CPU for small answers; the request itself still
goes through the library's pipeline with its signing, retries and tracing. `make bench` compares both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from msgspec import Struct, convert, json

from shared.entity_groups import Row

if TYPE_CHECKING:
    from azure.data.tables import TableClient

_TYPE = "@odata.type"
_READERS: dict[str, Callable[[Any], Any]] = {
    "Edm.Binary": partial(convert, type=bytes),
    "Edm.Int64": int,
    "Edm.Double": float,
}


class _Page(Struct):
    value: list[Row]


_decoder = json.Decoder(_Page)


def literal(value: str) -> str:
    """A text as a literal of the filter language.

    >>> literal("d'Arc")
    "'d''Arc'"
    """
    return "'" + value.replace("'", "''") + "'"


def row(client: TableClient, partition: str, key: str, select: Sequence[str] | None = None) -> Row | None:
    """One row with its ETag under `etag`, None when it is not there. Raises as `rows` does."""
    from azure.core.exceptions import HttpResponseError

    address = f"(PartitionKey={quote(literal(partition), safe='')},RowKey={quote(literal(key), safe='')})"
    try:
        content, _ = _answer(client, address, {"$select": ",".join(select or ())})
    except HttpResponseError as error:
        if error.status_code == 404:
            return None
        raise
    return _row(json.decode(content))


def rows(client: TableClient, condition: str = "", select: Sequence[str] | None = None) -> Iterator[Row]:
    """The matching rows in key order, with the ETag under `etag`; without a condition all rows of the table.

    Raises azure.core's exceptions, HttpResponseError for an answer other than 200.
    """
    wanted = {"$filter": condition, "$select": ",".join(select or ())}
    following: dict[str, str] = {}
    while True:
        content, headers = _answer(client, "()", {**wanted, **following})
        for entity in _decoder.decode(content).value:
            yield _row(entity)
        following = {
            name: headers[header]
            for name in ("NextPartitionKey", "NextRowKey")
            if (header := f"x-ms-continuation-{name}") in headers
        }
        if not following:
            return


def _answer(client: TableClient, address: str, parameters: dict[str, str]) -> tuple[bytes, Any]:
    from azure.core.exceptions import HttpResponseError
    from azure.core.rest import HttpRequest

    base = client._client._config.url  # the account's address; the library has no public name for it
    asked = urlencode({name: value for name, value in parameters.items() if value}, quote_via=quote)
    url = f"{base}/{client.table_name}{address}?{asked}".rstrip("?")
    headers = {
        "x-ms-version": client.api_version,
        "DataServiceVersion": "3.0",
        "Accept": "application/json;odata=minimalmetadata",
    }
    request = HttpRequest("GET", url, headers=headers)
    response = client._client.send_request(request, stream=True)  # not streamed, the pipeline would decode it as well
    content = response.read()
    if response.status_code != 200:
        raise HttpResponseError(response=response)
    return content, response.headers


def _row(entity: Row) -> Row:
    row: Row = {name: value for name, value in entity.items() if "odata." not in name}
    row.pop("Timestamp", None)  # the service's own, as in the client library not among the properties
    for name, kind in entity.items():
        place = name.removesuffix(_TYPE)
        if place != name and row.get(place) is not None:  # null: asked for by `select`, and not there
            row[place] = _READERS.get(kind, str)(row[place])
    row["etag"] = entity.get("odata.etag")
    return row
