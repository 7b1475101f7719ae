"""The `introductions` table: requests in their introducer's partition, an index by asker, and templates by language.

All changes of one introducer's requests go through one row's ETag, so a cap holds however many ask at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import json

from shared import decoders, tables
from shared.errors import FormatVersionError, NotFoundError, UnavailableError
from shared.introduction_mail import Template, default_template
from shared.introduction_requests import Request

TABLE = "introductions"
VERSION = 1
_LOCK = "lock"
_TRIES = 10


def of_introducer(user: str) -> list[Request]:
    """All requests to this colleague, by id."""
    return [_read(row) for row in tables.query(TABLE, f"for|{user}", "r|", "r}")]


def of_asker(user: str) -> list[Request]:
    """All requests of this colleague, oldest first."""
    names = [
        row["RowKey"].removeprefix("r|").split("|") for row in tables.query(TABLE, f"by|{user}", "r|", "r}", ["RowKey"])
    ]
    found = [tables.read(TABLE, f"for|{introducer}", f"r|{id}") for introducer, id in names]
    return sorted((_read(row) for row in found if row), key=lambda request: (request.created_at, request.id))


def read(introducer: str, id: str) -> Request | None:
    """One request."""
    row = tables.read(TABLE, f"for|{introducer}", f"r|{id}")
    return _read(row) if row else None


def _read(row: tables.Row) -> Request:
    if row["v"] != VERSION:
        raise FormatVersionError(f"introductions have format {row['v']}, this app reads {VERSION}")
    return decoders.of_json(Request).decode(tables.unsplit(row))


Decide = Callable[[list[Request], Request | None], Request]


def change(introducer: str, id: str, decide: Decide) -> Request:
    """Replace one request by what `decide` makes of all the introducer's requests and this one, unless another change came
    between; then it decides again. What it raises goes through. Raises UnavailableError when others are faster all the time.
    """
    for _ in range(_TRIES):
        lock = tables.read(TABLE, f"for|{introducer}", _LOCK)
        held = of_introducer(introducer)
        new = decide(held, next((one for one in held if one.id == id), None))
        row = {"PartitionKey": f"for|{introducer}", "RowKey": f"r|{id}", "v": VERSION, **tables.split(json.encode(new))}
        operations: list[tables.Operation] = [
            (
                "write",
                {"PartitionKey": f"for|{introducer}", "RowKey": _LOCK, "v": VERSION},
                lock["etag"] if lock else None,
            ),
            ("upsert", row, None),
        ]
        if tables.transact(TABLE, operations):
            return new
    raise UnavailableError("The colleague's requests are being changed by too many at once.")


def index(asker: str, introducer: str, id: str) -> None:
    """Note whose request it is. Do it before the request is stored: a note that leads nowhere does no harm."""
    tables.upsert(TABLE, {"PartitionKey": f"by|{asker}", "RowKey": f"r|{introducer}|{id}", "v": VERSION})


def find(user: str, id: str) -> Request:
    """A request of this user as asker or introducer. Raises NotFoundError for any other."""
    own = read(user, id)
    found = own or next((request for request in of_asker(user) if request.id == id), None)
    if found is None:
        raise NotFoundError("There is no such request.")
    return found


def every() -> Iterator[Request]:
    """All requests. One scan of the table, which holds what people once asked for."""
    return (_read(row) for row in tables.scan(TABLE) if row["RowKey"].startswith("r|") and "data0" in row)


def forget(concerns: Callable[[Request], bool]) -> int:
    """Delete every request that concerns somebody; how many."""
    gone = [request for request in every() if concerns(request)]
    for one in gone:
        tables.delete(TABLE, f"for|{one.introducer}", f"r|{one.id}")
        tables.delete(TABLE, f"by|{one.asker}", f"r|{one.introducer}|{one.id}")
    return len(gone)


def template(language: str) -> Template:
    """The template of a language: the administrator's, else the supplied one."""
    row = tables.read(TABLE, "template", language)
    return decoders.of_json(Template).decode(tables.unsplit(row)) if row else default_template(language)


def save_template(language: str, new: Template) -> None:
    """Replace the template of a language; check it before."""
    tables.upsert(
        TABLE, {"PartitionKey": "template", "RowKey": language, "v": VERSION, **tables.split(json.encode(new))}
    )
