"""Writing on the wire: one row, or an entity group transaction of many rows of one partition, all or nothing.

The client library can do this too, at 0.5 ms of CPU a row: it builds and reads every part with the e-mail parser of the standard
library. A first load writes some hundred thousand rows, so the two formats, which are small and fixed, are written here.
`make bench` compares both.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from msgspec import json

from shared.table_requests import TableServiceError

if TYPE_CHECKING:
    from shared.table_requests import TableRequests

Row = dict[str, Any]
Operation = tuple[
    str, Row, str | None
]  # ("write" | "upsert" | "delete", row, ETag; "write" with None = must not exist)

REFUSED = (404, 409, 412)  # a row is gone, is there already, or was changed by somebody else
_STATUS = re.compile(rb"^HTTP/1\.1 (\d{3})", re.MULTILINE)
_INT32 = 2**31


def submit(requests: TableRequests, table: str, operations: Sequence[Operation]) -> int:
    """Do at most 100 operations on one partition; the status of the whole: 202, or of the operation that was refused.

    Raises UnavailableError as `TableRequests.send`, TableServiceError for what the whole request was refused for.
    """
    if len(operations) == 1:
        return _submit_one(requests, table, operations[0])
    batch, changeset = f"batch_{os.urandom(16).hex()}", f"changeset_{os.urandom(16).hex()}"
    parts = [_part(changeset, number, requests.address, table, each) for number, each in enumerate(operations)]
    opening = f"--{batch}\r\nContent-Type: multipart/mixed; boundary={changeset}\r\n\r\n".encode()
    body = b"".join([opening, *parts, f"--{changeset}--\r\n\r\n--{batch}--\r\n".encode()])
    headers = {
        "MaxDataServiceVersion": "3.0;NetFx",
        "Content-Type": f"multipart/mixed; boundary={batch}",
        "Accept": "application/json",
    }
    answer = requests.send("POST", "/$batch", headers, body)
    if answer.status != 202:
        raise TableServiceError(answer)
    refused = [int(status) for status in _STATUS.findall(answer.content) if status >= b"400"]
    return refused[0] if refused else 202


def _submit_one(requests: TableRequests, table: str, operation: Operation) -> int:
    """A request of its own is cheaper on both sides than a transaction of one row."""
    method, path, headers, content = _request(table, operation)
    answer = requests.send(method, path, headers, content)
    if answer.status >= 400 and answer.status not in REFUSED:
        raise TableServiceError(answer)
    return 202 if answer.status < 400 else answer.status


def _request(table: str, operation: Operation) -> tuple[str, str, dict[str, str], bytes | None]:
    """Method, path, headers and content of one operation."""
    verb, row, etag = operation
    insert = verb == "write" and etag is None
    path = (
        f"/{table}"
        if insert
        else f"/{table}(PartitionKey='{_key(row['PartitionKey'])}',RowKey='{_key(row['RowKey'])}')"
    )
    headers = {"Accept": "application/json;odata=nometadata"}
    if condition := etag or ("*" if verb == "delete" else ""):
        headers["If-Match"] = condition
    if verb == "delete":
        return "DELETE", path, headers, None
    headers |= {"Prefer": "return-no-content", "Content-Type": "application/json"}
    return "POST" if insert else "PUT", path, headers, json.encode(_typed(row))


def _part(changeset: str, number: int, address: str, table: str, operation: Operation) -> bytes:
    method, path, headers, content = _request(table, operation)
    if content is not None:
        headers["Content-Length"] = str(len(content))
    lines = [
        f"--{changeset}", "Content-Type: application/http", "Content-Transfer-Encoding: binary", f"Content-ID: {number}", "",
        f"{method} {address}{path} HTTP/1.1", "DataServiceVersion: 3.0", *(f"{name}: {value}" for name, value in headers.items()),
    ]  # fmt: skip
    head = "\r\n".join(lines).encode() + b"\r\n\r\n"
    return head if content is None else b"".join([head, content, b"\r\n"])


def _key(text: str) -> str:
    return quote(text.replace("'", "''"), safe="")


def _typed(row: Row) -> Row:
    """The row as JSON of the table service: binary and 64-bit numbers carry their type beside them."""
    typed: Row = {}
    for name, value in row.items():
        if isinstance(value, bytes):
            typed[name] = base64.b64encode(value).decode()
            typed[f"{name}@odata.type"] = "Edm.Binary"
        elif isinstance(value, int) and not isinstance(value, bool) and not -_INT32 <= value < _INT32:
            typed[name] = str(value)
            typed[f"{name}@odata.type"] = "Edm.Int64"
        else:
            typed[name] = value
    return typed
