"""A simulator of the Web API of Dataverse, as far as our scripts use it: pages, change tracking, limits, registrations.

It answers by what Microsoft has published: only known tables, columns and query options are taken, `$filter` and its kin are
refused together with change tracking, delta links run out, and the service protection limits are kept by a clock that tests move.
"""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from tests.doubles.dataverse_limits import Clock, Limits
from tests.doubles.dataverse_query import (
    LOOKUPS,
    NOT_TRACKABLE,
    SCHEMA,
    SETS,
    Query,
    RefusedQuery,
    Row,
    column_of,
    parse,
    path_of,
    shown,
    unknown,
)
from tests.doubles.serving import Asked, Reply, as_json, serving

TOKEN = "a-token-of-the-simulator"
TRACKED_SECONDS = 7 * 86_400
MOST_ROWS = 5_000
_DEFINITION = re.compile(r"EntityDefinitions\(LogicalName='(\w+)'\)")
_COUNTS = re.compile(r"RetrieveTotalRecordCount\(EntityNames=\[((?:'\w+',?)*)\]\)")
_ROW = re.compile(r"(\w+)\(([0-9a-f-]{36})\)")
_BOUND = re.compile(r"(\w+)@odata\.bind")
_STEPS = "sdkmessageprocessingstep"


def guid(*parts: object) -> str:
    """An id that is the same in every run."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, repr(parts)))


class Dataverse:
    """An environment: `put` and `remove` are what its users do, everything else goes through the Web API."""

    def __init__(
        self, clock: Clock | None = None, absent: tuple[str, ...] = (), untracked: tuple[str, ...] = ()
    ) -> None:
        self.address = ""
        self.clock = clock or Clock()
        self.limits = Limits(self.clock)
        self.absent, self.untracked = absent, untracked
        self.rows: dict[str, dict[str, Row]] = {table: {} for table in SCHEMA}
        self.gone: dict[str, list[tuple[int, str]]] = {table: [] for table in SCHEMA}
        self.number = 1_000
        self.log: list[tuple[str, str]] = []
        self.published: list[str] = []
        self.live_forms: dict[str, str] = {}
        self.fail: list[int] = []  # statuses of the next answers, in place of what was asked for
        self._under_way = 0
        self._lock, self._counting = threading.RLock(), threading.Lock()
        self._issued: dict[int, float] = {}

    def now(self) -> str:
        """The present second as the Web API writes it."""
        return datetime.fromtimestamp(int(self.clock()), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def put(self, table: str, id: str, **columns: Any) -> str:
        """Write columns of a row; a lookup is (table, id, name). Gives the id."""
        for name in columns:
            if name not in SCHEMA[table]["columns"]:
                raise unknown(name, table)
        with self._lock:
            self.number += 1
            row = self.rows[table].setdefault(id, {SCHEMA[table]["key"]: id, "createdon": self.now()})
            row |= {"modifiedon": self.now(), **columns, "versionnumber": self.number}
        return id

    def remove(self, table: str, id: str) -> None:
        """Delete a row."""
        with self._lock:
            self.number += 1
            del self.rows[table][id]
            self.gone[table].append((self.number, id))

    def reply(self, asked: Asked) -> Reply:
        """The reply to a request."""
        date = format_datetime(datetime.fromtimestamp(self.clock(), UTC), usegmt=True)
        always = {"Date": date, "OData-Version": "4.0"}
        if asked.headers.get("Authorization") != f"Bearer {TOKEN}":
            return as_json(401, None, always)
        body = json.loads(asked.body) if asked.body else None
        status, content, headers = self.answer(asked.method, asked.path, asked.headers.get("Prefer", ""), body)
        return as_json(status, content, always | headers)

    def answer(self, method: str, address: str, prefer: str, body: Any) -> tuple[int, Any, dict[str, str]]:
        """Status, body and headers of a request."""
        with self._counting:
            self._under_way += 1
        try:
            return self._counted(method, address, prefer, body)
        finally:
            with self._counting:
                self._under_way -= 1

    def _counted(self, method: str, address: str, prefer: str, body: Any) -> tuple[int, Any, dict[str, str]]:
        with self._lock:
            self.log.append((method, address))
            refusal = self.limits.refusal(self._under_way)
            if refusal:
                code, message, seconds = refusal
                return 429, _error(code, message), {"Retry-After": str(seconds)}
            if self.fail:
                return self.fail.pop(0), _error("0x80040216", "Something went wrong."), {}
            self.limits.spend(20)
            try:
                return self._answer(method, *path_of(address), prefer, body)
            except RefusedQuery as refused:
                return refused.status, _error(refused.code, str(refused)), {}

    def _answer(self, method: str, path: str, query: str, prefer: str, body: Any) -> tuple[int, Any, dict[str, str]]:
        if method == "GET":
            return 200, self._read(path, query, prefer), {}
        if path == "PublishXml":
            self.published.append(body["ParameterXml"])
            self.live_forms = {id: row["formxml"] for id, row in self.rows["systemform"].items()}
            return 204, None, {}
        table = self._table(path.partition("(")[0])
        if method == "POST":
            id = self.put(table, str(uuid.uuid4()), **self._columns(table, body))
            return 204, None, {"OData-EntityId": f"{self.address}/api/data/v9.2/{path}({id})"}
        found = _ROW.fullmatch(path)
        if found is None or found[2] not in self.rows[table]:
            raise RefusedQuery(f"{table} With Id = {path} Does Not Exist", 404, "0x80040217")
        if method == "PATCH":
            self.put(table, found[2], **self._columns(table, body))
        else:
            self._delete(table, found[2])
        return 204, None, {}

    def _read(self, path: str, query: str, prefer: str) -> Any:
        if path == "WhoAmI":
            return {"UserId": guid("me")}
        if definition := _DEFINITION.fullmatch(path):
            return self._definition(definition[1])
        if counts := _COUNTS.fullmatch(path):
            names = [name.strip("'") for name in counts[1].split(",")]
            values = [len(self.rows[name]) for name in names]
            return {"EntityRecordCountCollection": {"Count": len(names), "Keys": names, "Values": values}}
        if found := _ROW.fullmatch(path):
            table = self._table(found[1])
            if found[2] not in self.rows[table]:
                raise RefusedQuery(f"{table} With Id = {found[2]} Does Not Exist", 404, "0x80040217")
            return shown(parse(table, query), self.rows[table][found[2]], prefer)
        return self._page(path, parse(self._table(path), query), prefer)

    def _table(self, entity_set: str) -> str:
        table = SETS.get(entity_set)
        if table is None or table in self.absent:
            raise RefusedQuery(f"Resource not found for the segment '{entity_set}'.", 404, "0x8006088a")
        return table

    def _definition(self, name: str) -> Any:
        if name not in SCHEMA or name in self.absent:
            raise RefusedQuery(f"Could not find an entity with name {name}", 404, "0x80060888")
        about = SCHEMA[name]
        return {
            "EntitySetName": about["set"],
            "PrimaryIdAttribute": about["key"],
            "ChangeTrackingEnabled": about["tracked"] and name not in self.untracked,
            "Attributes": [{"LogicalName": one, "AttributeType": kind} for one, kind in about["columns"].items()],
        }

    def _page(self, path: str, query: Query, prefer: str) -> Any:
        table, tracking = query.table, "odata.track-changes" in prefer or query.since is not None
        if tracking:
            self._check_tracking(query)
        rows = [row for row in self.rows[table].values() if query.matches(row)]
        gone: list[Row] = []
        if query.since is not None:
            rows = [row for row in rows if row["versionnumber"] > query.since]
            ids = {id for number, id in self.gone[table] if number > query.since}
            about = f"{self.address}/api/data/v9.2/$metadata#{path}/$deletedEntity"
            gone = [{"@odata.context": about, "id": id, "reason": "deleted"} for id in sorted(ids)]
        rows.sort(key=lambda row: (row["versionnumber"], row[SCHEMA[table]["key"]]))
        everything = [self._shown(query, row, prefer) for row in rows] + gone
        size = min(MOST_ROWS, int((re.findall(r"odata\.maxpagesize=(\d+)", prefer) or [MOST_ROWS])[0]))
        return self._linked(path, query, everything, size, tracking)

    def _linked(self, path: str, query: Query, rows: list[Row], size: int, tracking: bool) -> Any:
        page = rows[query.skip : query.skip + size]
        body: Row = {"@odata.context": f"{self.address}/api/data/v9.2/$metadata#{path}", "value": page}
        link = f"{self.address}/api/data/v9.2/{path}?$select={','.join(query.select)}"
        link += "" if query.since is None else f"&$deltatoken={query.since}!"
        if query.skip + size < len(rows):
            kept = f"&$filter={query.filter}" if query.filter else ""
            body["@odata.nextLink"] = f"{link}{kept}&$skiptoken={query.skip + size}"
        elif tracking:
            self._issued[self.number] = self.clock()
            link = link.partition("&$deltatoken")[0]
            body["@odata.deltaLink"] = f"{link}&$deltatoken={self.number}!{self.now().replace(':', '%3a')}"
        return body

    def _check_tracking(self, query: Query) -> None:
        for option in NOT_TRACKABLE:
            if option in query.options:
                raise RefusedQuery(f'The "${option}" query parameter isn\'t supported when Change Tracking is enabled.')
        if not SCHEMA[query.table]["tracked"] or query.table in self.untracked:
            raise RefusedQuery(f"Change tracking is not enabled for entity {query.table}.", code="0x80044353")
        if query.since is not None and self.clock() - self._issued.get(query.since, 0.0) > TRACKED_SECONDS:
            message = "Version stamp associated with the client has expired. Please perform a full sync."
            raise RefusedQuery(message, code="0x80044352")

    def _shown(self, query: Query, row: Row, prefer: str) -> Row:
        answer = shown(query, row, prefer)
        if query.expand:
            name, select = query.expand
            target = row.get(name)
            inner = self.rows[target[0]].get(target[1]) if target else None
            answer[name] = inner and shown(replace(query, table=target[0], select=select), inner, "")
        return answer

    def _columns(self, table: str, body: Row) -> Row:
        columns: Row = {}
        for name, value in body.items():
            if bound := _BOUND.fullmatch(name):
                columns |= self._bound(table, bound[1], value)
            else:
                columns[column_of(table, name)] = value
        return columns

    def _bound(self, table: str, name: str, value: str) -> Row:
        # A lookup with several targets is bound by its name and target.
        column = "eventhandler" if name == "eventhandler_serviceendpoint" else name
        found = _ROW.fullmatch(value.removeprefix("/"))
        if SCHEMA[table]["columns"].get(column) not in LOOKUPS or found is None:
            raise unknown(name, table)
        target = self._table(found[1])
        if found[2] not in self.rows[target]:
            raise RefusedQuery(f"{target} With Id = {found[2]} Does Not Exist", 404, "0x80040217")
        return {column: (target, found[2], "")}

    def _delete(self, table: str, id: str) -> None:
        if table == "serviceendpoint" and any(step["eventhandler"][1] == id for step in self.rows[_STEPS].values()):
            raise RefusedQuery("The service endpoint is referenced by a step.", 400, "0x8004f01f")
        if table == "webresource" and any(self.rows[table][id]["name"] in form for form in self.live_forms.values()):
            raise RefusedQuery("The web resource is used by a form.", 400, "0x8004f01f")
        images = self.rows["sdkmessageprocessingstepimage"]
        for image in [one for one, row in images.items() if row["sdkmessageprocessingstepid"][1] == id]:
            self.remove("sdkmessageprocessingstepimage", image)
        self.remove(table, id)


def _error(code: str, message: str) -> Any:
    return {"error": {"code": code, "message": message}}


@contextmanager
def dataverse(
    clock: Clock | None = None, absent: tuple[str, ...] = (), untracked: tuple[str, ...] = ()
) -> Iterator[Dataverse]:
    """A running, empty environment; `absent` tables do not exist, of `untracked` ones no changes are known."""
    environment = Dataverse(clock, absent, untracked)
    with serving(environment.reply) as environment.address:
        yield environment
